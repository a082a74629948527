"""Affect in words and numbers: categories, polarity, votes, scales, labels and states."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from affekt import affect
from affekt.affect import (
    ALIASES,
    CATEGORIES,
    EKMAN,
    FERPLUS,
    MIKELS,
    POLARITIES,
    SCALES,
    AffectLabel,
    AffectState,
    RatingScale,
    canonical_category,
    distribution_to_polarity,
    majority,
    parse_scale,
    polarity,
    votes_to_distribution,
)
from affekt.errors import DataError, UsageError

counts = hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 9)), elements=st.integers(0, 50))
voted = counts.filter(lambda votes: bool((votes.sum(axis=1) > 0).all()))
number = st.floats(-100, 100, allow_nan=False)
scales = st.tuples(number, st.floats(0.1, 100)).map(lambda ends: RatingScale(ends[0], ends[0] + ends[1]))
share = st.floats(0, 1)


# ------------------------------------------------------------------------------------------------ categories


def test_families_are_canonical_and_complete() -> None:
    assert MIKELS == ("amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness")
    assert set(MIKELS) | set(EKMAN) | set(FERPLUS) | set(POLARITIES) <= set(CATEGORIES)
    assert len(set(CATEGORIES)) == len(CATEGORIES)
    assert list(EKMAN) == sorted(EKMAN)
    assert FERPLUS.index("neutral") == 0
    assert len(FERPLUS) == 8


@pytest.mark.parametrize("name", CATEGORIES)
def test_a_canonical_name_stays(name: str) -> None:
    assert canonical_category(name) == name


@pytest.mark.parametrize("alias", ALIASES)
def test_every_alias_leads_to_a_category(alias: str) -> None:
    assert ALIASES[alias] in CATEGORIES
    assert alias not in CATEGORIES
    assert canonical_category(alias.upper()) == ALIASES[alias]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Sad", "sadness"),
        ("'Content'", "contentment"),
        (' "Fear" ', "fear"),
        ("HAPPY", "happiness"),
        ("joy", "happiness"),
    ],
)
def test_spellings(written: str, name: str) -> None:
    assert canonical_category(written) == name


def test_an_unknown_category_names_the_nearest() -> None:
    with pytest.raises(
        UsageError, match=r'^emotion category "sadnes": unknown\. Nearest: sadness.*All: amusement, awe'
    ):
        canonical_category("sadnes")


def test_polarity_of_families() -> None:
    assert [polarity(name) for name in MIKELS] == ["positive"] * 4 + ["negative"] * 4
    assert [polarity(name) for name in FERPLUS] == ["neutral", "positive", None, *["negative"] * 5]
    assert [polarity(name) for name in POLARITIES] == list(POLARITIES)
    assert polarity("Sad") == "negative"


@pytest.mark.parametrize("name", CATEGORIES)
def test_every_category_has_one_polarity_or_is_ambiguous(name: str) -> None:
    assert (polarity(name) is None) == (name in ("surprise", "anticipation"))
    assert polarity(name) in (*POLARITIES, None)


# ------------------------------------------------------------------------------------------------ votes


@given(voted)
def test_shares_are_proportional_and_sum_to_one(votes: np.ndarray) -> None:
    shares = votes_to_distribution(votes)
    np.testing.assert_allclose(shares.sum(axis=-1), 1)
    np.testing.assert_allclose(shares * votes.sum(axis=-1, keepdims=True), votes)


@given(voted, st.floats(0.01, 100))
def test_shares_do_not_depend_on_the_number_of_people(votes: np.ndarray, factor: float) -> None:
    np.testing.assert_allclose(votes_to_distribution(votes * factor), votes_to_distribution(votes), atol=1e-12)


@pytest.mark.parametrize("bad", [[[1.0, -1.0]], [[np.nan, 1.0]], [[np.inf, 1.0]]])
def test_votes_must_be_counts(bad: list[list[float]]) -> None:
    with pytest.raises(
        DataError, match=r"^votes: negative or missing numbers found; votes are counts of people, 0 or more$"
    ):
        votes_to_distribution(bad)


def test_votes_that_sum_to_zero_are_counted_and_the_first_is_named() -> None:
    message = r"^votes: 2 row\(s\) sum to zero \(first: row 1\); drop them or give a vote$"
    with pytest.raises(DataError, match=message):
        votes_to_distribution([[1, 0], [0, 0], [2, 2], [0, 0]])
    with pytest.raises(DataError, match=r"1 row\(s\) sum to zero \(first: row 0\)"):
        votes_to_distribution([0, 0])


def test_majority_names_ties() -> None:
    assert majority([[3, 1, 0], [2, 2, 0], [0, 0, 1], [1, 1, 1], [0, 2, 5]]).tolist() == [0, -1, 2, -1, 2]
    assert majority([[1.0]]).dtype == np.int64


@given(counts)
def test_majority_is_the_only_largest(votes: np.ndarray) -> None:
    for row, winner in zip(votes, majority(votes), strict=True):
        others = np.delete(row, winner) if winner >= 0 else row
        assert (row[winner] > others).all() if winner >= 0 else (row == row.max()).sum() > 1


@given(voted)
def test_majority_of_votes_is_majority_of_shares(votes: np.ndarray) -> None:
    assert majority(votes).tolist() == majority(np.round(votes_to_distribution(votes), 12)).tolist()


def test_distribution_to_polarity_by_hand() -> None:
    shares = np.zeros(8)
    for name, value in {"neutral": 0.1, "happiness": 0.3, "surprise": 0.2, "sadness": 0.25, "contempt": 0.15}.items():
        shares[FERPLUS.index(name)] = value
    np.testing.assert_allclose(distribution_to_polarity(shares, FERPLUS), np.array([0.4, 0.1, 0.3]) / 0.8)
    np.testing.assert_allclose(distribution_to_polarity(shares, FERPLUS, ambiguous="neutral"), [0.4, 0.3, 0.3])
    np.testing.assert_allclose(distribution_to_polarity(shares, FERPLUS, ambiguous="own"), [0.4, 0.1, 0.3, 0.2])


@given(hnp.arrays(np.float64, (3, 8), elements=st.integers(1, 20)), st.permutations(range(8)))
def test_polarity_goes_by_name_not_by_column(votes: np.ndarray, order: list[int]) -> None:
    shares = votes_to_distribution(votes)
    names = tuple(FERPLUS[i] for i in order)
    np.testing.assert_allclose(
        distribution_to_polarity(shares[:, order], names), distribution_to_polarity(shares, FERPLUS)
    )


@given(hnp.arrays(np.float64, (2, 3, 8), elements=st.integers(1, 20)), st.sampled_from(["drop", "neutral", "own"]))
def test_polarity_shares_sum_to_one_in_any_shape(votes: np.ndarray, ambiguous: str) -> None:
    found = distribution_to_polarity(votes_to_distribution(votes), FERPLUS, ambiguous=ambiguous)
    assert found.shape == (2, 3, 4 if ambiguous == "own" else 3)
    np.testing.assert_allclose(found.sum(axis=-1), 1)


def test_only_surprise_leaves_nothing_when_it_is_dropped() -> None:
    found = distribution_to_polarity([[0.0, 1.0], [1.0, 0.0]], ("anger", "surprise"))
    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [1, 0, 0]


def test_distribution_to_polarity_refuses_what_does_not_fit() -> None:
    with pytest.raises(UsageError, match=r'ambiguous "mine": unknown.*All: drop, neutral, own'):
        distribution_to_polarity([1.0], ["anger"], ambiguous="mine")
    with pytest.raises(DataError, match="distribution has 2 columns for 3 categories"):
        distribution_to_polarity([0.5, 0.5], ["anger", "fear", "awe"])
    with pytest.raises(UsageError, match='emotion category "angst": unknown'):
        distribution_to_polarity([1.0], ["angst"])


# ------------------------------------------------------------------------------------------------ scales


@given(scales, scales, share)
def test_conversion_goes_there_and_back(one: RatingScale, other: RatingScale, where: float) -> None:
    value = one.low + where * (one.high - one.low)
    back = other.convert(one.convert(value, other), one)
    np.testing.assert_allclose(back, value, rtol=1e-9, atol=1e-7)


@given(scales, scales)
def test_conversion_maps_ends_and_middle(one: RatingScale, other: RatingScale) -> None:
    found = one.convert([one.low, one.middle, one.high], other)
    np.testing.assert_allclose(found, [other.low, other.middle, other.high], rtol=1e-9, atol=1e-7)


@given(scales, scales, st.lists(share, min_size=2, max_size=9))
def test_conversion_keeps_order_and_polarity(one: RatingScale, other: RatingScale, where: list[float]) -> None:
    # Multiples of 1/64 keep the middle apart from rounding.
    values = one.low + np.round(np.array(where) * 64) / 64 * (one.high - one.low)
    values = values[np.abs(values - one.middle) > 1e-6]
    converted = one.convert(values, other)
    assert (np.argsort(converted, kind="stable") == np.argsort(values, kind="stable")).all() or len(values) < 2
    assert other.polarity(converted).tolist() == one.polarity(values).tolist()


def test_conversion_by_hand_and_of_missing_ratings() -> None:
    found = RatingScale(1, 9).convert([1, 5, 7, np.nan], RatingScale(-1, 1))
    np.testing.assert_allclose(found, [-1, 0, 0.5, np.nan])


def test_polarity_of_ratings() -> None:
    nine = RatingScale(1, 9)
    assert nine.polarity([1, 4.9, 5, 5.1, 9, np.nan]).tolist() == [0, 0, 1, 2, 2, -1]
    assert nine.polarity([3.9, 4, 5, 6, 6.1], margin=1).tolist() == [0, 1, 1, 1, 2]


def test_a_rating_outside_its_scale_is_counted_and_shown() -> None:
    message = r"^valence: 2 rating\(s\) outside the scale 1 to 9 \(first: 0\); state the scale they were given on$"
    with pytest.raises(DataError, match=message):
        RatingScale(1, 9).check([5, 0, np.nan, 9.5], "valence")


@given(scales, st.lists(share, max_size=5))
def test_ratings_on_their_scale_pass_unchanged(scale: RatingScale, where: list[float]) -> None:
    values = [min(scale.low + w * (scale.high - scale.low), scale.high) for w in where]
    np.testing.assert_array_equal(scale.check([*values, np.nan], "x"), [*values, np.nan])


@pytest.mark.parametrize("ends", [(1, 1), (9, 1), (float("nan"), 1)])
def test_a_scale_needs_a_low_and_a_high_end(ends: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="the low end must be below the high end"):
        RatingScale(*ends)


@pytest.mark.parametrize("name", SCALES)
def test_named_scales_parse(name: str) -> None:
    assert parse_scale(name) == SCALES[name]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("1..9", 1, 9),
        ("-4..4", -4, 4),
        ("0..1.5", 0, 1.5),
        ("1-9", 1, 9),
        ("-1-1", -1, 1),
        ("-1..1", -1, 1),
        ("2-8", 2, 8),
        ("-3--1", -3, -1),
        ("1 - 100", 1, 100),
        ("1e-2..1", 0.01, 1),
    ],
)
def test_scales_of_two_numbers(text: str, low: float, high: float) -> None:
    assert parse_scale(text) == RatingScale(low, high)


@given(number, st.floats(0.5, 50))
def test_any_two_numbers_are_a_scale(low: float, width: float) -> None:
    assert parse_scale(f"{low!r}..{low + width!r}") == RatingScale(low, low + width)


@pytest.mark.parametrize("text", ["nine", "", "1", "1..", "..9", "a..b", "0..inf", "nan..1", "-", "1--"])
def test_no_scale(text: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f'scale "{text}": write two numbers as "1..9", or one of 1-5, 1-7')):
        parse_scale(text)


def test_a_scale_upside_down() -> None:
    with pytest.raises(UsageError, match=r"rating scale \[9, 1\]: the low end must be below the high end"):
        parse_scale("9..1")


# ------------------------------------------------------------------------------------------------ labels


def test_a_label_of_votes() -> None:
    label = AffectLabel(votes={"Sad": 3, "happy": 1})
    assert dict(label.votes) == {"sadness": 3, "happiness": 1}
    assert label.distribution == {"sadness": 0.75, "happiness": 0.25}
    assert label.category == "sadness"


def test_a_tie_has_no_category() -> None:
    assert AffectLabel(votes={"fear": 2, "awe": 2}).category is None


def test_a_label_of_ratings() -> None:
    label = AffectLabel(ratings={"valence": 7, "arousal": 1}, scale=RatingScale(1, 9))
    assert label.category is None
    assert label.distribution == {}
    other = label.on_scale(RatingScale(-1, 1))
    assert other.ratings == {"valence": 0.5, "arousal": -1.0}
    assert other.scale == RatingScale(-1, 1)


def test_votes_go_along_to_another_scale() -> None:
    label = AffectLabel(votes={"awe": 2}, ratings={"valence": 5}, scale=RatingScale(1, 9))
    assert dict(label.on_scale(RatingScale(0, 1)).votes) == {"awe": 2}
    only_votes = AffectLabel(votes={"awe": 2})
    assert only_votes.on_scale(RatingScale(0, 1)) is only_votes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "neither votes nor ratings given; give at least one"),
        ({"ratings": {"valence": 3}}, "ratings without a scale; state the scale they were given on"),
        (
            {"ratings": {"valence": 10}, "scale": RatingScale(1, 9)},
            r"1 rating\(s\) outside the scale 1 to 9 \(first: 10\)",
        ),
        ({"votes": {"awe": 0}}, r"sum to zero"),
        ({"votes": {"awe": -1, "fear": 2}}, "negative or missing numbers"),
        ({"votes": {"happy": 1, "joy": 2}}, "two names of one emotion: happiness"),
    ],
)
def test_labels_that_cannot_be(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        AffectLabel(**arguments)  # type: ignore[arg-type]


def test_a_label_with_an_unknown_emotion() -> None:
    with pytest.raises(UsageError, match='emotion category "angst": unknown'):
        AffectLabel(votes={"angst": 1})


@given(st.dictionaries(st.sampled_from(MIKELS), st.integers(0, 20), min_size=1).filter(lambda v: sum(v.values()) > 0))
def test_the_distribution_of_a_label_sums_to_one(votes: dict[str, int]) -> None:
    label = AffectLabel(votes=votes)
    assert sum(label.distribution.values()) == pytest.approx(1)
    if label.category is not None:
        assert votes[label.category] == max(votes.values())


# ------------------------------------------------------------------------------------------------ states


def state(z: float, name: str = "valence") -> AffectState:
    return AffectState(ratings={name: 5.8}, standardised={name: z}, scale=RatingScale(1, 7))


def test_a_state_in_words() -> None:
    found = AffectState(
        probabilities={"awe": 0.41, "fear": 0.2},
        ratings={"valence": 5.8, "arousal": 2.0},
        standardised={"valence": 1.2, "arousal": -0.9},
        scale=RatingScale(1, 7),
    )
    assert found.describe() == (
        "pleasant (valence 5.80 of 1..7, +1.2 SD); calm (arousal 2.00 of 1..7, -0.9 SD); most likely awe (41 %)"
    )
    assert found.category == "awe"


@pytest.mark.parametrize(
    ("name", "z", "word"),
    [
        ("valence", -0.6, "unpleasant"),
        ("valence", 0.0, "neutral in tone"),
        ("arousal", 0.51, "arousing"),
        ("arousal", -0.51, "calm"),
        ("dominance", 1.0, "in control"),
        ("dominance", -1.0, "overwhelming"),
        ("beauty", 1.0, "high beauty"),
        ("beauty", 0.5, "medium beauty"),
    ],
)
def test_words_of_dimensions(name: str, z: float, word: str) -> None:
    assert state(z, name).describe().startswith(f"{word} (")


def test_a_state_without_anything_says_nothing() -> None:
    assert AffectState().describe() == ""
    assert AffectState().category is None


def test_a_state_as_json() -> None:
    found = state(1.0).to_dict()
    assert json.loads(json.dumps(found)) == {
        "probabilities": {},
        "ratings": {"valence": 5.8},
        "standardised": {"valence": 1.0},
        "scale": [1, 7],
    }
    assert AffectState().to_dict()["scale"] is None


def test_the_vocabulary_needs_no_torch() -> None:
    code = "import sys, affekt.affect; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert affect.__doc__
