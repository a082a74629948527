"""Choices: errors, confusions and votes of people and models, by hand and against the plain functions."""

import numpy as np
import pytest
from comparison_people import choosing_model, measure_of, names, part_of, sure, trials, votes

from affekt.errors import DataError, UsageError
from affekt.humans.agreement import bootstrap, confusion_among, error_consistency, vote_agreement
from affekt.humans.comparison import Model, compare
from affekt.humans.comparison.chosen import of_trials
from affekt.humans.comparison.long_table import answer_rows
from affekt.humans.people import read_answers

CATEGORIES = ("anger", "fear", "happiness")
TRUTH = ["anger", "fear", "happiness"] * 20


def answers(right, seed):
    """Right with that probability, else anything."""
    rng = np.random.default_rng(seed)
    return [t if rng.random() < right else str(rng.choice(CATEGORIES)) for t in TRUTH]


def people(**conditions):
    return trials({f"s{k}": answers(0.6, k) for k in range(3)}, TRUTH, **conditions)


def is_right(given):
    return np.array([a == t for a, t in zip(given, TRUTH, strict=True)], dtype=float)


def test_accuracy_and_kappa_are_means_over_people():
    own = answers(0.7, 9)
    found = compare(people(), [choosing_model("m", CATEGORIES, sure(own, CATEGORIES))], resamples=40)
    part = part_of(found, "errors")
    shared = bootstrap(60, resamples=40)
    each = [error_consistency(is_right(own), is_right(answers(0.6, k)), shared) for k in range(3)]
    value = {m.name: m.models["m"].value for m in part.measures}
    assert value["accuracy"] == pytest.approx(is_right(own).mean())
    assert value["accuracy-difference"] == pytest.approx(np.mean([e.difference.value for e in each]))
    assert value["observed-consistency"] == pytest.approx(np.mean([e.observed.value for e in each]))
    assert value["error-consistency"] == pytest.approx(np.mean([e.kappa.value for e in each]))


def test_names_may_be_spelled_in_any_way():
    spelled = {"anger": "Angry", "fear": "afraid", "happiness": "HAPPY"}

    def held(change):
        own = {f"s{k}": [change(a) for a in answers(0.6, k)] for k in range(3)}
        model = choosing_model("m", [change(c) for c in CATEGORIES], sure(answers(0.7, 9), CATEGORIES))
        return compare(trials(own, [change(t) for t in TRUTH]), [model], resamples=40)

    plain, other = held(str), held(spelled.__getitem__)
    assert [part.id for part in other.parts] == [part.id for part in plain.parts]
    for one, same in zip(other.parts, plain.parts, strict=True):
        values = [np.array([m.models["m"].value for m in part.measures], dtype=float) for part in (one, same)]
        np.testing.assert_allclose(*values, rtol=1e-12)


def test_distance_of_accuracies_says_who_is_nearer():
    """People are right on .6; one model on .7, the other never: far below is farther than somewhat above."""
    near = choosing_model("near", CATEGORIES, sure(answers(0.7, 9), CATEGORIES))
    wrong = [CATEGORIES[(CATEGORIES.index(t) + 1) % 3] for t in TRUTH]
    far = choosing_model("far", CATEGORIES, sure(wrong, CATEGORIES))
    part = part_of(compare(people(), [near, far], resamples=100), "errors")
    distance, less = measure_of(part, "accuracy-distance"), measure_of(part, "accuracy-difference")
    assert {n: e.value for n, e in distance.models.items()} == {n: abs(e.value) for n, e in less.models.items()}
    (pair,) = distance.pairs
    assert pair.value == distance.models["near"].value - distance.models["far"].value < 0
    assert distance.best == "low" and pair.p_holm < 0.05


def test_confusions_of_one_right_category_are_undefined():
    truth = ["happiness"] * 30
    held = trials({"a": answers(0.5, 1)[:30], "b": answers(0.5, 2)[:30]}, truth)
    found = compare(held, [choosing_model("m", CATEGORIES, sure(answers(0.5, 3)[:30], CATEGORIES))], resamples=40)
    for name in ("confusions", "confusions-errors"):
        one = measure_of(part_of(found, "errors"), name).models["m"]
        assert one.value is None and "one row" in one.reason
        assert measure_of(part_of(found, "errors"), name).people.reason == one.reason


