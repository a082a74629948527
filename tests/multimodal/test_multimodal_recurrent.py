"""Over time: padding says nothing, packed and padded give the same, the last valid step is the last one."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from affekt.errors import UsageError
from affekt.multimodal import RECURRENT, create_recurrent

LENGTHS = torch.tensor([4, 6, 1, 3])


def made(name, size=5, hidden=8, layers=2):
    torch.manual_seed(0)
    return create_recurrent(name, size, hidden, layers).eval()


@pytest.mark.parametrize("name", RECURRENT)
def test_padding_says_nothing(name):
    part = made(name)
    steps = torch.randn(4, 6, 5)
    together = part(steps, LENGTHS)
    assert together.shape == (4, part.num_features)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = part(steps[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(together[row : row + 1], alone)


@pytest.mark.parametrize("name", RECURRENT)
def test_not_even_where_it_is_no_number(name):
    part = made(name)
    steps = torch.randn(1, 6, 5)
    steps[0, 4:] = 1e30
    together = part(steps, torch.tensor([4]))
    torch.testing.assert_close(together, part(steps[:, :4], torch.tensor([4])))


@pytest.mark.parametrize("name", RECURRENT)
def test_padding_has_no_gradient(name):
    steps = torch.randn(1, 6, 5)
    steps[0, 4:] = torch.inf
    steps.requires_grad_()
    made(name)(steps, torch.tensor([4])).sum().backward()
    assert torch.isfinite(steps.grad).all() and not steps.grad[0, 4:].any()


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_packed_is_padded_read_at_the_last_valid_step(name):
    part = made(name)
    steps = torch.randn(4, 6, 5)
    padded, _ = part.network(steps)
    torch.testing.assert_close(part(steps, LENGTHS), padded[torch.arange(4), LENGTHS - 1])


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_weights_are_xavier_and_biases_zero(name):
    part = made(name, size=40, hidden=32)
    gates = 4 if name == "lstm" else 3
    for layer, size in ((0, 40), (1, 32)):
        weight = getattr(part.network, f"weight_ih_l{layer}")
        bound = (6 / (gates * 32 + size)) ** 0.5  # Glorot and Bengio 2010, equation 16
        assert bound * 0.98 < weight.abs().max() <= bound
        assert not getattr(part.network, f"bias_hh_l{layer}").any()


@given(st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_mean_is_the_mean_of_the_valid_steps(lengths):
    steps = torch.randn(len(lengths), 7, 3)
    found = create_recurrent("mean", 3)(steps, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        torch.testing.assert_close(found[row], steps[row, :length].mean(0))


@given(st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_statistics_are_mean_and_deviation_of_the_valid_steps(lengths):
    steps = torch.randn(len(lengths), 7, 3, dtype=torch.float64)
    found = create_recurrent("statistics", 3)(steps, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        own = steps[row, :length]
        torch.testing.assert_close(found[row, :3], own.mean(0), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(found[row, 3:], own.std(0, correction=0), rtol=1e-3, atol=2e-3)


def test_the_deviation_of_one_step_has_a_gradient():
    steps = torch.randn(1, 1, 3, requires_grad=True)
    create_recurrent("statistics", 3)(steps, torch.tensor([1])).sum().backward()
    assert torch.isfinite(steps.grad).all()


@pytest.mark.parametrize(
    ("name", "ordered"), [("lstm", True), ("gru", True), ("transformer", True), ("mean", False), ("statistics", False)]
)
def test_order_counts_but_for_the_mean(name, ordered):
    part = made(name)
    steps = torch.randn(1, 5, 5)
    same = torch.allclose(part(steps, torch.tensor([5])), part(steps.flip(1), torch.tensor([5])), atol=1e-6)
    assert same != ordered


def test_widths():
    assert made("mean", size=5, hidden=8).num_features == 5
    assert made("transformer", size=5, hidden=8).num_features == 8
    assert len(made("transformer", layers=3).blocks) == 3
    heads = {size: made("transformer", hidden=size).blocks[0].heads for size in (256, 200, 64, 10)}
    assert heads == {256: 4, 200: 2, 64: 1, 10: 1}


def test_what_makes_no_sense_is_refused():
    with pytest.raises(UsageError, match=r'recurrent "lsmt": unknown\. Nearest: lstm'):
        create_recurrent("lsmt", 5)
    for numbers in ({"hidden": 0}, {"layers": 0}, {"hidden": 2.5}, {"layers": True}):
        with pytest.raises(UsageError, match="a whole number of at least 1 is asked"):
            create_recurrent("lstm", 5, **numbers)
    with pytest.raises(UsageError, match='recurrent = "transformer": hidden = 7; an even number'):
        create_recurrent("transformer", 5, hidden=7)
