"""Settings of a probe: what every line of its folder has in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from affekt.errors import UsageError, unknown
from affekt.humans.agreement import RESAMPLES
from affekt.humans.probing.layers import Pool

Fit = Literal["crop", "squash"]

_LEAST = {"image_size": 8, "folds": 2, "inner_folds": 2, "repeats": 1, "seed": 0, "project": 0, "resamples": 2}


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    """How features are taken and scored. A folder holds results of one of these.

    Attributes:
        dimensions: of the ratings, which are predicted; empty: all that the set has.
        image_size: side of the pictures that a network by name is given, pixels; a saved model has its own.
        fit: ``"crop"`` (shorter side scaled, centre cropped) or ``"squash"``; a saved model has its own.
        pool: ``"mean"`` over places, or ``"flat"``: every number of a layer.
        project: length beyond which features are projected at random (:class:`~affekt.humans.probing.Projection`);
            0: never with ``"mean"``, and with ``"flat"`` the length that keeps distances within a tenth.
        folds, inner_folds: outer folds, each held out once, and inner ones, which choose the penalty.
        repeats: cuts into outer folds, by ``seed``, ``seed + 1`` ...
        seed: of folds, random weights and projections.
        resamples: of the bootstrap.

    Raises:
        UsageError: a number below what makes sense, an unknown word.
    """

    dimensions: tuple[str, ...] = ()
    image_size: int = 224
    fit: Fit = "crop"
    pool: Pool = "mean"
    project: int = 0
    folds: int = 5
    inner_folds: int = 5
    repeats: int = 5
    seed: int = 0
    resamples: int = RESAMPLES

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise UsageError(f"{name} = {getattr(self, name)}: a whole number of at least {least} is asked")
        for name, known in (("fit", ("crop", "squash")), ("pool", ("mean", "flat"))):
            if getattr(self, name) not in known:
                raise UsageError(unknown(name, getattr(self, name), known))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "dimensions": list(self.dimensions)}


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The keys in which two tables differ, dotted where tables are within them."""
    found: list[str] = []
    for key in sorted(one.keys() | other.keys()):
        a, b = one.get(key), other.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found += [f"{key}.{inner}" for inner in differing(a, b)]
        elif a != b:
            found.append(key)
    return found
