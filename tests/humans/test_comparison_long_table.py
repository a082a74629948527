"""The long table of a comparison: in people's own terms, or both sides in terms of valence."""

import numpy as np
import pytest

from affekt.errors import DataError
from affekt.humans.comparison import Model, compare
from affekt.humans.comparison.long_table import answer_rows
from affekt.humans.comparison.valence_of_people import valence_trials, valence_votes
from affekt.humans.people import Answers, TrialRows, Trials, Votes

IDS = np.array(["a", "b", "c", "d"])
EMOTIONS = ("anger", "happiness", "surprise", "sadness")
VOTES = np.array([[3, 4, 0, 3], [0, 5, 2, 1], [0, 0, 9, 0], [1, 0, 2, 4]])
"""a: 6 negative, 4 positive; b: 1, 5; c: surprise alone; d: 5, 0."""


def votes(truth=None):
    return Votes(name="people", ids=IDS, groups=IDS, categories=EMOTIONS, votes=VOTES, truth=truth)


def trials():
    return Trials(
        name="people", ids=IDS, groups=IDS, conditions=np.full(4, ""),
        truth=np.array(["anger", "happiness", "", "surprise"]),
        trials=TrialRows(
            subject=np.array(["p", "p", "q", "q"]), stimulus=np.array([0, 1, 0, 3]),
            response=np.array(["sadness", "surprise", "happiness", "anger"]), rt=np.full(4, np.nan),
            session=np.full(4, ""), trial=np.full(4, ""),
        ),
    )  # fmt: skip


def model(categories, probabilities, name="net"):
    answers = Answers(name=name, ids=IDS, categories=categories, probabilities=np.array(probabilities, dtype=float))
    return Model(name=name, answers=answers)


SIGNS = model(("negative", "positive"), [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.3, 0.7]])


def test_votes_are_added_up_by_polarity():
    folded = valence_votes(votes(truth=np.array([1, 1, 0, 2])), ("negative", "positive"))
    assert folded.ids.tolist() == ["a", "b", "d"]
    assert folded.votes.tolist() == [[6, 4], [1, 5], [5, 0]]
    assert folded.truth is not None and folded.truth.tolist() == [1, 1, -1]  # surprise is neither


def test_trials_say_the_polarity_of_what_was_answered():
    folded = valence_trials(trials(), ("negative", "positive"))
    assert folded.trials.response.tolist() == ["negative", "", "positive", "negative"]
    assert folded.truth.tolist() == ["negative", "positive", "", ""]


def test_a_network_of_valence_and_votes_for_emotions_meet_in_valence():
    rows, notes = answer_rows(compare(votes(), [SIGNS], resamples=10))
    found = [(r["stimulus"], r["observer"], r["category"], r["response"], r["correct"], r["weight"]) for r in rows]
    assert sorted(found) == sorted([
        ("a", "votes", "negative", "negative", 1, 6), ("a", "votes", "negative", "positive", 0, 4),
        ("b", "votes", "positive", "negative", 0, 1), ("b", "votes", "positive", "positive", 1, 5),
        ("d", "votes", "negative", "negative", 1, 5),
        ("a", "net", "negative", "negative", 1, 1), ("b", "net", "positive", "positive", 1, 1),
        ("d", "net", "negative", "positive", 0, 1),
    ])  # fmt: skip
    assert "in terms of valence (negative, positive)" in notes[0] and "and 1 stimulus for which" in notes[0]


def test_people_s_own_words_come_first():
    own = model(EMOTIONS, np.eye(4), name="emotions")
    rows, notes = answer_rows(compare(votes(), [SIGNS, own], resamples=10))
    assert {r["observer"] for r in rows} == {"votes", "emotions"}
    assert notes == ["net is not in the long table: it does not answer in people's terms"]


def test_nobody_in_people_s_terms():
    class OfNobody:
        people, models = votes(), ()

    with pytest.raises(DataError, match="no model answers in people's terms"):
        answer_rows(OfNobody())
