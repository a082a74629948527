"""Composing: films whose sound is an utterance of one set and whose picture a face of another, of the same emotion.

A *composed* clip is a check of the path from a file to an answer, not of the world: nobody in it speaks, voice and face
belong to two people, and the face stands still. Speakers and faces are split first and composed then, so that no split
shares either with another.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affekt.data.audiovisual.clips import Clips
from affekt.data.audiovisual.composed import RECORD
from affekt.data.audiovisual.writing import write_film
from affekt.data.disk import whole_folder
from affekt.data.stimuli import SPLITS, Ints, Stimuli, Strings
from affekt.data.stratifying import deal
from affekt.errors import DataError, UsageError
from affekt.randomness import generator

TABLE, README = "clips.csv", "README.md"

COLUMNS = ("path", "speaker", "face", "utterance", "text", "emotion", "split")

Progress = Callable[[str, int, int], None]
"""Called with (what, clips done, clips in all)."""


@dataclass(frozen=True, kw_only=True)
class Composed:
    """What was made.

    Attributes:
        folder: with films, ``clips.csv`` (which ``audiovisual-table`` opens), ``composed.json`` and ``README.md``.
        emotions: those that sound and faces have in common.
        counts: split -> number of clips.
        dropped: what was left out -> how many: utterances and faces of an emotion that the other set does not have.
    """

    folder: Path
    emotions: tuple[str, ...]
    counts: dict[str, int]
    dropped: dict[str, int]

    @property
    def clips(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """Rows of an utterance and of a face, and where they go."""

    utterance: int
    face: int
    emotion: str
    split: str


def compose_clips(
    sound: Clips,
    faces: Stimuli,
    folder: Path,
    *,
    clips: int | None = None,
    seed: int = 0,
    validation: float = 0.15,
    test: float = 0.25,
    progress: Progress | None = None,
) -> Composed:
    """Write films of utterances and faces of one emotion, as a set with its own split; the same for the same seed.

    Args:
        sound: with the task ``emotion``, read as sound (``features = ["audio"]``).
        faces: with categories; of an even size.
        folder: is made; must be empty or absent.
        clips: how many; None: one for each utterance. More than utterances: each again, with another face.
        validation, test: shares, of speakers and of faces.

    Raises:
        UsageError: sound without emotions or read otherwise, an odd size, shares that leave nothing, a folder that
            holds something.
        DataError: no emotion in common, too few speakers or faces, an utterance that cannot be read, a full disk.
    """
    _check(sound, faces)
    emotions, dropped = _in_common(sound, faces)
    shares = {name: share for name, share in (("validation", validation), ("test", test)) if share > 0}
    pairs = list(_pairs(sound, faces, emotions, shares, clips, seed))
    with whole_folder(folder) as place:
        for number, pair in enumerate(pairs):
            _write(place / _file(number, pair), sound, faces, pair)
            if progress is not None:
                progress("clips", number + 1, len(pairs))
        counts = Counter(pair.split for pair in pairs)
        done = Composed(
            folder=folder,
            emotions=emotions,
            counts={name: counts[name] for name in SPLITS if counts[name]},
            dropped=dropped,
        )
        _write_table(place / TABLE, sound, faces, pairs)
        _write_record(place, done, sound, faces, seed, shares)
    return done


def _check(sound: Clips, faces: Stimuli) -> None:
    sound.task("emotion")
    if sound.media.reading.features != ("audio",):
        raise UsageError(f'{sound.name}: read its sound alone to compose clips from it: features = ["audio"]')
    if faces.labels.category is None:
        raise UsageError(f"{faces.name}: has no emotion categories; faces with them are asked, e.g. ferplus")


def _in_common(sound: Clips, faces: Stimuli) -> tuple[tuple[str, ...], dict[str, int]]:
    """Emotions of both, by name, and what is left out.

    Raises:
        DataError: there are none.
    """
    heard = sound.labels["emotion"].counts()
    seen = Counter(_emotions(faces))
    both = tuple(name for name in heard if heard[name] and seen[name])
    if not both:
        raise DataError(f"{sound.name} and {faces.name}: no emotion in common: {', '.join(heard)}; {', '.join(seen)}")
    dropped = {f"utterances of {name}": n for name, n in heard.items() if n and name not in both}
    dropped |= {f"faces of {name or 'no emotion'}": n for name, n in sorted(seen.items()) if name not in both}
    return both, dropped


def _emotions(faces: Stimuli) -> list[str]:
    assert faces.labels.category is not None
    names = (*faces.labels.categories, "")
    return [names[k] for k in faces.labels.category.tolist()]


def _pairs(
    sound: Clips, faces: Stimuli, emotions: tuple[str, ...], shares: dict[str, float], clips: int | None, seed: int
) -> Iterator[_Pair]:
    """
    Raises:
        DataError: fewer faces of an emotion in a split than clips are asked for.
    """
    said, seen = np.array(sound.labels["emotion"].classes), np.array(_emotions(faces))
    words = np.where(sound.labels["emotion"].index >= 0, said[sound.labels["emotion"].index], "")
    heard_in = _split(sound.name, sound.ids, sound.groups, words, emotions, shares, ("speaker", seed))
    seen_in = _split(faces.name, faces.ids, faces.groups, seen, emotions, shares, ("face", seed))
    splits = ("train", *shares)
    numbers = _shared([int((heard_in == split).sum()) for split in splits], clips)
    for split, wanted in zip(splits, numbers, strict=True):
        rows = generator("compose", seed, split).permutation(np.flatnonzero(heard_in == split))
        left = {
            name: iter(generator("compose", seed, split, name).permutation(_rows(seen, seen_in, name, split)).tolist())
            for name in emotions
        }
        for row in np.resize(rows, wanted).tolist():
            face = next(left[str(words[row])], None)
            if face is None:
                raise DataError(
                    f"{faces.name}: too few faces of {words[row]} for {wanted} {split} clips; ask for fewer"
                )
            yield _Pair(utterance=row, face=face, emotion=str(words[row]), split=split)


def _shared(utterances: list[int], clips: int | None) -> list[int]:
    """How many clips each split gets, in proportion to its utterances; None: one for each."""
    if clips is None:
        return utterances
    ends = np.rint(np.cumsum(utterances) * clips / sum(utterances)).astype(np.int64)
    return [int(n) for n in np.diff(ends, prepend=0)]


def _rows(words: Strings, split: Strings, word: str, part: str) -> Ints:
    return np.flatnonzero((words == word) & (split == part))


def _split(
    name: str,
    ids: Strings,
    groups: Strings,
    words: Strings,
    emotions: tuple[str, ...],
    shares: dict[str, float],
    purpose: tuple[object, ...],
) -> Strings:
    """``(N,)`` the split of each, in whole groups; ``""`` where its emotion is not in common."""
    kept = np.flatnonzero(np.isin(words, emotions))
    classes = np.array([emotions.index(word) for word in words[kept].tolist()], dtype=np.int64)
    split = np.full(len(ids), "", dtype="<U10")
    noun = str(purpose[0])
    split[kept] = deal(
        name, ids[kept], groups[kept], classes, shares, "compose", *purpose, noun=noun, unit=noun,
        advice="; write validation = 0",
    )  # fmt: skip
    return split


def _file(number: int, pair: _Pair) -> str:
    return f"{pair.split}/{number:05d}-{pair.emotion}.mp4"


def _write(path: Path, sound: Clips, faces: Stimuli, pair: _Pair) -> None:
    reading = sound.media.reading
    heard = sound.read(pair.utterance).audio
    assert heard is not None
    face = faces.images(np.array([pair.face])).numpy()
    if face.shape[2] % 2 or face.shape[3] % 2:
        raise UsageError(f"{faces.name}: faces of {face.shape[3]} x {face.shape[2]} pixels; films need even numbers")
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = len(heard) // reading.samples
    write_film(path, np.repeat(face, frames, axis=0), heard, fps=reading.fps, rate=reading.rate)


def _write_table(path: Path, sound: Clips, faces: Stimuli, pairs: list[_Pair]) -> None:
    texts = sound.columns["text"].astype(np.str_) if "text" in sound.columns else np.full(len(sound), "")
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for number, pair in enumerate(pairs):
            i, k = pair.utterance, pair.face
            what = (sound.groups[i], faces.ids[k], sound.ids[i], texts[i], pair.emotion, pair.split)
            rows.writerow((_file(number, pair), *map(str, what)))


def _write_record(
    place: Path, done: Composed, sound: Clips, faces: Stimuli, seed: int, shares: dict[str, float]
) -> None:
    record = {
        "composed": True,
        "sound": sound.name,
        "faces": faces.name,
        "seed": seed,
        "shares": shares,
        "emotions": done.emotions,
        "clips": done.counts,
        "dropped": done.dropped,
        "notes": [*sound.notes, *faces.notes],
    }
    (place / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (place / README).write_text(
        f"""# Composed clips

Each film has the sound of an utterance of `{sound.name}` and, standing still, a face of `{faces.name}` of the same
emotion: two people who never met. They check that sound and pictures find their way from a file to an answer. They are
no recordings of anybody's expression, and nothing about the world follows from a network's accuracy on them.

The terms of both sets hold for these films. `{TABLE}` is opened by `audiovisual-table`; speakers and faces were split
before anything was composed, so that its splits share neither. `{RECORD}` says how it was made.
""",
        encoding="utf-8",
    )
