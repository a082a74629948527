"""Affect network: shapes, standardisation, description, saving."""

import json

import numpy as np
import pytest
import torch
from torch import nn

import affekt
from affekt.errors import DataError, UsageError
from affekt.perception import AffectNetwork

RATINGS = {"ratings": ["valence", "arousal"]}
BOTH = {"categories": ["awe", "fear", "anger"], "ratings": ["valence"]}


def network(heads=BOTH, **options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return AffectNetwork("resnet8", heads, 16, **options)


def pictures(n=12, size=16, seed=0):
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(seed))


class Mean(nn.Module):
    """A backbone of somebody else's: the mean colour."""

    num_features = 3

    def forward(self, images):
        return images.mean(dim=(2, 3))


def test_shapes_and_names_with_both_heads():
    made = network()
    out = made(pictures())
    assert out.features.shape == (12, made.num_features)
    assert out.state.shape == (12, made.state_size) == (12, 4)
    assert made.state_names == ("awe", "fear", "anger", "valence")
    torch.testing.assert_close(out.category_probabilities.sum(1), torch.ones(12))
    assert out.rating_log_variance is None


def test_a_head_that_is_not_there_is_none():
    out = network(RATINGS)(pictures())
    assert out.category_logits is out.category_probabilities is None
    assert out.ratings.shape == (12, 2)
    assert network(RATINGS, ratings_loss="gaussian-nll")(pictures()).rating_log_variance.shape == (12, 2)


def test_before_calibration_the_state_is_probabilities_and_ratings():
    out = network()(pictures())
    torch.testing.assert_close(out.state, torch.cat([out.category_probabilities, out.ratings], 1))


def test_calibration_standardises_the_state_of_those_pictures():
    made, images = network(), pictures(20)
    made.train()
    made.calibrate([images[:7], images[7:]])
    assert made.training
    state = made.eval()(images).state
    torch.testing.assert_close(state.mean(0), torch.zeros(4), atol=1e-3, rtol=0)
    torch.testing.assert_close(state.std(0, correction=0), torch.ones(4), atol=1e-3, rtol=0)


def test_calibration_is_in_evaluation_mode_and_does_not_add_up():
    made, images = network(), pictures(8)
    made.train()
    made.calibrate([images])
    first = {k: v.clone() for k, v in made.state_dict().items()}
    made.calibrate([images])
    assert all(torch.equal(v, first[k]) for k, v in made.state_dict().items())


def test_a_constant_dimension_is_centred_and_not_blown_up():
    made = AffectNetwork(Mean(), RATINGS, 8)
    nn.init.zeros_(made.heads.rating_head.weight)
    made.calibrate([pictures(5, 8)])
    assert made(pictures(5, 8)).state.abs().max() < 1e-6


def test_calibration_without_pictures_is_refused():
    with pytest.raises(DataError, match="calibrate: no pictures"):
        network().calibrate([])


def test_ratings_come_in_units_of_the_scale():
    made = network(RATINGS)
    made.standardise({"valence": np.array([2.0, 6.0, np.nan]), "arousal": np.array([1.0, 2.0, 3.0])})
    out = made(pictures())
    torch.testing.assert_close(out.rating_values[:, 0], out.ratings[:, 0] * 2 + 4)
    torch.testing.assert_close(out.rating_values[:, 1], out.ratings[:, 1] * (2 / 3) ** 0.5 + 2)


def test_ratings_that_do_not_differ_are_refused():
    with pytest.raises(DataError, match="valence: 2 rating"):
        network().standardise({"valence": np.array([3.0, 3.0, np.nan])})


def test_any_size_and_uint8():
    made = network().eval()
    pixels = torch.randint(0, 256, (2, 3, 40, 24), dtype=torch.uint8)
    assert torch.equal(made(pixels).state, made(pixels.float() / 255).state)


def test_description_is_in_peoples_terms_and_within_the_scale():
    made = network(scale=(1, 7))
    made.standardise({"valence": np.array([1.0, 7.0])})
    nn.init.constant_(made.heads.rating_head.bias, 50.0)
    state = made.describe(pictures(3))[1]
    assert state.ratings == {"valence": 7.0}
    assert state.standardised["valence"] > 10
    assert sum(state.probabilities.values()) == pytest.approx(1)
    assert "pleasant (valence 7.00 of 1..7" in state.describe()
    json.dumps(state.to_dict())


def test_description_does_not_depend_on_the_mode():
    made = network(dropout=0.5)
    made.train()
    first = made.describe(pictures(2))
    assert made.training
    assert first == made.describe(pictures(2)) == made.eval().describe(pictures(2))


def test_a_picture_is_described_alone_as_among_others():
    made = network().eval()
    torch.testing.assert_close(made(pictures()).state[3:4], made(pictures()[3:4]).state, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "options", [{}, {"scale": (1, 9), "dropout": 0.1}, {"ratings_loss": "gaussian-nll", "width": 4}]
)
def test_saved_and_loaded_it_says_the_same_bit_for_bit(tmp_path, options):
    made = network(**options)
    made.standardise({"valence": np.array([1.0, 4.0, 5.0])})
    made.calibrate([pictures()])
    made.eval().save_pretrained(tmp_path / "model")
    loaded = affekt.load(tmp_path / "model")
    assert loaded.config() == made.config()
    for name, value in vars(made(pictures())).items():
        other = getattr(loaded(pictures()), name)
        assert other is value is None or torch.equal(other, value)


def test_a_module_can_be_the_backbone_but_is_not_saved(tmp_path):
    made = AffectNetwork(Mean(), RATINGS, 8)
    assert made(pictures(2)).ratings.shape == (2, 2)
    with pytest.raises(UsageError, match="give it by name to save"):
        made.save_pretrained(tmp_path / "model")


def test_a_saved_network_is_the_initial_backbone_of_another(tmp_path):
    made = network()
    made.save_pretrained(tmp_path / "model")
    other = AffectNetwork("resnet8", RATINGS, 16, initial=str(tmp_path / "model"))
    mine, theirs = made.backbone.state_dict(), other.backbone.state_dict()
    assert all(torch.equal(mine[k], theirs[k]) for k in mine)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ratings_loss": "mae"}, 'ratings_loss "mae": unknown'),
        ({"scale": (7, 1)}, "the low end must be below"),
        ({"heads": {}}, "heads: none given"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(UsageError, match=message):
        network(**arguments)
