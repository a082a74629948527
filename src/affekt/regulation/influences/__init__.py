"""Influences: how the second encoder is influenced by the emotional one, one way a file.

To add one, write it in a file of its own and name it in ``INFLUENCES``.
"""

from __future__ import annotations

from affekt.errors import UsageError, unknown
from affekt.regulation.influences.added import Added
from affekt.regulation.influences.base import Influence, InfluenceSetup
from affekt.regulation.influences.concatenated import Concatenated
from affekt.regulation.influences.independent import Independent
from affekt.regulation.influences.initialised import Initialised
from affekt.regulation.influences.modulated import Modulated
from affekt.regulation.influences.shared import Shared

INFLUENCES: dict[str, type[Influence]] = {
    "initialised": Initialised,
    "concatenated": Concatenated,
    "added": Added,
    "modulated": Modulated,
    "shared": Shared,
    "independent": Independent,
}

__all__ = ["INFLUENCES", "Influence", "InfluenceSetup", "create_influence"]


def create_influence(name: str, setup: InfluenceSetup) -> Influence:
    """An influence by name.

    Raises:
        UsageError: no such influence (the nearest are named), or one that this emotional encoder cannot have.
    """
    if name not in INFLUENCES:
        raise UsageError(unknown("influence", name, INFLUENCES))
    return INFLUENCES[name](setup)
