"""Claim: "it beats the others and is closest to people" as differences with intervals, and the sentence they allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from affekt.report.numbers import counted, listed
from affekt.study.agreement.pooling import ALPHA, PairOfConditions, Pooled

if TYPE_CHECKING:
    from affekt.study.agreement.topic import Topic

CLOSEST = ("kl", "error-consistency", "r", "pearson")
"""Measures of closeness to people, the first that is there decides."""

RULES = (
    "Rivals are the conditions that the method was declared to be compared with. It is told apart from one where p, "
    f"adjusted over all declared comparisons of the study (Holm), is below {ALPHA:g}. Supported: better than every "
    "rival in accuracy on the study's labels and nearer to people than every rival by the first that there is of KL "
    "from votes, error consistency and r. Contradicted: told apart from a rival, to its disadvantage, by either of "
    "the two. Not shown: neither."
)

Status = Literal["supported", "contradicted", "not shown", "nothing to say"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """The method minus one rival, by one measure.

    Attributes:
        measure: its title; ``name`` for files.
        rival: condition.
        value, low, high, p_holm: None without a number.
        verdict: ``better``, ``worse``, ``cannot tell``, or why there is no number.
        decides: whether the sentence rests on it.
    """

    name: str
    measure: str
    rival: str
    value: float | None
    low: float | None
    high: float | None
    p_holm: float | None
    verdict: str
    decides: bool


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The sentence, what it rests on, and the rules by which it was chosen."""

    method: str
    status: Status
    sentence: str
    rows: Sequence[Row]
    rules: str = RULES


def claim(method: str, declared: Sequence[tuple[str, str]], topics: Sequence[Topic]) -> Claim:
    """What the declared comparisons of the method allow to be said."""
    rivals = [b if a == method else a for a, b in declared if method in (a, b)]
    measures = {m.name: m for topic in topics for m in topic.measures}
    closest = [measures[name] for name in CLOSEST if name in measures]
    shown = [measures["accuracy-labels"], *closest]
    deciding = shown[:2]
    rows = [_row(m, method, rival, decides=m in deciding) for m in shown for rival in rivals]
    if not rivals or not closest:
        why = "no declared comparison of it has its runs" if not rivals else "nothing measures closeness to people"
        return Claim(
            method=method, status="nothing to say", sentence=f"Nothing can be said of {method}: {why}.", rows=rows
        )
    status = _status([row for row in rows if row.decides])
    said = [
        _said(m, [row for row in rows if row.name == m.name], kind) for m, kind in zip(deciding, _KINDS, strict=True)
    ]
    lead = f"That {method} beats the others and is closest to people is {status}"
    return Claim(method=method, status=status, sentence=f"{lead}: it is {'; it is '.join(said)}.", rows=rows)


_KINDS = (("more accurate than", "less accurate than"), ("nearer to people than", "farther from people than"))


def _row(measure: Pooled, method: str, rival: str, *, decides: bool) -> Row:
    pair = next(p for p in measure.pairs if {p.first, p.second} == {method, rival})
    turned = pair.second == method
    value, low, high = _turned(pair) if turned else (pair.value, pair.low, pair.high)
    better = measure.favours(pair)
    verdict = pair.reason or ("cannot tell" if not better else "better" if better == method else "worse")
    return Row(
        name=measure.name,
        measure=measure.title,
        rival=rival,
        value=value,
        low=low,
        high=high,
        p_holm=pair.p_holm,
        verdict=verdict,
        decides=decides,
    )


def _turned(pair: PairOfConditions) -> tuple[float | None, float | None, float | None]:
    if pair.value is None or pair.low is None or pair.high is None:
        return None, None, None
    return -pair.value, -pair.high, -pair.low


def _status(rows: Sequence[Row]) -> Status:
    if any(row.verdict == "worse" for row in rows):
        return "contradicted"
    return "supported" if all(row.verdict == "better" for row in rows) else "not shown"


def _said(measure: Pooled, rows: Sequence[Row], kind: tuple[str, str]) -> str:
    """``more accurate than 2 of 4 rivals (a and b) and less than none, by KL``."""
    better, worse = ([row.rival for row in rows if row.verdict == word] for word in ("better", "worse"))
    of = counted(len(rows), "rival")
    first = f"{kind[0]} {len(better)} of {of}" + (f" ({listed(better)})" if better else "")
    second = f"{kind[1]} {listed(worse)}" if worse else f"{kind[1]} none"
    return f"{first} and {second} (by {measure.title})"
