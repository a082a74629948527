"""Checking a copy of a set of clips: complete, every clip readable, in one report; faults do not end the check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from affekt.data.audiovisual.ahead import read_or_say
from affekt.data.audiovisual.clip_dataset import ClipDataset
from affekt.data.audiovisual.clips import Clips, Decoded
from affekt.data.audiovisual.pack import open_pack, verify_clips
from affekt.data.checking import Progress, Report, shared_groups, states
from affekt.data.decoding import mapped
from affekt.errors import DataError, first
from affekt.recipe import ClipSettings


def check_clips(
    dataset: ClipDataset,
    root: Path,
    settings: ClipSettings | None = None,
    *,
    decode: bool = True,
    workers: int = 4,
    progress: Progress | None = None,
) -> Report:
    """Read the set in ``root`` as a training would and report what is wrong with it.

    Args:
        settings: what is read and how; None: the defaults. Clips of emotions that are dropped count as there.
        decode: decode every clip, which finds files that end in the middle; what is odd about others is noted.
        workers: threads that decode.

    Raises:
        UsageError: an option that the set does not have.
    """
    progress = progress or (lambda *_: None)
    settings = replace(settings or dataset.settings(), allow_missing=True)
    report = Report(name=dataset.name, folder=root, unit="clips", files=states(root, dataset.sources))
    try:
        clips = dataset.clips(root, settings)
    except DataError as error:
        return replace(report, error=str(error))
    # With options, or in windows, a complete copy has another number.
    plain = not settings.options and settings.longer == "cut"
    report = replace(_counted(report, clips), expected=dataset.expected if plain else None)
    if not decode:
        return report
    problems, notes = _decoded(clips, workers, progress)
    return replace(report, undecodable=problems, decoded=len(clips) - len(problems), notes=(*report.notes, *notes))


def check_packed_clips(root: Path, *, hashes: bool = True) -> Report:
    """Open a pack of clips as a training would, compare every byte with its hash, and report what is wrong with it."""
    report = Report(name="pack", folder=root, unit="clips")
    try:
        report = _counted(report, open_pack(root))
        return replace(report, altered=verify_clips(root)) if hashes else report
    except DataError as error:
        return replace(report, error=str(error))


def _counted(report: Report, clips: Clips) -> Report:
    splits = dict[str, int]()
    if clips.split is not None:
        names, counts = np.unique(clips.split, return_counts=True)
        splits = dict(zip(names.tolist(), counts.tolist(), strict=True))
    categories = {
        name if task == "emotion" else f"{task} {name}": n
        for task, labels in clips.labels.items()
        for name, n in labels.counts().items()
    }
    return replace(
        report,
        found=len(clips) + sum(clips.dropped.values()),
        missing=clips.missing,
        splits=splits,
        categories=categories,
        groups=len(np.unique(clips.groups)),
        shared_groups=shared_groups(clips.groups, clips.split),
        notes=clips.notes,
    )


def _decoded(clips: Clips, workers: int, progress: Progress) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The line of every clip that cannot be read, and what is odd about others, counted."""
    problems, notes = list[str](), list[str]()
    read = mapped(lambda i: read_or_say(clips.media, i), range(len(clips)), max(1, workers), 2 * max(1, workers))
    for done, found in enumerate(read, 1):
        if isinstance(found, Decoded):
            notes += found.notes
        else:
            problems.append(found)
        if done % 100 == 0 or done == len(clips):
            progress("clips", done, len(clips))
    return tuple(problems), gathered(notes)


def gathered(notes: Iterable[str]) -> tuple[str, ...]:
    """Notes ``"what: why"`` of one kind in one line: how many, why (of the first), and the first few."""
    kinds: dict[str, list[tuple[str, str]]] = {}
    for note in notes:
        what, _, why = note.partition(": ")
        kinds.setdefault(_kind(why), []).append((what, why))
    return tuple(
        f"{found[0][0]}: {found[0][1]}"
        if len(found) == 1
        else f"{len(found)} clips: {found[0][1]} ({first(dict.fromkeys(what for what, _ in found), n=3)})"
        for found in kinds.values()
    )


def _kind(why: str) -> str:
    """What is said, without the numbers that differ from clip to clip."""
    return "".join("#" if c.isdigit() else c for c in why)
