"""A table of your own clips: csv or parquet with path, and as far as you have them start, end, speaker, any labels."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from affekt.affect import DIMENSIONS, RatingScale, canonical_category, parse_scale
from affekt.data.affective.columns import Columns, read_columns, split_names
from affekt.data.affective.emotions import canonical, parse_pairs
from affekt.data.affective.table import _table as the_table
from affekt.data.audiovisual.channels import RULES
from affekt.data.audiovisual.clip_dataset import ClipDataset
from affekt.data.audiovisual.composed import made_of
from affekt.data.audiovisual.faces import HALVES
from affekt.data.audiovisual.finding import VIDEO, Found
from affekt.data.audiovisual.media import ClipSource
from affekt.data.dataset import option
from affekt.data.stimuli import Floats32
from affekt.errors import DataError, UsageError, first
from affekt.recipe import ClipSettings

_ROLES = ("path", "video", "id", "start", "end", "speaker", "session", "text", "split", "channel", "half")
_PATHS = ("path", "file", "filename", "file_name", "clip", "audio")


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The table with the column of each role; ``""`` where there is none."""

    columns: Columns
    roles: dict[str, str]

    def text(self, role: str, default: str = "") -> list[str]:
        header = self.roles[role]
        return self.columns.text(header) if header else [default] * len(self.columns)

    def numbers(self, role: str) -> list[float | None]:
        """The column's numbers; None where a cell is empty or there is no such column."""
        header = self.roles[role]
        if not header:
            return [None] * len(self.columns)
        return [None if np.isnan(value) else float(value) for value in self.columns.numbers(header)]


def read(root: Path, settings: ClipSettings) -> Found:
    """One clip a row; every column without a role is a label that can be a task.

    Raises:
        DataError: no or several tables, no column with paths, an empty or repeated row, a stretch that ends before it
            begins, a word for a channel, half or split that is none, an emotion that is none and was not asked for.
        UsageError: options that cannot be.
    """
    path = the_table(root, option(settings, "file", str, ""))
    columns = read_columns(
        path, delimiter=option(settings, "delimiter", str, ""), encoding=option(settings, "encoding", str, "")
    )
    if not len(columns):
        raise DataError(f"{path.name}: no rows under its header")
    rows = _Rows(columns=columns, roles=_roles(columns, settings))
    base = path.parent / Path(option(settings, "media", str, "")).expanduser()
    sources = _sources(rows, base)
    labels = _labels(rows, settings)
    ratings, scale = _ratings(rows, settings)
    speakers, notes = _speakers(rows, sources)
    extra = {role: rows.text(role) for role in ("session", "text") if rows.roles[role]}
    return Found(
        sources=sources,
        speakers=speakers,
        labels=labels,
        columns=extra,
        ratings=ratings,
        scale=scale,
        split=split_names(columns, rows.roles["split"]) if rows.roles["split"] else None,
        notes=(*columns.notes, *notes),
        composed=made_of(base) or made_of(path.parent),
    )


def _roles(columns: Columns, settings: ClipSettings) -> dict[str, str]:
    """Role -> header: as an option names it, else the column called like it."""
    roles = {}
    for role in _ROLES:
        named = option(settings, role, str, "")
        roles[role] = columns.require(named) if named else columns.find(role) or ""
    if not roles["path"]:
        roles["path"] = columns.require(*_PATHS)
    return roles


def _sources(rows: _Rows, base: Path) -> list[ClipSource]:
    columns, written = rows.columns, rows.text("path")
    empty = [line for line, cell in zip(columns.lines, written, strict=True) if not cell]
    if empty:
        raise DataError(f"{columns.name}: {len(empty)} row(s) name no clip (line {first(empty)})")
    starts, ends = rows.numbers("start"), rows.numbers("end")
    _check_spans(columns, starts, ends)
    names = _names(rows, written, starts, ends)
    channels = _words(rows, "channel", RULES)
    halves = _words(rows, "half", HALVES)
    found = []
    for row, name in enumerate(names):
        sound = _below(base, written[row])
        pictures = rows.text("video")[row] if rows.roles["video"] else ""
        seen = _below(base, pictures) if pictures else sound if sound.suffix.lower() in VIDEO else None
        start, end = starts[row] or 0.0, ends[row]
        found.append(
            ClipSource(
                name=name,
                audio=str(sound),
                video="" if seen is None else str(seen),
                audio_start=start,
                video_start=start,
                seconds=None if end is None else end - start,
                channel=channels[row],  # type: ignore[arg-type]
                half=halves[row],  # type: ignore[arg-type]
            )
        )
    return found


def _below(base: Path, written: str) -> Path:
    """An absolute path as it is, another below ``base``; a Windows table's backslashes are read."""
    slashed = written.replace("\\", "/") if "/" not in written else written
    return Path(os.path.normpath(base / slashed))


def _check_spans(columns: Columns, starts: Sequence[float | None], ends: Sequence[float | None]) -> None:
    """
    Raises:
        DataError: a stretch that begins before 0 or ends before it begins.
    """
    wrong = [
        row
        for row, (start, end) in enumerate(zip(starts, ends, strict=True))
        if (start or 0.0) < 0 or (end is not None and end <= (start or 0.0))
    ]
    if wrong:
        row = wrong[0]
        raise DataError(
            f"{columns.name}: {len(wrong)} row(s) end before they begin (first: line {columns.lines[row]}, "
            f"{starts[row] or 0:g} to {ends[row] or 0:g} s); start and end are seconds in the file"
        )


