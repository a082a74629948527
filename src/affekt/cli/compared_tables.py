"""Tables among the models of ``affekt compare-humans``: which words are some, and what ``--answers`` says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.data_reading import reader_option
from affekt.errors import UsageError, first, unknown

if TYPE_CHECKING:
    from affekt.humans.people import Answers

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".npz")

LISTS = ("categories",)
"""Options that are lists, which may be typed without brackets: ``categories=happy,sad``."""


def is_table(text: str) -> bool:
    """Whether a word names a file of answers."""
    path = Path(text).expanduser()
    return path.suffix.lower() in TABLES and not path.is_dir()


def is_tabled(text: str) -> bool:
    """Whether a word names a file of answers, or a run's folder with predictions and without a model."""
    path = Path(text).expanduser()
    return is_table(text) or ((path / "predictions.npz").is_file() and not (path / "model").is_dir())


def options_of(texts: Sequence[str], tables: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Table -> what ``--answers`` says of it: ``KEY=VALUE`` of all tables, ``TABLE:KEY=VALUE`` of one.

    Args:
        texts: as they were typed; what is said of one table goes before what is said of all.
        tables: words that name tables; each answers to its word, its file name and its stem.

    Raises:
        UsageError: no such option, no such table, no table at all.
    """
    if texts and not tables:
        raise UsageError("--answers: says what stands in a table of answers, and no MODEL is one")
    of_all: dict[str, Any] = {}
    of_one: dict[str, dict[str, Any]] = {table: {} for table in tables}
    for text in texts:
        place, key, value = _option(text)
        for own in [of_one[table] for table in _called(place, tables)] if place else [of_all]:
            own[key] = value
    return {table: {**of_all, **own} for table, own in of_one.items()}


def _option(text: str) -> tuple[str, str, Any]:
    """Table (``""``: all), key and value."""
    from affekt.humans.people.answer_tables import OPTIONS

    asked, value = reader_option(text, flag="--answers", example="id=COLUMN")
    place, _, key = asked.rpartition(":")
    if key not in OPTIONS:
        raise UsageError(unknown("--answers: option", key, OPTIONS))
    if key in LISTS and isinstance(value, str):
        value = tuple(part.strip() for part in value.strip("[]").split(","))
    return place, key, value


def _called(place: str, tables: Sequence[str]) -> list[str]:
    found = [table for table in tables if place in (table, Path(table).name, Path(table).stem)]
    if not found:
        raise UsageError(f'--answers "{place}:...": no MODEL that is a table is called so. There are: {first(tables)}')
    return found


def read_table(text: str, options: Mapping[str, Any]) -> dict[str, Answers]:
    """Model -> its answers."""
    from affekt.humans.people import read_answers

    return read_answers(text, options)
