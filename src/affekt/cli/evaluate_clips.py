"""``affekt evaluate`` on clips: the metrics of each task, then every speaker's, then those of groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from affekt.cli.printing import write, write_table

if TYPE_CHECKING:
    from affekt.cli.scoring_clips import ScoredClips
    from affekt.study.statistics.by_group import Bounded

UAR = "UAR"
"""Unweighted average recall, ``balanced_accuracy`` among the metrics."""


def print_scored(scored: ScoredClips) -> None:
    """Tables; the confusions, whose number is the square of the classes', stand in the JSON alone."""
    shown = [(name, value) for name, value in scored.metrics.items() if "/confusion/" not in name]
    write_table(("metric", f"{scored.dataset} {scored.split}"), [*shown, ("n", scored.n)])
    if scored.speakers:
        write(f"\n{UAR} (balanced accuracy) of each speaker:")
        write_table(
            ("speaker", *(f"{task}, {what}" for task in scored.speakers for what in ("n", UAR))), _people(scored)
        )
    if scored.groups:
        write(f"\n{UAR} of groups, over the classes that all of them have:")
        write_table(("task", "of", "n", "speakers", UAR, "95 % from", "to"), _of_groups(scored))


def _people(scored: ScoredClips) -> Iterator[list[Any]]:
    for who in sorted({who for of in scored.speakers.values() for who in of}):
        own = [of.get(who) for of in scored.speakers.values()]
        yield [who, *(cell for found in own for cell in _cells(found))]


def _cells(found: Any) -> tuple[Any, Any]:
    return (0, None) if found is None else (found["n"], found["balanced_accuracy"])


def _of_groups(scored: ScoredClips) -> Iterator[list[Any]]:
    for task, labels in scored.groups.items():
        for label, by in labels.items():
            for group in by.groups:
                yield [task, f"{label} {group.name}", group.clips, group.speakers, *_bounded(group.recall, 0.0)]
            for d in by.differences:
                yield [task, f"{label} {d.first} - {d.second}", None, None, *_bounded(d.recall, -1.0)]


def _bounded(found: Bounded, least: float) -> tuple[float, float | None, float | None]:
    low = None if found.low is None else max(least, found.low)
    high = None if found.high is None else min(1.0, found.high)
    return found.value, low, high
