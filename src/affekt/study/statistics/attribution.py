"""Attribution: a difference cut into the links of a declared chain of conditions, which sum to it exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from affekt.errors import UsageError
from affekt.study.statistics.difference import Difference, difference
from affekt.study.statistics.resampling import Resampled

CHAIN: tuple[tuple[str, str], ...] = (
    ("baseline", ""),
    ("mixture", "a second branch with a loss"),
    ("scalar-gate", "a learned balance"),
    ("untrained-emotion", "another network looks on"),
    ("shuffled-emotion", "affective pictures"),
    ("learn-e-reg", "the affect in their labels"),
)
"""Conditions in order, and what each has that the one before it lacks."""

PRETRAINED_CHAIN: tuple[tuple[str, str], ...] = (
    *CHAIN[:3],
    ("random-emotion", "another network looks on"),
    ("untrained-emotion", "ordinary pre-training of that network"),
    *CHAIN[4:],
)
"""The same where the emotional encoder starts from weights of another training (ImageNet's): a link of its own."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """From one condition to the next.

    Attributes:
        first, second: the conditions; the link is ``second`` minus ``first``.
        adds: what the second has that the first lacks.
        difference: None where one of them has no finished run: missing, never guessed.
    """

    first: str
    second: str
    adds: str
    difference: Difference | None


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """A chain's links, and the whole difference between its ends.

    Attributes:
        links: in order; where none is missing, their estimates sum to that of ``whole``. Their order matters: another
            chain would share the same whole out otherwise.
        whole: last minus first; None where one of these is missing.
        seeds: those that all conditions of the chain have; others do not count.
        missing: conditions without a finished run.
    """

    links: tuple[Link, ...]
    whole: Difference | None
    seeds: tuple[int, ...]
    missing: tuple[str, ...]


def attribute(conditions: Mapping[str, Resampled], chain: Sequence[tuple[str, str]] = CHAIN) -> Attribution:
    """Cut the difference between the ends of a chain into its links.

    Args:
        conditions: name -> scores; a condition of the chain that is not in it is missing.
        chain: two or more conditions, each with what it adds to the one before it.

    Raises:
        UsageError: a chain of one condition, one that stands in it twice, or conditions without a seed in common.
    """
    names = [name for name, _ in chain]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(f"chain {' -> '.join(names)}: two or more different conditions are asked")
    there = [name for name in names if name in conditions]
    common = set.intersection(*(set(conditions[name].seeds) for name in there)) if there else set()
    seeds = tuple(s for s in (conditions[there[0]].seeds if there else ()) if s in common)
    if there and not seeds:
        raise UsageError(f"{', '.join(there)}: no seed that all of them have")
    held = {name: conditions[name].of(seeds) for name in there}

    def between(first: str, second: str) -> Difference | None:
        if first not in held or second not in held:
            return None
        return difference(held[second], held[first])

    adds = dict(chain)
    return Attribution(
        links=tuple(Link(first=a, second=b, adds=adds[b], difference=between(a, b)) for a, b in pairwise(names)),
        whole=between(names[0], names[-1]),
        seeds=seeds,
        missing=tuple(name for name in names if name not in held),
    )
