"""Checking: whether a copy of a data set is complete and whole, in one report instead of one error after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from affekt.data.dataset import Dataset, Source
from affekt.data.decoding import mapped, read_array
from affekt.data.downloading import matches
from affekt.data.packs.pictures import PackedPictures, of_files
from affekt.data.packs.reading import verify_pictures
from affekt.data.stimuli import Pictures, Stimuli, Strings
from affekt.errors import DataError, first
from affekt.recipe import DataSettings

Progress = Callable[[str, int, int], None]
"""Called with (what, done, in all)."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a check found.

    Attributes:
        name, folder: the data set and its copy.
        unit: ``"pictures"`` or ``"clips"``.
        found, expected, missing: those that are there, in a complete copy (None: unknown), named but not there.
        splits, categories: their number by fixed split and by class or emotion.
        groups: number of identities that stay together in a split.
        shared_groups: identities that stand in more than one of the set's own splits.
        files: published file -> ``"whole"``, ``"altered"`` or ``"absent"`` (which is no fault: it may be unpacked).
        altered: a line for each file of a pack that is missing, cut short or altered.
        undecodable: those that do not decode, with the reason; empty as well when nobody looked (``decoded``).
        decoded: number of those that were decoded.
        error: why the set could not be read at all.
        notes: what its reader says.
    """

    name: str
    folder: Path
    unit: str = "pictures"
    found: int = 0
    expected: int | None = None
    missing: int = 0
    splits: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[str, int] = field(default_factory=dict)
    groups: int = 0
    shared_groups: tuple[str, ...] = ()
    files: Mapping[str, Literal["whole", "altered", "absent"]] = field(default_factory=dict)
    altered: tuple[str, ...] = ()
    undecodable: tuple[str, ...] = ()
    decoded: int = 0
    error: str = ""
    notes: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Every fault in a line of its own; empty: the copy is fit for use."""
        lines = [self.error] if self.error else []
        lines += [f"{self.missing:,} {self.unit} missing"] if self.missing else []
        if self.expected is not None and not self.error and self.found != self.expected:
            lines.append(f"{self.found:,} {self.unit} where a complete copy has {self.expected:,}")
        if self.shared_groups:
            lines.append(
                f"{len(self.shared_groups):,} group(s) stand in more than one split: {first(self.shared_groups)}"
            )
        lines += [f"{f}: other content than published" for f, state in self.files.items() if state == "altered"]
        return (*lines, *self.altered, *self.undecodable)

    def to_json(self) -> dict[str, object]:
        """Plain values."""
        return {
            **{
                name: getattr(self, name)
                for name in ("name", "unit", "found", "expected", "missing", "groups", "decoded")
            },
            **{name: dict(getattr(self, name)) for name in ("splits", "categories", "files")},
            "folder": str(self.folder),
            "notes": list(self.notes),
            "problems": list(self.problems),
        }


def check(
    dataset: Dataset,
    root: Path,
    settings: DataSettings | None = None,
    *,
    decode: bool = True,
    workers: int = 4,
    progress: Progress | None = None,
) -> Report:
    """Read the set in ``root`` as a training would and report what is wrong with it; faults do not end the check.

    Args:
        settings: options of its reader; None: the defaults.
        decode: decode every picture, which finds truncated files; of a pack, compare every byte with its hash.
        workers: threads that decode (the decoders release the interpreter).

    Raises:
        UsageError: a reader option that the set does not have.
    """
    progress = progress or (lambda *_: None)
    settings = replace(settings or dataset.settings(), allow_missing=True)
    files = states(root, dataset.sources)
    report = Report(name=dataset.name, folder=root, expected=dataset.expected, files=files)
    try:
        stimuli = dataset.stimuli(root, settings)
    except DataError as error:
        return replace(report, error=str(error))
    report, pictures = _counted(report, stimuli), stimuli.pictures
    if decode and isinstance(pictures, PackedPictures):
        report = replace(report, altered=verify_pictures(root))
    # Bytes that are not as they were packed have been named; whether they still decode says nothing.
    if not decode or report.altered or not of_files(pictures):
        return report
    broken = _undecodable(pictures, workers, progress)
    return replace(report, undecodable=broken, decoded=len(stimuli))


def states(root: Path, sources: Iterable[Source]) -> dict[str, Literal["whole", "altered", "absent"]]:
    """Published file -> what became of it in ``root``."""
    return {source.file: _state(root / source.file, source) for source in sources}


def _state(path: Path, source: Source) -> Literal["whole", "altered", "absent"]:
    if not path.is_file():
        return "absent"
    return "whole" if matches(path, source) else "altered"


def _counted(report: Report, stimuli: Stimuli) -> Report:
    labels, splits = stimuli.labels, dict[str, int]()
    if stimuli.split is not None:
        names, counts = np.unique(stimuli.split, return_counts=True)
        splits = dict(zip(names.tolist(), counts.tolist(), strict=True))
    categories = dict[str, int]()
    if labels.category is not None:
        counts = np.bincount(labels.category[labels.category >= 0], minlength=len(labels.categories))
        categories = dict(zip(labels.categories, counts.tolist(), strict=True))
    return replace(
        report,
        found=len(stimuli),
        missing=stimuli.missing,
        splits=splits,
        categories=categories,
        groups=len(np.unique(stimuli.groups)),
        shared_groups=shared_groups(stimuli.groups, stimuli.split),
        notes=stimuli.notes,
    )


def shared_groups(groups: Strings, split: Strings | None) -> tuple[str, ...]:
    """Groups that stand in more than one of the splits that a set fixes."""
    if split is None:
        return ()
    fixed = split != ""
    pairs = np.unique(np.stack([groups[fixed].astype(np.str_), split[fixed].astype(np.str_)]), axis=1)
    names, counts = np.unique(pairs[0], return_counts=True)
    return tuple(names[counts > 1].tolist())


def _undecodable(pictures: Pictures, workers: int, progress: Progress) -> tuple[str, ...]:
    """The message of every picture that does not decode, in their order."""
    found, n = list[str](), len(pictures)

    def problem(index: int) -> str:
        try:
            read_array(pictures, np.array([index], dtype=np.int64))
        except DataError as error:
            return str(error)
        return ""

    # Not the pool's own map, which would hold a promise for each picture of the set at once.
    for done, message in enumerate(mapped(problem, range(n), max(1, workers), 2 * max(1, workers)), 1):
        found += [message] if message else []
        if done % 100 == 0 or done == n:
            progress("pictures", done, n)
    return tuple(found)
