"""FER+: ten people's votes on each face of FER-2013 over eight emotions (Barsoum et al. 2016)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from affekt.data.affective import ferplus
from affekt.humans.people.known import Options, Votes

OPTIONS: Options = {
    **ferplus.DATASET.options,
    "ties": '"keep" faces without one most voted category (default), or "drop" them',
}


def read(folder: Path, options: Options) -> Votes:
    """Votes on every face of the table, whether or not its picture is there.

    As in :mod:`affekt.data`, votes for "unknown" and "no face" (NF) are counted nowhere, and a face with most votes for
    one of them is left out. Unlike there, a face with a tie stays: people are divided on it, which is what is compared.
    The right answer is the emotion with most votes, also where as many did not know.

    Raises:
        DataError: no table, a column missing, votes that are no counts.
        UsageError: options that cannot be.
    """
    settings = ferplus.DATASET.settings(options={"ties": "keep", **options})
    ids, found, notes = ferplus.read_votes(folder, settings)
    voted = np.flatnonzero(found.votes.sum(axis=1) > 0)
    none = len(ids) - len(voted)
    said = (f"{none} faces without a vote for any category left out",) if none else ()
    return Votes(
        name="ferplus",
        licence=ferplus.DATASET.licence,
        notes=(*notes, *said),
        ids=ids[voted],
        groups=ids[voted],
        categories=found.categories,
        votes=found.votes[voted].astype(np.int64),
    )
