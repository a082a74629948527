"""Trial table: who sees which picture when, in the columns of model-vs-human (Geirhos et al. 2021), answers empty."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from affekt.randomness import generator

COLUMNS = ("subj", "session", "trial", "rt", "object_response", "category", "condition", "imagename")
"""``rt`` (seconds) and ``object_response`` are filled by the experiment."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One picture that can be shown.

    Attributes:
        unit: what is not shown twice in a block: its source picture or pair.
        condition: its manipulation and strength.
        category: the right answer; empty where there is none.
        file: relative path, with slashes.
    """

    unit: str
    condition: str
    category: str
    file: str


def order(pictures: Sequence[Shown], subject: int, *, seed: int) -> Iterator[tuple[int, Shown]]:
    """``(block, picture)`` in one subject's order: every picture once, in as many blocks as a unit has conditions.

    A Latin square: each block shows each unit once, and each condition equally often (give or take one), so that no
    condition goes with practice or fatigue. Which unit begins with which condition, and the order within a block, are
    drawn by (seed, subject). Units with fewer conditions than others are absent from some of the blocks.
    """
    draw = generator("trials", seed, subject)
    by_unit: dict[str, list[Shown]] = {}
    for picture in pictures:
        by_unit.setdefault(picture.unit, []).append(picture)
    units = [by_unit[name] for name in by_unit]
    blocks = max(map(len, units), default=0)
    start = draw.permutation(len(units))
    for block in range(blocks):
        places = [(int(start[row]) + block) % blocks for row in range(len(units))]
        chosen = [unit[place] for unit, place in zip(units, places, strict=True) if place < len(unit)]
        yield from ((block + 1, chosen[i]) for i in draw.permutation(len(chosen)))


def rows(pictures: Sequence[Shown], subjects: int, *, seed: int) -> Iterator[Mapping[str, str | int]]:
    """The rows of ``subjects`` subjects; trials are numbered from 1 through all blocks, a block is a session."""
    width = max(2, len(str(subjects)))
    for subject in range(1, subjects + 1):
        for trial, (block, picture) in enumerate(order(pictures, subject, seed=seed), start=1):
            yield {
                "subj": f"subject-{subject:0{width}d}",
                "session": block,
                "trial": trial,
                "rt": "",
                "object_response": "",
                "category": picture.category,
                "condition": picture.condition,
                "imagename": picture.file,
            }


def write_trials(path: Path, pictures: Sequence[Shown], subjects: int, *, seed: int) -> int:
    """Write the table to a new file; the number of trials."""
    with path.open("x", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        number = 0
        for number, row in enumerate(rows(pictures, subjects, seed=seed), start=1):  # noqa: B007 - counted
            writer.writerow(row)
    return number