def test_peoples_line_is_people_among_themselves():
    found = compare(people(), [choosing_model("m", CATEGORIES, sure(TRUTH, CATEGORIES))], resamples=40)
    part = part_of(found, "errors")
    right = [is_right(answers(0.6, k)) for k in range(3)]
    shared = bootstrap(60, resamples=40)
    pairs = [error_consistency(right[a], right[b], shared).kappa.value for a, b in ((0, 1), (0, 2), (1, 2))]
    line = measure_of(part, "error-consistency").people
    assert line.value == pytest.approx(np.mean(pairs)) and line.ceiling
    assert measure_of(part, "accuracy").people.value == pytest.approx(np.mean(right))


def test_confusions_have_a_line_of_people_against_people():
    """An answer that the model does not know is none of the matrix, as in what the model is held against."""
    given = {f"s{k}": answers(0.6, k) for k in range(3)}
    given["s0"][:5] = ["surprise"] * 5
    part = part_of(
        compare(trials(given, TRUTH), [choosing_model("m", CATEGORIES, sure(TRUTH, CATEGORIES))], resamples=40),
        "errors",
    )
    places = {name: [CATEGORIES.index(a) if a in CATEGORIES else -1 for a in said] for name, said in given.items()}
    shared = bootstrap(60, groups=names(60), resamples=40)
    found = confusion_among(places, np.arange(60) % 3, shared, classes=3)
    for name, estimate in (("confusions", found.every_cell), ("confusions-errors", found.off_diagonal)):
        line = measure_of(part, name).people
        assert (line.value, line.low, line.high) == (estimate.value, None, None) and not line.ceiling


def test_kappa_is_a_mean_over_conditions():
    """Half of the stimuli easy for all, half hard for all: pooled, everybody would seem to err alike."""
    conditions = ["easy"] * 30 + ["hard"] * 30
    rng = np.random.default_rng(0)

    def mixed():
        return [t if rng.random() < (0.95 if k < 30 else 0.1) else "fear" for k, t in enumerate(TRUTH)]

    own, theirs = mixed(), [mixed(), mixed()]
    held = trials(dict(zip("ab", theirs, strict=True)), TRUTH, conditions)
    part = part_of(compare(held, [choosing_model("m", CATEGORIES, sure(own, CATEGORIES))], resamples=40), "errors")
    kappa = measure_of(part, "error-consistency").models["m"].value
    shared = bootstrap(30, resamples=5)
    by_hand = [
        np.mean([error_consistency(is_right(own)[rows], is_right(t)[rows], shared).kappa.value for t in theirs])
        for rows in (slice(0, 30), slice(30, 60))
    ]
    assert kappa == pytest.approx(np.mean(by_hand))
    assert [(c.condition, c.stimuli) for c in part.conditions] == [("easy", 30), ("hard", 30)]
    assert part.conditions[1].kappa["m"][0] == pytest.approx(by_hand[1])


def test_always_right_has_no_kappa_and_it_is_said():
    part = part_of(
        compare(people(), [choosing_model("m", CATEGORIES, sure(TRUTH, CATEGORIES))], resamples=40), "errors"
    )
    kappa = measure_of(part, "error-consistency").models["m"]
    assert kappa.value is None and "kappa is undefined" in kappa.reason
    assert any("error consistency (kappa) of m is undefined: m is right" in note for note in part.notes)
    assert measure_of(part, "accuracy").models["m"].value == 1


def test_one_answer_to_everything_is_said():
    same = choosing_model("same", CATEGORIES, np.tile([0.2, 0.7, 0.1], (60, 1)))
    found = compare(people(), [same], resamples=40)
    assert "same answers “fear” to all 60 stimuli." in part_of(found, "errors").notes
    entropies = measure_of(part_of(found, "votes"), "entropy-r").models["same"]
    assert entropies.value is None and "same number" in entropies.reason


def test_one_word_to_everything_is_compared_beside_the_others(tmp_path):
    """A table of responses knows the words that occur in it alone: people's other answers are wrong all the same."""
    (tmp_path / "one.csv").write_text("id,response\n" + "".join(f"picture {k},Happy\n" for k in range(60)))
    one = Model(name="one", answers=read_answers(tmp_path / "one.csv")["one"])
    other = choosing_model("other", CATEGORIES, sure(answers(0.7, 9), CATEGORIES))
    found = compare(people(), [other, one], resamples=40)
    alone = compare(people(), [other], resamples=40)
    assert [part.models for part in found.parts if part.id.startswith(("errors", "votes"))] == [("other", "one")] * 2
    part = part_of(found, "errors")
    assert (part.stimuli, part.categories) == (60, CATEGORIES)
    assert measure_of(part, "accuracy").models["one"].value == pytest.approx(1 / 3)
    assert part.confusions.models["one"].counts.tolist() == [[0, 0, 20]] * 3
    assert "one answers “happiness” to all 60 stimuli." in part.notes
    for name in ("accuracy", "error-consistency", "confusions"):
        own = measure_of(part_of(alone, "errors"), name).models["other"]
        assert measure_of(part, name).models["other"].value == own.value
    rows, left = answer_rows(found)
    assert {row["response"] for row in rows if row["observer"] == "one"} == {"happiness"} and not left


