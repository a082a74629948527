"""Overlap over pictures: what it is held against, each resample, and intervals that cover."""

import functools

import numpy as np
import pytest

from affekt.errors import DataError, UsageError
from affekt.humans.agreement import bootstrap
from affekt.humans.looking import (
    auc_judd,
    cc,
    centre_bias,
    face_mask,
    fixated,
    fixation_overlap,
    kl,
    nss,
    pointing,
    region_overlap,
    region_share,
    shuffled_auc,
    sim,
)
from affekt.humans.looking.rivals import other_pictures

MEASURES = {"NSS": nss, "AUC-Judd": auc_judd, "CC": cc, "KL": kl, "SIM": sim}


def looking(n, rng, size=8, hits=0.7, spread=1.2):
    """``(n, S, S)`` people's densities, a blob each, and maps: a blob near it with some chance, else anywhere."""
    where = rng.uniform(1, size - 1, (n, 2))
    near = rng.random(n) < hits
    seen = np.where(near[:, None], where + rng.normal(0, 0.7, (n, 2)), rng.uniform(0, size, (n, 2)))
    return blobs(seen, size, spread) + 0.05 * rng.random((n, size, size)), blobs(where, size, spread)


def blobs(where, size, spread):
    points = np.arange(size) + 0.5
    rows = np.exp(-((points - where[:, :1]) ** 2) / (2 * spread**2))
    columns = np.exp(-((points - where[:, 1:]) ** 2) / (2 * spread**2))
    return rows[:, :, None] * columns[:, None, :]


MAPS, DENSITY = looking(14, np.random.default_rng(3))
SHARED = bootstrap(14, resamples=30, seed=1)


def test_every_picture_counts_once_in_the_value():
    found = fixation_overlap(MAPS, DENSITY, SHARED)
    assert set(found) == {*MEASURES, "shuffled AUC"}
    points = fixated(DENSITY)
    for name, measure in MEASURES.items():
        people = points if name in ("NSS", "AUC-Judd") else DENSITY
        np.testing.assert_allclose(found[name].each, measure(MAPS, people))
        assert found[name].value.value == pytest.approx(measure(MAPS, people).mean())
        assert found[name].undefined == 0
    assert found["shuffled AUC"].value.value == pytest.approx(shuffled_auc(MAPS, points).mean())
    assert [name for name, o in found.items() if o.less_is_better] == ["KL"]


def test_what_they_are_held_against_is_the_same_measure_of_other_maps():
    found = fixation_overlap(MAPS, DENSITY, SHARED, seed=5)
    points, even = fixated(DENSITY), np.full_like(MAPS, 0.5)
    bias = np.broadcast_to(centre_bias(8, 8), MAPS.shape)
    for name, measure in MEASURES.items():
        people = points if name in ("NSS", "AUC-Judd") else DENSITY
        against = found[name].against
        chance = 0.0 if name in ("NSS", "CC") else measure(even, people).mean()
        assert against["uniform"].value.value == pytest.approx(chance)
        assert against["centre"].value.value == pytest.approx(measure(bias, people).mean())
        each = [measure(MAPS[other], people).mean() for other in other_pictures(14, 5)]
        assert against["shuffled"].value.value == pytest.approx(np.mean(each))
        for rival in against.values():
            assert rival.difference.value == pytest.approx(found[name].value.value - rival.value.value)
    auc = found["shuffled AUC"].against
    assert set(auc) == {"uniform", "centre"} and auc["uniform"].value.value == 0.5
    assert auc["centre"].value.value == pytest.approx(shuffled_auc(bias, points).mean())


def test_every_draw_is_of_the_drawn_pictures():
    """A pair of pictures stands in a resample as often as both of them do, which a list of all such pairs says."""
    found = fixation_overlap(MAPS, DENSITY, SHARED)["CC"]
    others = other_pictures(14, 0)
    for draw, weights in enumerate(np.concatenate(list(SHARED.weights())).astype(int)):
        drawn = np.repeat(np.arange(14), weights)
        own = cc(MAPS[drawn], DENSITY[drawn]).mean()
        pairs = [(i, o[i]) for o in others for i in range(14) for _ in range(weights[i] * weights[o[i]])]
        of_others = np.mean([cc(MAPS[o][None], DENSITY[i][None])[0] for i, o in pairs])
        assert found.value.draws[draw] == pytest.approx(own)
        assert found.against["shuffled"].value.draws[draw] == pytest.approx(of_others)
        assert found.against["shuffled"].difference.draws[draw] == pytest.approx(own - of_others)


@pytest.mark.parametrize("n", [2, 5, 30])
def test_others_are_other_and_each_as_often(n):
    found = other_pictures(n, 0)
    assert len(found) == min(10, n - 1)
    for other in found:
        assert (other != np.arange(n)).all() and sorted(other) == list(range(n))
    assert len({tuple(other) for other in found}) == len(found)
    if n == 30:
        assert not np.array_equal(found, other_pictures(n, 1))


def test_a_network_that_knows_the_centre_alone_is_no_better_than_the_centre_bias_and_other_maps():
    rng = np.random.default_rng(0)
    density = blobs(4 + rng.normal(0, 1, (60, 2)), 8, 1.0)
    maps = centre_bias(8, 8)[None] + 1e-4 * rng.random((60, 8, 8))
    found = fixation_overlap(maps, density, bootstrap(60))
    assert found["NSS"].value.interval()[0] > 0.5  # far above chance, and yet
    for name in MEASURES:
        for rival in ("centre", "shuffled"):
            assert found[name].against[rival].difference.value == pytest.approx(0, abs=0.02)
    assert found["shuffled AUC"].value.value == pytest.approx(0.5, abs=0.05)


