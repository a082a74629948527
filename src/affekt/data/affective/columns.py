"""Tables: csv in any of the shapes people have it, or parquet, as named columns of text; and values out of them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affekt.errors import DataError, MissingExtra, first, nearest

DELIMITERS = (",", ";", "\t", "|")

_EMPTY = frozenset({"", "na", "n/a", "nan", "none", "null", "."})
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

SPLIT_NAMES: Mapping[str, str] = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test", "testing": "test",
    "": "",
}  # fmt: skip
"""How tables and folders call the splits -> our names."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """A table as columns of text, all of one length.

    Attributes:
        name: of the file, for messages.
        values: header -> cells, blanks around them removed.
        lines: the line of the file that each row begins in, for messages.
        notes: what was guessed in reading it.
    """

    name: str
    values: Mapping[str, Sequence[str]]
    lines: Sequence[int]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def find(self, *names: str) -> str | None:
        """The header that is one of ``names``, upper and lower case alike; None where there is none."""
        lowered = {header.lower(): header for header in reversed(list(self.values))}
        return next((lowered[name.lower()] for name in names if name.lower() in lowered), None)

    def require(self, *names: str) -> str:
        """As :meth:`find`.

        Raises:
            DataError: no such column; those found are named.
        """
        header = self.find(*names)
        if header is None:
            close = nearest(names[0], (h for h in self.values if h))
            hint = f" Nearest: {', '.join(close)}." if close else ""
            raise DataError(f'{self.name}: no column "{names[0]}".{hint} Found: {self.headers()}')
        return header

    def headers(self) -> str:
        """All headers in a message, an empty one as ``(empty)``."""
        return ", ".join(header or "(empty)" for header in self.values)

    def text(self, header: str) -> list[str]:
        return list(self.values[header])

    def numbers(self, header: str) -> NDArray[np.float64]:
        """The column as floats; NaN where a cell is empty or says NA.

        Raises:
            DataError: cells that are no numbers: how many, and the first with its line.
        """
        found = [parse_number(cell) for cell in self.values[header]]
        wrong = [row for row, value in enumerate(found) if value is None]
        if wrong:
            cell, line = self.values[header][wrong[0]], self.lines[wrong[0]]
            raise DataError(
                f'{self.name}: column "{header}": {len(wrong)} cell(s) are no numbers (first: "{cell}", line {line})'
            )
        return np.array(found, dtype=np.float64)

    def take(self, rows: Iterable[int]) -> Columns:
        """The given rows only."""
        chosen = list(rows)
        values = {header: [cells[row] for row in chosen] for header, cells in self.values.items()}
        return Columns(name=self.name, values=values, lines=[self.lines[row] for row in chosen], notes=self.notes)


def parse_number(cell: str) -> float | None:
    """A cell as a float: NaN when it is empty or says NA, a decimal comma is read; None when it is no number."""
    text = cell.strip()
    try:
        return float(text)
    except ValueError:
        if text.lower() in _EMPTY:
            return float("nan")
        return float(text.replace(",", ".")) if _DECIMAL_COMMA.fullmatch(text) else None


def split_names(columns: Columns, header: str, aliases: Mapping[str, str] = SPLIT_NAMES) -> list[str]:
    """A column of split names in our words; empty cells stay empty (not assigned).

    Raises:
        DataError: another word.
    """
    cells = [cell.lower() for cell in columns.values[header]]
    unknown = sorted(set(cells) - set(aliases))
    if unknown:
        raise DataError(
            f'{columns.name}: column "{header}": {first(map(repr, unknown))} is no split; '
            "write train, validation or test, or leave it empty"
        )
    return [aliases[cell] for cell in cells]


# ------------------------------------------------------------------------------------------------ reading


def read_columns(path: Path, *, delimiter: str = "", encoding: str = "", quote: str = '"') -> Columns:
    """Read a table with a header line: parquet by its suffix, csv otherwise.

    Line ends may be CR, LF or both. An encoding mark is honoured; without one it is UTF-8, else Windows-1252 (with a
    note). The delimiter is found among ``, ; tab |`` unless given.

    Raises:
        DataError: not there, empty, not text, rows of another width than the header, a header that stands twice.
        MissingExtra: a parquet file without pyarrow.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such table")
    if path.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(path)
    text, notes = _decode(path, encoding)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    delimiter = delimiter or _sniff(text, quote)
    return _read_csv(path.name, text, delimiter, quote, notes)


def _decode(path: Path, encoding: str) -> tuple[str, tuple[str, ...]]:
    raw = path.read_bytes()
    encoding = encoding or next((name for mark, name in _MARKS if raw.startswith(mark)), "")
    try:
        text = raw.decode(encoding or "utf-8")
    except LookupError:
        raise DataError(f'{path.name}: encoding "{encoding}": unknown; write for example utf-8 or cp1252') from None
    except UnicodeDecodeError as error:
        if encoding:
            raise DataError(
                f"{path.name}: not readable as {encoding} (byte {error.start}); name its encoding"
            ) from None
        return raw.decode("cp1252", errors="replace"), (f"{path.name} is not UTF-8; read as Windows-1252",)
    if "\0" in text:
        raise DataError(f"{path.name}: no text table (zero bytes found); name its encoding, or save it as csv in UTF-8")
    return text, ()


def _sniff(text: str, quote: str) -> str:
    """The delimiter that cuts the first lines into the most fields, the same number in each."""

    def score(delimiter: str) -> tuple[bool, int]:
        reader = csv.reader(io.StringIO(text[:65536]), delimiter=delimiter, quotechar=quote)
        rows = [row for row, _ in zip(reader, range(20), strict=False) if row]
        widths = {len(row) for row in rows}
        return max(widths, default=0) > 1 and len(widths) == 1, len(rows[0]) if rows else 0

    return max(DELIMITERS, key=score)


def _read_csv(name: str, text: str, delimiter: str, quote: str, notes: tuple[str, ...]) -> Columns:
    if len(delimiter) != 1:
        raise DataError(f'{name}: delimiter "{delimiter}": write one character')
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, quotechar=quote)
    rows: list[list[str]] = []
    lines: list[int] = []
    begins = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
                lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{name}: line {reader.line_num}: not readable as csv ({error})") from None
    if not rows:
        raise DataError(f"{name}: empty; a table begins with a line of column names")
    return _columns(name, rows, lines, notes)


def _columns(name: str, rows: list[list[str]], lines: list[int], notes: tuple[str, ...]) -> Columns:
    header = rows[0]
    twice = sorted({title or "(empty)" for title in header if header.count(title) > 1})
    if twice:
        raise DataError(f"{name}: column name twice: {', '.join(twice)}; give each column a name of its own")
    width = len(header)
    for row, line in zip(rows, lines, strict=True):
        if len(row) < width or any(row[width:]):
            raise DataError(
                f"{name}: line {line} has {len(row)} cells, the header {width}; see its delimiter and quotes"
            )
    cells = zip(*(row[:width] for row in rows[1:]), strict=True) if len(rows) > 1 else ((),) * width
    return Columns(name=name, values=dict(zip(header, map(list, cells), strict=True)), lines=lines[1:], notes=notes)


def _read_parquet(path: Path) -> Columns:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("parquet", "pyarrow") from None
    try:
        table = parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path.name}: not readable as parquet ({' '.join(str(error).split())[:120]})") from None
    values = {n: ["" if v is None else str(v).strip() for v in table[n].to_pylist()] for n in table.column_names}
    return Columns(name=path.name, values=values, lines=range(1, table.num_rows + 1))
