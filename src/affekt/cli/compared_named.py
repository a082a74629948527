"""What one word of ``affekt compare-humans`` names: a model of ours, a network, or a table of answers or features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from affekt.cli.models import Found
    from affekt.humans.people import Answers, Features


@dataclass(frozen=True, kw_only=True)
class Named:
    """What one word names.

    Attributes:
        name: of it in the comparison.
        found: a model of ours; None for the others.
        answers: precomputed ones.
        features: precomputed ones, by layer.
        network: a network's name, with its initial weights.
        notes: what a reader must know, in sentences.
    """

    name: str
    found: Found | None = None
    answers: Answers | None = None
    features: Mapping[str, Features] = field(default_factory=dict)
    network: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()

    @property
    def precomputed(self) -> bool:
        """Whether a file says what is known of it, and no network is asked."""
        return self.answers is not None or bool(self.features)