def test_one_word_that_people_do_not_say_is_refused():
    with pytest.raises(DataError, match="m: answers with surprise; people's categories are anger, fear, happiness"):
        compare(people(), [choosing_model("m", ["surprise"], np.ones((60, 1)))], resamples=20)


SAME = ["fear"] * 60


def kappas(found):
    """Of each model, of people, and the part."""
    part = part_of(found, "errors")
    held = measure_of(part, "error-consistency")
    return held.models, held.people, part


def test_a_model_with_one_answer_to_everything_has_no_kappa():
    own = choosing_model("m", CATEGORIES, sure(answers(0.7, 9), CATEGORIES))
    models, line, part = kappas(compare(people(), [own, choosing_model("c", CATEGORIES, sure(SAME, CATEGORIES))]))
    assert models["c"].value is None and np.isnan(models["c"].draws).all()
    assert models["c"].reason.startswith("c answers “fear” to all 60 stimuli: ")
    assert f"error consistency (kappa) of c is undefined: {models['c'].reason}." in part.notes
    alone, same, _ = kappas(compare(people(), [own]))
    assert (models["m"].value, line.value) == (alone["m"].value, same.value)


def test_people_with_one_answer_to_everything_are_left_out_of_kappa_alone():
    """With a fourth person who is constant, kappa is that of the other three; accuracy is everybody's."""
    three = {f"s{k}": answers(0.6, k) for k in range(3)}
    model = choosing_model("m", CATEGORIES, sure(answers(0.7, 9), CATEGORIES))
    plain, own, _ = kappas(compare(trials(three, TRUTH), [model], resamples=40))
    models, line, part = kappas(compare(trials({**three, "same": SAME}, TRUTH), [model], resamples=40))
    assert models["m"].value == plain["m"].value and (line.value, line.low) == (own.value, own.low)
    np.testing.assert_array_equal(models["m"].draws, plain["m"].draws)
    right = [is_right(given) for given in (*three.values(), SAME)]
    assert measure_of(part, "accuracy").people.value == pytest.approx(np.mean(right))
    assert "Left out of kappa: 1 of 4 people with one answer to everything (same: “fear”)." in part.notes


def test_who_answers_one_thing_where_there_is_an_answer_is_constant():
    gaps = ["" if k % 2 else word for k, word in enumerate(SAME)]
    held = trials({"a": answers(0.6, 1), "b": answers(0.6, 2), "gaps": gaps}, TRUTH)
    part = part_of(compare(held, [choosing_model("m", CATEGORIES, sure(answers(0.7, 9), CATEGORIES))]), "errors")
    assert "Left out of kappa: 1 of 3 people with one answer to everything (gaps: “fear”)." in part.notes


@pytest.mark.parametrize("conditions", [(), ["low"] * 30 + ["high"] * 30])
def test_nobody_has_a_kappa_where_all_people_give_one_answer(conditions):
    held = trials({"a": SAME, "b": ["anger"] * 60}, TRUTH, conditions)
    models, line, part = kappas(compare(held, [choosing_model("m", CATEGORIES, sure(answers(0.7, 9), CATEGORIES))]))
    for one in (models["m"], line):
        assert one.value is None
        assert one.reason.startswith("one answer to everything from 2 of 2 people (a: “fear”, b: “anger”): ")
    assert all(one.kappa[who][0] is None for one in part.conditions for who in ("m", "people"))
    assert sum("kappa" in note for note in part.notes) == 1  # and not that it is right, or wrong, on everything


def test_one_person_who_varies_is_no_line_of_people():
    held = trials({"a": SAME, "b": answers(0.6, 1)}, TRUTH)
    models, line, _ = kappas(compare(held, [choosing_model("m", CATEGORIES, sure(answers(0.7, 9), CATEGORIES))]))
    assert models["m"].value is not None
    assert line.value is None and line.reason.startswith("one answer to everything from 1 of 2 people (a: “fear”)")


def test_who_has_answered_once_is_not_constant():
    held = trials({"a": answers(0.6, 1), "b": [TRUTH[0], *[""] * 59]}, TRUTH)
    part = part_of(compare(held, [choosing_model("m", CATEGORIES, sure(answers(0.7, 9), CATEGORIES))]), "errors")
    assert not any("Left out of kappa" in note for note in part.notes)


