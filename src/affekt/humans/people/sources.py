"""Sources: which picture each manipulated stimulus was made from, so that its versions are resampled together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.data.affective.columns import Columns, read_columns
from affekt.errors import DataError, first
from affekt.humans.people.known import Options, Strings
from affekt.humans.people.naming import Named, without_condition
from affekt.humans.people.trial_checks import constant_by_stimulus

_TABLE = "stimuli.csv"


@dataclass(frozen=True, kw_only=True)
class Sources:
    """``groups`` (N,) the unit of each stimulus; ``facts`` of it (manipulation, strength); ``notes`` on both."""

    groups: Strings
    facts: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def sources_of(
    path: Path, images: Sequence[str], groups: Sequence[str], named: Named, conditions: Strings, options: Options
) -> Sources:
    """Groups from a column of the trials, else from the table of stimuli beside them, else from the names.

    Args:
        path: of the trials, a table or a folder.
        images, groups: ``(T,)`` cells of the trials; groups ``""`` without such a column.
        conditions: ``(N,)``; a name that begins with its condition loses it.

    Raises:
        DataError: a table of stimuli that was asked for and is absent or has none of these; two groups of a stimulus.
    """
    given = constant_by_stimulus(groups, named, "group")
    found = _table(path, str(options.get("stimuli", "")), np.array(images, dtype=np.str_)[named.rows])
    if (given != "").any():
        facts = {} if found is None else found.facts
        return Sources(groups=np.where(given == "", named.ids, given), facts=facts)
    if found is not None:
        return found
    units = without_condition(named.ids, conditions)
    if len(np.unique(conditions)) > 1 and len(np.unique(units)) == len(units):
        said = "no column tells which stimuli are of one source: each counts as independent; name one by option group"
        return Sources(groups=units, notes=(said,))
    return Sources(groups=units)


def _table(path: Path, name: str, images: Strings) -> Sources | None:
    """What the table of stimuli says of them; None where there is no table, or another one of that name."""
    place = (path if path.is_dir() else path.parent) / (name or _TABLE)
    if not name and not place.is_file():
        return None
    columns = read_columns(place)
    if not name and (columns.find("file") is None or columns.find("group", "source_id") is None):
        return None
    row = {file: n for n, file in enumerate(columns.text(columns.require("file")))}
    rows = [row.get(image, -1) for image in images.tolist()]
    if not name and max(rows) < 0:
        return None
    if max(rows) < 0:
        raise DataError(f"{place.name}: none of the stimuli of the trials in its column file: {first(images, n=3)}")
    groups = _cells(columns, columns.require("group", "source_id"), rows)
    return Sources(
        groups=np.where(groups == "", images, groups),
        facts=_facts(columns, rows),
        notes=(f"groups of stimuli from {place.name}",),
    )


def _cells(columns: Columns, header: str, rows: Sequence[int]) -> Strings:
    return np.array([*columns.text(header), ""])[rows]


def _facts(columns: Columns, rows: Sequence[int]) -> dict[str, NDArray[Any]]:
    """Manipulation and strength, where the table has them."""
    facts: dict[str, NDArray[Any]] = {}
    if (header := columns.find("manipulation")) is not None:
        facts["manipulation"] = _cells(columns, header, rows)
    if (header := columns.find("strength")) is not None:
        facts["strength"] = np.append(columns.numbers(header), np.nan)[rows]
    return facts
