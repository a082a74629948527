"""Resized weights do what the old ones did."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from affekt.backbones.resizing import resize_kernel, resize_positions, with_channels


def test_positions_keep_tokens_and_constants() -> None:
    positions = torch.cat([torch.full((1, 1, 5), 9.0), torch.full((1, 16, 5), 2.0)], dim=1)
    found = resize_positions(positions, (7, 7), prefix=1)
    assert found is not None and found.shape == (1, 50, 5)
    assert torch.equal(found[:, 0], positions[:, 0])
    torch.testing.assert_close(found[:, 1:], torch.full((1, 49, 5), 2.0))


def test_positions_keep_their_place_in_the_grid() -> None:
    ramp = torch.arange(4.0).repeat_interleave(4).reshape(1, 16, 1)
    found = resize_positions(ramp, (8, 8), prefix=0)
    assert found is not None
    grid = found.reshape(8, 8)
    assert (grid[1:, 0] > grid[:-1, 0]).all(), "rows go on rising"
    torch.testing.assert_close(grid[:, 0], grid[:, 7])


def test_positions_of_another_form_are_refused() -> None:
    assert resize_positions(torch.zeros(1, 17, 5), (7, 7), prefix=0) is None


def test_enlarged_kernels_respond_to_enlarged_patches_as_before() -> None:
    kernel, patch = torch.randn(6, 3, 4, 4), torch.randn(1, 3, 4, 4)
    enlarged = F.interpolate(patch, size=(8, 8), mode="bilinear", antialias=True, align_corners=False)
    before = F.conv2d(patch, kernel)
    after = F.conv2d(enlarged, resize_kernel(kernel, (8, 8)))
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def test_a_grey_picture_means_the_same_in_other_channels() -> None:
    kernel, grey = torch.randn(6, 3, 3, 3), torch.randn(1, 1, 8, 8)
    expected = F.conv2d(grey.expand(1, 3, 8, 8), kernel)
    torch.testing.assert_close(F.conv2d(grey, with_channels(kernel, 1)), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        F.conv2d(grey.expand(1, 6, 8, 8), with_channels(kernel, 6)), expected, rtol=1e-4, atol=1e-4
    )
