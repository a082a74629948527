"""Whitening in a training: which pictures the first layers are computed from, before the first step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Tensor, nn

from affekt.backbones.whitening import whiten
from affekt.data.stimuli import Stimuli

PICTURES = 5000
"""Evenly spread over the training pictures; as many as arXiv:2404.00498 takes."""

CHUNK = 500


def whiten_by(module: nn.Module, stimuli: Stimuli) -> None:
    """Fill the whitening layers in ``module`` that wait for it from training pictures, un-augmented.

    It is a function of the pictures and their order alone, so that conditions and ensemble members that share a
    training split share the layer.
    """
    whiten(module, _sample(stimuli))


def _sample(stimuli: Stimuli) -> Iterator[Tensor]:
    count = min(len(stimuli), PICTURES)
    rows = np.arange(count, dtype=np.int64) * len(stimuli) // count
    return (stimuli.images(rows[start : start + CHUNK]) for start in range(0, count, CHUNK))
