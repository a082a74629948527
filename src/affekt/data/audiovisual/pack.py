"""A pack: decoded features of clips in memory-mapped files, read in place of the recordings.

``pack.json``, written last, holds how the clips were decoded, their labels and speakers, and the hash of every file.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.affect import RatingScale
from affekt.data.audiovisual.clips import ClassLabels, Clips, Decoded
from affekt.data.audiovisual.reading import Reading
from affekt.data.audiovisual.shards import Shard, checksum, file_name, hit_of, read_shard, restored, rows_of, starts
from affekt.data.packs.files import MANIFEST, altered, read_manifest
from affekt.data.packs.remaking import anew
from affekt.data.stimuli import Ints
from affekt.errors import AlteredError, DataError, UsageError, first

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a clip is: its shard, and for each feature its first row, number of rows, and CRC-32 where there is one."""

    name: str
    shard: int
    rows: Mapping[str, tuple[int, int]]
    crc: Mapping[str, int]


class PackedMedia:
    """Clips in a pack; a :class:`~affekt.data.audiovisual.clips.Media`. Files are mapped when they are first needed.

    What is given out of a clip is compared with the checksum that it was packed with, the first time.
    """

    def __init__(self, folder: Path, places: list[Place], shards: list[Shard], reading: Reading) -> None:
        self.folder = folder
        self._places = places
        self._shards = shards
        self._reading = reading
        self._mapped: dict[tuple[int, str], NDArray[Any]] = {}
        self._compared: set[tuple[str, str]] = set()

    @property
    def reading(self) -> Reading:
        return self._reading

    def __len__(self) -> int:
        return len(self._places)

    def take(self, indices: Ints) -> PackedMedia:
        taken = PackedMedia(self.folder, [self._places[i] for i in indices.tolist()], self._shards, self._reading)
        taken._mapped, taken._compared = self._mapped, self._compared
        return taken

    def read(self, index: int) -> Decoded:
        """
        Raises:
            AlteredError: what is stored of the clip is altered, or its file is missing or cut short.
        """
        place = self._places[index]
        found = {name: self._feature(place, name) for name in self._reading.features}
        return Decoded(audio=found.get("audio"), log_mel=found.get("log-mel"), faces=found.get("faces"))

    def _feature(self, place: Place, name: str) -> Any:
        key = (place.shard, name)
        if key not in self._mapped:
            self._mapped[key] = rows_of(self.folder, place.shard, name, self._shards[place.shard], self._reading)
        start, rows = place.rows[name]
        stored = self._mapped[key][start : start + rows]
        self._compare(place, name, stored)
        return restored(name, stored)

    def _compare(self, place: Place, name: str, stored: NDArray[Any]) -> None:
        if name not in place.crc or (place.name, name) in self._compared:
            return
        if checksum(stored) != place.crc[name]:
            raise AlteredError(
                f"{self.folder / file_name(name, place.shard)}: {place.name} is altered (all files: affekt data check "
                f"pack --root {shlex.quote(str(self.folder))}); {anew(self.folder)}"
            )
        self._compared.add((place.name, name))


def open_pack(folder: Path | str) -> Clips:
    """The clips of a pack, all splits, with the labels they were packed with; clips that could not be read are absent.

    Raises:
        DataError: no pack, one that was not finished, or one that is damaged.
    """
    folder = Path(folder).expanduser()
    manifest = _manifest(folder)
    reading = reading_from(manifest["reading"])
    shards = _shards(folder, manifest)
    places, problems = _places(shards)
    try:
        return _clips(folder, manifest, places, shards, reading, problems)
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{folder / MANIFEST}: damaged; make the pack anew: affekt data pack") from None


def with_pack(clips: Clips, folder: Path) -> Clips:
    """The same clips with their features from a pack; clips that the pack says cannot be read are left out.

    Raises:
        UsageError: the pack was made in another way; the settings that differ.
        DataError: no pack, or clips that it does not know.
    """
    manifest = _manifest(folder)
    reading = reading_from(manifest["reading"])
    wanted = clips.media.reading.to_json()
    # A pack may hold more features than are asked for.
    differ = [key for key, value in reading.to_json().items() if key != "features" and value != wanted[key]]
    lacking = [name for name in clips.media.reading.features if name not in reading.features]
    if differ or lacking:
        what = [f"{key} = {manifest['reading'][key]} there, {wanted[key]} asked" for key in differ]
        what += [f"no {name} in it" for name in lacking]
        raise UsageError(f"{folder}: packed in another way: {'; '.join(what)}; pack it anew, or ask for what it has")
    shards = _shards(folder, manifest)
    places, problems = _places(shards)
    lost = [name for name in clips.ids.tolist() if name not in places and name not in problems]
    if lost:
        raise DataError(f"{folder}: {len(lost)} clip(s) of {clips.name} are not in the pack: {first(lost)}")
    rows = np.array([i for i, name in enumerate(clips.ids.tolist()) if name in places], dtype=np.int64)
    chosen = [places[name] for name in clips.ids[rows].tolist()]
    media = PackedMedia(folder, chosen, shards, replace(reading, features=clips.media.reading.features))
    kept = clips.take(rows)
    return replace(kept, media=media, notes=(*clips.notes, *_left_out(clips.name, len(clips) - len(rows), problems)))


