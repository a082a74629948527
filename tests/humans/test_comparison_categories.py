"""Categories of people and models in the same terms: by name, by polarity, never by position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.affect import FERPLUS, MIKELS, POLARITIES
from affekt.humans.comparison.categories import fold, fold_model, folded_probabilities, shared_terms, spaces


@pytest.mark.parametrize(
    ("people", "model", "shared"),
    [
        (FERPLUS, FERPLUS, FERPLUS),
        (FERPLUS, tuple(reversed(FERPLUS)), FERPLUS),
        (FERPLUS, ("negative", "positive"), ("negative", "positive")),
        (FERPLUS, ("positive", "neutral", "negative"), POLARITIES),
        (("negative", "positive"), FERPLUS, ("negative", "positive")),
        (FERPLUS, MIKELS, ("sadness", "anger", "disgust", "fear")),
        (("Happy", "Sad"), ("sadness", "happiness", "fear"), ("happiness", "sadness")),
        (("cat", "dog"), ("Dog", "Cat", "Emu"), ("cat", "dog")),
        (("cat", "dog"), ("dog", "emu"), None),
        (("cat", "dog"), ("negative", "positive"), None),
        (("anger", "fear"), ("negative", "positive"), None),  # nothing of people's is positive
        (("Angry", "Happy", "happiness"), ("joy",), ("anger", "happiness")),  # one answer to everything
        (FERPLUS, ("neutral",), FERPLUS),
        (FERPLUS, ("positive",), ("negative", "positive")),
        (POLARITIES, ("Happy",), POLARITIES),
        (("negative", "positive"), ("neutral",), None),
        (("anger", "fear"), ("negative",), None),
        (("cat", "dog"), ("emu",), None),
        (("cat",), ("cat",), None),
    ],
)
def test_shared_terms(people, model, shared):
    assert shared_terms(people, model) == shared


def test_a_model_is_in_every_space_that_its_categories_can_be_put_in():
    found = spaces(FERPLUS, {"eight": FERPLUS, "two": ("negative", "positive"), "other": ("cat", "dog")})
    assert [(space.categories, space.models) for space in found] == [
        (FERPLUS, ("eight",)),
        (("negative", "positive"), ("eight", "two")),
    ]


def test_one_answer_to_everything_is_in_every_space_that_has_it():
    models = {"eight": FERPLUS, "two": ("negative", "positive"), "three": ("anger", "fear", "joy"), "one": ("sad",)}
    assert [(len(space.categories), space.models) for space in spaces(FERPLUS, models)] == [
        (8, ("eight", "one")),
        (3, ("eight", "three")),
        (2, ("eight", "two", "three", "one")),
    ]
    assert fold_model(("sad", "Sadness"), ("anger", "sadness")).tolist() == [[0, 1], [0, 1]]
    assert fold_model(("sad", "anger"), ("anger", "sadness", "fear")) is None


def test_categories_without_a_term_count_nowhere():
    table = fold(FERPLUS, ("negative", "positive"))
    counted = dict(zip(FERPLUS, table.tolist(), strict=True))
    assert counted["surprise"] == counted["neutral"] == [0, 0]
    assert counted["contempt"] == [1, 0]
    assert counted["happiness"] == [0, 1]
    assert fold(("anger", "fear"), ("negative", "positive")) is None


def test_folded_probabilities_by_hand():
    table = fold(FERPLUS, ("negative", "positive"))
    p = np.zeros((3, 8))
    p[0, [1, 4]] = 0.25, 0.5  # happiness, anger
    p[0, 0] = 0.25  # neutral
    p[1, 1] = 1.0
    p[2, 2] = 1.0  # surprise alone
    found, elsewhere, nothing = folded_probabilities(p, table)
    assert found == pytest.approx(np.array([[2 / 3, 1 / 3], [0, 1], [0.5, 0.5]]))
    assert elsewhere == pytest.approx(1.25 / 3)
    assert nothing == 1


@given(st.integers(0, 2**32 - 1), st.permutations(FERPLUS))
def test_the_order_of_categories_does_not_matter(seed, order):
    p = np.random.default_rng(seed).dirichlet(np.ones(8), 5)
    turned = p[:, [FERPLUS.index(name) for name in order]]
    for space in (FERPLUS, POLARITIES, ("negative", "positive")):
        one, other = (folded_probabilities(x, fold(names, space))[0] for x, names in ((p, FERPLUS), (turned, order)))
        assert one == pytest.approx(other)
        assert one.sum(axis=1) == pytest.approx(np.ones(5))
