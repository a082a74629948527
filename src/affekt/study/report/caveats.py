"""Caveats: how far a study has come, and what may not be concluded from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from affekt.report.numbers import counted, known, listed, number
from affekt.study.content import Comparison
from affekt.study.report.study_tables import comparison_name


def progress(comparison: Comparison) -> str:
    """One sentence where runs are missing; empty for a finished study."""
    runs = comparison.get("runs") or {}
    finished, declared = runs.get("finished"), runs.get("declared")
    if not (known(finished) and known(declared)) or finished >= declared:
        return ""
    failed = len(comparison.get("failed") or ())
    more = f", {failed} failed" if failed else ""
    return f"{finished} of {declared} runs finished{more}. Every number below may still change."


def headline(comparison: Comparison) -> Mapping[str, Any] | None:
    """The comparison that the page opens with: the method against its reference, else the first declared."""
    declared = list(comparison.get("comparisons") or ())
    pair = (comparison.get("method"), comparison.get("reference") or "baseline")
    wanted = [c for c in declared if (c.get("first"), c.get("second")) == pair]
    return next(iter([*wanted, *declared]), None)


def caveats(comparison: Comparison) -> list[str]:
    """What may not be concluded, most important first."""
    return [*_of_controls(comparison), *_of_seeds(comparison), *_of_verdicts(comparison), *_of_runs(comparison)]


def _of_controls(comparison: Comparison) -> Iterator[str]:
    missing = (comparison.get("attribution") or {}).get("missing") or ()
    if missing:
        yield (
            f"How much of the difference is due to emotion: {listed(missing)} of the chain "
            f"{'has' if len(missing) == 1 else 'have'} no finished run."
        )
    elif not comparison.get("attribution"):
        yield "What the difference is due to: no chain of controls was run."
    for name, reason in (comparison.get("inapplicable") or {}).items():
        yield f"Anything about {name}, which does not apply here: {reason}."


def _of_seeds(comparison: Comparison) -> Iterator[str]:
    seeds = comparison.get("seeds") or {}
    counts = [len(c.get("seeds") or ()) for c in comparison.get("comparisons") or ()]
    if not counts:
        yield "That one condition differs from another: no declared comparison has its runs yet."
    elif min(counts) <= 1:
        unit = comparison.get("unit") or "pictures"
        yield (
            f"Anything about other seeds, where a comparison rests on one: its interval holds for other test {unit} "
            "with these very networks, not for the methods."
        )
    if added := list(seeds.get("added") or ()):
        yield (
            f"As from a study planned so: {counted(len(added), 'seed')} ({listed(added)}) "
            f"{'was' if len(added) == 1 else 'were'} added after a first look, which makes p too small."
        )


def _of_verdicts(comparison: Comparison) -> Iterator[str]:
    open_ = [c for c in comparison.get("comparisons") or () if c.get("verdict") == "cannot tell"]
    if not open_:
        return
    smallest = [c["smallest"] for c in open_ if known(c.get("smallest"))]
    reach = f"; a study like this finds differences from {number(min(smallest))} points up" if smallest else ""
    names = _some([comparison_name(c) for c in open_])
    yield f"That there is no difference in {names}: “cannot tell” is not “no effect”{reach}."


def _some(names: Sequence[str], most: int = 3) -> str:
    return listed(names) if len(names) <= most else f"{', '.join(names[:most])} and {len(names) - most} more"


def _of_runs(comparison: Comparison) -> Iterator[str]:
    if failed := comparison.get("failed") or ():
        names = [f"{f.get('condition')} (seed {f.get('seed')})" for f in failed]
        yield f"That the remaining runs speak for the failed ones: {_some(names)}."
    yield (
        f"Anything beyond these data, this network and this recipe: {counted(len(_seeds(comparison)), 'seed')}, "
        "one target."
    )


def _seeds(comparison: Comparison) -> list[int]:
    return sorted({seed for c in comparison.get("conditions") or () for seed in c.get("seeds") or ()})
