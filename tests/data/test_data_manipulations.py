"""Manipulations: what holds for all of them - batches, ids, strength, types, grey, bad input."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from affekt.data.manipulations import MANIPULATIONS, manipulate
from affekt.errors import UsageError

STRONG = {"bubbles": 25, "grid-scramble": 4, "low-pass": 4, "high-pass": 3, "inversion": 1}
"""A strength that changes much; 0.6 for the others."""

IDS = [f"face/{n}.png" for n in range(5)]


def pictures(n: int = 5, height: int = 24, width: int = 24, seed: int = 0) -> Tensor:
    """Random colour pictures, uint8."""
    return torch.randint(256, (n, 3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def made(images: Tensor, name: str, strength: float | None = None, **changes: object) -> Tensor:
    given: dict = {"ids": IDS[: len(images)], "seed": 3} | changes
    if MANIPULATIONS[name].pairs:
        given.setdefault("others", images.flip(3))
    return manipulate(images, name, STRONG.get(name, 0.6) if strength is None else strength, **given)


@pytest.mark.parametrize("name", MANIPULATIONS)
class TestEach:
    def test_a_picture_is_changed_alike_in_any_batch_and_order(self, name: str) -> None:
        images = pictures()
        whole = made(images, name)
        assert not torch.equal(whole, images)
        order = [3, 0, 4, 2, 1]
        assert torch.equal(made(images[order], name, ids=[IDS[i] for i in order]), whole[order])
        for row in range(5):
            assert torch.equal(made(images[row : row + 1], name, ids=IDS[row : row + 1])[0], whole[row])

    def test_floats_are_changed_to_the_same_bits_in_any_batch(self, name: str) -> None:
        images = pictures().double() / 255
        whole = made(images, name)
        for row in range(5):
            assert torch.equal(made(images[row : row + 1], name, ids=IDS[row : row + 1])[0], whole[row])

    def test_the_unchanging_strength_is_the_identity(self, name: str) -> None:
        unchanged = MANIPULATIONS[name].unchanged
        if unchanged is None:
            assert name in ("bubbles", "low-pass")
            return
        for images in (pictures(), torch.rand((5, 3, 24, 24), generator=torch.Generator().manual_seed(0))):
            out = made(images, name, unchanged)
            assert torch.equal(out, images)
            assert out.data_ptr() != images.data_ptr()

    def test_the_function_itself_is_continuous_at_its_unchanging_strength(self, name: str) -> None:
        chosen = MANIPULATIONS[name]
        if chosen.unchanged is None or chosen.whole:
            return
        images = pictures().double() / 255
        assert (made(images, name, 1e-7) - images).abs().max() < 1e-5

    @pytest.mark.parametrize("kind", [torch.uint8, torch.float16, torch.float32, torch.float64])
    def test_type_and_shape_stay_and_the_input_is_left_alone(self, name: str, kind: torch.dtype) -> None:
        images = pictures(height=16, width=24) if kind == torch.uint8 else torch.rand((5, 3, 16, 24)).to(kind)
        before = images.clone()
        out = made(images, name)
        assert (out.dtype, out.shape) == (kind, images.shape)
        assert torch.equal(images, before)
        top = 255 if kind == torch.uint8 else 1
        assert out.min() >= 0
        assert out.max() <= top

    def test_uint8_is_the_float_result_rounded(self, name: str) -> None:
        images = pictures()
        assert torch.equal(made(images, name), (made(images.double() / 255, name) * 255).round().byte())

    def test_grey_pictures_stay_grey(self, name: str) -> None:
        grey = pictures()[:, :1].expand(5, 3, 24, 24)
        for images in (grey, grey.double() / 255):
            out = made(images, name)
            assert torch.equal(out[:, 0], out[:, 1])
            assert torch.equal(out[:, 0], out[:, 2])

    def test_strengths_out_of_range_say_the_range(self, name: str) -> None:
        chosen = MANIPULATIONS[name]
        for wrong in (chosen.low - 1, chosen.high + 1, float("nan"), float("inf")):
            with pytest.raises(UsageError, match=f"{name}: strength .* write {chosen.low:g} to {chosen.high:g} "):
                made(pictures(), name, wrong)
        if chosen.whole:
            with pytest.raises(UsageError, match="no whole number"):
                made(pictures(), name, chosen.high - 0.5)

    def test_draws_go_by_seed_and_id_and_need_ids(self, name: str) -> None:
        same = pictures(1).expand(5, 3, 24, 24)
        out = made(same, name, others=same.flip(3)) if MANIPULATIONS[name].pairs else made(same, name)
        if not MANIPULATIONS[name].random:
            assert all(torch.equal(each, out[0]) for each in out)
            assert torch.equal(made(same, name, ids=None), out)
            return
        assert not any(torch.equal(out[a], out[b]) for a in range(5) for b in range(a))
        assert not torch.equal(made(same, name, seed=4)[0], out[0])
        with pytest.raises(UsageError, match=f"{name}: draws by picture; give ids"):
            made(same, name, ids=None)


def test_ids_may_be_numbers() -> None:
    images = pictures(3)
    numbers, texts = ([1, 2, 3], ["1", "2", "3"])
    assert torch.equal(made(images, "noise", ids=numbers), made(images, "noise", ids=texts))


def test_an_empty_batch_stays_one() -> None:
    for kind in (torch.uint8, torch.float32):
        assert made(torch.zeros((0, 3, 8, 8), dtype=kind), "noise").shape == (0, 3, 8, 8)


def test_an_unknown_name_lists_the_nearest() -> None:
    with pytest.raises(UsageError, match=r'"bubles": unknown\. Nearest: bubbles'):
        manipulate(pictures(), "bubles", 1)


def test_arrays_are_told_the_way() -> None:
    with pytest.raises(UsageError, match=r"pictures: ndarray found; a torch tensor .* torch\.from_numpy"):
        manipulate(pictures().numpy(), "contrast", 0.5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="second pictures: ndarray found"):
        manipulate(pictures(), "morph", 0.5, others=pictures().numpy())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(3, 8, 8),
        torch.zeros(2, 1, 8, 8),
        torch.zeros(2, 3, 8, 8, dtype=torch.int32),
        torch.zeros(1, 3, 0, 8),
    ],
)
def test_other_shapes_and_types_are_refused(images: Tensor) -> None:
    with pytest.raises(UsageError, match=r"pictures: .* found; \(B, 3, H, W\) uint8"):
        manipulate(images, "contrast", 0.5)


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
def test_floats_out_of_range_are_refused(value: float) -> None:
    images = torch.full((1, 3, 8, 8), 0.5)
    images[0, 0, 0, 0] = value
    with pytest.raises(UsageError, match="must lie in"):
        manipulate(images, "contrast", 0.5)


def test_ids_of_another_number_are_refused() -> None:
    with pytest.raises(UsageError, match="ids: 2 for 5 pictures"):
        made(pictures(), "noise", ids=["a", "b"])
