"""Delta_p: by hand, its sign, and what it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.errors import UsageError
from affekt.weighting import delta_p

VALUES = st.dictionaries(st.sampled_from("abcd"), st.floats(0.01, 100), min_size=1)


def test_by_hand():
    # emotion: 1.0 -> 0.8 is 20 % better; gender: 0.5 -> 0.6 is 20 % worse; age: 2 -> 1 is 50 % better
    joint, single = {"emotion": 0.8, "gender": 0.6, "age": 1.0}, {"emotion": 1.0, "gender": 0.5, "age": 2.0}
    assert delta_p(joint, single) == pytest.approx(0.5 / 3)
    assert delta_p(joint, single, higher_is_better=True) == pytest.approx(-0.5 / 3)
    assert delta_p(joint, single, higher_is_better=["gender"]) == pytest.approx((0.2 + 0.2 + 0.5) / 3)


@given(values=VALUES, factor=st.floats(0.1, 10))
def test_the_same_factor_everywhere_is_that_change(values, factor):
    scaled = {task: factor * value for task, value in values.items()}
    assert delta_p(values, values) == 0
    assert delta_p(scaled, values) == pytest.approx(1 - factor)


def test_a_negative_number_counts_by_its_size():
    assert delta_p({"a": -2.0}, {"a": -1.0}) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("joint", "single", "more", "message"),
    [
        ({"a": 1.0}, {"b": 1.0}, {}, "tasks a against b; give the same ones"),
        ({}, {}, {}, "tasks none against none"),
        ({"a": 1.0}, {"a": 0.0}, {}, "the single-task model of a has 0"),
        ({"a": 1.0}, {"a": 1.0}, {"higher_is_better": ["b"]}, "higher_is_better names b; no such task"),
    ],
)
def test_what_cannot_be_compared_is_refused(joint, single, more, message):
    with pytest.raises(UsageError, match=message):
        delta_p(joint, single, **more)