def test_maps_that_say_nothing_are_counted_and_left_out_everywhere():
    maps = MAPS.copy()
    maps[2], maps[5] = 0.0, 0.3
    kept = np.delete(np.arange(14), [2, 5])
    found = fixation_overlap(maps, DENSITY, SHARED)
    for name, o in found.items():
        assert o.undefined == 2 and np.isnan(o.each[[2, 5]]).all() and not np.isnan(o.each[kept]).any(), name
        assert o.value.value == pytest.approx(np.nanmean(o.each))
    bias = np.broadcast_to(centre_bias(8, 8), MAPS.shape)
    assert found["CC"].against["centre"].value.value == pytest.approx(cc(bias, DENSITY)[kept].mean())
    shares = region_overlap(maps, face_mask("eyes", 8, 8), SHARED)["share"]
    assert shares.undefined == 2
    none = fixation_overlap(np.zeros_like(MAPS), DENSITY, SHARED)["NSS"]
    assert none.value.value is None and "no map of 14 says anything" in none.value.reason
    assert none.against["centre"].difference.value is None


def test_what_of_a_signed_map_counts():
    signed = MAPS - 0.4
    one, two = (fixation_overlap(signed, DENSITY, SHARED, counts=c)["CC"].each for c in ("positive", "absolute"))
    np.testing.assert_allclose(one, cc(signed.clip(0), DENSITY))
    np.testing.assert_allclose(two, cc(abs(signed), DENSITY))


def test_points_may_be_given():
    points = np.random.default_rng(1).poisson(0.3, MAPS.shape)
    points[:, 3, 3] += 1
    found = fixation_overlap(MAPS, DENSITY, SHARED, points=points)
    np.testing.assert_allclose(found["NSS"].each, nss(MAPS, points))
    np.testing.assert_allclose(found["AUC-Judd"].each, auc_judd(MAPS, points))
    np.testing.assert_allclose(found["shuffled AUC"].each, shuffled_auc(MAPS, points))
    np.testing.assert_allclose(found["CC"].each, cc(MAPS, DENSITY))


def test_regions():
    mask = face_mask("mouth", 8, 8)
    found = region_overlap(MAPS, mask, SHARED)
    np.testing.assert_allclose(found["share"].each, region_share(MAPS, mask))
    np.testing.assert_allclose(found["pointing"].each, pointing(MAPS, mask))
    for o in found.values():
        assert set(o.against) == {"uniform", "centre"}  # one region for all: other maps would be as good
        assert o.against["uniform"].value.value == pytest.approx(mask.mean())
    assert found["share"].against["centre"].value.value == pytest.approx((centre_bias(8, 8) * mask).sum())
    each = np.stack([mask if i % 2 else mask[::-1] for i in range(14)])
    assert "shuffled" in region_overlap(MAPS, each, SHARED)["share"].against


def test_groups_are_drawn_whole():
    groups = np.arange(14) // 2
    found = fixation_overlap(MAPS, DENSITY, bootstrap(14, groups=groups, resamples=30))["CC"]
    assert found.value.units == 7


@pytest.mark.parametrize("rival", [None, "centre", "shuffled"])
@pytest.mark.parametrize("measure", ["NSS", "AUC-Judd", "KL"])
def test_intervals_cover(rival, measure):
    """150 sets of 40 pictures; the truth is that of 6,000."""
    assert 0.90 <= coverage()[measure, rival] <= 0.99


@functools.cache
def coverage():
    truth = estimates(6000, seed=999, resamples=2)
    hits = dict.fromkeys(truth, 0)
    for trial in range(150):
        for key, estimate in estimates(40, seed=trial, resamples=200).items():
            low, high = estimate.interval()
            hits[key] += low <= truth[key].value <= high
    return {key: count / 150 for key, count in hits.items()}


def estimates(n, seed, resamples):
    """(measure, rival) -> the measure, and its difference from each rival."""
    maps, density = looking(n, np.random.default_rng([11, seed]))
    found = fixation_overlap(maps, density, bootstrap(n, resamples=resamples, seed=seed), seed=seed)
    kept = {(name, None): o.value for name, o in found.items()}
    return kept | {(name, rival): a.difference for name, o in found.items() for rival, a in o.against.items()}


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (lambda: fixation_overlap(MAPS, DENSITY[:, :4], SHARED), UsageError, r"points: shape \(14, 4, 8\) for maps"),
        (lambda: fixation_overlap(MAPS, DENSITY, bootstrap(3)), UsageError, "maps of 14 pictures, a bootstrap of 3"),
        (lambda: fixation_overlap(MAPS, DENSITY, SHARED, counts="all"), UsageError, 'counts "all": unknown'),
        (lambda: fixation_overlap(MAPS, DENSITY, SHARED, share=0), UsageError, "share = 0"),
        (lambda: fixation_overlap(MAPS, DENSITY, SHARED, floor=2), UsageError, "floor = 2"),
        (lambda: fixation_overlap(MAPS, DENSITY * 0, SHARED), DataError, "density: below zero, or zero everywhere"),
        (lambda: region_overlap(MAPS, np.eye(5), SHARED), UsageError, r"mask of shape \(5, 5\)"),
    ],
)
def test_what_cannot_be(run, error, message):
    with pytest.raises(error, match=message):
        run()
