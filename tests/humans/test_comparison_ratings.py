"""Ratings: every number is that of the plain function, on the same stimuli and in people's units; ceilings by hand."""

import numpy as np
import pytest
from comparison_people import choosing_model, measure_of, names, rating_model, ratings, votes
from scipy import stats

from affekt.affect import RatingScale
from affekt.errors import DataError, UsageError
from affekt.humans.comparison import compare
from affekt.humans.people import Answers

N = 60


@pytest.fixture(scope="module")
def truth():
    return np.random.default_rng(0).uniform(1.5, 6.5, N)


def noisy(truth, sd, seed):
    return np.clip(truth + np.random.default_rng(seed).normal(0, sd, len(truth)), 1, 7)


def test_numbers_are_those_of_scipy(truth):
    own = noisy(truth, 1.0, 1)
    (part,) = compare(ratings(truth), [rating_model("a", own)], resamples=50).parts
    values = {m.name: m.models["a"].value for m in part.measures}
    assert values["pearson"] == pytest.approx(stats.pearsonr(own, truth).statistic)
    assert values["spearman"] == pytest.approx(stats.spearmanr(own, truth).statistic)
    assert values["rmse"] == pytest.approx(np.sqrt(np.mean((own - truth) ** 2)))
    assert values["mae"] == pytest.approx(np.abs(own - truth).mean())
    assert part.stimuli == part.units == N


def test_another_scale_is_converted_ends_onto_ends(truth):
    own = noisy(truth, 1.0, 1)
    wide = rating_model("wide", (own - 1) / 6 * 200 - 100, RatingScale(-100, 100))
    (part,) = compare(ratings(truth), [rating_model("a", own), wide], resamples=50).parts
    for measure in part.measures:
        assert measure.models["wide"].value == pytest.approx(measure.models["a"].value), measure.name
        assert all(pair.value == pytest.approx(0, abs=1e-12) for pair in measure.pairs)


def test_an_unknown_scale_is_taken_to_be_peoples_and_said(truth):
    (part,) = compare(ratings(truth), [rating_model("a", truth, None), rating_model("b", truth)], resamples=50).parts
    assert measure_of(part, "rmse").models["a"].value == pytest.approx(0, abs=1e-9)
    (said,) = [note for note in part.notes if "does not state the scale" in note]
    span = f"{truth.min():g} to {truth.max():g}"
    assert said.startswith("a does not state the scale of its valence: taken to be people's, 1 to 7")
    assert span in said and "--answers scale=LOW..HIGH" in said


@pytest.mark.parametrize("last", [7.1, 0.9, 12])
def test_one_rating_that_is_not_of_peoples_scale_asks_for_the_scale(truth, last):
    own = np.append(truth[:-1], last)
    with pytest.raises(DataError, match=r"a: valence: 1 of 60 ratings lie outside people's scale 1 to 7 .* scale=LOW"):
        compare(ratings(truth), [rating_model("a", own, None)], resamples=50)
    edge = np.append(truth[:-1], [7.0])
    assert compare(ratings(truth), [rating_model("a", edge, None)], resamples=50).parts


def test_classes_stand_for_valence_in_correlations_alone(truth):
    positive = (truth - 1) / 6
    table = np.stack([1 - positive, positive], axis=1)
    (part,) = compare(ratings(truth), [choosing_model("classes", ("negative", "positive"), table)], resamples=50).parts
    assert measure_of(part, "pearson").models["classes"].value == pytest.approx(1)
    assert measure_of(part, "ccc").models["classes"].value is None
    assert any("gives classes" in note for note in part.notes)


def test_ceilings_follow_from_the_reliability(truth):
    sd, n = 2.0, 16
    people = ratings(truth, sds={"valence": np.full(N, sd)}, counts={"valence": np.full(N, float(n))})
    (part,) = compare(people, [rating_model("a", noisy(truth, 1.0, 1))], resamples=50).parts
    q = 1 - sd**2 / n / truth.var(ddof=1)
    lines = {m.name: m.people for m in part.measures}
    assert lines["pearson"].value == pytest.approx(np.sqrt(q))
    assert lines["spearman"].value == pytest.approx(6 / np.pi * np.arcsin(np.sqrt(q) / 2))
    assert lines["ccc"].value == pytest.approx(2 * q / (1 + q))
    assert lines["rmse"].value == pytest.approx(np.sqrt((1 - q) * truth.var()))
    assert lines["pearson"].ceiling and "noise ceiling" in lines["pearson"].said
    assert lines["mae"] is None


def test_a_model_of_the_true_means_comes_up_to_the_ceilings():
    """4,000 stimuli, true means known: what it reaches against noisy means is what the ceilings say."""
    rng = np.random.default_rng(0)
    true = rng.normal(4, 0.8, 4000)
    n, sd = 8, 1.5
    means = true + rng.normal(0, sd / np.sqrt(n), 4000)
    scale = RatingScale(-20, 28)
    people = ratings(means, scale=scale, sds={"valence": np.full(4000, sd)}, counts={"valence": np.full(4000, 8.0)})
    (part,) = compare(people, [rating_model("true", true, scale)], resamples=20).parts
    for name in ("pearson", "spearman", "ccc", "rmse"):
        measure = measure_of(part, name)
        assert measure.models["true"].value == pytest.approx(measure.people.value, abs=0.012), name