def test_an_answer_that_is_no_category_of_the_model_is_wrong():
    held = trials({"a": ["anger", "surprise", "", "fear"]}, ["anger", "fear", "fear", "anger"])
    chosen = of_trials(held, np.arange(4), ("anger", "fear", "surprise"), ("anger", "fear"))
    assert chosen.observers["a"].tolist() == [0, -2, -1, 1]
    assert chosen.votes.tolist() == [[1, 0], [0, 0], [0, 0], [0, 1]]
    assert chosen.elsewhere == pytest.approx(1 / 3)
    categories = ("anger", "fear", "happiness", "surprise")
    valence = of_trials(held, np.arange(4), categories, ("negative", "positive"))
    assert valence.observers["a"].tolist() == [0, -1, -1, 0]  # surprise has no valence to be right or wrong about


def test_people_who_answer_otherwise_are_wrong_not_silent():
    """Of four answers one is right, two name another emotion than the model knows, one was not given: 1 of 3."""
    held = trials({"a": ["anger", "surprise", "contempt", ""]}, ["anger", "fear", "anger", "fear"])
    model = choosing_model("m", ("anger", "fear"), sure(["anger", "fear", "anger", "anger"], ("anger", "fear")))
    part = part_of(compare(held, [model], resamples=20), "errors")
    less = measure_of(part, "accuracy-difference").models["m"].value
    assert less == pytest.approx(1 - 1 / 3)  # on the three stimuli that both have answered, the model is right


def test_of_two_categories_errors_have_no_correlation():
    held = trials({"a": ["anger", "fear"] * 5, "b": ["fear", "fear"] * 5}, ["anger", "fear"] * 5)
    model = choosing_model("m", ("anger", "fear"), np.full((10, 2), 0.5))
    measures = [m.name for m in part_of(compare(held, [model], resamples=20), "errors").measures]
    assert "confusions" in measures and "confusions-errors" not in measures


def test_one_person_alone_has_no_line():
    held = trials({"a": answers(0.6, 1)}, TRUTH)
    part = part_of(compare(held, [choosing_model("m", CATEGORIES, sure(answers(0.5, 2), CATEGORIES))]), "errors")
    assert measure_of(part, "error-consistency").people.reason == "one person alone"
    assert measure_of(part, "confusions").people.reason == "one person alone"


COUNTS = np.random.default_rng(5).multinomial(10, [0.6, 0.3, 0.1], 80)


def test_simulated_observers_are_said_and_claim_no_ceiling():
    held = votes(COUNTS, CATEGORIES)
    found = compare(held, [choosing_model("m", CATEGORIES, np.full((80, 3), 1 / 3))], resamples=40)
    part = part_of(found, "errors")
    assert "simulated observers" in part.simulated and found.simulated == part.simulated
    line = measure_of(part, "error-consistency").people
    assert line.value is None and "simulated" in line.reason
    assert measure_of(part, "observed-consistency").people.value is None
    for name in ("confusions", "confusions-errors"):
        assert measure_of(part, name).people.value is None and "simulated" in measure_of(part, name).people.reason
    accuracy = measure_of(part, "accuracy").people
    assert not accuracy.ceiling and "simulated" in accuracy.said


def test_an_intended_category_is_what_is_right():
    truth = np.arange(80) % 3
    held = votes(COUNTS, CATEGORIES, truth=truth)
    own = sure([CATEGORIES[k] for k in truth], CATEGORIES)
    part = part_of(compare(held, [choosing_model("m", CATEGORIES, own)], resamples=40), "errors")
    assert measure_of(part, "accuracy").models["m"].value == 1
    assert part.stimuli == 80
    assert part.confusions.people.counts.sum() == COUNTS.sum()
    assert "the right answer is the intended category" in part.simulated


def test_votes_are_those_of_the_plain_functions():
    table = np.random.default_rng(6).dirichlet(np.ones(3), 80)
    held = votes(COUNTS, CATEGORIES)
    part = part_of(compare(held, [choosing_model("m", CATEGORIES, table)], resamples=40), "votes")
    shared = bootstrap(80, groups=held.groups, resamples=40)
    agreement, ceiling = vote_agreement({"m": table}, COUNTS, shared)
    for name in ("kl", "brier", "cross_entropy"):
        measure = measure_of(part, name.replace("_", "-"))
        assert measure.models["m"].value == pytest.approx(getattr(agreement["m"], name).value)
        assert measure.models["m"].draws == pytest.approx(getattr(agreement["m"], name).draws)
    assert measure_of(part, "kl").people.value == ceiling.bias
    assert measure_of(part, "cross-entropy").people.value == ceiling.cross_entropy.value
    assert measure_of(part, "brier").people.value == ceiling.brier