def _names(
    rows: _Rows, written: Sequence[str], starts: Sequence[float | None], ends: Sequence[float | None]
) -> list[str]:
    """The ``id`` column, else the path, with ``@start-end`` where a file has several rows.

    Raises:
        DataError: a row that stands twice.
    """
    if rows.roles["id"]:
        names = rows.text("id")
    else:
        paths = [PurePosixPath(os.path.normpath(cell.replace("\\", "/"))).as_posix() for cell in written]
        several = Counter(paths)
        names = [
            path if several[path] == 1 else f"{path}@{start or 0:.2f}-" + ("" if end is None else f"{end:.2f}")
            for path, start, end in zip(paths, starts, ends, strict=True)
        ]
    twice = [name for name, times in Counter(names).items() if times > 1 or not name]
    if twice:
        raise DataError(f"{rows.columns.name}: {len(twice)} clip(s) stand more than once: {first(twice)}; keep one row")
    return names


def _words(rows: _Rows, role: str, allowed: Sequence[str]) -> list[str]:
    """A column of few words; an empty cell is the first of them.

    Raises:
        DataError: another word.
    """
    words = [cell.lower() or allowed[0] for cell in rows.text(role)]
    strange = sorted(set(words) - set(allowed))
    if strange:
        raise DataError(f'{rows.columns.name}: column "{role}": "{strange[0]}"; write {", ".join(allowed)}')
    return words


def _labels(rows: _Rows, settings: ClipSettings) -> dict[str, list[str]]:
    """Every column without a role; emotions by their canonical names."""
    columns = rows.columns
    taken = {header for header in rows.roles.values() if header}
    labels = {header.lower(): columns.text(header) for header in columns.values if header and header not in taken}
    named = option(settings, "emotion", str, "")
    if named:
        labels["emotion"] = columns.text(columns.require(named))
    if "emotion" in labels:
        labels["emotion"] = _emotions(columns.name, labels["emotion"], settings)
    return labels


def _emotions(name: str, words: Sequence[str], settings: ClipSettings) -> list[str]:
    """Canonical names. Where emotions are asked for by name, other words stay as they are: they are dropped, counted.

    Raises:
        DataError: a word that is no emotion, where all are asked for.
    """
    aliases = parse_pairs(option(settings, "aliases", tuple, ()), "audiovisual-table: option aliases")
    if not settings.emotions:
        return [canonical(word, name, aliases) if word else "" for word in words]
    lowered = {key.lower(): value for key, value in aliases.items()}
    return [lowered.get(word.lower()) or _lenient(word) for word in words]


def _lenient(word: str) -> str:
    try:
        return canonical_category(word)
    except UsageError:
        return word.strip().lower()


def _ratings(rows: _Rows, settings: ClipSettings) -> tuple[dict[str, Floats32], RatingScale | None]:
    """Columns called valence, arousal, dominance, where the option ``scale`` says on what scale they are.

    Raises:
        DataError: a rating outside its scale.
    """
    text = option(settings, "scale", str, "")
    if not text:
        return {}, None
    scale = parse_scale(text)
    found = {}
    for dimension in DIMENSIONS:
        header = rows.columns.find(dimension)
        if header:
            values = rows.columns.numbers(header)
            found[dimension] = scale.check(values, f"{rows.columns.name}: {dimension}").astype(np.float32)
    return found, scale


def _speakers(rows: _Rows, sources: Sequence[ClipSource]) -> tuple[list[str], tuple[str, ...]]:
    """The speaker column; a row without one is a speaker of its own, by its file."""
    named = rows.text("speaker")
    speakers = [name or f"file {source.audio}" for name, source in zip(named, sources, strict=True)]
    without = sum(not name for name in named)
    if not without:
        return speakers, ()
    note = f"{without} of {len(named)} rows name no speaker; each file of theirs counts as one, which may be too many"
    return speakers, (f"{rows.columns.name}: {note}",)


DATASET = ClipDataset(
    name="audiovisual-table",
    title="A table of your own clips: csv or parquet with path and any of start, end, speaker, labels",
    licence="that of the clips in it",
    show_pictures=False,
    citation="Cite whoever recorded them.",
    homepage="your own",
    labels=("any column",),
    layout="one .csv, .tsv or .parquet (or root = the table itself); files relative to it or absolute",
    options={
        "file": "the table's name; default: the only one in the folder",
        "media": "folder that the paths are relative to; default: the table's",
        "delimiter": "between cells; default: found among , ; tab |",
        "encoding": "of the table; default: UTF-8, else Windows-1252",
        "path": 'column of the file; default: "path", "file", "filename", "clip" or "audio"',
        "video": 'column of another file with the pictures; default: "video", else the same file if it is a video',
        "id": 'column of the clip\'s name; default: "id", else its path (and start-end where a file has several rows)',
        "start": 'column of its beginning in the file, seconds; default: "start", else 0',
        "end": 'column of its end in the file, seconds; default: "end", else the end of the file',
        "speaker": 'column of who speaks; default: "speaker"',
        "session": 'column of the session; default: "session"',
        "text": 'column of what is said; default: "text"',
        "split": 'column with train, validation, test; default: "split"',
        "channel": 'column with mean, left, right; default: "channel", else mean',
        "half": 'column with whole, left, right: the part of the picture; default: "half", else whole',
        "emotion": 'column of the emotion; default: "emotion"',
        "aliases": 'other words for emotions as a list ["joyful=happiness"]; default: none',
        "scale": 'scale of the columns valence, arousal, dominance, e.g. "1-5"; default: they are not read',
    },
    read=read,
)