def test_single_ratings_give_a_split_half_ceiling(truth):
    rng = np.random.default_rng(3)
    table = np.clip(np.rint(truth + rng.normal(0, 1, (9, N))), 1, 7)
    people = ratings(table.mean(axis=0), raters={"valence": table}, rater_names=tuple("abcdefghi"))
    (part,) = compare(people, [rating_model("a", truth)], resamples=50).parts
    line = measure_of(part, "pearson").people
    assert 0.9 < line.value < 1 and "halves of the raters" in line.said
    assert any(note.startswith("One rater's ratings correlate 0.") for note in part.notes)


def test_without_spread_there_is_no_ceiling_and_it_is_said(truth):
    (part,) = compare(ratings(truth), [rating_model("a", truth)], resamples=50).parts
    line = measure_of(part, "pearson").people
    assert line.value is None and "standard deviation" in line.reason
    assert any(note.startswith("No noise ceiling") for note in part.notes)


def test_constant_answers_are_undefined_with_a_reason(truth):
    (part,) = compare(
        ratings(truth), [rating_model("flat", np.full(N, 4.0)), rating_model("a", truth)], resamples=50
    ).parts
    r = measure_of(part, "pearson")
    assert r.models["flat"].value is None
    assert "Pearson's r and Spearman of flat are undefined: flat has the same number" in " ".join(part.notes)
    assert [(p.first, p.second) for p in r.pairs] == []


def test_stimuli_without_a_rating_are_left_out_and_counted(truth):
    means = truth.copy()
    means[:7] = np.nan
    (part,) = compare(ratings(means), [rating_model("a", noisy(truth, 1.0, 1))], resamples=50).parts
    assert part.stimuli == N - 7
    assert "7 stimuli left out" in " ".join(part.notes)


def test_too_few_common_ratings_say_who_has_how_many(truth):
    means, own = truth.copy(), noisy(truth, 1.0, 1)
    means[2:], own[0] = np.nan, np.nan
    with pytest.raises(DataError, match=r"of 60 common stimuli people and all models have rated 1 \(people 2, a 59\)"):
        compare(ratings(means), [rating_model("a", own)], resamples=50)


def test_groups_are_drawn_whole(truth):
    people = ratings(truth, groups=np.repeat(names(12, "theme"), 5))
    assert compare(people, [rating_model("a", truth)], resamples=50).parts[0].units == 12


def test_pairs_are_adjusted_within_a_measure(truth):
    models = [
        rating_model(name, noisy(truth, sd, k)) for k, (name, sd) in enumerate((("a", 0.3), ("b", 1), ("c", 1.1)))
    ]
    (part,) = compare(ratings(truth), models, resamples=300).parts
    pairs = {(p.first, p.second): p for p in measure_of(part, "pearson").pairs}
    assert list(pairs) == [("a", "b"), ("a", "c"), ("b", "c")]
    smallest = min(pairs.values(), key=lambda p: p.p)
    assert smallest.p_holm == pytest.approx(min(1, 3 * smallest.p))


def test_the_largest_distances_come_first(truth):
    own = truth.copy()
    own[[5, 9]] += (1.5, -2.5)
    found = compare(ratings(truth), [rating_model("a", own)], resamples=20)
    (differing,) = found.differing
    assert [row[0] for row in differing.stimuli] == ["picture 9", "picture 5"]
    assert differing.stimuli[0][1] == pytest.approx(2.5)


def test_valence_of_votes_by_hand():
    """3 happy, 1 angry, 2 surprised: (3 - 1) / 4; a face of surprise alone has no valence."""
    people = votes([[3, 1, 2], [0, 4, 0], [4, 0, 0], [0, 0, 5], [2, 2, 0]], ("happiness", "anger", "surprise"))
    table = [[0.5, 0.25, 0.25], [0.1, 0.9, 0], [0.8, 0.2, 0], [0.3, 0.3, 0.4], [0.4, 0.6, 0]]
    found = compare(people, [choosing_model("m", people.categories, table)], resamples=20)
    part = next(p for p in found.parts if p.id == "rating-valence")
    assert part.scatter.people == pytest.approx([0.5, -1, 1, 0])
    assert part.scatter.models["m"] == pytest.approx([1 / 3, -0.8, 0.6, -0.2])
    assert measure_of(part, "rmse").models["m"].value is not None


def test_ratings_outside_the_scale_are_refused(truth):
    people = ratings(np.append(truth[:-1], 7.5))
    with pytest.raises(DataError, match="outside the scale 1 to 7"):
        compare(people, [rating_model("a", truth)], resamples=20)


def test_a_model_in_other_terms_is_refused(truth):
    other = choosing_model("animals", ("cat", "dog"), np.full((N, 2), 0.5))
    with pytest.raises(DataError, match="animals: answers with cat, dog; people rated valence"):
        compare(ratings(truth), [other], resamples=20)


def test_two_models_of_one_name_are_refused(truth):
    with pytest.raises(UsageError, match="a: the name of two models"):
        compare(ratings(truth), [rating_model("a", truth), rating_model("a", truth)])


def test_nothing_in_common_shows_ids_of_both_sides(truth):
    strange = Answers(name="b", ids=names(N, "file"), ratings={"valence": truth})
    model = rating_model("b", truth)
    with pytest.raises(DataError, match=r"file 0, file 1, file 2.*picture 0, picture 1, picture 2"):
        compare(ratings(truth), [type(model)(name="b", answers=strange)])
