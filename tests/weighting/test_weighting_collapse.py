"""Collapse: a share that stays too small is said once; a bad batch, a floor and another cut are not."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from affekt.weighting import Collapse, CollapseWatch, collapse_message, create_weighting


def looked(shares, *, cut=None, watch=None):
    watch = watch or CollapseWatch(["a", "b"])
    found, rows = [], torch.tensor(shares)
    size = cut or len(rows)
    for start in range(0, len(rows), size):
        found += watch.look(rows[start : start + size], start)
    return found


def test_two_hundred_steps_in_a_row():
    low, fine = [0.04, 0.96], [0.06, 0.94]
    assert looked([low] * 199) == []
    assert looked([low] * 199 + [fine] + [low] * 199) == []
    (found,) = looked([fine] * 7 + [low] * 300)
    assert (found.task, found.step, found.share) == ("a", 207, pytest.approx(0.04))


@given(cut=st.integers(1, 50), first=st.integers(0, 30), second=st.integers(0, 30))
def test_where_the_log_is_cut_does_not_matter(cut, first, second):
    rows = [[0.5, 0.5]] * first + [[0.01, 0.5]] * 30 + [[0.01, 0.02]] * second + [[0.5, 0.01]] * 25

    def found(cut):
        return looked(rows, cut=cut, watch=CollapseWatch(["a", "b"], patience=20))

    assert found(cut) == found(None)


def test_state_goes_through_json():
    rows = [[0.01, 0.99]] * 150
    one, other = CollapseWatch(["a", "b"]), CollapseWatch(["a", "b"])
    assert looked(rows, watch=one) == []
    other.load(one.state())
    (found,) = other.look(torch.tensor(rows), 150)
    assert found.step == 200
    again = CollapseWatch(["a", "b"])
    again.load(other.state())
    assert again.look(torch.tensor(rows), 300) == []


def test_a_floor_of_the_threshold_is_no_collapse():
    weighting = create_weighting("softmax", ["a", "b"], floor=0.05)
    weighting.a.data = torch.tensor([-50.0, 50.0])
    weights = torch.stack(list(weighting.weights({"a": torch.tensor(1.0), "b": torch.tensor(1.0)}).values()))
    assert looked(weighting.shares(weights, weights).repeat(300, 1).tolist()) == []


def test_what_rounding_takes_from_the_threshold_is_no_collapse():
    assert looked([[0.05 - 5e-7, 0.95]] * 300) == []
    assert len(looked([[0.05 - 5e-6, 0.95]] * 300)) == 1


def test_many_tasks_have_a_lower_threshold():
    assert CollapseWatch("abcdefghij").threshold == 0.05
    assert CollapseWatch([str(i) for i in range(40)]).threshold == 0.5 / 40


def test_shares_of_scale_free_rules_count_the_losses():
    weights, losses = torch.tensor([[0.5, 5.0]]), torch.tensor([[1.0, 0.1]])
    assert create_weighting("uw", ["a", "b"]).shares(weights, losses).tolist() == [[0.5, 0.5]]
    assert create_weighting("softmax", ["a", "b"]).shares(weights, losses).tolist()[0] == pytest.approx(
        [1 / 11, 10 / 11]
    )
    normalised = create_weighting("softmax", ["a", "b"], normalise="first")
    assert normalised.shares(weights, losses).tolist() == [[0.5, 0.5]]


def test_chosen_weights_are_not_watched():
    more = {"constant": {"weights": [1, 2]}, "single": {"task": "a"}}
    for name in ("sum", "uniform", "constant", "single"):
        assert not create_weighting(name, ["a", "b"], **more.get(name, {})).watched
    assert all(create_weighting(name, ["a", "b"]).watched for name in ("softmax", "uw", "uw-so"))


def test_message_is_one_line_with_what_to_use_instead():
    weighting = create_weighting("softmax", ["emotion", "gender"])
    watch = CollapseWatch(weighting.tasks)
    text = collapse_message("softmax", Collapse("emotion", 16234, 0.0499), watch, weighting.instead)
    assert text == (
        'weighting "softmax": emotion has had under 0.05 of the weight for 200 steps (now 0.05, step 16234) and is '
        'hardly learned any more; set floor = 0.1 or normalise = "running" in [weighting], or use name = "uniform"'
    )
    # What is advised can be done, whatever the number of tasks.
    many = create_weighting("softmax", [str(i) for i in range(12)])
    create_weighting("softmax", many.tasks, floor=float(many.instead.split("floor = ")[1].split()[0]))
