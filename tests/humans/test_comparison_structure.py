"""Features against the structure of people's answers: the numbers are those of the plain functions."""

import numpy as np
import pytest
from comparison_people import feature_model, measure_of, rating_model, ratings, trials, votes

from affekt.humans.comparison import compare, structure
from affekt.humans.representations import compare_rdms, feature_rdm, linear_cka, rating_rdm, vote_rdm

RNG = np.random.default_rng(0)
TRUTH = RNG.uniform(1, 7, 40)
FEATURES = np.column_stack([TRUTH, RNG.normal(size=(40, 5))])


def test_ratings():
    people = ratings(TRUTH, facts={"theme_category": np.array(["dog", "sea"] * 20)})
    found = compare(people, [feature_model("m", FEATURES), rating_model("r", TRUTH)], resamples=30)
    part = found.parts[-1]
    assert part.id == "features" and part.models == ("m",)
    rsa, cka = measure_of(part, "rsa-ratings").models["m"], measure_of(part, "cka-ratings").models["m"]
    assert rsa.value == pytest.approx(compare_rdms(feature_rdm(FEATURES), rating_rdm(TRUTH[:, None])))
    assert cka.value == pytest.approx(linear_cka(FEATURES, TRUTH[:, None]))
    assert len(rsa.draws) == 30
    low, high = measure_of(part, "cka-ratings").interval("m")
    assert low < cka.value < high
    assert abs(measure_of(part, "rsa-categories").models["m"].value) < 0.2


def test_votes_and_their_first_choice():
    counts = RNG.multinomial(9, [0.5, 0.3, 0.2], 40)
    part = compare(votes(counts, ("anger", "fear", "awe")), [feature_model("m", FEATURES)], resamples=30).parts[0]
    expected = compare_rdms(feature_rdm(FEATURES), vote_rdm(counts))
    assert measure_of(part, "rsa-votes").models["m"].value == pytest.approx(expected)
    assert [m.name for m in part.measures] == ["rsa-votes", "cka-votes", "rsa-categories", "cka-categories"]


def test_right_answers_of_trials():
    truth = ["a", "b"] * 20
    people = trials({"s": truth}, truth)
    own = np.column_stack([[t == "a" for t in truth], [t == "b" for t in truth], RNG.normal(size=40) / 9]).astype(float)
    part = compare(people, [feature_model("m", own)], resamples=30).parts[0]
    assert measure_of(part, "rsa-categories").models["m"].value > 0.8


def test_what_is_the_same_for_all_stimuli_is_no_structure():
    counts = np.tile([5, 3, 1], (40, 1))
    counts[:20] = [6, 2, 1]  # divided otherwise, and yet most chose the same
    part = compare(votes(counts, ("anger", "fear", "awe")), [feature_model("m", FEATURES)], resamples=30).parts[0]
    assert [m.name for m in part.measures] == ["rsa-votes", "cka-votes"]


def test_features_without_a_correlation_are_undefined_with_a_reason():
    silent = FEATURES.copy()
    silent[3] = 1.0
    part = compare(ratings(TRUTH), [feature_model("m", FEATURES), feature_model("dead", silent)], resamples=30).parts[0]
    rsa = measure_of(part, "rsa-ratings")
    assert rsa.models["m"].value is not None and rsa.models["dead"].value is None
    assert "stimulus 3" in rsa.models["dead"].reason
    assert any("of dead is undefined" in note or "of dead are undefined" in note for note in part.notes)


def test_of_many_stimuli_some_are_drawn(monkeypatch):
    monkeypatch.setattr(structure, "MOST", 25)
    part = compare(ratings(TRUTH), [feature_model("m", FEATURES)], resamples=30).parts[0]
    assert part.stimuli == 25 and "25 of 40 stimuli" in part.notes[0]


def test_a_model_whose_answers_mean_nothing_here_has_its_features():
    from comparison_people import choosing_model

    other = choosing_model("animals", ("cat", "dog"), np.full((40, 2), 0.5))
    both = type(other)(name="animals", answers=other.answers, features=feature_model("animals", FEATURES).features)
    found = compare(ratings(TRUTH), [both, rating_model("r", TRUTH)], resamples=20)
    assert "animals does not answer in people's terms: its features alone are compared" in found.notes
