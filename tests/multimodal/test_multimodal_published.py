"""The published network: what it has where, counted; and what a frame becomes on its way."""

import pytest
import torch
from torch.nn import functional as F

from affekt.multimodal import AudioVisualNetwork, create_audio


@pytest.fixture(scope="module")
def published():
    with torch.device("meta"):
        return AudioVisualNetwork({"emotion": 4, "gender": 2})


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_parameters(published):
    first = 40 * 1 * 80 + 40
    second = 40 * 40 * 4000 + 40
    lstm = 4 * 256 * (3328 + 256 + 2) + 4 * 256 * (256 + 256 + 2)
    assert (first, second, lstm) == (3_240, 6_400_040, 4_198_400)
    assert count(published.hearing) == first + second
    assert count(published.seeing) == 23_508_032  # torchvision's resnet50, 25,557,032, without its classifier
    assert count(published.fusing) == 0
    assert count(published.recurrent) == lstm
    assert count(published.heads) == (256 * 4 + 4) + (256 * 2 + 2)
    assert count(published) == 34_111_254


def test_shapes(published):
    shapes = {name: tuple(p.shape) for name, p in published.named_parameters()}
    assert shapes["hearing.first.weight"] == (40, 1, 80)
    assert shapes["hearing.second.weight"] == (40, 40, 4000)
    assert shapes["seeing.backbone.trunk.conv1.weight"] == (64, 3, 7, 7)
    assert shapes["recurrent.network.weight_ih_l0"] == (4 * 256, 1280 + 2048)
    assert shapes["recurrent.network.weight_hh_l1"] == (4 * 256, 256)
    assert shapes["heads.emotion_head.weight"] == (4, 256) and shapes["heads.gender_head.weight"] == (2, 256)
    assert published.hearing.num_features == 1280 and published.seeing.num_features == 2048
    assert published.fusing.num_features == 3328 and published.num_features == 256
    assert published.seeing.image_size == 96 and published.heads.dropout.p == 0.5


def test_sound_becomes_1280_numbers_a_frame_as_published():
    torch.manual_seed(0)
    part = create_audio("raw")
    audio = torch.rand(1, 2 * 640) * 2 - 1
    # The same, written down once more with torch's own layers, the rectifier apart.
    x = F.conv1d(audio[:, None], part.first.weight, part.first.bias, padding="same")
    x = F.max_pool1d(F.relu(x), 2)
    x = F.relu(F.conv1d(x, part.second.weight, part.second.bias, padding="same"))
    assert x.shape == (1, 40, 640)
    pooled = F.max_pool1d(x.transpose(1, 2), 10)  # (1, 640 moments, 4)
    found = part(audio, torch.tensor([2]))
    assert found.shape == (1, 2, 1280)
    torch.testing.assert_close(found, pooled.reshape(1, 2, 320 * 4), rtol=1e-4, atol=1e-5)
