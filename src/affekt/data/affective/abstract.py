"""Abstract: 280 abstract paintings with people's votes over Mikels' eight emotions (Machajdik and Hanbury 2010)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from affekt.affect import MIKELS, canonical_category, majority
from affekt.data.affective.columns import Columns, read_columns
from affekt.data.affective.files import check_unique, present
from affekt.data.affective.votes import check_votes, whole_numbers
from affekt.data.dataset import Dataset, option
from affekt.data.pictures import FilePictures
from affekt.data.stimuli import Floats32, Labels, Stimuli
from affekt.errors import DataError, UsageError
from affekt.recipe import DataSettings

_TABLE = "ABSTRACT_groundTruth.csv"


def read(root: Path, settings: DataSettings) -> Stimuli:
    """All 280 paintings; no split is fixed, each is its own group.

    The table quotes with single quotes and leaves the first header cell empty; emotions are mapped by name. With
    ``label = "votes"`` all paintings are kept, and those whose first place is shared have category -1; with
    ``label = "majority"`` the latter are left out and there are no votes.

    Raises:
        DataError: table or pictures missing, an emotion missing, votes that are no counts or sum to zero.
    """
    wanted = option(settings, "label", str, "votes", choices=("votes", "majority"))
    columns = read_columns(root / _TABLE, quote="'")
    names = columns.text(next(iter(columns.values)))
    check_unique(columns.name, names)
    paths = [root / name for name in names]
    found = present("abstract", paths, names, settings)
    votes = _votes(columns)
    category = majority(votes)
    rows, notes = found.rows, found.notes
    if wanted == "majority":
        rows = rows[category[rows] >= 0]
        notes += (f"{len(found.rows) - len(rows)} pictures with a tie for the first place left out",)
    ids = np.array([Path(name).stem for name in names])
    labels = Labels(categories=MIKELS, category=category, votes=votes if wanted == "votes" else None)
    return Stimuli(
        name="abstract",
        ids=ids[rows],
        pictures=FilePictures([paths[row] for row in rows], image_size=settings.image_size, fit=settings.fit),
        labels=labels.take(rows),
        groups=ids[rows],
        notes=notes,
        missing=found.missing,
    )


def _votes(columns: Columns) -> Floats32:
    """``(N, 8)`` votes in the order of :data:`~affekt.affect.MIKELS`, whatever the order of the columns."""
    by_emotion: dict[str, str] = {}
    for header in list(columns.values)[1:]:
        try:
            by_emotion[canonical_category(header)] = header
        except UsageError as error:
            raise DataError(f"{columns.name}: {error}") from None
    absent = [name for name in MIKELS if name not in by_emotion]
    if absent:
        raise DataError(f"{columns.name}: no column for {', '.join(absent)}. Found: {columns.headers()}")
    votes = np.stack([columns.numbers(by_emotion[name]) for name in MIKELS], axis=-1)
    whole_numbers(votes, columns)
    return check_votes(votes, columns)


DATASET = Dataset(
    name="abstract",
    title="Abstract paintings with votes over eight emotions",
    kind="affective",
    licence="see homepage",
    show_pictures=False,
    citation=(
        "Machajdik, J., & Hanbury, A. (2010). Affective image classification using features inspired by psychology and "
        "art theory. Proceedings of ACM Multimedia 2010, 83-92. https://doi.org/10.1145/1873951.1873965"
    ),
    homepage="https://www.imageemotion.org",
    labels=("votes", "category"),
    categories=MIKELS,
    layout=f"{_TABLE} and abstract_<number>.jpg beside it",
    expected=280,
    options={"label": 'what is learned: "votes" (default; ties have no category) or "majority" (ties left out)'},
    read=read,
)
