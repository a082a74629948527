"""Fusion: from sound and pictures of a step to one vector, one way a file.

To add one, write it in a file of its own and name it in ``FUSIONS``.
"""

from __future__ import annotations

from collections.abc import Sequence

from affekt.multimodal.choosing import chosen
from affekt.multimodal.fusion.attention import Attention
from affekt.multimodal.fusion.base import Fusion
from affekt.multimodal.fusion.concatenate import Concatenate
from affekt.multimodal.fusion.gated import Gated

FUSIONS: dict[str, type[Fusion]] = {"concatenate": Concatenate, "gated": Gated, "attention": Attention}

__all__ = ["FUSIONS", "Fusion", "create_fusion"]


def create_fusion(name: str, sizes: Sequence[int], hidden: int = 256) -> Fusion:
    """A fusion by name, for streams of ``sizes`` numbers a step.

    Raises:
        UsageError: no such fusion (the nearest are named).
    """
    made: Fusion = chosen("fusion", name, FUSIONS)(sizes, hidden)
    return made