def test_columns_meet_by_name():
    table = np.random.default_rng(6).dirichlet(np.ones(3), 80)
    turned = choosing_model("turned", ("Happy", "angry", "fear"), table[:, [2, 0, 1]])
    found = compare(votes(COUNTS, CATEGORIES), [choosing_model("m", CATEGORIES, table), turned], resamples=40)
    for part in found.parts:
        for measure in part.measures:
            assert measure.models["turned"].value == pytest.approx(measure.models["m"].value), measure.name


def test_a_valence_network_is_held_against_votes_by_polarity():
    table = np.random.default_rng(6).dirichlet(np.ones(2), 80)
    found = compare(
        votes(COUNTS, ("anger", "happiness", "surprise")),
        [choosing_model("two", ("positive", "negative"), table)],
        resamples=40,
    )
    part = part_of(found, "votes-2")
    assert part.categories == ("negative", "positive")
    valued = COUNTS[:, :2][COUNTS[:, :2].any(axis=1)]
    assert part.stimuli == len(valued)
    own = table[COUNTS[:, :2].any(axis=1)][:, ::-1]
    expected = vote_agreement({"two": own}, valued, bootstrap(len(valued), resamples=2))[0]["two"].brier.value
    assert measure_of(part, "brier").models["two"].value == pytest.approx(expected)
    assert any("of people's choices are for other categories" in note for note in part.notes)


def test_hard_answers_have_no_cross_entropy_and_it_is_said():
    hard = choosing_model("hard", CATEGORIES, np.eye(3)[np.zeros(80, dtype=int)])
    part = part_of(compare(votes(COUNTS, CATEGORIES), [hard], resamples=40), "votes")
    assert measure_of(part, "kl").models["hard"].value is None
    assert any("KL and cross-entropy of hard are undefined: hard gives probability 0" in note for note in part.notes)


def test_the_largest_distances_are_shares_of_choices():
    counts = [[10, 0, 0], [5, 5, 0], [0, 0, 10]]
    table = [[1.0, 0, 0], [0.5, 0.4, 0.1], [1.0, 0, 0]]
    found = compare(votes(counts, CATEGORIES), [choosing_model("m", CATEGORIES, table)], resamples=20)
    differing = next(d for d in found.differing if d.part.startswith("votes"))
    assert [(row[0], pytest.approx(row[1])) for row in differing.stimuli] == [("picture 2", 1.0), ("picture 1", 0.1)]
    assert differing.stimuli[0][2:] == ("happiness 100 %", "anger 100 %")


def test_leftovers_of_both_sides_are_counted():
    model = choosing_model("m", CATEGORIES, np.full((60, 3), 1 / 3))
    found = compare(votes(COUNTS, CATEGORIES), [model], resamples=20)
    assert found.joined.unseen["m"].count == 20 and found.joined.unrated["m"].count == 0
    assert any("m has no answer to 20" in note for note in found.notes)
    assert names(60)[0] == found.people.ids[found.joined.people][0]


def test_people_with_one_class_alone_are_refused_in_one_line():
    people = trials({"anna": ["positive"] * 6, "ben": ["positive"] * 6}, ["positive"] * 6)
    model = choosing_model("net", ["negative", "positive"], [[0.4, 0.6]] * 6)
    with pytest.raises(DataError, match='people answer "positive" to everything'):
        compare(people, [model], resamples=20)


def test_kappa_is_undefined_beside_people_who_are_always_right():
    truth = ["negative", "positive"] * 6
    people = trials({"anna": truth, "ben": truth}, truth)
    model = choosing_model("net", ["negative", "positive"], [[0.4, 0.6]] * 11 + [[0.6, 0.4]])
    found = compare(people, [model], resamples=20)
    kappa = next(m for part in found.parts for m in part.measures if m.name == "error-consistency")
    assert kappa.models["net"].value is None and "people are right" in kappa.models["net"].reason


def test_a_model_without_answers_and_features_is_refused():
    with pytest.raises(UsageError, match="net: neither answers nor features"):
        compare(votes(COUNTS, CATEGORIES), [Model(name="net")], resamples=20)


def test_what_a_model_says_of_other_categories_is_counted():
    table = np.tile([0.2, 0.3, 0.25, 0.25], (80, 1))
    wider = choosing_model("wider", (*CATEGORIES, "surprise"), table)
    part = part_of(compare(votes(COUNTS, CATEGORIES), [wider], resamples=20), "votes")
    assert any(note.startswith("25.0 % of what wider says is of other categories") for note in part.notes), part.notes
