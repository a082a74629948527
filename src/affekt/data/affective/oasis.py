"""OASIS: 900 colour pictures with people's valence and arousal (Kurdi, Lozano and Banaji 2017)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affekt.affect import SCALES
from affekt.data.affective.columns import Columns, read_columns
from affekt.data.affective.files import check_unique, present
from affekt.data.dataset import Dataset
from affekt.data.pictures import FilePictures
from affekt.data.stimuli import Floats32, Labels, Stimuli
from affekt.errors import DataError
from affekt.recipe import DataSettings

_CATEGORIES = ("person", "animal", "object", "scenery")
RATED = ("valence", "arousal")
SCALE = SCALES["1-7"]


def theme_stem(theme: str) -> str:
    """What a theme shows, without its number: ``"Dog 12"`` -> ``"dog"``; pictures of one stem are near-duplicates."""
    return re.sub(r"\s*\d+$", "", theme.strip()).strip().lower()


def read(root: Path, settings: DataSettings) -> Stimuli:
    """All 900 pictures; no split is fixed, groups are theme stems (248).

    Raises:
        DataError: table or pictures missing, an unknown category, a rating outside 1 to 7.
    """
    columns = read_table(root)
    themes = columns.text(columns.require("Theme"))
    paths = [root / "images" / f"{theme}.jpg" for theme in themes]
    found = present("oasis", paths, [f"images/{path.name}" for path in paths], settings)
    return Stimuli(
        name="oasis",
        ids=np.array(themes)[found.rows],
        pictures=FilePictures([paths[row] for row in found.rows], image_size=settings.image_size, fit=settings.fit),
        labels=_labels(columns).take(found.rows),
        groups=np.array([theme_stem(theme) for theme in themes])[found.rows],
        notes=found.notes,
        missing=found.missing,
    )


def read_table(root: Path) -> Columns:
    """The table of the set, whose pictures need not be there; ids are the column ``Theme``.

    Its line ends are single carriage returns, and a theme may end in a blank that its file name lacks.

    Raises:
        DataError: no table, or a theme in it twice.
    """
    columns = read_columns(root / "OASIS.csv")
    check_unique(columns.name, columns.text(columns.require("Theme")))
    return columns


def statistic(columns: Columns, dimension: str, what: str) -> NDArray[np.float64]:
    """``(N,)`` the ``"mean"`` (within :data:`SCALE`), ``"SD"`` or ``"N"`` of people's ratings.

    Raises:
        DataError: no such column, a mean outside the scale.
    """
    values = columns.numbers(columns.require(f"{dimension.capitalize()}_{what}"))
    return SCALE.check(values, f"oasis: {dimension}") if what == "mean" else values


def theme_categories(columns: Columns) -> list[str]:
    """person, animal, object or scenery, of each picture.

    Raises:
        DataError: another word.
    """
    named = [cell.lower() for cell in columns.text(columns.require("Category"))]
    strange = sorted(set(named) - set(_CATEGORIES))
    if strange:
        raise DataError(f'{columns.name}: category "{strange[0]}" is none of {", ".join(_CATEGORIES)}')
    return named


def _labels(columns: Columns) -> Labels:
    def of(what: str) -> dict[str, Floats32]:
        return {dimension: statistic(columns, dimension, what).astype(np.float32) for dimension in RATED}

    return Labels(
        ratings=of("mean"),
        rating_sd=of("SD"),
        rating_n=of("N"),
        scale=SCALE,
        extra={"theme_category": np.array(theme_categories(columns))},
    )


DATASET = Dataset(
    name="oasis",
    title="Open Affective Standardized Image Set: 900 pictures with valence and arousal",
    kind="affective",
    licence="open access; free use in online and offline research (Kurdi et al. 2017), see homepage",
    show_pictures=True,
    citation=(
        "Kurdi, B., Lozano, S., & Banaji, M. R. (2017). Introducing the Open Affective Standardized Image Set (OASIS). "
        "Behavior Research Methods, 49(2), 457-470. https://doi.org/10.3758/s13428-016-0715-3"
    ),
    homepage="https://www.benedekkurdi.com/#oasis",
    labels=RATED,
    layout="OASIS.csv and images/<Theme>.jpg",
    expected=900,
    read=read,
)
