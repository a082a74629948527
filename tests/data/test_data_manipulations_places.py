"""Manipulations of places: occlusion, bubbles, inversion, grid scramble, morph."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from affekt.data.manipulations import manipulate
from affekt.data.manipulations.bubbles import SIGMA
from affekt.data.manipulations.occlusion import EYES, MOUTH
from affekt.errors import UsageError

BLACK = torch.zeros((1, 3, 100, 100), dtype=torch.float64)


def covered(image: Tensor) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is not black."""
    rows, columns = image[0].any(1).nonzero()[:, 0], image[0].any(0).nonzero()[:, 0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@pytest.mark.parametrize("name,region", [("eyes", EYES), ("mouth", MOUTH)])
class TestOcclusion:
    def test_the_whole_region_is_grey_and_nothing_else_changes(self, name: str, region: tuple[float, ...]) -> None:
        out = manipulate(BLACK, name, 1)
        left, top, right, bottom = (round(100 * share) for share in region)
        expected = torch.zeros_like(BLACK)
        expected[..., top:bottom, left:right] = 0.5
        torch.testing.assert_close(out, expected, atol=1e-12, rtol=0)

    def test_strength_is_the_share_that_is_covered(self, name: str, region: tuple[float, ...]) -> None:
        area = manipulate(BLACK, name, 1).sum()
        for strength in (0.01, 0.25, 0.5, 0.777):
            assert (manipulate(BLACK, name, strength).sum() / area).item() == pytest.approx(strength)

    def test_a_face_box_moves_and_scales_the_bar(self, name: str, region: tuple[float, ...]) -> None:
        boxes = torch.tensor([[20, 30, 70, 80], [0, 0, 100, 100]])
        out = manipulate(BLACK.expand(2, 3, 100, 100), name, 1, boxes=boxes)
        assert torch.equal(out[1:], manipulate(BLACK, name, 1))
        left, top, right, bottom = covered(out[0])
        offset = torch.tensor([20.0, 30.0, 20.0, 30.0])
        wanted = offset + 50 * torch.tensor(region)
        assert (torch.tensor([left, top, right, bottom]) - wanted).abs().max() <= 1

    @pytest.mark.parametrize("box", [[50, 10, 20, 90], [10, 10, 10, 90], [100, 0, 150, 50], [-20, 0, 0, 50]])
    def test_boxes_without_area_are_refused(self, name: str, region: tuple[float, ...], box: list[int]) -> None:
        with pytest.raises(UsageError, match="no area within 100 x 100"):
            manipulate(BLACK, name, 1, boxes=torch.tensor([box]))

    def test_boxes_of_another_shape_are_refused(self, name: str, region: tuple[float, ...]) -> None:
        with pytest.raises(UsageError, match=r"boxes: \(4,\) for 1 pictures"):
            manipulate(BLACK, name, 1, boxes=torch.tensor([0, 0, 50, 50]))


def test_boxes_for_a_manipulation_without_faces_are_refused() -> None:
    with pytest.raises(UsageError, match="contrast: has no use for face boxes; eyes, mouth have"):
        manipulate(BLACK, "contrast", 0.5, boxes=torch.tensor([[0, 0, 50, 50]]))


class TestBubbles:
    def test_none_shows_nothing(self) -> None:
        assert torch.equal(manipulate(BLACK, "bubbles", 0, ids=["a"]), BLACK + 0.5)

    def test_one_is_a_gaussian_of_the_stated_width(self) -> None:
        """White seen on grey, at a place where the border is far: the area under the aperture is 2 pi sigma squared."""
        white = torch.ones((60, 3, 100, 100), dtype=torch.float64)
        open_ = (manipulate(white, "bubbles", 1, ids=range(60))[:, 0] - 0.5) * 2
        peak = open_.flatten(1).argmax(1)
        row, column = peak // 100, peak % 100
        inside = (row > 20) & (row < 80) & (column > 20) & (column < 80)
        assert inside.sum() > 10
        areas = open_[inside].sum((1, 2))
        torch.testing.assert_close(areas, torch.full_like(areas, 2 * torch.pi * (SIGMA * 100) ** 2), rtol=1e-3, atol=0)

    def test_more_bubbles_show_at_least_as_much_of_every_pixel(self) -> None:
        white = torch.ones((3, 3, 48, 48), dtype=torch.float64)
        seen = [manipulate(white, "bubbles", n, ids="abc") for n in (0, 1, 5, 20, 200)]
        for fewer, more in itertools.pairwise(seen):
            assert (more >= fewer - 1e-12).all()
            assert (more > fewer + 0.1).any()

    def test_places_are_spread_evenly(self) -> None:
        white = torch.ones((400, 3, 40, 40), dtype=torch.float64)
        peak = manipulate(white, "bubbles", 1, ids=range(400))[:, 0].flatten(1).argmax(1)
        for place in (peak // 40, peak % 40):
            assert torch.histc(place.float(), 4, 0, 40).sub(100).abs().max() < 40


class TestInversion:
    def test_it_is_upside_down(self) -> None:
        images = torch.arange(2 * 3 * 4 * 5, dtype=torch.uint8).view(2, 3, 4, 5)
        out = manipulate(images, "inversion", 1)
        assert torch.equal(out[1, 2, 0], images[1, 2, 3].flip(0))

    def test_twice_is_the_identity(self) -> None:
        images = torch.randint(256, (4, 3, 7, 9), dtype=torch.uint8)
        assert torch.equal(manipulate(manipulate(images, "inversion", 1), "inversion", 1), images)


def cells(image: Tensor, n: int) -> list[bytes]:
    """The n x n cells of ``(3, H, W)``, row by row."""
    rows = image.chunk(n, dim=1)
    return [cell.contiguous().numpy().tobytes() for row in rows for cell in row.chunk(n, dim=2)]


class TestGridScramble:
    @pytest.mark.parametrize("n", [2, 3, 4, 12])
    def test_the_cells_are_kept_and_none_stays_in_its_place(self, n: int) -> None:
        images = torch.randint(256, (6, 3, 24, 36), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
        out = manipulate(images, "grid-scramble", n, ids=range(6))
        for before, after in zip(images, out, strict=True):
            assert sorted(cells(before, n)) == sorted(cells(after, n))
            assert all(a != b for a, b in zip(cells(before, n), cells(after, n), strict=True))

    def test_sides_that_are_no_multiple_say_what_would_do(self) -> None:
        images = torch.zeros((1, 3, 24, 36), dtype=torch.uint8)
        with pytest.raises(UsageError, match=r"36 x 24 pixels .* 5 x 5 equal cells; write 1, 2, 3, 4, 6, 12$"):
            manipulate(images, "grid-scramble", 5, ids=["a"])


class TestMorph:
    def test_it_is_the_weighted_mean_with_both_faces_at_its_ends(self) -> None:
        first, second = torch.rand((2, 2, 3, 8, 8), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        assert torch.equal(manipulate(first, "morph", 1, others=second), second)
        torch.testing.assert_close(manipulate(first, "morph", 0.3, others=second), 0.7 * first + 0.3 * second)

    def test_two_sizes_are_refused(self) -> None:
        with pytest.raises(UsageError, match="morph: pictures of two sizes or types"):
            manipulate(torch.zeros(1, 3, 8, 8), "morph", 0.5, others=torch.zeros(1, 3, 8, 9))
        with pytest.raises(UsageError, match="two sizes or types"):
            manipulate(torch.zeros(1, 3, 8, 8), "morph", 0.5, others=torch.zeros(1, 3, 8, 8, dtype=torch.uint8))

    def test_second_faces_are_needed_and_only_here(self) -> None:
        with pytest.raises(UsageError, match="morph: needs a second picture"):
            manipulate(torch.zeros(1, 3, 8, 8), "morph", 0.5)
        with pytest.raises(UsageError, match="contrast: has no use for second pictures; morph has"):
            manipulate(torch.zeros(1, 3, 8, 8), "contrast", 0.5, others=torch.zeros(1, 3, 8, 8))
