"""Features of a network's layers, picture by picture."""

import pytest
import torch
from few_pictures import few_pictures

import affekt
from affekt.errors import DataError
from affekt.humans.layered import layer_features

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def stimuli():
    return few_pictures()


def test_features_that_are_not_finite_are_refused_by_layer(stimuli):
    network = affekt.Classifier("resnet8-w4", 2, 32, classes=("cat", "dog"))
    with torch.no_grad():
        network.backbone.trunk.conv1.weight.fill_(torch.nan)
    with pytest.raises(DataError, match="n, stage-1: features that are NaN or infinite"):
        layer_features(network, stimuli, ["stage-1"], name="n", device=CPU)
