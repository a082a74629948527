"""Observers simulated from votes: two halves that share no vote, drawn by (seed, stimulus) alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from affekt.affect import majority
from affekt.errors import DataError, UsageError
from affekt.humans.people import Observers, Votes, simulated_observers
from affekt.humans.people.observers import deal

NAMES = ("anger", "fear", "joy")
tables = st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3).filter(any), min_size=1, max_size=6)


def people(rows: list[list[int]], ids: list[str] | None = None) -> Votes:
    names = np.array(ids or [f"s{n}" for n in range(len(rows))])
    return Votes(name="faces", ids=names, groups=names, categories=NAMES, votes=np.array(rows), notes=("read",))


def counted(dealt: np.ndarray) -> np.ndarray:
    return np.stack([np.bincount(row[row >= 0], minlength=3) for row in dealt])


@given(rows=tables, seed=st.integers(0, 5))
def test_both_halves_make_up_the_votes_and_none_is_in_both(rows: list[list[int]], seed: int) -> None:
    votes = people(rows)
    truth, dealt = deal(votes, seed)
    n = votes.votes.sum(axis=1)
    np.testing.assert_array_equal(truth + counted(dealt), votes.votes)
    np.testing.assert_array_equal(truth.sum(axis=1), n - n // 2)
    assert truth.min() >= 0
    assert ((dealt >= 0) == (np.arange(dealt.shape[1]) < (n // 2)[:, None])).all()


@given(rows=tables, seed=st.integers(0, 5), count=st.integers(1, 9))
@settings(max_examples=50)
def test_no_observer_gives_a_vote_of_the_half_that_says_what_is_right(
    rows: list[list[int]], seed: int, count: int
) -> None:
    votes = people(rows)
    found = simulated_observers(votes, count, seed)
    truth, _ = deal(votes, seed)
    names = np.array([*NAMES, ""])
    given_by_all = np.stack(
        [[(row == name).sum() for name in NAMES] for row in np.stack([*found.responses.values()]).T]
    )
    assert (given_by_all <= votes.votes - truth).all()
    assert found.truth.tolist() == names[majority(truth)].tolist()


@given(rows=tables, seed=st.integers(0, 5))
@settings(max_examples=50)
def test_a_draw_depends_on_seed_and_stimulus_alone(rows: list[list[int]], seed: int) -> None:
    whole, alone = people(rows), people([rows[-1]], [f"s{len(rows) - 1}"])
    assert deal(whole, seed)[0][-1].tolist() == deal(alone, seed)[0][0].tolist()
    few, many = simulated_observers(whole, 1, seed), simulated_observers(whole, 12, seed)
    first = next(iter(many.responses.values()))
    assert next(iter(few.responses.values())).tolist() == first.tolist()
    assert few.truth.tolist() == many.truth.tolist()


def test_other_seeds_and_other_stimuli_draw_otherwise() -> None:
    rows = [[5, 5, 5]] * 40
    assert len({tuple(row) for row in deal(people(rows), 0)[0].tolist()}) > 5
    assert deal(people(rows), 0)[0].tolist() != deal(people(rows), 1)[0].tolist()


def test_the_split_is_hypergeometric() -> None:
    """Of 7 + 3 votes five are drawn: the number of the first category among them, over 4000 stimuli."""
    truth, _ = deal(people([[7, 3, 0]] * 4000), 3)
    found = np.bincount(truth[:, 0], minlength=8) / 4000
    expected = hypergeom(10, 7, 5).pmf(np.arange(8))
    assert found[expected == 0].sum() == 0
    assert np.abs(found - expected).max() < 4 * np.sqrt(0.25 / 4000)


def test_each_observer_answers_as_people_do() -> None:
    found = simulated_observers(people([[6, 3, 1]] * 3000), 5, 1)
    for responses in found.responses.values():
        assert (responses == "anger").mean() == pytest.approx(0.6, abs=0.04)
        assert (responses == "joy").mean() == pytest.approx(0.1, abs=0.03)


def test_observers_share_the_difficulty_of_a_stimulus_and_nothing_else() -> None:
    """Given the votes, that two observers err together is what dealing from those votes makes it: p of an error once,
    and of a second one among the rest."""
    found = simulated_observers(people([[8, 2, 0]] * 4000), 2, 0)
    first, second = (responses != "anger" for responses in found.responses.values())
    assert (first & second).mean() == pytest.approx(0.2 * 1 / 9, abs=0.008)


# ------------------------------------------------------------------------------------------------ what is said


def test_what_is_said_of_them() -> None:
    found = simulated_observers(people([[6, 0, 0], [2, 2, 0], [1, 0, 0]]), 3, 7)
    assert isinstance(found, Observers)
    assert list(found.responses) == ["simulated-1", "simulated-2", "simulated-3"]
    assert found.said == (
        "3 simulated observers, drawn from one half of the votes on each stimulus (seed 7); the right answer is the "
        "category with most votes in the other half. They share nothing but the difficulty of a stimulus: how much "
        "they agree is no human ceiling. Intact stimuli only, as people saw them."
    )
    assert found.notes[0] == "read"
    assert "2 stimuli have fewer than 3 votes in that half: some observers have no answer to them" in found.notes
    assert [values[2] for values in found.responses.values()] == ["", "", ""]
    assert found.truth[2] == "anger"


def test_ties_have_no_right_answer_and_are_counted() -> None:
    found = simulated_observers(people([[2, 2, 0]] * 50), 1, 0)
    tied = int((found.truth == "").sum())
    assert 0 < tied < 50
    assert f"{tied} stimuli end in a tie in the half that says what is right, and have no right answer" in found.notes


def test_no_more_observers_than_votes() -> None:
    votes = people([[10, 0, 0], [3, 1, 0]])
    assert len(simulated_observers(votes).responses) == 3  # the median of 5 and 2
    found = simulated_observers(votes, 100)
    assert len(found.responses) == 5
    assert "100 simulated observers asked for; half of the votes makes 5 at most" in found.notes
    assert found.said.startswith("5 simulated observers")
    alone = simulated_observers(people([[1, 0, 0]]), 4)
    assert [values.tolist() for values in alone.responses.values()] == [[""]]


def test_what_cannot_be() -> None:
    with pytest.raises(UsageError, match="count = 0; 1 or more"):
        simulated_observers(people([[1, 1, 0]]), 0)
    with pytest.raises(DataError, match="faces: votes below 0, or stimuli without one"):
        people([[0, 0, 0]])
    with pytest.raises(DataError, match="votes below 0"):
        people([[-1, 2, 0]])
    with pytest.raises(DataError, match="2 votes a row for 3 categories"):
        people([[1, 2]])
