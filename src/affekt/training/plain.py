"""Plain pictures: all of a split once, in order and un-augmented, as a network sees them in evaluation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from affekt.data.augmentation import Augmentation
from affekt.data.loading import Loader
from affekt.data.stimuli import Stimuli
from affekt.recipe import AugmentationSettings

CHUNK = 256
"""Pictures that are in memory at once."""

FEW = 4096
"""Up to so many pictures are decoded in this process: starting workers would take longer."""


def plain_batches(stimuli: Stimuli, image_size: int, *, device: torch.device, chunk: int = CHUNK) -> Iterator[Tensor]:
    """``(B, 3, S, S)`` float32 in [0, 1]; S is ``image_size``, or less where the pictures are stored smaller."""
    indices = np.array_split(np.arange(len(stimuli), dtype=np.int64), -(-len(stimuli) // chunk))
    plain: Augmentation | None = None
    with Loader(stimuli, device=device, memory_gib=0.0, workers=0 if len(stimuli) <= FEW else None) as loader:
        for _, images, _ in loader.batches(indices):
            if plain is None:
                size = min(image_size, *images.shape[2:])
                plain = Augmentation(AugmentationSettings(crop="none"), size)
            yield plain.plain(images)
