"""RSA where single people are known: mean over people, noise ceiling, who is left out; pooled people have none."""

from dataclasses import replace

import numpy as np
import pytest
from comparison_people import feature_model, measure_of, names, ratings, trials, votes

from affekt.cli.compare_table import _rows
from affekt.humans.comparison import compare, to_json
from affekt.humans.comparison.report.charts.measures import caption, line_in_words
from affekt.humans.comparison.report.page import cautions, key
from affekt.humans.comparison.report.tables import part_table
from affekt.humans.comparison.single_people import _block
from affekt.humans.representations import (
    category_rdm,
    cka_halves,
    compare_rdms,
    feature_rdm,
    noise_ceiling,
    rating_rdm,
    rsa,
    vote_rdm,
)

RNG = np.random.default_rng(0)
RIGHT = np.array(["a", "b", "c"] * 8)
FEATURES = RNG.normal(size=(24, 6)) + 2 * (RIGHT[:, None] == np.array(["a", "b", "c", "a", "b", "c"]))
ANSWERS = {f"s{k}": np.where(RNG.random(24) < 0.7, RIGHT, RNG.choice(["a", "b", "c"], 24)).tolist() for k in range(4)}


def features_part(people, features=FEATURES, resamples=20):
    return compare(people, [feature_model("m", features)], resamples=resamples).parts[-1]


def rated(noise=0.8, raters=5, missing=()):
    """Means and single ratings in two dimensions, as a table of raters gives them."""
    rng = np.random.default_rng(1)
    single = {
        d: np.clip(rng.uniform(2, 6, 24) + rng.normal(0, noise, (raters, 24)), 1, 7) for d in ("valence", "arousal")
    }
    for rater, stimulus in missing:
        single["arousal"][rater, stimulus] = np.nan
    means = {dimension: np.nanmean(table, axis=0) for dimension, table in single.items()}
    return replace(ratings(means["valence"]), means=means, raters=single, rater_names=tuple("abcdefgh"[:raters]))


def test_answers_of_single_people():
    measure = measure_of(features_part(trials(ANSWERS, RIGHT.tolist())), "rsa-votes")
    rdms = [category_rdm(own) for own in ANSWERS.values()]
    expected = np.mean([compare_rdms(feature_rdm(FEATURES), rdm) for rdm in rdms])
    assert measure.models["m"].value == pytest.approx(expected)
    ceiling = noise_ceiling(rdms)
    assert (measure.people.low, measure.people.high) == (ceiling.lower, ceiling.upper)
    assert measure.people.value == ceiling.upper and measure.people.low < measure.people.high
    assert measure.people.bounds and "mean over 4 people" in measure.about


def test_people_are_drawn_with_the_stimuli():
    estimate = measure_of(features_part(trials(ANSWERS, RIGHT.tolist())), "rsa-votes").models["m"]
    rdms = [category_rdm(own) for own in ANSWERS.values()]
    groups = names(24)
    both, alone = (
        rsa(feature_rdm(FEATURES), rdms, draws=20, groups=groups, resampled=units).draws[:, 0]
        for units in (("stimuli", "people"), ("stimuli",))
    )
    np.testing.assert_allclose(estimate.draws, both, atol=1e-14)
    assert not np.allclose(estimate.draws, alone)


def test_a_ceiling_by_hand():
    """Answers x x y y and x y y y: pairs 0 1 1 1 1 0 and 1 1 1 0 0 0 do not correlate; ranks of their sums are
    3 5.5 5.5 3 3 1."""
    people = trials({"one": list("xxyy"), "two": list("xyyy")}, list("xxyy"))
    line = measure_of(features_part(people, RNG.normal(size=(4, 5))), "rsa-votes").people
    assert line.low == pytest.approx(0, abs=1e-12)
    assert line.high == pytest.approx((3 / 20**0.5 + 3.5 / 22.5**0.5) / 2)


@pytest.mark.parametrize("seed", range(8))
def test_bounds_are_in_order(seed):
    rng = np.random.default_rng(seed)
    people = trials({f"s{k}": rng.choice(["a", "b"], 24).tolist() for k in range(2 + seed % 3)}, RIGHT.tolist())
    line = measure_of(features_part(people, resamples=2), "rsa-votes").people
    assert -1 <= line.low <= line.high <= 1


def test_the_ceiling_is_rsatoolboxs():
    toolbox = pytest.importorskip("rsatoolbox", reason="rsatoolbox (extra humans) is not installed")
    people = rated()
    measure = measure_of(features_part(people), "rsa-ratings")
    single = np.stack(list(people.raters.values()), axis=2)
    rdms = toolbox.rdm.RDMs(np.stack([rating_rdm(own) for own in single]))
    model = toolbox.model.ModelFixed("m", feature_rdm(FEATURES))
    expected = toolbox.inference.eval_fixed(model, rdms, method="spearman")
    assert measure.models["m"].value == pytest.approx(np.mean(expected.evaluations))
    np.testing.assert_allclose([measure.people.low, measure.people.high], expected.noise_ceiling, atol=1e-12)


