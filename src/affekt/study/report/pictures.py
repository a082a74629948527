"""Pictures with the most and the least regulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.report import Gallery, Picture, PicturesById, Table
from affekt.report.pictures import sources
from affekt.study.report.gathering import Shown

SHOWN = 12
"""Pictures in each of the two rows."""


def extremes(regulation: NDArray[np.float64], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the ``n`` highest r, highest first, and of the ``n`` lowest, lowest first; none stands in both."""
    n = min(n, len(regulation) // 2)
    order = np.argsort(regulation, kind="stable").astype(np.int64)
    return order[::-1][:n], order[:n]


@dataclass(frozen=True, kw_only=True)
class Extreme:
    """One of the items at an end.

    Attributes:
        id: of the item.
        regulation: its r, mean over seeds.
        label: its class.
        source: a ``data:`` URI; empty where pictures are not shown.
    """

    id: str
    regulation: float
    label: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Ends:
    """The items with the highest r, highest first, and with the lowest, lowest first."""

    highest: Sequence[Extreme]
    lowest: Sequence[Extreme]

    @property
    def table(self) -> Table:
        records = [
            {"end": end, "id": p.id, "class": p.label, "r": p.regulation}
            for end, row in (("highest", self.highest), ("lowest", self.lowest))
            for p in row
        ]
        return Table(name="pictures", caption="Items with the highest and the lowest r.", records=records)

    def gallery(self, note: str) -> Gallery:
        """Both ends as rows of the page; ``note`` says why pictures are missing."""

        def row(items: Sequence[Extreme]) -> list[Picture]:
            return [Picture(id=i.id, value=f"{i.regulation:.3f}", label=i.label, source=i.source) for i in items]

        return Gallery(
            lead=f"Mean r over seeds. {note}",
            rows=[("Highest r", row(self.highest)), ("Lowest r", row(self.lowest))],
            caption=f"{len(self.highest)} items at each end.",
            table=self.table,
        )


def ends(shown: Shown, classes: Sequence[str], stimuli: PicturesById | None) -> Ends:
    """The items at both ends of r, with their pictures where ``stimuli`` gives them.

    Raises:
        UsageError: ``stimuli`` gives other than one ``(H, W, 3) uint8`` picture for each id.
    """
    highest, lowest = extremes(shown.mean, SHOWN)
    chosen = np.concatenate([highest, lowest])
    shown_as = sources([str(shown.ids[i]) for i in chosen], stimuli)
    every = [
        Extreme(
            id=str(shown.ids[i]),
            regulation=float(shown.mean[i]),
            label=_class(int(shown.category[i]), classes),
            source=source,
        )
        for i, source in zip(chosen, shown_as, strict=True)
    ]
    return Ends(highest=every[: len(highest)], lowest=every[len(highest) :])


def _class(category: int, classes: Sequence[str]) -> str:
    return str(classes[category]) if 0 <= category < len(classes) else "class unknown"
