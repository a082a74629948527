"""Regulators: bounds for all, then what each one says it computes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from affekt.errors import UsageError
from affekt.regulation.regulators import REGULATORS, create_regulator
from affekt.regulation.regulators.random import picture_keys

RATINGS = ("valence", "arousal")
STATES = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=6)


def made(name, names=RATINGS, seed=0, **options):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return create_regulator(name, names, 4, num_features=5, **options)


def weights(regulator, affect):
    """r of as many pictures, whatever the regulator looks at."""
    return regulator(affect, torch.rand(len(affect), 3, 8, 8), torch.randn(len(affect), 5))


@pytest.mark.parametrize("start", ["balanced", "random", "drawn"])
@pytest.mark.parametrize("name", REGULATORS)
@given(states=STATES)
def test_r_is_a_weight_for_each_picture(name, start, states):
    affect = torch.tensor(states)
    r = weights(made(name, start=start), affect)
    assert r.shape == (len(affect), 4 if name == "per_class" else 1)
    assert r.dtype == torch.float32
    assert ((r >= 0) & (r <= 1)).all()


@pytest.mark.parametrize("name", REGULATORS)
def test_a_huge_state_gives_no_nan(name):
    affect = torch.tensor([[1e30, 0.0], [1e30, -1e30]])
    assert torch.isfinite(weights(made(name), affect)).all()


@pytest.mark.parametrize("name", ["learned", "per_class", "scalar"])
def test_a_balanced_start_is_one_half(name):
    assert (made(name)(torch.randn(5, 2)) == 0.5).all()


@pytest.mark.parametrize("name", ["learned", "per_class"])
def test_a_random_start_depends_on_the_state_a_drawn_one_does_not(name):
    affect = torch.randn(50, 2)
    assert made(name, start="random")(affect).std(0).min() > 0.01
    drawn = made(name, start="drawn")(affect)
    assert drawn.unique().numel() == 1
    assert drawn[0, 0] != 0.5


@pytest.mark.parametrize("name", ["learned", "scalar"])
def test_a_drawn_start_is_even_over_the_seeds(name):
    starts = torch.tensor([made(name, start="drawn", seed=s)(torch.zeros(1, 2)).item() for s in range(200)])
    assert abs(starts.mean() - 0.5) < 0.07
    assert abs(starts.std() - 12**-0.5) < 0.04


def test_learned_is_an_affine_map_and_a_sigmoid():
    regulator, affect = made("learned", start="random"), torch.randn(5, 2)
    expected = torch.sigmoid(affect @ regulator.affine.weight.T + regulator.affine.bias)
    torch.testing.assert_close(regulator(affect), expected)


@pytest.mark.parametrize("name", ["learned", "per_class", "scalar"])
def test_learned_ones_learn_from_a_balanced_start(name):
    regulator = made(name)
    regulator(torch.randn(5, 2)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in regulator.parameters())


@pytest.mark.parametrize("name", ["constant", "random", "intensity", "valence"])
def test_the_others_have_nothing_to_learn(name):
    assert not list(made(name).parameters())
    assert not made(name).state_dict()


def test_constant():
    assert made("constant", constant=0.25)(torch.randn(3, 2)).tolist() == [[0.25]] * 3


def test_intensity_is_zero_at_neutral_and_one_half_one_deviation_away():
    regulator = made("intensity")
    assert regulator(torch.tensor([[0.0, 0.0], [1.0, -1.0], [3.0, 1.0]])).flatten().tolist() == pytest.approx(
        [0, 0.5, 5 / 6]
    )
    directions = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 2.0]])
    assert regulator(directions).unique().numel() == 1


def test_intensity_does_not_count_the_neutral_category():
    affect = torch.tensor([[9.0, 1.0]])
    assert made("intensity", ("neutral", "anger"))(affect).item() == 0.5


def test_intensity_has_a_finite_gradient_at_neutral():
    affect = torch.zeros(1, 2, requires_grad=True)
    made("intensity")(affect).sum().backward()
    assert affect.grad.tolist() == [[0, 0]]


def test_valence_reads_the_rating_by_name():
    affect = torch.tensor([[9.0, 1.5]])
    torch.testing.assert_close(made("valence", ("arousal", "valence"))(affect), torch.sigmoid(torch.tensor([[1.5]])))


def test_valence_of_categories_is_positive_minus_negative():
    names = ("awe", "surprise", "fear", "anger")
    affect = torch.tensor([[1.0, 9.0, 0.5, -1.5]])
    torch.testing.assert_close(made("valence", names)(affect), torch.sigmoid(torch.tensor([[1.5]])))


def test_valence_needs_a_polarity():
    with pytest.raises(UsageError, match='regulator "valence": the affect state is beach, forest; it needs valence'):
        made("valence", ("beach", "forest"))


def test_random_is_a_function_of_the_picture_alone():
    regulator, images = made("random"), torch.randint(0, 256, (6, 3, 20, 20), dtype=torch.uint8)
    floats = images.float() / 255
    r = regulator(torch.randn(6, 2), floats)
    assert torch.equal(r, regulator(torch.randn(6, 2), images))
    assert torch.equal(r[3:4], made("random", seed=9).eval()(torch.zeros(1, 2), floats[3:4]))
    order = torch.randperm(6)
    assert torch.equal(regulator(torch.zeros(6, 2), floats[order]), r[order])
    assert torch.equal(r, regulator(torch.zeros(6, 2), floats.contiguous(memory_format=torch.channels_last)))


def test_random_is_even_and_changes_with_a_single_pixel():
    images = torch.zeros(400, 3, 8, 8, dtype=torch.uint8)
    images[:, 0, 0, 0] = torch.arange(400) % 256
    images[:, 2, 7, 7] = torch.arange(400) // 256
    r = made("random")(torch.zeros(400, 2), images).flatten()
    assert r.unique().numel() > 395
    assert abs(r.mean() - 0.5) < 0.05
    assert abs(r.std() - 12**-0.5) < 0.02


def test_random_looks_at_a_grid_of_large_pictures():
    images = torch.randint(0, 256, (2, 3, 200, 150), dtype=torch.uint8)
    assert picture_keys(images).unique().numel() == 2


def test_random_needs_pictures():
    with pytest.raises(UsageError, match='regulator "random": r is drawn from pictures'):
        made("random")(torch.zeros(1, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: made("lerned"), 'regulator "lerned": unknown. Nearest: learned'),
        (lambda: made("learned", start="equal"), 'start "equal": unknown'),
        (lambda: made("constant", constant=1.5), "constant = 1.5: r is a number from 0 to 1"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(UsageError, match=message):
        call()
