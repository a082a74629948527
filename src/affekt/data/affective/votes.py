"""Votes of people as an array: checked with the lines of their table, and counted over polarity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affekt.affect import POLARITIES, distribution_to_polarity
from affekt.data.affective.columns import Columns
from affekt.data.stimuli import Floats32
from affekt.errors import DataError, first


def check_votes(votes: NDArray[np.float64], columns: Columns) -> Floats32:
    """``(N, K)`` votes as float32. A row without any number is nobody's vote and becomes zeros.

    Raises:
        DataError: a negative or infinite vote, or votes that are given and sum to zero: how many rows, the first lines.
    """
    given = np.any(~np.isnan(votes), axis=-1)
    counts = np.nan_to_num(votes, nan=0.0, posinf=-1.0)
    _refuse(columns, np.any(counts < 0, axis=-1), "negative or infinite votes", "votes are counts or shares, 0 or more")
    _refuse(columns, given & ~np.any(counts, axis=-1), "votes that sum to zero", "drop them, or leave the cells empty")
    return counts.astype(np.float32)


def whole_numbers(votes: NDArray[np.float64], columns: Columns) -> None:
    """
    Raises:
        DataError: a cell that is empty or no whole number.
    """
    _refuse(columns, np.any(votes != np.floor(votes), axis=-1), "votes that are no counts", "write whole numbers")


def _refuse(columns: Columns, wrong: NDArray[np.bool_], what: str, instead: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        lines = first((columns.lines[row] for row in rows[:5]), total=len(rows))
        raise DataError(f"{columns.name}: {len(rows)} row(s) with {what} (line {lines}); {instead}")


def polarity_votes(votes: Floats32, categories: tuple[str, ...], *, ambiguous: str) -> tuple[tuple[str, ...], Floats32]:
    """Votes over emotions -> (names, ``(N, 3)`` or ``(N, 4)`` votes) over polarity; numbers of votes are kept.

    Args:
        ambiguous: what becomes of votes for surprise and its like: ``"drop"``, ``"neutral"``, or ``"own"`` (a fourth
            class, ``"ambiguous"``).
    """
    signs = np.nan_to_num(distribution_to_polarity(np.eye(len(categories)), categories, ambiguous=ambiguous))
    names = (*POLARITIES, "ambiguous") if ambiguous == "own" else POLARITIES
    return names, (votes @ signs).astype(np.float32)
