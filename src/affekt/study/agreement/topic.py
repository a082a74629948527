"""Topic: pooled measures that belong together, as tables, claim and report take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from affekt.study.agreement.pooling import Pooled


@dataclass(frozen=True, kw_only=True)
class Topic:
    """Measures that belong together.

    Attributes:
        id, title, lead: as of a :class:`~affekt.humans.comparison.Part`.
        stimuli: how many were compared.
        measures: pooled.
        simulated: what is said of simulated observers; empty without any.
        notes: what is left out, rescaled, undefined.
    """

    id: str
    title: str
    lead: str
    stimuli: int
    measures: Sequence[Pooled]
    simulated: str = ""
    notes: Sequence[str] = ()
