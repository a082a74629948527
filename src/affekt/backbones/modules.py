"""Modules by the names that a network's paper gives them: AlexNet's ``conv1`` ... ``conv5``."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

ALEXNET: Mapping[str, str] = {
    f"conv{number}": f"features.{behind}" for number, behind in enumerate((1, 4, 7, 9, 11), start=1)
}
"""A layer of AlexNet ends in its ReLU: the convolutions themselves are ``features.0``, ``3``, ``6``, ``8``, ``10``."""


def papers_names(trunk: nn.Module) -> Mapping[str, str]:
    """Name in the paper -> dotted name of the module in which that layer ends; empty for most networks."""
    return ALEXNET if type(trunk).__name__ == "AlexNet" else {}
