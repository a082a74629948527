"""Small networks and pictures that the tests of regulation share."""

import numpy as np
import pytest
import torch

from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.perception import AffectNetwork
from affekt.regulation import EmotionalRegulation

STATE = ("valence", "arousal")


@pytest.fixture
def affect_network():
    """Make a calibrated affect network: by default the task's own backbone and size."""

    def make(backbone="resnet8", image_size=16, **options):
        torch.manual_seed(1)
        network = AffectNetwork(backbone, {"ratings": STATE}, image_size, width=options.pop("width", 4), **options)
        network.calibrate([torch.rand(16, 3, 16, 16)])
        return network

    return make


@pytest.fixture
def regulated(affect_network):
    """Make a small regulated model of four classes."""

    def make(influence="initialised", regulator="learned", emotional=None, **options):
        torch.manual_seed(2)
        emotional = emotional or affect_network()
        return EmotionalRegulation("resnet8", 4, 16, emotional, influence, regulator, width=4, **options)

    return make


@pytest.fixture
def pictures():
    """Float pictures in [0, 1] that are whole numbers of 8 bits."""

    def make(n=8, size=16, seed=0):
        generator = torch.Generator().manual_seed(seed)
        return torch.randint(0, 256, (n, 3, size, size), generator=generator, dtype=torch.uint8).float() / 255

    return make


@pytest.fixture
def labels():
    return torch.tensor([0, 1, 2, 3, 3, 2, 1, 0])


@pytest.fixture
def stimuli(pictures, labels):
    """Eight stimuli, the pictures and labels above."""
    ids = np.array([f"p{i}" for i in range(8)])
    return Stimuli(
        name="t",
        ids=ids,
        pictures=ArrayPictures((pictures() * 255).round().to(torch.uint8)),
        labels=Labels(categories=tuple("abcd"), category=labels.numpy()),
        groups=ids,
    )
