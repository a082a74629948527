"""Shards: packed features in flat files of some clips each, whole or absent, with the SHA-256 of each file.

Sound is int16 (exactly that of 16-bit files), log-mel float16, faces uint8. Clips stand one after the other; the
shard's index says where. A file is written under a temporary name while clips arrive, its index last.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.data.audiovisual.clips import Decoded, Floats32
from affekt.data.audiovisual.reading import Reading
from affekt.data.disk import whole
from affekt.data.packs.files import cut_short, hashed
from affekt.data.packs.remaking import anew
from affekt.errors import AlteredError

_INT16 = 2.0**15

TYPES: Mapping[str, str] = {"audio": "<i2", "log-mel": "<f2", "faces": "|u1"}
"""Feature -> how it is stored (NumPy's name, little endian)."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """What the index of a shard says.

    Attributes:
        ids: of its clips, in order; those that could not be read as well.
        lengths: feature -> number of rows (samples, columns, pictures) of each clip; 0 where it could not be read.
        crc: feature -> CRC-32 of what is stored of each clip; empty in packs that were made before there were any.
        problems: id -> the line that says why it could not be read.
        notes: a line for each thing out of the ordinary.
        files: file name -> ``{"bytes", "sha256"}``.
    """

    ids: tuple[str, ...]
    lengths: Mapping[str, tuple[int, ...]]
    crc: Mapping[str, tuple[int, ...]]
    problems: Mapping[str, str]
    notes: tuple[str, ...]
    files: Mapping[str, Mapping[str, Any]]


def row_shape(feature: str, reading: Reading) -> tuple[int, ...]:
    """The shape of one row of a feature: a sample, a column of the spectrogram, a picture."""
    shapes = {"audio": (), "log-mel": (reading.mels,), "faces": (3, reading.size, reading.size)}
    return shapes[feature]


def file_name(feature: str, number: int) -> str:
    return f"{feature}-{number:05d}.bin"


def index_name(number: int) -> str:
    return f"shard-{number:05d}.json"


def stored(feature: str, clip: Decoded) -> NDArray[Any]:
    """A clip's feature as it is stored."""
    if feature == "audio":
        assert clip.audio is not None
        levels: NDArray[Any] = np.clip(np.rint(clip.audio * _INT16), -_INT16, _INT16 - 1).astype("<i2")
        return levels
    values = clip.log_mel if feature == "log-mel" else clip.faces
    assert values is not None
    return values.astype(TYPES[feature])


def restored(feature: str, values: NDArray[Any]) -> Any:
    """The feature as it is read: float32 sound and log-mel, uint8 faces; a copy."""
    if feature == "faces":
        return np.array(values)
    found: Floats32 = values.astype(np.float32)
    return found / np.float32(_INT16) if feature == "audio" else found


def write_shard(folder: Path, number: int, clips: Iterable[tuple[str, Decoded | str]], reading: Reading) -> Shard:
    """Write one shard as its clips arrive; one clip at a time is in memory.

    Args:
        clips: (id, what was read, or the line that says why it was not).
    """
    features = reading.features
    ids, notes = list[str](), list[str]()
    lengths: dict[str, list[int]] = {feature: [] for feature in features}
    crc: dict[str, list[int]] = {feature: [] for feature in features}
    problems: dict[str, str] = {}
    with ExitStack() as stack:
        out = {feature: stack.enter_context(hashed(folder / file_name(feature, number))) for feature in features}
        for name, clip in clips:
            ids.append(name)
            if isinstance(clip, str):
                problems[name] = clip
            else:
                notes += clip.notes
            for feature in features:
                values = None if isinstance(clip, str) else stored(feature, clip)
                data = b"" if values is None else np.ascontiguousarray(values).tobytes()
                lengths[feature].append(0 if values is None else len(values))
                crc[feature].append(zlib.crc32(data))
                out[feature].write(data)
    shard = Shard(
        ids=tuple(ids),
        lengths={feature: tuple(found) for feature, found in lengths.items()},
        crc={feature: tuple(found) for feature, found in crc.items()},
        problems=problems,
        notes=tuple(notes),
        files={file_name(feature, number): writer.entry() for feature, writer in out.items()},
    )
    with whole(folder / index_name(number)) as temporary:
        temporary.write_text(json.dumps(shard.__dict__, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return shard


def read_shard(folder: Path, number: int) -> Shard | None:
    """The shard of that number; None where it is not there, was not finished, or is damaged in its index or sizes.

    Raises:
        DataError: never; what is damaged is made anew.
    """
    try:
        found = json.loads((folder / index_name(number)).read_text(encoding="utf-8"))
        shard = Shard(
            ids=tuple(map(str, found["ids"])),
            lengths={feature: tuple(map(int, n)) for feature, n in found["lengths"].items()},
            crc={feature: tuple(map(int, sums)) for feature, sums in found.get("crc", {}).items()},
            problems=dict(found["problems"]),
            notes=tuple(found["notes"]),
            files=found["files"],
        )
        whole_files = not cut_short(folder, shard.files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return shard if whole_files else None


def rows_of(folder: Path, number: int, feature: str, shard: Shard, reading: Reading) -> NDArray[Any]:
    """Every row of a feature in a shard, mapped from its file: nothing is read before it is looked at.

    Raises:
        AlteredError: the file is not there or has another size than the index says.
    """
    path = folder / file_name(feature, number)
    rows = sum(shard.lengths[feature])
    shape = (rows, *row_shape(feature, reading))
    if not rows:
        return np.zeros(shape, dtype=TYPES[feature])
    try:
        return np.memmap(path, dtype=TYPES[feature], mode="r", shape=shape)
    except (OSError, ValueError):
        raise AlteredError(f"{path}: missing or cut short; {anew(folder)}") from None


def hit_of(folder: Path, number: int, feature: str, shard: Shard, reading: Reading) -> list[str]:
    """Ids of the clips of a shard whose feature does not have the checksum that it was packed with."""
    if feature not in shard.crc:
        return []
    rows = rows_of(folder, number, feature, shard, reading)
    clips = zip(shard.ids, starts(shard.lengths[feature]), shard.lengths[feature], shard.crc[feature], strict=True)
    return [name for name, start, n, crc in clips if checksum(rows[start : start + n]) != crc]


def checksum(stored: NDArray[Any]) -> int:
    """CRC-32 of what is stored of a clip."""
    return zlib.crc32(np.ascontiguousarray(stored).data)


def starts(lengths: Iterable[int]) -> Iterator[int]:
    """Where each clip begins, given their lengths."""
    total = 0
    for length in lengths:
        yield total
        total += length
