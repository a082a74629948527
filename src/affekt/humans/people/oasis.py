"""OASIS: what 822 people say of 900 pictures: means, standard deviations and numbers of ratings (Kurdi et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from affekt.data.affective import oasis
from affekt.humans.people.known import Floats, Options, Ratings

OPTIONS: Mapping[str, str] = {}


def read(folder: Path, _options: Options) -> Ratings:
    """Valence and arousal of each picture, on 1 to 7; groups are theme stems. The pictures need not be there.

    Raises:
        DataError: no table, a column missing, a mean outside the scale.
    """
    columns = oasis.read_table(folder)
    themes = columns.text(columns.require("Theme"))

    def of(what: str) -> dict[str, Floats]:
        return {dimension: oasis.statistic(columns, dimension, what) for dimension in oasis.RATED}

    return Ratings(
        name="oasis",
        licence=oasis.DATASET.licence,
        notes=columns.notes,
        ids=np.array(themes),
        groups=np.array([oasis.theme_stem(theme) for theme in themes]),
        scale=oasis.SCALE,
        means=of("mean"),
        sds=of("SD"),
        counts=of("N"),
        facts={"theme_category": np.array(oasis.theme_categories(columns))},
    )