def verify_clips(folder: Path | str) -> tuple[str, ...]:
    """Check every file of a pack against its hash: a line for each that is altered, with the clips that are.

    Raises:
        DataError: no pack, or files that are missing or cut short.
    """
    folder = Path(folder).expanduser()
    manifest = _manifest(folder)
    reading, lines = reading_from(manifest["reading"]), list[str]()
    for number, shard in enumerate(_shards(folder, manifest)):
        wrong = altered(folder, shard.files)
        for feature in reading.features:
            if file_name(feature, number) in wrong:
                hit = hit_of(folder, number, feature, shard, reading)
                which = f" ({len(hit)} clip(s): {first(hit)})" if hit else ""
                lines.append(f"{folder / file_name(feature, number)}: altered{which}; {anew(folder)}")
    return tuple(lines)


def reading_from(record: Mapping[str, Any]) -> Reading:
    """What :meth:`Reading.to_json` wrote."""
    return Reading(**{**record, "features": tuple(record["features"])})


def _manifest(folder: Path) -> dict[str, Any]:
    """
    Raises:
        DataError: none there, or no pack of clips of ours.
    """
    found = read_manifest(folder, of="clips", version=FORMAT)
    if "reading" not in found:
        raise DataError(f"{folder / MANIFEST}: no pack of this version; make it anew: affekt data pack")
    return found


def _shards(folder: Path, manifest: Mapping[str, Any]) -> list[Shard]:
    """
    Raises:
        DataError: a shard that is missing or does not have the hash that the manifest says.
    """
    found: list[Shard] = []
    for number, files in enumerate(manifest["shards"]):
        shard = read_shard(folder, number)
        if shard is None or dict(shard.files) != files:
            raise DataError(
                f"{folder}: shard {number} is missing, truncated or altered; the same command makes it anew"
            )
        found.append(shard)
    return found


def _places(shards: list[Shard]) -> tuple[dict[str, Place], dict[str, str]]:
    """Id -> where it is, and id -> why it could not be read."""
    places: dict[str, Place] = {}
    problems: dict[str, str] = {}
    for number, shard in enumerate(shards):
        begins = {feature: list(starts(lengths)) for feature, lengths in shard.lengths.items()}
        for i, name in enumerate(shard.ids):
            if name not in shard.problems:
                rows = {feature: (begins[feature][i], n[i]) for feature, n in shard.lengths.items()}
                crc = {feature: sums[i] for feature, sums in shard.crc.items()}
                places[name] = Place(name=name, shard=number, rows=rows, crc=crc)
        problems |= shard.problems
    return places, problems


def _left_out(name: str, n: int, problems: Mapping[str, str]) -> tuple[str, ...]:
    return (f"{name}: {n} clips could not be read when they were packed, left out",) if n and problems else ()


def describe_clips(clips: Clips) -> dict[str, Any]:
    """Ids, speakers, labels, ratings and columns as plain values, for the manifest."""
    return {
        "name": clips.name,
        "ids": clips.ids.tolist(),
        "groups": clips.groups.tolist(),
        "split": None if clips.split is None else clips.split.tolist(),
        "labels": {k: {"classes": list(v.classes), "index": v.index.tolist()} for k, v in clips.labels.items()},
        "ratings": {k: [None if np.isnan(x) else x for x in v.tolist()] for k, v in clips.ratings.items()},
        "scale": None if clips.scale is None else [clips.scale.low, clips.scale.high],
        "columns": {k: _plain(v) for k, v in clips.columns.items()},
        "notes": list(clips.notes),
        "missing": clips.missing,
        "dropped": dict(clips.dropped),
        **({"composed": clips.composed} if clips.composed else {}),
    }


def _plain(values: NDArray[Any]) -> list[Any]:
    if values.dtype.kind == "f":
        return [None if np.isnan(x) else x for x in values.tolist()]
    return list(values.tolist())


def _column(values: list[Any]) -> NDArray[np.generic]:
    """Numbers (None is NaN) or words."""
    if all(value is None or isinstance(value, int | float) for value in values):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return np.array(values)


def _clips(
    folder: Path,
    manifest: Mapping[str, Any],
    places: Mapping[str, Place],
    shards: list[Shard],
    reading: Reading,
    problems: Mapping[str, str],
) -> Clips:
    record = manifest["clips"]
    ids = np.array(record["ids"])
    rows = np.array([i for i, name in enumerate(ids.tolist()) if name in places], dtype=np.int64)
    media = PackedMedia(folder, [places[name] for name in ids[rows].tolist()], shards, reading)
    labels = {
        task: ClassLabels(classes=tuple(found["classes"]), index=np.array(found["index"], dtype=np.int64)[rows])
        for task, found in record["labels"].items()
    }
    ratings = {k: _column(v)[rows].astype(np.float32) for k, v in record["ratings"].items()}
    return Clips(
        name=record["name"],
        ids=ids[rows],
        media=media,
        labels=labels,
        groups=np.array(record["groups"])[rows],
        ratings=ratings,
        scale=None if record["scale"] is None else RatingScale(*record["scale"]),
        split=None if record["split"] is None else np.array(record["split"])[rows],
        columns={k: _column(v)[rows] for k, v in record["columns"].items()},
        notes=(*record["notes"], *_left_out(record["name"], len(ids) - len(rows), problems)),
        missing=record["missing"],
        dropped=record["dropped"],
        composed=record.get("composed", ""),
    )
