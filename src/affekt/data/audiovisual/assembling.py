"""Assembling: from what a reader found to clips - the tasks and emotions asked for, files that are there, windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affekt.affect import CATEGORIES, canonical_category
from affekt.data.affective.emotions import in_order
from affekt.data.affective.files import file_names
from affekt.data.audiovisual.boxes import FaceBoxes, read_boxes
from affekt.data.audiovisual.clips import ClassLabels, Clips
from affekt.data.audiovisual.composed import meaning
from affekt.data.audiovisual.faces import Detector
from affekt.data.audiovisual.finding import Found
from affekt.data.audiovisual.media import ClipSource, FileMedia
from affekt.data.audiovisual.reading import FEATURES, Reading
from affekt.data.audiovisual.windowing import Windowed, windowed
from affekt.data.stimuli import Ints
from affekt.errors import DataError, UsageError, first, unknown
from affekt.recipe import ClipSettings


def assemble(name: str, found: Found, settings: ClipSettings, *, face_share: float = 1.0) -> Clips:
    """Clips of the tasks, emotions and features that the settings ask for.

    Raises:
        UsageError: a task or feature that the set does not have, an emotion without a clip.
        DataError: files that are missing, without ``allow_missing``.
    """
    asked, words, kept, dropped = _emotions(name, found, settings)
    reading = reading_of(settings, found.sources, face_share)
    there, missing, missing_notes = _present(name, [found.sources[i] for i in kept], reading, settings)
    rows = kept[there]
    cut = windowed([found.sources[i] for i in rows], reading, settings)
    rows = rows[cut.rows]
    media = FileMedia(
        sources=cut.sources, reading=reading, boxes=_boxes(settings, cut.sources), detector=_detector(reading)
    )
    return Clips(
        name=name,
        ids=np.array([source.name for source in cut.sources]),
        media=media,
        labels=_labels(name, found, settings, asked, words, rows),
        groups=np.array(found.speakers)[rows],
        ratings={dimension: values[rows] for dimension, values in found.ratings.items()},
        scale=found.scale,
        split=None if found.split is None else np.array(found.split)[rows],
        columns=_columns(found, cut, rows),
        notes=(*_composed_notes(name, found), *found.notes, *_dropped_notes(name, dropped), *missing_notes, *cut.notes),
        missing=missing,
        dropped=dropped,
        composed=found.composed,
    )


def _emotions(
    name: str, found: Found, settings: ClipSettings
) -> tuple[tuple[str, ...], list[str], Ints, dict[str, int]]:
    """``(classes, N words, rows kept, dropped)``: without emotions nobody asked for, which are counted."""
    words = list(found.labels.get("emotion", ()))
    every = np.arange(len(found.sources))
    if not words or not ("emotion" in settings.tasks or settings.emotions):
        return (), words, every, {}
    merged = _asked(settings.emotions) if settings.emotions else {w: w for w in words if w in CATEGORIES}
    classes = tuple(dict.fromkeys(merged.values())) if settings.emotions else in_order(merged)
    kept = np.array([i for i, word in enumerate(words) if word in merged], dtype=np.int64)
    without = [c for c in classes if not any(merged.get(word) == c for word in words)]
    if without:
        have = ", ".join(dict.fromkeys(w for w in words if w))
        raise UsageError(f"{name}: emotions = {first(without)}: no clip of it; the set has {have}")
    left = Counter(f"emotion {word or 'not given'}" for word in words if word not in merged)
    return classes, [merged.get(word, "") for word in words], kept, dict(sorted(left.items()))


def _asked(emotions: Sequence[str]) -> dict[str, str]:
    """Word -> class: ``("anger", "excitement=happiness")`` -> ``{"anger": "anger", "excitement": "happiness"}``."""
    found: dict[str, str] = {}
    for item in emotions:
        left, sign, right = item.partition("=")
        word, target = _name(left), _name(right if sign else left)
        if not word or not target or word in found:
            raise UsageError(f'emotions: "{item}": write each emotion once, as name or name=class')
        found[word] = target
    return found


def _name(word: str) -> str:
    """The canonical name, or for a word that is none the word itself: a table may have emotions of its own."""
    try:
        return canonical_category(word)
    except UsageError:
        return word.strip().lower()


def reading_of(settings: ClipSettings, sources: Sequence[ClipSource], face_share: float = 1.0) -> Reading:
    """How clips are decoded.

    Raises:
        UsageError: an unknown feature, a frame rate or window that does not divide.
    """
    features = settings.features
    if not features:
        heard, seen = any(s.audio for s in sources), any(s.video for s in sources)
        features = (*(("audio",) if heard else ()), *(("faces",) if seen else ()))
    return Reading(
        features=tuple(sorted(set(features), key=lambda f: FEATURES.index(f) if f in FEATURES else -1)),
        rate=settings.rate,
        fps=settings.fps,
        size=settings.size,
        mels=settings.mels,
        face="boxes" if settings.boxes else settings.face,
        face_share=face_share if settings.face_share is None else settings.face_share,
        window=settings.window,
    )


def _present(
    name: str, sources: Sequence[ClipSource], reading: Reading, settings: ClipSettings
) -> tuple[Ints, int, tuple[str, ...]]:
    """``(rows whose files are there, missing, notes)``.

    Raises:
        DataError: files are missing without ``allow_missing``, or all of them.
    """
    needed = [[*([s.audio] if reading.hears else []), *([s.video] if reading.sees else [])] for s in sources]
    folders = {Path(path).parent for paths in needed for path in paths if path}
    names = {folder: file_names(folder) for folder in folders}
    there = np.array(
        [all(path and Path(path).name in names[Path(path).parent] for path in paths) for paths in needed], dtype=bool
    )
    absent = np.flatnonzero(~there)
    if not len(absent):
        return np.arange(len(sources)), 0, ()
    what = " and ".join([*(["sound"] if reading.hears else []), *(["pictures"] if reading.sees else [])])
    examples = first([sources[i].name for i in absent[:5]], total=len(absent))
    text = f"{len(absent)} of {len(sources)} clips have no file with {what} (first: {examples})"
    if len(absent) == len(sources):
        where = f"looked in {first(sorted(map(str, folders)), n=2)}; " if folders else ""
        raise DataError(f"{name}: {text}; {where}see the layout: affekt data info {name}")
    if not settings.allow_missing:
        raise DataError(f"{name}: {text}; add the files, or go on without them: allow_missing = true")
    return np.flatnonzero(there), len(absent), (f"{name}: {text}; left out",)


def _labels(
    name: str, found: Found, settings: ClipSettings, emotions: tuple[str, ...], words: Sequence[str], rows: Ints
) -> dict[str, ClassLabels]:
    """
    Raises:
        UsageError: no task, or one that the set does not have.
    """
    if not settings.tasks:
        raise UsageError(f"{name}: tasks: none; write some of {', '.join(found.labels)}")
    out = {}
    for task in settings.tasks:
        if task not in found.labels:
            raise UsageError(unknown(f"{name}: task", task, found.labels))
        values = words if task == "emotion" else found.labels[task]
        chosen = [values[i] for i in rows.tolist()]
        classes = emotions if task == "emotion" and emotions else tuple(sorted({word for word in chosen if word}))
        place = {c: k for k, c in enumerate(classes)}
        index = np.array([place.get(word, -1) for word in chosen], dtype=np.int64)
        out[task] = ClassLabels(classes=classes, index=index)
    return out


def _columns(found: Found, cut: Windowed, rows: Ints) -> dict[str, NDArray[np.generic]]:
    words = {column: np.array(values)[rows] for column, values in found.columns.items()}
    clip = np.array([found.sources[i].name for i in rows.tolist()])
    return words | {"clip": clip, "start": cut.starts, "end": cut.ends}


def _composed_notes(name: str, found: Found) -> tuple[str, ...]:
    return (f"{name}: {meaning(found.composed)}",) if found.composed else ()


def _dropped_notes(name: str, dropped: dict[str, int]) -> tuple[str, ...]:
    if not dropped:
        return ()
    listed = ", ".join(f"{n} {why}" for why, n in dropped.items())
    return (f"{name}: {sum(dropped.values())} clips left out: {listed}",)


def _boxes(settings: ClipSettings, sources: Sequence[ClipSource]) -> FaceBoxes | None:
    """
    Raises:
        DataError: no such table, or clips that it has no box for.
    """
    if not settings.boxes:
        return None
    found = read_boxes(Path(settings.boxes).expanduser())
    found.check(source.name for source in sources)
    return found


def _detector(reading: Reading) -> Detector | None:
    if reading.face != "detector" or not reading.sees:
        return None
    from affekt.data.audiovisual.detecting import haar_detector

    return haar_detector()
