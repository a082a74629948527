"""Output: tables and JSON on stdout, everything else on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Cell = str | int | float | None


def say(*lines: str) -> None:
    """A line of log, on stderr."""
    for line in lines:
        print(line, file=sys.stderr, flush=True)  # noqa: T201


def write(text: str) -> None:
    """Result text, on stdout."""
    print(text, flush=True)  # noqa: T201


def write_json(value: Any, *, indent: int | None = 2) -> None:
    """Result as JSON on stdout; NaN and infinities, which JSON has no word for, become null."""
    write(json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False))


def write_table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Aligned columns on stdout: words to the left, numbers to the right."""
    write(table(header, rows))


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The text of :func:`write_table`."""
    cells = [[*row] for row in rows]
    texts = [list(header), *([show(c) for c in row] for row in cells)]
    columns = range(len(header))
    right = [bool(cells) and all(isinstance(row[i], (int, float, type(None))) for row in cells) for i in columns]
    widths = [max(len(row[i]) for row in texts) for i in columns]
    lines = [
        "  ".join(t.rjust(w) if r else t.ljust(w) for t, w, r in zip(row, widths, right, strict=True)).rstrip()
        for row in texts
    ]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])


def show(value: Cell) -> str:
    """A cell: floats with four significant digits, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def write_record(record: Mapping[str, Cell]) -> None:
    """Two columns without a header: name and value."""
    width = max(map(len, record), default=0)
    write("\n".join(f"{name.ljust(width)}  {show(value)}" for name, value in record.items()))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
