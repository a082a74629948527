"""Measures of maps against fixations and regions: by hand, against scipy and torchmetrics, within their bounds."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from affekt.data.manipulations import manipulate
from affekt.errors import DataError, UsageError
from affekt.humans.looking import (
    FACE,
    auc_judd,
    cc,
    centre_bias,
    face_mask,
    fixated,
    kl,
    nss,
    pointing,
    region_mask,
    region_share,
    shuffled_auc,
    sim,
)

MAP = np.array([[[0.0, 1.0], [2.0, 5.0]]])
"""Mean 2, standard deviation sqrt(3.5)."""

AT = {"best": np.array([[[0, 0], [0, 1]]]), "two": np.array([[[0, 3], [0, 1]]]), "worst": np.array([[[1, 0], [0, 0]]])}
EVEN = np.full((1, 2, 2), 0.25)


def drawn(n=6, seed=0, height=5, width=7):
    """Maps with ties, points with a fixation in every picture, densities with zeros."""
    rng = np.random.default_rng(seed)
    maps = rng.integers(0, 6, (n, height, width)).astype(float)
    points = rng.poisson(0.3, (n, height, width))
    points[:, 0, 0] += 1
    return maps, points, np.maximum(rng.normal(size=(n, height, width)), 0) + 1e-3 * points


def stretched(maps, points, row):
    """Values at fixations, as often as they are fixated."""
    return np.repeat(maps[row].ravel(), points[row].ravel())


# ------------------------------------------------------------------------------------------------ by hand


def test_nss_by_hand():
    assert nss(MAP, AT["best"]) == pytest.approx([3 / 3.5**0.5])
    assert nss(MAP, AT["two"]) == pytest.approx([(3 * -1 + 3) / 4 / 3.5**0.5])


def test_auc_by_hand():
    assert auc_judd(MAP, AT["best"]) == [1.0] and auc_judd(MAP, AT["worst"]) == [0.0]
    assert auc_judd(MAP, AT["two"]) == pytest.approx([3 / 4])  # 5 above both others, 1 above one; how often is the same
    assert auc_judd(EVEN, AT["two"]) == [0.5]


def test_shuffled_auc_by_hand():
    """Others are looked at where the map has 1 (twice) and 5 (once): 5 is above two and ties with one."""
    points = np.concatenate([AT["best"], np.array([[[0, 2], [0, 1]]])])
    maps = np.concatenate([MAP, MAP])
    assert shuffled_auc(maps, points) == pytest.approx([2.5 / 3, (2 * 0 + 1 * 0.5) / 3])


def test_cc_kl_and_sim_by_hand():
    density = np.array([[[0.0, 0.0], [0.5, 0.5]]])
    assert cc(MAP, density) == pytest.approx([((2 + 5) / 8 - 2 / 4) / (3.5**0.5 / 4)])
    q = 0.9 * np.array([2, 5]) / 8 + 0.1 / 4
    assert kl(MAP, density, floor=0.1) == pytest.approx([0.5 * np.log(0.5 / q).sum()])
    assert sim(MAP, density) == pytest.approx([0.25 + 0.5])


def test_shares_and_pointing_by_hand():
    right = np.array([[0.0, 1.0], [0.0, 1.0]])
    assert region_share(MAP, right) == pytest.approx([6 / 8])
    assert region_share(EVEN, right) == pytest.approx([0.5])
    assert pointing(MAP, right) == [1.0] and pointing(MAP, 1 - right) == [0.0]
    assert pointing(np.array([[[7.0, 7.0], [7.0, 0.0]]]), right) == pytest.approx([1 / 3])
    assert pointing(-MAP, right) == [0.0]


def test_fixated_by_hand():
    density = np.arange(20.0).reshape(1, 4, 5)
    assert fixated(density, 0.1)[0].ravel().nonzero()[0].tolist() == [18, 19]
    assert fixated(density, 0.01).sum() == 1  # never none
    assert fixated(np.minimum(density, 17), 0.05).sum() == 3  # as dense as the last of them
    assert fixated(np.where(density < 17, 0, 1), 0.9).sum() == 3  # empty ones never


def test_the_centre_bias_by_hand():
    found = centre_bias(3, 4, spread=0.25)
    x, y = np.exp(-((np.array([1.5, 0.5]) / 4) ** 2) / 0.125), np.exp(-((np.array([1, 0]) / 3) ** 2) / 0.125)
    expected = np.outer(y[[0, 1, 0]], x[[0, 1, 1, 0]])
    np.testing.assert_allclose(found, expected / expected.sum())


# ------------------------------------------------------------------------------------------------ other libraries


def test_against_scipy_and_torchmetrics():
    from torchmetrics.functional import kl_divergence, pearson_corrcoef
    from torchmetrics.functional.classification import binary_auroc

    maps, points, density = drawn()
    found = {f.__name__: f(maps, points) for f in (nss, auc_judd, shuffled_auc)}
    found |= {f.__name__: f(maps, density) for f in (cc, kl, sim)}
    for row in range(len(maps)):
        z = stats.zscore(maps[row].ravel())
        assert found["nss"][row] == pytest.approx(np.repeat(z, points[row].ravel()).mean())
        there = points[row].ravel() > 0
        u = stats.mannwhitneyu(maps[row].ravel()[there], maps[row].ravel()[~there]).statistic
        assert found["auc_judd"][row] == pytest.approx(u / (there.sum() * (~there).sum()))
        theirs = binary_auroc(torch.tensor(maps[row].ravel() / 10), torch.tensor(there.astype(int)))
        assert found["auc_judd"][row] == pytest.approx(theirs.item(), abs=1e-6)
        own = stretched(maps, points, row)
        others = np.concatenate([np.repeat(maps[row].ravel(), points[j].ravel()) for j in range(len(maps)) if j != row])
        assert found["shuffled_auc"][row] == pytest.approx(
            stats.mannwhitneyu(own, others).statistic / (len(own) * len(others))
        )
        one, two = torch.tensor(maps[row].ravel()), torch.tensor(density[row].ravel())
        assert found["cc"][row] == pytest.approx(pearson_corrcoef(one, two).item())
        p, q = two / two.sum(), 0.999 * one / one.sum() + 0.001 / one.numel()
        assert found["kl"][row] == pytest.approx(stats.entropy(p, q))
        assert found["kl"][row] == pytest.approx(kl_divergence(p[None] + 1e-12, q[None]).item(), abs=1e-6)
        assert found["sim"][row] == pytest.approx(1 - (p - one / one.sum()).abs().sum().item() / 2)


def published_auc(values, there):
    """The published AUC-Judd: thresholds at the fixations alone, joined by straight lines."""
    at, n, pixels = np.sort(values[there])[::-1], there.sum(), len(values)
    hits = np.concatenate([[0], np.arange(1, n + 1) / n, [1]])
    above = np.array([(values >= threshold).sum() for threshold in at])
    false = np.concatenate([[0], (above - np.arange(1, n + 1)) / (pixels - n), [1]])
    return np.trapezoid(hits, false)


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_the_published_auc_is_at_most_half_a_fixation_higher(seed, n):
    rng = np.random.default_rng(seed)
    values, there = rng.permutation(40).astype(float), np.zeros(40, dtype=bool)
    there[rng.choice(40, n, replace=False)] = True
    exact = auc_judd(values.reshape(1, 5, 8), there.reshape(1, 5, 8))[0]
    assert exact - 1e-12 <= published_auc(values, there) <= exact + 1 / (2 * n) + 1e-12


# ------------------------------------------------------------------------------------------------ bounds


numbers = arrays(np.float64, (3, 4, 4), elements=st.integers(0, 9).map(float))
fixations = arrays(np.int64, (3, 4, 4), elements=st.integers(0, 2)).map(lambda a: a + np.eye(4, dtype=int)[None] * 1)


@given(numbers, fixations)
def test_bounds(maps, points):
    p = points.astype(float)
    n = (points > 0).sum((1, 2))
    for values, low, high in (
        (auc_judd(maps, points), 0, 1),
        (shuffled_auc(maps, points), 0, 1),
        (cc(maps, p), -1, 1),
        (kl(maps, p, floor=0.01), 0, np.log(16 / 0.01)),
        (sim(maps, p), 0, 1),
        (region_share(maps, np.eye(4)), 0, 1),
        (pointing(maps, np.eye(4)), 0, 1),
    ):
        assert all(np.isnan(v) or low - 1e-12 <= v <= high + 1e-12 for v in values)
    once = nss(maps, points > 0)
    assert all(np.isnan(z) or abs(z) <= ((16 - k) / k) ** 0.5 + 1e-9 for z, k in zip(once, n, strict=True) if k < 16)


@given(numbers, fixations, st.floats(0.1, 50), st.floats(-5, 5))
def test_what_does_not_change_them(maps, points, factor, shift):
    """Scale for all; shift and, for the AUCs, any rising function for those that only order or standardise."""
    p = points.astype(float)
    for measure in (nss, auc_judd, shuffled_auc, cc):
        np.testing.assert_allclose(measure(maps * factor + shift, p), measure(maps, p), atol=1e-9)
    for measure in (auc_judd, shuffled_auc):
        np.testing.assert_allclose(measure(np.exp(maps), points), measure(maps, points))
    for measure in (kl, sim):
        np.testing.assert_allclose(measure(maps * factor, p), measure(maps, p), atol=1e-9)
        np.testing.assert_allclose(measure(maps, p * factor), measure(maps, p), atol=1e-9)


@given(numbers)
def test_a_map_that_is_the_density_is_the_best(maps):
    maps = maps + np.eye(4) * 10  # some mass, and not even
    assert cc(maps, maps) == pytest.approx(np.ones(3))
    assert sim(maps, maps) == pytest.approx(np.ones(3))
    assert kl(maps, maps, floor=1e-12) == pytest.approx(np.zeros(3), abs=1e-9)
    assert auc_judd(maps, fixated(maps, 0.2)) == pytest.approx(np.ones(3))
    assert (cc(-maps, maps) == pytest.approx(-np.ones(3))) and (auc_judd(-maps, fixated(maps, 0.2)) == 0).all()


def test_an_even_map_is_chance():
    even, points = np.full((1, 2, 2), 0.1), AT["two"]
    assert np.isnan(nss(even, points)).all() and np.isnan(cc(even, points.astype(float))).all()
    assert kl(even, points.astype(float)) == pytest.approx([np.log(4) - stats.entropy([0.75, 0.25])])
    assert np.isnan(pointing(even, np.eye(2))).all()


def test_a_map_without_anything_says_nothing():
    nothing = np.zeros((1, 2, 2))
    for measure in (nss, cc, kl, sim):
        assert np.isnan(measure(nothing, AT["two"])).all()
    assert np.isnan(region_share(nothing, np.eye(2))).all()


# ------------------------------------------------------------------------------------------------ regions


@pytest.mark.parametrize("size", [48, 20, 7])
@pytest.mark.parametrize("region", FACE)
def test_the_face_is_where_the_occlusions_have_it(region, size):
    """The share of a point that is grey under the whole bar, on a white picture."""
    white = torch.ones(1, 3, size, size, dtype=torch.float64)
    covered = (1 - manipulate(white, region, 1.0)[0, 0].numpy()) / 0.5
    np.testing.assert_allclose(face_mask(region, size, size), covered, atol=1e-12)


def test_faces_in_boxes():
    boxes = torch.tensor([[2.0, 3.0, 22.0, 33.0], [0.0, 0.0, 40.0, 40.0]], dtype=torch.float64)
    white = torch.ones(2, 3, 40, 40, dtype=torch.float64)
    covered = (1 - manipulate(white, "mouth", 1.0, boxes=boxes)[:, 0].numpy()) / 0.5
    np.testing.assert_allclose(face_mask("mouth", 40, 40, boxes.numpy()), covered, atol=1e-12)


@given(st.floats(-2, 5), st.floats(-2, 5), st.floats(0.1, 9), st.floats(0.1, 9))
def test_a_mask_has_the_area_of_its_box(left, top, width, height):
    right, bottom = left + width, top + height
    area = (min(right, 6) - max(left, 0)) * (min(bottom, 6) - max(top, 0))
    if min(right, bottom) > 0.01:
        mask = region_mask([left, top, right, bottom], 6, 6)
        assert mask.sum() == pytest.approx(area) and mask.max() <= 1
        assert region_share(np.ones((1, 6, 6)), mask) == pytest.approx([area / 36])


# ------------------------------------------------------------------------------------------------ what cannot be


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (lambda: nss(MAP[0], AT["best"][0]), UsageError, r"maps: shape \(2, 2\); \(pictures, H, W\) is asked"),
        (lambda: nss(MAP, np.ones((1, 3, 3))), UsageError, r"points: shape \(1, 3, 3\) for maps of \(1, 2, 2\)"),
        (lambda: nss(MAP * np.nan, AT["best"]), DataError, "maps: NaN or Inf in 1 of 1: 0"),
        (lambda: cc(MAP, np.zeros((1, 2, 2))), DataError, "density: below zero, or zero everywhere, in 1 of 1 .*: 0;"),
        (lambda: cc(MAP, -EVEN), DataError, "below zero"),
        (lambda: kl(-MAP, EVEN), DataError, r"maps: values below zero in 1 of 1: 0; .* give maps.clip\(0\)"),
        (lambda: kl(MAP, EVEN, floor=0), UsageError, r"floor = 0: a share in \(0, 1\]"),
        (lambda: region_share(-MAP, np.eye(2)), DataError, "share of a signed map is not defined"),
        (lambda: region_share(MAP, np.eye(3)), UsageError, r"mask of shape \(3, 3\) for maps of \(1, 2, 2\)"),
        (lambda: region_share(MAP, 2 * np.eye(2)), DataError, "mask: shares of a point from 0 to 1"),
        (lambda: shuffled_auc(MAP, AT["two"]), UsageError, "one picture; it needs the fixations on others"),
        (lambda: fixated(MAP, 1.0), UsageError, r"share = 1.0: a share of the points in \(0, 1\)"),
        (lambda: centre_bias(4, 4, 0.0), UsageError, "spread = 0.0"),
        (lambda: face_mask("nose", 8, 8), UsageError, 'region "nose": write one of eyes, mouth'),
        (lambda: face_mask("eyes", 8, 8, [[1, 2]]), UsageError, r"boxes of shape \(1, 2\)"),
        (lambda: region_mask([1, 2, 1, 4], 8, 8), UsageError, "box without area in 8 x 8 points"),
        (lambda: region_mask([9, 2, 12, 4], 8, 8), UsageError, "box without area"),
        (lambda: region_mask([1, 2], 8, 8), UsageError, r"box of shape \(2,\)"),
    ],
)
def test_what_cannot_be(run, error, message):
    with pytest.raises(error, match=message):
        run()
