"""Heads: which ones there are, their shapes, and what is refused."""

import pytest
import torch

from affekt.errors import UsageError
from affekt.perception.heads import AffectHeads, parse_heads


def test_any_mix_of_heads():
    x = torch.randn(2, 5)
    both = AffectHeads(5, ["a", "b", "c"], ["valence"], variances=True)(x)
    assert both.category_logits.shape == (2, 3)
    assert both.ratings.shape == both.rating_log_variance.shape == (2, 1)
    alone = AffectHeads(5, [], ["valence", "arousal"])(x)
    assert alone.category_logits is None
    assert alone.rating_log_variance is None


def test_heads_compute_in_float32_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = AffectHeads(5, ["a", "b"], ["valence"])(torch.randn(2, 5).bfloat16())
    assert out.category_logits.dtype == out.ratings.dtype == torch.float32


def test_dropout_in_training_only():
    heads = AffectHeads(400, [], ["valence"], dropout=0.5)
    x = torch.ones(1, 400)
    assert not torch.equal(heads(x).ratings, heads(x).ratings)
    heads.eval()
    assert torch.equal(heads(x).ratings, heads(x).ratings)


def test_names_are_kept_in_order():
    assert parse_heads({"ratings": ["b", "a"], "categories": ["y", "x"]}) == (("y", "x"), ("b", "a"))


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        ({"rating": ["valence"]}, 'head "rating": unknown. Nearest: ratings'),
        ({"ratings": "valence"}, "give a list of different names"),
        ({"ratings": ["valence", "valence"]}, "give a list of different names"),
        ({"ratings": ["awe"], "categories": ["awe", "fear"]}, "awe is both a category and a rating"),
        ({"categories": ["awe"]}, "one category says nothing"),
        ({"ratings": []}, "heads: none given"),
    ],
)
def test_mistakes_are_named(heads, message):
    with pytest.raises(UsageError, match=message):
        parse_heads(heads)
