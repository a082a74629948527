"""Tables of models in ``affekt compare-humans``: what ``--answers`` says of them, and whether they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.data_reading import reader_option
from affekt.errors import UsageError, first, unknown

if TYPE_CHECKING:
    from affekt.humans.people import Answers, Features

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".npz")

LISTS = ("categories", "columns")
"""Options that are lists, which may be typed without brackets: ``categories=happy,sad``."""


def is_table(text: str) -> bool:
    """Whether a word names a file of answers or features."""
    path = Path(text).expanduser()
    return path.suffix.lower() in TABLES and not path.is_dir()


def is_tabled(text: str) -> bool:
    """Whether a word names a file of answers or features, or a run's folder with predictions and without a model."""
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
        raise UsageError("--answers: says what stands in a model's table, and no MODEL is one")
    of_all: dict[str, Any] = {}
    of_one: dict[str, dict[str, Any]] = {table: {} for table in tables}
    for text in texts:
        place, key, value = _option(text)
        for own in [of_one[table] for table in _called(place, tables)] if place else [of_all]:
            own[key] = value
    return {table: {**of_all, **own} for table, own in of_one.items()}


def _option(text: str) -> tuple[str, str, Any]:
    """Table (``""``: all), key and value."""
    from affekt.humans.people import answer_tables, feature_tables

    known = {**answer_tables.OPTIONS, **feature_tables.OPTIONS}
    asked, value = reader_option(text, flag="--answers", example="id=COLUMN")
    place, _, key = asked.rpartition(":")
    if key not in known:
        raise UsageError(unknown("--answers: option", key, known))
    if key in LISTS and isinstance(value, str):
        value = tuple(part.strip() for part in value.strip("[]").split(","))
    return place, key, value


def _called(place: str, tables: Sequence[str]) -> list[str]:
    found = [table for table in tables if place in (table, Path(table).name, Path(table).stem)]
    if not found:
        raise UsageError(f'--answers "{place}:...": no MODEL that is a table is called so. There are: {first(tables)}')
    return found


def read_table(text: str, options: Mapping[str, Any]) -> dict[str, Answers] | dict[str, Features]:
    """Model -> its answers; of a file without any, or with option ``columns``, layer -> features.

    Raises:
        NoAnswers: neither answers nor features (one column of numbers is more likely an answer by another name).
        DataError: what reading says.
    """
    from affekt.humans.people import NoAnswers, NoFeatures, read_answers
    from affekt.humans.people.answer_tables import OPTIONS

    if "columns" in options:
        return _features(text, options)
    try:
        return read_answers(text, {key: value for key, value in options.items() if key in OPTIONS})
    except NoAnswers as refused:
        try:
            found = _features(text, options)
        except NoFeatures:
            raise refused from None
        if all(one.features.shape[1] < 2 for one in found.values()):
            raise
        return found


def _features(text: str, options: Mapping[str, Any]) -> dict[str, Features]:
    from affekt.humans.people import read_features
    from affekt.humans.people.feature_tables import OPTIONS

    return read_features(text, {key: value for key, value in options.items() if key in OPTIONS})
