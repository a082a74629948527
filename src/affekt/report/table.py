"""Table: records with a name, and how they look as CSV, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """What a reader sees of a record.

    Attributes:
        title: of the column.
        text: record -> words.
        numeric: set flush right.
    """

    title: str
    text: Callable[[Record], str]
    numeric: bool = True


@dataclass(frozen=True, kw_only=True)
class Table:
    """Records of the same keys.

    Attributes:
        name: of its file, without a suffix.
        caption: one or two sentences, with n.
        records: raw values; their keys are the columns of the CSV, in order.
        columns: for readers; none where the table only stands behind a figure.
    """

    name: str
    caption: str
    records: Sequence[Record]
    columns: Sequence[Column] = ()

    @property
    def cells(self) -> list[list[str]]:
        """The words of every record, a list a row."""
        return [[column.text(record) for column in self.columns] for record in self.records]


def as_csv(table: Table) -> str:
    """RFC 4180 with plain line ends: raw values, floats so that they read back the same, nothing for None."""
    out = io.StringIO()
    keys = list(dict.fromkeys(key for record in table.records for key in record))
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(keys)
    rows.writerows([_raw(record.get(key)) for key in keys] for record in table.records)
    return out.getvalue()


def _raw(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ";".join(_raw(v) for v in value)
    return repr(float(value)) if isinstance(value, float) else str(value)


def as_markdown(table: Table) -> str:
    """A table of GitHub's Markdown with its caption below."""
    head = "| " + " | ".join(_markdown(c.title) for c in table.columns) + " |"
    rule = "| " + " | ".join("---:" if c.numeric else "---" for c in table.columns) + " |"
    rows = ["| " + " | ".join(map(_markdown, row)) + " |" for row in table.cells]
    return "\n".join([head, rule, *rows, "", _markdown(table.caption)]) + "\n"


def _markdown(text: str) -> str:
    escaped = re.sub(r"([\\`*_|\[\]])", r"\\\1", text)
    return " ".join(escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())


def as_latex(table: Table) -> str:
    r"""A ``table`` environment with the rules of booktabs; needs ``\usepackage{booktabs}``."""
    shape = "".join("r" if c.numeric else "l" for c in table.columns)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_latex(table.caption)}}}",
        rf"\label{{tab:{re.sub('[^a-z0-9-]', '-', table.name.lower())}}}",
        rf"\begin{{tabular}}{{{shape}}}",
        r"\toprule",
        " & ".join(_latex(c.title) for c in table.columns) + r" \\",
        r"\midrule",
        *(" & ".join(map(_latex, row)) + r" \\" for row in table.cells),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",
    "−": "$-$",
    "±": r"$\pm$",
    "–": "--",
    "…": r"\ldots{}",
    "×": r"$\times$",
} | {c: rf"\{c}" for c in "&%$#_{}"}


def _latex(text: str) -> str:
    return " ".join("".join(_LATEX.get(c, c) for c in text).split())
