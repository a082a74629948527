"""Figures: which pictures are shown, and files that are the same every time."""

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from affekt.errors import AffektError
from affekt.study.figures import Curve, Regulated, draw_regulation, extremes, overview


@given(st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=40), st.integers(0, 20))
def test_extremes_are_the_ends_and_never_overlap(values, n):
    r = np.array(values)
    highest, lowest = extremes(r, n)
    assert len(highest) == len(lowest) == min(n, len(values) // 2)
    assert not set(highest) & set(lowest)
    assert r[highest].tolist() == sorted(values, reverse=True)[: len(highest)]
    assert r[lowest].tolist() == sorted(values)[: len(lowest)]


@pytest.fixture
def regulated():
    rng = np.random.default_rng(0)
    r, category = rng.random(40), np.arange(40) % 4
    shown = np.concatenate(extremes(r, 5)).tolist()
    return Regulated(
        regulation=r,
        category=category,
        categories=("a", "b & c", "d", "e", "none of this"),
        captions=[f"word {i}" for i in range(40)],
        images={i: np.full((8, 8, 3), 10 * i % 255, dtype=np.uint8) for i in shown},
    )


CURVES = [
    Curve(name="baseline", epochs=[1, 2], accuracy=[0.2, 0.5], test=0.45),
    Curve(name="learn-e-reg", epochs=[1, 2], accuracy=[0.3, 0.6]),
]


def test_writes_a_png_and_an_svg_that_name_what_they_show(regulated, tmp_path):
    png, svg = overview(CURVES, regulated, tmp_path / "f", title="Title", credit="by Somebody", pictures=5)
    assert matplotlib.image.imread(png).shape[1] > 1000
    text = svg.read_text()
    highest, lowest = extremes(regulated.regulation, 5)
    for word in ("Title", "by Somebody", "baseline (test 45.0 %)", "learn-e-reg", "b &amp; c (n = 10)"):
        assert word in text
    for index in (*highest, *lowest):
        assert f"word {index}" in text
        assert f">{regulated.regulation[index]:.2f}<" in text
    assert "none of this" not in text


def test_the_same_run_gives_the_same_bytes(regulated, tmp_path):
    one = overview(CURVES, regulated, tmp_path / "one", title="Title", pictures=5)
    two = overview(CURVES, regulated, tmp_path / "two", title="Title", pictures=5)
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]


def test_classes_stand_in_the_order_of_their_median(regulated):
    axes = Figure().subplots()
    draw_regulation(axes, regulated)
    names = [label.get_text().partition(" (n")[0] for label in axes.get_yticklabels()]
    r, category = regulated.regulation, regulated.category
    median = {name: np.median(r[category == k]) for k, name in enumerate(regulated.categories[:4])}
    assert names == sorted(median, key=median.__getitem__)


def test_few_pictures_leave_their_places_empty(regulated, tmp_path):
    assert overview(CURVES, regulated, tmp_path / "f", title="", pictures=5)
    few = Regulated(
        regulation=np.array([0.1, 0.9]),
        category=np.array([0, 1]),
        categories=("a", "b"),
        captions=["x", "y"],
        images={0: np.zeros((8, 8, 3), np.uint8), 1: np.zeros((8, 8, 3), np.uint8)},
    )
    assert overview(CURVES[:1], few, tmp_path / "few", title="", pictures=5)


def test_a_folder_that_is_not_there_is_said(regulated, tmp_path):
    with pytest.raises(AffektError, match="cannot write"):
        overview(CURVES, regulated, tmp_path / "none" / "f", title="", pictures=5)
