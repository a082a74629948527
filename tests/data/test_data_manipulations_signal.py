"""Manipulations of the signal: phase, spatial frequency, contrast, noise, colour."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from affekt.data.manipulations import manipulate


def faint(n: int = 3, height: int = 20, width: int = 24) -> Tensor:
    """Random pictures of so little contrast that nothing is clipped."""
    drawn = torch.rand((n, 3, height, width), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return 0.45 + 0.1 * drawn


def wave(cycles: float, height: int = 32, width: int = 32, *, down: bool = False) -> Tensor:
    """A cosine of so many cycles across, its mean 0.5 and its amplitude 0.25; at rest at both borders."""
    n = height if down else width
    line = 0.5 + 0.25 * torch.cos(2 * math.pi * cycles * (torch.arange(n, dtype=torch.float64) + 0.5) / n)
    return (line[:, None] if down else line[None, :]).expand(1, 3, height, width)


class TestPhaseScramble:
    @pytest.mark.parametrize("size", [(20, 24), (21, 25), (16, 15)])
    @pytest.mark.parametrize("strength", [0.3, 1.0])
    def test_the_amplitude_spectrum_is_kept(self, strength: float, size: tuple[int, int]) -> None:
        images = faint(3, *size)
        out = manipulate(images, "phase-scramble", strength, ids="abc")
        assert (out - images).abs().max() > 0.01
        before, after = torch.fft.fft2(images), torch.fft.fft2(out)
        torch.testing.assert_close(after.abs(), before.abs(), atol=1e-10, rtol=0)

    def test_the_mean_is_kept(self) -> None:
        images = faint()
        out = manipulate(images, "phase-scramble", 1, ids="abc")
        torch.testing.assert_close(out.mean((2, 3)), images.mean((2, 3)), atol=1e-12, rtol=0)

    def test_all_channels_move_by_the_same_angles(self) -> None:
        images = faint()
        out = manipulate(images, "phase-scramble", 1, ids="abc")
        turn = torch.fft.fft2(out) / torch.fft.fft2(images)
        torch.testing.assert_close(turn[:, 1], turn[:, 0], atol=1e-6, rtol=0)
        torch.testing.assert_close(turn[:, 2], turn[:, 0], atol=1e-6, rtol=0)

    def test_strength_is_the_share_of_the_angle(self) -> None:
        images = faint()
        half, full = (
            torch.fft.fft2(manipulate(images, "phase-scramble", s, ids="abc")) / torch.fft.fft2(images)
            for s in (0.5, 1)
        )
        torch.testing.assert_close(half.square(), full, atol=1e-6, rtol=0)

    def test_angles_are_spread_over_the_circle(self) -> None:
        images = faint(1, 48, 48)
        out = manipulate(images, "phase-scramble", 1, ids="a")
        angle = (torch.fft.fft2(out) / torch.fft.fft2(images))[0, 0].angle()
        counts = torch.histc(angle, 4, -math.pi, math.pi)
        assert (counts / counts.sum() - 0.25).abs().max() < 0.03


class TestFrequency:
    @pytest.mark.parametrize("down", [False, True])
    @pytest.mark.parametrize("cutoff", [2.0, 4.0, 8.0, 16.0])
    def test_a_wave_passes_by_the_stated_share(self, cutoff: float, down: bool) -> None:
        """2 ** -(f / cutoff) ** 2 of a wave of f = 4 cycles: half of it at the cutoff."""
        image = wave(4, down=down)
        share = 2 ** -((4 / cutoff) ** 2)
        low, high = (manipulate(image, name, cutoff) for name in ("low-pass", "high-pass"))
        torch.testing.assert_close(low, 0.5 + share * (image - 0.5), atol=1e-9, rtol=0)
        torch.testing.assert_close(high, 0.5 + (1 - share) * (image - 0.5), atol=1e-9, rtol=0)

    def test_half_passes_at_the_cutoff(self) -> None:
        out = manipulate(wave(6), "low-pass", 6)
        torch.testing.assert_close(out - 0.5, 0.5 * (wave(6) - 0.5), atol=1e-9, rtol=0)

    @pytest.mark.parametrize("image", [wave(8, 32, 64), wave(4, 64, 32)], ids=["wide", "high"])
    def test_cycles_are_counted_on_the_shorter_side(self, image: Tensor) -> None:
        """8 cycles on 64 pixels across are 4 on the height of 32; 4 on a width of 32 are 4 whatever the height."""
        out = manipulate(image, "low-pass", 4)
        torch.testing.assert_close(out - 0.5, 0.5 * (image - 0.5), atol=1e-9, rtol=0)

    def test_low_and_high_of_one_cutoff_are_the_picture_and_its_mean(self) -> None:
        images = faint()
        low, high = (manipulate(images, name, 3.7) for name in ("low-pass", "high-pass"))
        torch.testing.assert_close(low + high, images + images.mean((2, 3), keepdim=True), atol=1e-12, rtol=0)

    def test_opposite_borders_do_not_bleed_into_each_other(self) -> None:
        image = torch.zeros((1, 3, 32, 32), dtype=torch.float64)
        image[..., -2:] = 1.0
        image[..., -2:, :] = 1.0
        out = manipulate(image, "low-pass", 6)
        assert out[..., :16, :16].max() < 1e-3

    def test_cutoff_0_leaves_the_mean(self) -> None:
        images = faint()
        expected = images.mean((2, 3), keepdim=True).expand_as(images)
        torch.testing.assert_close(manipulate(images, "low-pass", 0), expected, atol=1e-12, rtol=0)


def test_contrast_goes_to_mid_grey() -> None:
    images = faint()
    torch.testing.assert_close(manipulate(images, "contrast", 0.8), 0.5 + 0.2 * (images - 0.5))
    assert (manipulate(images, "contrast", 1) == 0.5).all()


class TestNoise:
    def test_it_is_uniform_of_the_stated_width_and_equal_in_all_channels(self) -> None:
        images = torch.full((20, 3, 48, 48), 0.5, dtype=torch.float64)
        added = manipulate(images, "noise", 0.3, ids=range(20)) - images
        assert torch.equal(added[:, 0], added[:, 1])
        assert torch.equal(added[:, 0], added[:, 2])
        assert -0.3 <= added.min() < -0.299
        assert 0.299 < added.max() < 0.3
        assert added.mean().item() == pytest.approx(0, abs=3e-3)
        assert added.std().item() == pytest.approx(0.3 / math.sqrt(3), rel=0.01)

    def test_the_noise_of_a_picture_only_grows_with_strength(self) -> None:
        images = torch.full((2, 3, 16, 16), 0.5, dtype=torch.float64)
        weak, strong = (manipulate(images, "noise", s, ids="ab") - images for s in (0.1, 0.4))
        torch.testing.assert_close(4 * weak, strong)


class TestGreyscale:
    def test_fully_grey_is_luma(self) -> None:
        red, green, blue = torch.eye(3, dtype=torch.float64).view(3, 3, 1, 1)
        for image, weight in ((red, 0.299), (green, 0.587), (blue, 0.114)):
            out = manipulate(image[None], "greyscale", 1)
            torch.testing.assert_close(out, torch.full_like(out, weight))

    def test_grey_pixels_do_not_change(self) -> None:
        grey = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, 16, 16)
        for images in (grey, grey.float() / 255):
            assert torch.equal(manipulate(images, "greyscale", 1), images)
