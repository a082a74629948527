"""Scores of a probe: means over repeats in every resample, within folds, ceilings, the chosen layer, differences."""

import numpy as np
import pytest
import torch
from scipy import stats

from affekt.affect import RatingScale
from affekt.data import ArrayPictures, Labels, Stimuli
from affekt.errors import UsageError
from affekt.humans.agreement import bootstrap, from_spread, rating_agreement
from affekt.humans.probing.choosing import choose
from affekt.humans.probing.comparing import check_against, differences, resolve_against
from affekt.humans.probing.keeping import Predictions
from affekt.humans.probing.scoring import ceiling_of, pearson_of, score, truths
from affekt.multiplicity import holm

N, REPEATS, FOLDS = 40, 3, 4


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    valence = rng.uniform(1, 7, N).astype(np.float32)
    arousal = rng.uniform(1, 7, N).astype(np.float32)
    arousal[:5] = np.nan
    spread = {"valence": rng.uniform(0.5, 2, N).astype(np.float32)}
    return Stimuli(
        name="set",
        ids=np.array([f"p{i}" for i in range(N)]),
        pictures=ArrayPictures(torch.zeros(N, 3, 8, 8, dtype=torch.uint8)),
        labels=Labels(
            ratings={"valence": valence, "arousal": arousal},
            rating_sd=spread,
            rating_n={"valence": np.full(N, 20, dtype=np.float32)},
            scale=RatingScale(1, 7),
        ),
        groups=np.array([f"g{i // 2}" for i in range(N)]),
    )


@pytest.fixture(scope="module")
def both(people):
    return truths(people, ["valence", "arousal"], resamples=200, seed=5)


def predictions(people, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    truth = np.stack([people.labels.ratings[d] for d in ("valence", "arousal")], axis=1)
    predicted = truth + noise * rng.normal(size=(REPEATS, N, 2))
    outer = np.stack([rng.permutation(np.arange(N) % FOLDS) for _ in range(REPEATS)])
    return Predictions(
        predicted=predicted,
        outer=outer,
        penalty=10.0 ** rng.integers(4, size=(REPEATS, FOLDS, 2)),
        error=rng.uniform(size=(REPEATS, FOLDS, 2)),
    )


def test_a_measure_is_the_mean_over_repeats_in_every_resample(people, both):
    found = predictions(people)
    for column, truth in enumerate(both):
        rows = np.flatnonzero(~np.isnan(people.labels.ratings[truth.dimension]))
        y = people.labels.ratings[truth.dimension][rows].astype(float)
        shared = bootstrap(len(rows), groups=people.groups[rows], resamples=200, seed=5)
        each = [rating_agreement({"m": p[rows, column]}, y, shared)["m"] for p in found.predicted]
        scored = score(found, column, truth)
        for measure in ("pearson", "spearman", "ccc", "rmse", "mae"):
            parts = [getattr(a, measure) for a in each]
            assert scored.measures[measure].value == pytest.approx(np.mean([p.value for p in parts]))
            np.testing.assert_allclose(scored.measures[measure].draws, np.mean([p.draws for p in parts], axis=0))
        assert scored.repeats == pytest.approx([stats.pearsonr(p[rows, column], y)[0] for p in found.predicted])
        assert scored.spread == pytest.approx(np.std(scored.repeats, ddof=1))
        assert scored.penalty == np.median(found.penalty[:, :, column])
        assert pearson_of(found, column, truth).value == scored.measures["pearson"].value


def test_within_folds(people, both):
    found = predictions(people)
    y = people.labels.ratings["valence"]
    each = [
        stats.pearsonr(p[folds == k, 0], y[folds == k])[0]
        for p, folds in zip(found.predicted, found.outer, strict=True)
        for k in range(FOLDS)
    ]
    assert score(found, 0, both[0]).within_folds == pytest.approx(np.mean(each))


def test_a_model_that_says_the_mean_has_no_r_within_folds_and_a_negative_one_over_all(people, both):
    found = predictions(people)
    y = people.labels.ratings["valence"].astype(float)
    for r in range(REPEATS):
        for k in range(FOLDS):
            found.predicted[r, found.outer[r] == k, 0] = y[found.outer[r] != k].mean()
    scored = score(found, 0, both[0])
    assert scored.within_folds is None
    assert scored.measures["pearson"].value < 0


def test_a_constant_is_undefined_and_says_why(people, both):
    found = predictions(people)
    found.predicted[1, :, 0] = 3.0
    table = score(found, 0, both[0]).to_dict()
    assert table["pearson"]["value"] is None and table["pearson"]["low"] is None
    assert "same number for all 40 stimuli" in table["pearson"]["reason"]
    assert table["pearson"]["repeats"][1] is None
    assert table["rmse"]["value"] > 0


def test_ceilings_where_spread_is_known(people, both):
    labels = people.labels
    shared = bootstrap(N, groups=people.groups, resamples=200, seed=5)
    expected = from_spread(labels.ratings["valence"], labels.rating_sd["valence"], labels.rating_n["valence"], shared)
    found = ceiling_of(both[0])
    assert (found["n"], found["groups"], found["raters"], found["method"]) == (N, N // 2, 20, "spread")
    assert found["value"] == expected.ceiling.value and found["reliability"] == expected.reliability.value
    assert (found["low"], found["high"]) == expected.ceiling.interval()
    without = ceiling_of(both[1])
    assert (without["value"], without["n"]) == (None, N - 5) and "standard deviations" in without["reason"]


def test_the_layer_of_each_fold_is_the_one_with_the_least_inner_error(people):
    layers = [predictions(people, seed) for seed in range(3)]
    layers = [
        Predictions(predicted=x.predicted, outer=layers[0].outer, penalty=x.penalty, error=x.error) for x in layers
    ]
    layers[1].error[0, 0, 0] = np.nan
    chosen = choose(layers)
    for r in range(REPEATS):
        for t in range(2):
            for k in range(FOLDS):
                errors = [x.error[r, k, t] for x in layers]
                best = layers[int(np.nanargmin(errors))]
                rows = chosen.outer[r] == k
                np.testing.assert_array_equal(chosen.predicted[r, rows, t], best.predicted[r, rows, t])
                assert chosen.error[r, k, t] == best.error[r, k, t]
                assert chosen.penalty[r, k, t] == best.penalty[r, k, t]


def test_differences_are_to_one_and_adjusted_over_all_dimensions(people, both):
    held = {"a": predictions(people), "b": predictions(people, 1, 2.0), "c": predictions(people, 2, 4.0)}
    estimates = {t.dimension: {n: pearson_of(x, i, t) for n, x in held.items()} for i, t in enumerate(both)}
    found = differences(estimates, "b")
    assert [(d["dimension"], d["first"], d["second"]) for d in found] == [
        (dimension, first, "b") for dimension in ("valence", "arousal") for first in ("a", "c")
    ]
    assert [d["p_holm"] for d in found] == pytest.approx(holm([d["p"] for d in found]))
    first = estimates["valence"]
    assert found[0]["value"] == pytest.approx(first["a"].value - first["b"].value)
    assert found[0]["low"] < found[0]["value"] < found[0]["high"]


def test_against():
    entries = ["net (imagenet)", "net (random)", "pixels"]
    assert resolve_against(None, entries) == "net (imagenet)"
    assert resolve_against("pixels", entries) == resolve_against("pix", entries) == "pixels"
    check_against("net", entries)
    check_against("pixels, last", entries)
    with pytest.raises(UsageError, match='--against "nett"'):
        check_against("nett", entries)
