"""Inputs: size, range and normalisation of what a backbone reads."""

import pytest
import torch
from torch import nn

from affekt.backbones.inputs import add_normalisation, as_input
from affekt.errors import UsageError


def normalised(images, size=8):
    model, backbone = nn.Module(), nn.Identity()
    backbone.mean, backbone.std = (0.1, 0.2, 0.3), (0.5, 0.25, 2.0)
    add_normalisation(model, backbone)
    return as_input(images, size, model.mean, model.std)


def test_normalisation_is_that_of_the_backbone():
    out = normalised(torch.full((2, 3, 8, 8), 0.7))
    torch.testing.assert_close(out[0, :, 0, 0], torch.tensor([1.2, 2.0, 0.2]))


def test_uint8_and_float_are_the_same_picture():
    pixels = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    assert torch.equal(normalised(pixels), normalised(pixels.float() / 255))


@pytest.mark.parametrize("size", [4, 12])
def test_another_size_is_resized(size):
    assert normalised(torch.rand(1, 3, 8, 10), size).shape == (1, 3, size, size)


def test_smaller_is_antialiased():
    """A line in the middle of every three rows is what plain bilinear sampling would see alone."""
    lines = torch.zeros(1, 3, 9, 9)
    lines[:, :, 1::3] = 1
    red = normalised(lines, 3)[0, 0, 1, 1] * 0.5 + 0.1
    assert 0.2 < red < 0.5


def test_pictures_stay_float32_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert normalised(torch.rand(1, 3, 16, 16)).dtype == torch.float32


def test_a_backbone_that_states_nothing_gets_a_default():
    model = nn.Module()
    add_normalisation(model, nn.Identity())
    assert model.mean.flatten().tolist() == [0.5] * 3
    assert model.std.flatten().tolist() == [0.25] * 3


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 1, 8, 8)])
def test_what_is_no_batch_of_pictures_is_refused(shape):
    with pytest.raises(UsageError, match=r"give \(B, 3, H, W\) in \[0, 1\]"):
        normalised(torch.zeros(shape))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.rand(1, 3, 8, 8).numpy(), "a ndarray; give a tensor"),
        (torch.rand(1, 3, 8, 8) * 255, "values from .* to 2..; give uint8, or floats"),
        (torch.randn(4, 3, 8, 8) * 2, "not normalised"),
        (torch.full((1, 3, 8, 8), float("nan")), "NaN or infinite"),
        (torch.tensor([0.5, float("inf")]).expand(1, 3, 8, 2), "NaN or infinite"),
    ],
)
def test_what_is_no_picture_is_refused(images, message):
    with pytest.raises(UsageError, match=message):
        normalised(images)


def test_slightly_outside_and_empty_is_a_picture():
    assert normalised(torch.rand(1, 3, 8, 8) * 1.2 - 0.1).shape == (1, 3, 8, 8)
    assert normalised(torch.rand(0, 3, 8, 8)).shape == (0, 3, 8, 8)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_type_is_that_of_the_network(dtype):
    model = nn.Module()
    add_normalisation(model, nn.Identity())
    model.to(dtype)
    assert as_input(torch.rand(1, 3, 9, 9), 8, model.mean, model.std).dtype == dtype
