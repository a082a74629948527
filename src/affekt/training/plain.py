"""Plain pictures: all of a split once, in order and un-augmented, as a network sees them in evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from affekt.data.augmentation import Augmentation
from affekt.data.loading import Loader
from affekt.data.packs import PackedPictures
from affekt.data.pictures import FilePictures
from affekt.data.stimuli import Ints, Stimuli
from affekt.recipe import AugmentationSettings

CHUNK = 256
"""Pictures that are in memory at once."""

FEW = 4096
"""Up to so many pictures are decoded one after the other: starting workers would take longer."""


def plain_batches(stimuli: Stimuli, image_size: int, *, device: torch.device, chunk: int = CHUNK) -> Iterator[Tensor]:
    """``(B, 3, S, S)`` float32 in [0, 1]; S is ``image_size``, or less where the pictures are stored smaller."""
    indices = np.array_split(np.arange(len(stimuli), dtype=np.int64), -(-len(stimuli) // chunk))
    for images in _read(stimuli, indices, device):
        size = min(image_size, *images.shape[2:])
        yield Augmentation(AugmentationSettings(crop="none"), size).plain(images)


def _read(stimuli: Stimuli, indices: Sequence[Ints], device: torch.device) -> Iterator[Tensor]:
    if len(stimuli) <= FEW or not isinstance(stimuli.pictures, FilePictures | PackedPictures):
        yield from (stimuli.images(chunk).to(device) for chunk in indices)
        return
    with Loader(stimuli, device=device, memory_gib=0.0) as loader:
        yield from (images for _, images, _ in loader.batches(indices))
