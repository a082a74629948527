"""Packing: clips decoded once, by workers, into a folder of memory-mapped files; goes on where it was interrupted.

Memory holds the clips that the workers are at, however long the set is; what is written does not depend on workers or
on interruptions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affekt.data.audiovisual.ahead import read_or_say
from affekt.data.audiovisual.clips import Clips, Decoded
from affekt.data.audiovisual.pack import FORMAT, describe_clips
from affekt.data.audiovisual.shards import Shard, read_shard, write_shard
from affekt.data.decoding import default_workers, mapped
from affekt.data.disk import told, whole
from affekt.data.packs.files import BEGUN, DIGEST, MANIFEST, write_manifest
from affekt.data.packs.remaking import ASKED
from affekt.errors import DataError, UsageError, first

Progress = Callable[[str, int, int], None]
"""Called with (what, clips done, clips in all)."""

SHARD = 256
"""Clips in a shard: of six seconds, 50 MB of sound and a gigabyte of faces."""


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What was done.

    Attributes:
        folder: of the pack.
        made, kept: clips packed now, and clips that were there; those that are left out are in neither.
        seconds: of all clips that could be read.
        size: bytes of features.
        problems: a line for each clip that could not be read and is left out.
        notes: a line for each thing out of the ordinary.
    """

    folder: Path
    made: int
    kept: int
    seconds: float
    size: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def pack_clips(
    clips: Clips,
    folder: Path | str,
    *,
    asked: Mapping[str, Any] | None = None,
    workers: int | None = None,
    shard: int = SHARD,
    progress: Progress | None = None,
) -> Packed:
    """Pack ``clips`` into ``folder``; called again, it makes what is missing and nothing else.

    Args:
        asked: how, for the command that makes it anew: ``options`` of the reader, and the ``limit`` that was drawn.
        workers: decoding threads; None: by cores.
        shard: clips in a file.

    Raises:
        UsageError: the folder holds something else, or a pack that was made of other clips or in another way.
        DataError: not one clip can be read; a full or read-only disk.
    """
    folder = Path(folder).expanduser()
    workers = default_workers() if workers is None else workers
    progress = progress or (lambda *_: None)
    record = {"format": FORMAT, "reading": clips.media.reading.to_json(), "shard": shard}
    with told(folder, "packing"):
        record |= {ASKED: dict(asked or {}), "clips": describe_clips(clips)}
        _begin(folder, record)
        shards, made = _made(clips, folder, shard, workers, progress)
        _check_any(clips, shards)
        write_manifest(folder, record | {"shards": [dict(s.files) for s in shards]})
        (folder / BEGUN).unlink(missing_ok=True)
    return _summary(clips, folder, shards, made)


def _begin(folder: Path, record: dict[str, Any]) -> None:
    """Say what is to be packed, or compare with what is there.

    Raises:
        UsageError: other files, other clips, another way.
    """
    text = json.dumps(record, ensure_ascii=False) + "\n"
    finished, begun = folder / MANIFEST, folder / BEGUN
    there = finished if finished.is_file() else begun if begun.is_file() else None
    if there is None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder}: holds other files and no pack; give an empty or a new folder")
        folder.mkdir(parents=True, exist_ok=True)
        with whole(begun) as temporary:
            temporary.write_text(text, encoding="utf-8")
        return
    try:
        found = json.loads(there.read_text(encoding="utf-8"))
        for key in ("shards", DIGEST, ASKED):
            found.pop(key, None)
    except (ValueError, AttributeError):
        found = {}
    differ = _differences(found, {k: v for k, v in json.loads(text).items() if k != ASKED})
    if differ:
        raise UsageError(f"{folder}: holds another pack ({'; '.join(differ)}); give a new folder")


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What differs, in words; empty: the same pack."""
    if found == wanted:
        return []
    there, asked = found.get("reading") or {}, wanted["reading"]
    lines = [f"{k} = {there.get(k)} there, {asked[k]} asked" for k in asked if there.get(k) != asked[k]]
    clips, others = found.get("clips") or {}, wanted["clips"]
    lines += [f"other {k}" for k in others if clips.get(k) != others[k]]
    return lines or ["another format"]


def _made(clips: Clips, folder: Path, size: int, workers: int, progress: Progress) -> tuple[list[Shard], int]:
    """Every shard, those that are there read and the others made; and the number of clips made."""
    ids = clips.ids.tolist()
    parts = [range(start, min(start + size, len(ids))) for start in range(0, len(ids), size)]
    found = [_kept(folder, number, [ids[i] for i in part]) for number, part in enumerate(parts)]
    missing = [i for shard, part in zip(found, parts, strict=True) if shard is None for i in part]
    done = len(ids) - len(missing)
    progress("clips", done, len(ids))
    with closing(mapped(lambda i: read_or_say(clips.media, i), missing, workers, 2 * workers)) as read:

        def arriving(part: range) -> Iterator[tuple[str, Decoded | str]]:
            nonlocal done
            for i in part:
                yield ids[i], next(read)
                done += 1
                progress("clips", done, len(ids))

        shards = [
            write_shard(folder, number, arriving(part), clips.media.reading) if shard is None else shard
            for number, (shard, part) in enumerate(zip(found, parts, strict=True))
        ]
    return shards, sum(_packed(shard) for shard, there in zip(shards, found, strict=True) if there is None)


def _packed(shard: Shard) -> int:
    """Clips of a shard that could be read."""
    return len(shard.ids) - len(shard.problems)


def _kept(folder: Path, number: int, ids: list[str]) -> Shard | None:
    shard = read_shard(folder, number)
    return shard if shard is not None and list(shard.ids) == ids else None


def _check_any(clips: Clips, shards: list[Shard]) -> None:
    """
    Raises:
        DataError: not one clip could be read.
    """
    problems = [line for shard in shards for line in shard.problems.values()]
    if len(problems) == len(clips):
        raise DataError(f"{clips.name}: none of {len(clips)} clips can be read: {first(problems, n=1)}")


def _summary(clips: Clips, folder: Path, shards: list[Shard], made: int) -> Packed:
    reading = clips.media.reading
    feature = reading.features[0]
    rate = {"audio": float(reading.rate), "log-mel": 4 * reading.fps, "faces": reading.fps}[feature]
    return Packed(
        folder=folder,
        made=made,
        kept=sum(map(_packed, shards)) - made,
        seconds=sum(sum(shard.lengths[feature]) for shard in shards) / rate,
        size=sum(entry["bytes"] for shard in shards for entry in shard.files.values()),
        problems=tuple(line for shard in shards for line in shard.problems.values()),
        notes=tuple(note for shard in shards for note in shard.notes),
    )
