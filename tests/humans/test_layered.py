"""Features of a network's layers, picture by picture."""

import numpy as np
import pytest
import torch

import affekt
from affekt.data import ArrayPictures, Labels, Stimuli
from affekt.errors import DataError
from affekt.humans.layered import layer_features

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def stimuli():
    pixels = torch.randint(256, (7, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    ids = np.array([f"p{k}" for k in range(7)])
    return Stimuli(name="set", ids=ids, pictures=ArrayPictures(pixels), labels=Labels(), groups=ids)


def test_features_that_are_not_finite_are_refused_by_layer(stimuli):
    network = affekt.Classifier("resnet8-w4", 2, 32, classes=("cat", "dog"))
    with torch.no_grad():
        network.backbone.trunk.conv1.weight.fill_(torch.nan)
    with pytest.raises(DataError, match="n, stage-1: features that are NaN or infinite"):
        layer_features(network, stimuli, ["stage-1"], name="n", device=CPU)