def test_a_person_of_one_answer_and_one_of_few_are_left_out_and_said():
    few = ["", *["a"] * 3, *[""] * 20]
    gaps = ["", *ANSWERS["s3"][1:]]
    people = trials({**ANSWERS, "s3": gaps, "same": ["a"] * 24, "few": few}, RIGHT.tolist())
    part = features_part(people)
    measure = measure_of(part, "rsa-votes")
    rdms = [category_rdm(own[1:]) for own in ANSWERS.values()]
    expected = np.mean([compare_rdms(feature_rdm(FEATURES[1:]), rdm) for rdm in rdms])
    assert measure.models["m"].value == pytest.approx(expected)
    people = "1 person with too little in common, 1 person with one answer to everything"
    assert f"RSA, votes: {people} and 1 stimulus that not all answered left out." in part.notes


def test_the_block_with_most_answers():
    """Three people have 8 of 10 stimuli in common, a fourth would leave 5: 24 answers and 20."""
    given = np.ones((4, 10), dtype=bool)
    given[1, 0] = given[2, 1] = False
    given[0, 5:] = False
    who, rows = _block(given)
    assert who.tolist() == [1, 2, 3] and rows.tolist() == list(range(2, 10))


def test_ratings_that_miss_one_dimension_are_missing():
    missing = [(0, 3), (2, 4)]
    part = features_part(rated(missing=missing))
    assert "RSA, ratings (valence, arousal): 2 stimuli that not all answered left out." in part.notes
    assert measure_of(part, "rsa-ratings").people.value is not None


@pytest.mark.parametrize(
    ("people", "why"),
    [
        (ratings(RNG.uniform(1, 7, 24)), "people are pooled (means, without single people's ratings)"),
        (rated(raters=1), "one person alone has answered"),
        (
            rated(raters=2, missing=[(0, i) for i in range(13)]),
            "people are pooled (no two of 2 have 12 of 24 stimuli in",
        ),
    ],
)
def test_pooled_ratings_have_their_point_and_no_ceiling(people, why):
    part = features_part(people)
    measure = measure_of(part, "rsa-ratings")
    table = np.stack(list(people.means.values()), axis=1)
    assert measure.models["m"].value == compare_rdms(feature_rdm(FEATURES), rating_rdm(table))
    assert measure.people.value is None and why in measure.people.reason and why in measure.about
    assert any(f"no noise ceiling: {why}" in note for note in part.notes)
    assert caption(part, measure).count(why) == 1


def test_votes_have_their_point_and_no_ceiling():
    counts = RNG.multinomial(9, [0.5, 0.3, 0.2], 24)
    part = features_part(votes(counts, ("anger", "fear", "awe")))
    measure = measure_of(part, "rsa-votes")
    assert measure.models["m"].value == compare_rdms(feature_rdm(FEATURES), vote_rdm(counts))
    assert measure.people.value is None and "people are pooled" in measure.people.reason
    assert "people are pooled" in measure_of(part, "rsa-categories").people.reason


def test_right_answers_are_nobodys():
    measure = measure_of(features_part(trials(ANSWERS, RIGHT.tolist())), "rsa-categories")
    assert measure.models["m"].value == compare_rdms(feature_rdm(FEATURES), category_rdm(RIGHT))
    assert measure.people.reason == "the right answers are nobody's own"


def test_groups_are_drawn_as_a_whole():
    groups = np.repeat(np.arange(8), 3).astype(str)
    part = features_part(replace(rated(), groups=groups))
    people = replace(rated(), groups=groups)
    single = np.stack(list(people.raters.values()), axis=2)
    found = measure_of(part, "rsa-ratings").models["m"]
    expected = rsa(feature_rdm(FEATURES), [rating_rdm(own) for own in single], draws=20, groups=groups)
    np.testing.assert_allclose(found.draws, expected.draws[:, 0], atol=1e-14)
    aligned = measure_of(part, "cka-ratings").models["m"]
    table = np.stack(list(people.means.values()), axis=1)
    np.testing.assert_allclose(aligned.draws, cka_halves(FEATURES, table, groups=groups, draws=20), atol=1e-14)
    assert part.units == found.units == aligned.units == 8
    words = "RSA: 20 draws of groups of stimuli (with ratings (valence, arousal), of people too)"
    assert part.notes[0].startswith(words)


def test_one_group_has_points_and_no_intervals():
    part = features_part(replace(rated(), groups=np.full(24, "one")))
    for name in ("rsa-ratings", "cka-ratings"):
        measure = measure_of(part, name)
        assert measure.models["m"].value is not None and measure.interval("m") is None
    assert "All stimuli are of one group, which says nothing of others: no intervals." in part.notes


def test_the_ceiling_stands_in_table_record_and_page():
    found = compare(trials(ANSWERS, RIGHT.tolist()), [feature_model("m", FEATURES)], resamples=20)
    part = found.parts[-1]
    line = measure_of(part, "rsa-votes").people
    words = f"{line.low:.2f} to {line.high:.2f}"
    assert "over 24 stimuli and people. Diamond and dashes: noise ceiling" in caption(
        part, measure_of(part, "rsa-votes")
    )
    assert line_in_words(line) == words and _rows(part)[0][:2] == ["people", words]
    table = part_table(part)
    assert table.columns[1].text(table.records[0]) == words and "both bounds" in table.caption
    written = next(m for m in to_json(found)["parts"][-1]["measures"] if m["name"] == "rsa-votes")["people"]
    assert (written["low"], written["high"], written["bounds"]) == (line.low, line.high, True)
    assert key(found)[-1]["people"] == f"ceiling {words}"
    assert cautions(found)[-1].endswith("only stimuli were drawn again, and people for RSA alone.")
