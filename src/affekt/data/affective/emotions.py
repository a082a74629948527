"""Emotion names of a set in one order: the order of the family they belong to, so that heads compare across sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from affekt.affect import CATEGORIES, EKMAN, FERPLUS, MIKELS, POLARITIES, canonical_category
from affekt.errors import DataError, UsageError


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Canonical names, each once, in the order of Mikels, Ekman, FER+ or polarity if one has them all, else of
    :data:`~affekt.affect.CATEGORIES`."""
    found = set(names)
    families: Sequence[Sequence[str]] = (MIKELS, EKMAN, FERPLUS, POLARITIES, CATEGORIES)
    family = next(family for family in families if found <= set(family))
    return tuple(name for name in family if name in found)


def parse_pairs(pairs: Iterable[str], what: str) -> dict[str, str]:
    """``["laughing=amusement"]`` -> ``{"laughing": "amusement"}``, the right side made canonical.

    Raises:
        UsageError: no ``=``, or no such emotion.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        left, sign, right = pair.rpartition("=")
        if not sign or not left.strip():
            raise UsageError(f'{what} = "{pair}": write name=emotion, e.g. "laughing=amusement"')
        found[left.strip()] = canonical_category(right)
    return found


def canonical(name: str, where: str, aliases: Mapping[str, str]) -> str:
    """The canonical name of an emotion in a data file.

    Raises:
        DataError: no such emotion; ``where`` it stands and the nearest.
    """
    lowered = {key.lower(): value for key, value in aliases.items()}
    if name.lower() in lowered:
        return lowered[name.lower()]
    try:
        return canonical_category(name)
    except UsageError as error:
        raise DataError(f'{where}: {error}; or name it: aliases = ["{name}=<emotion>"]') from None
