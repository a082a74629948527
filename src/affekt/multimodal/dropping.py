"""Modality dropout: in training, some clips lose their sound or their pictures, so that each is enough by itself."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from affekt.randomness import uniforms


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What one step's draws are a pure function of.

    Attributes:
        seed: of the run.
        step: optimiser step.
        items: ``(B,)`` int64, index of each clip in its split.
    """

    seed: int
    step: int
    items: Tensor


def drop_modality(sound: Tensor, pictures: Tensor, probability: float, draw: Draw) -> tuple[Tensor, Tensor]:
    """``(B,)`` bool each, which clips have sound and pictures -> the same after dropout.

    A clip that has both loses one of them with ``probability``, each as often as the other; never both. After Neverova
    et al. (2016), ModDrop, arXiv:1501.00102.
    """
    draws = uniforms(draw.items, seed=draw.seed, epoch=draw.step, name="modality dropout", n=2).to(sound.device)
    loses = (draws[:, 0] < probability) & sound & pictures
    which = draws[:, 1] < 0.5
    return sound & ~(loses & which), pictures & ~(loses & ~which)
