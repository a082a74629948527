"""Seven pictures of noise, without labels."""

import numpy as np
import torch

from affekt.data import ArrayPictures, Labels, Stimuli


def few_pictures() -> Stimuli:
    """Of 32 x 32 pixels, the same every time."""
    pixels = torch.randint(256, (7, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    ids = np.array([f"p{k}" for k in range(7)])
    return Stimuli(name="set", ids=ids, pictures=ArrayPictures(pixels), labels=Labels(), groups=ids)
