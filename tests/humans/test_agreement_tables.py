"""Long tables: every response once, with what is known of its stimulus."""

import numpy as np
import pytest

from affekt.errors import UsageError
from affekt.humans.agreement import RATING_COLUMNS, TRIAL_COLUMNS, rating_rows, trial_rows

STIMULI, CATEGORIES = ["s1", "s2"], ["cat", "dog"]


def test_trials_row_by_row():
    rows = list(
        trial_rows(
            STIMULI,
            CATEGORIES,
            people={"p1": ["cat", None]},
            models={"net": ["dog", "dog"]},
            facts={"condition": ["intact", "masked"]},
        )
    )
    assert rows == [
        {"stimulus": "s1", "kind": "person", "observer": "p1", "category": "cat", "response": "cat", "correct": 1,
         "condition": "intact"},
        {"stimulus": "s1", "kind": "model", "observer": "net", "category": "cat", "response": "dog", "correct": 0,
         "condition": "intact"},
        {"stimulus": "s2", "kind": "model", "observer": "net", "category": "dog", "response": "dog", "correct": 1,
         "condition": "masked"},
    ]  # fmt: skip
    assert tuple(rows[0]) == (*TRIAL_COLUMNS, "condition")


def test_ratings_row_by_row():
    rows = list(rating_rows(STIMULI, people={"p1": [np.nan, 3]}, models={"net": np.array([2.5, 4.0])}))
    assert [tuple(row.values()) for row in rows] == [
        ("s2", "person", "p1", 3.0),
        ("s1", "model", "net", 2.5),
        ("s2", "model", "net", 4.0),
    ]
    assert tuple(rows[0]) == RATING_COLUMNS
    assert type(rows[0]["rating"]) is float


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"people": {"p": ["cat"]}}, "person p: 1 values for 2 stimuli"),
        ({"categories": ["cat"]}, "categories: 1 values for 2 stimuli"),
        ({"facts": {"size": [1]}}, "size: 1 values"),
        ({"facts": {"kind": [1, 2]}}, '"kind" is a column already; .* stimulus, kind'),
        ({"models": {"p": ["cat", "dog"]}}, '"p" is the name of a person and of a model'),
    ],
)
def test_columns_that_cannot_be_are_refused_before_the_first_row(change, message):
    given = {"categories": CATEGORIES, "people": {"p": ["cat", "dog"]}, "models": {}, **change}
    with pytest.raises(UsageError, match=message):
        trial_rows(STIMULI, given.pop("categories"), **given)


def test_rating_columns_that_cannot_be():
    with pytest.raises(UsageError, match="model net: 3 values"):
        rating_rows(STIMULI, people={}, models={"net": [1, 2, 3]})
    with pytest.raises(UsageError, match='"rating" is a column'):
        rating_rows(STIMULI, people={}, models={}, facts={"rating": [1, 2]})
