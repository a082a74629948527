"""Fusion: what is absent says nothing, what stands behind the end says nothing, and each way is what it says."""

import pytest
import torch
from torch import nn

from affekt.errors import UsageError
from affekt.multimodal import FUSIONS, create_fusion
from affekt.multimodal.attending import positions

SIZES = (3, 5)


def made(name, sizes=SIZES, hidden=4):
    torch.manual_seed(0)
    return create_fusion(name, sizes, hidden).eval()


def streams(present):
    """Random features, zero where absent."""
    g = torch.Generator().manual_seed(1)
    return [
        torch.randn(*present.shape[:2], size, generator=g) * present[:, :, i : i + 1] for i, size in enumerate(SIZES)
    ]


def everything(clips=2, steps=4):
    return torch.ones(clips, steps, 2, dtype=torch.bool)


@pytest.mark.parametrize("name", FUSIONS)
def test_a_clip_is_fused_by_itself_whatever_its_padding(name):
    part = made(name)
    present = everything()
    present[0, 2:] = False
    found = part(streams(present), present)
    assert found.shape == (2, 4, part.num_features)
    assert not found[0, 2:].any()
    alone = part([x[:1, :2] for x in streams(present)], present[:1, :2])
    torch.testing.assert_close(found[:1, :2], alone)


@pytest.mark.parametrize("name", ["gated", "attention"])
def test_an_absent_stream_says_nothing(name):
    part = made(name)
    present = everything()
    present[0, :, 1] = False
    sound, pictures = streams(present)
    other = pictures.clone()
    other[0] = 7.0
    torch.testing.assert_close(part([sound, pictures], present)[0], part([sound, other], present)[0])


@pytest.mark.parametrize("name", FUSIONS)
def test_a_present_one_does(name):
    part, present = made(name), everything()
    sound, pictures = streams(present)
    before = part([sound, pictures], present)
    assert not torch.allclose(before, part([sound + 1, pictures], present))
    assert not torch.allclose(before, part([sound, pictures + 1], present))


def test_concatenate_is_side_by_side():
    present = everything()
    sound, pictures = streams(present)
    found = made("concatenate")([sound, pictures], present)
    assert torch.equal(found[..., :3], sound) and torch.equal(found[..., 3:], pictures)
    assert not list(made("concatenate").parameters())


def test_gated_with_two_streams_is_the_gated_multimodal_unit():
    part, present = made("gated"), everything()
    sound, pictures = streams(present)
    both = torch.cat([sound, pictures], dim=2)
    first, second = (nn.functional.linear(both, w, b) for w, b in zip(
        part.gate.weight.chunk(2), part.gate.bias.chunk(2), strict=True
    ))  # fmt: skip
    z = torch.sigmoid(first - second)
    expected = z * torch.tanh(part.values[0](sound)) + (1 - z) * torch.tanh(part.values[1](pictures))
    torch.testing.assert_close(part([sound, pictures], present), expected)


def test_gated_trusts_the_one_that_is_left():
    part, present = made("gated"), everything()
    present[:, :, 0] = False
    sound, pictures = streams(present)
    torch.testing.assert_close(part([sound, pictures], present), torch.tanh(part.values[1](pictures)))


def test_gated_with_one_stream_has_no_gate():
    part = made("gated", (3,))
    x = torch.randn(2, 4, 3)
    present = torch.ones(2, 4, 1, dtype=torch.bool)
    assert part.gate is None
    torch.testing.assert_close(part([x], present), torch.tanh(part.values[0](x)))


def test_attention_looks_at_other_moments_and_the_other_stream():
    part, present = made("attention"), everything(1)
    sound, pictures = streams(present)
    other = pictures.clone()
    other[0, 3] += 1
    assert not torch.allclose(part([sound, pictures], present)[0, 0], part([sound, other], present)[0, 0])


def test_attention_averages_over_what_is_there():
    part, present = made("attention"), everything(1)
    present[:, :, 1] = False
    sound, pictures = streams(present)
    tokens = part.values[0](sound) + part.kinds[0] + positions(4, 4, sound)
    alone = part.block(tokens, present[:, :, 0])
    torch.testing.assert_close(part([sound, pictures], present), alone)


def test_positions_are_sines_and_cosines_of_slower_and_slower_waves():
    found = positions(3, 4, torch.zeros(()))
    t = torch.arange(3.0)
    torch.testing.assert_close(found, torch.stack([t.sin(), t.cos(), (t / 100).sin(), (t / 100).cos()], dim=1))


@pytest.mark.parametrize("name", FUSIONS)
def test_gradients_are_numbers_also_of_what_is_absent(name):
    part, present = made(name), everything()
    present[0, :, 1] = False
    present[1, 1:] = False
    given = [x.requires_grad_() for x in streams(present)]
    part(given, present).square().sum().backward()
    assert all(x.grad.isfinite().all() for x in given)
    assert all(p.grad.isfinite().all() for p in part.parameters())


def test_names_and_widths():
    assert {name: made(name).num_features for name in FUSIONS} == {"concatenate": 8, "gated": 4, "attention": 4}
    with pytest.raises(UsageError, match=r'fusion "concat": unknown\. Nearest: concatenate'):
        create_fusion("concat", SIZES)
    with pytest.raises(UsageError, match='fusion = "attention": hidden = 3; an even number'):
        create_fusion("attention", SIZES, 3)
