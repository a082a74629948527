"""Plain pictures: every picture once, in order, as evaluation sees it."""

import numpy as np
import torch

from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.training.plain import plain_batches


def stimuli(n=7, size=10):
    pixels = torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    ids = np.array([f"p{i}" for i in range(n)])
    return Stimuli(name="t", ids=ids, pictures=ArrayPictures(pixels), labels=Labels(), groups=ids), pixels


def test_every_picture_once_in_order():
    made, pixels = stimuli()
    found = list(plain_batches(made, 32, device=torch.device("cpu"), chunk=3))
    assert len(found) == 3
    torch.testing.assert_close(torch.cat(found), pixels.float() / 255)


def test_pictures_that_are_larger_than_the_network_come_at_its_size():
    made, _ = stimuli(size=20)
    assert next(plain_batches(made, 12, device=torch.device("cpu"))).shape == (7, 3, 12, 12)
