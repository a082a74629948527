"""Metrics of regulation: r's mean, spread, saturation, dependence on the affect and on the class."""

import numpy as np
import pytest

from affekt.regulation.metrics import regulation_metrics

R = np.array([[0.01], [0.2], [0.4], [0.97]])
AFFECT = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0], [4.0, 5.0]])


def test_values():
    found = regulation_metrics(R, AFFECT, ("valence", "arousal"), np.array([0, 0, 1, -1]), ("cat", "dog", "emu"))
    assert found["regulation/mean"] == pytest.approx(0.395)
    assert found["regulation/sd"] == pytest.approx(R.std())
    assert found["regulation/saturated"] == 0.5
    assert found["regulation/spearman/valence"] == pytest.approx(1)
    assert np.isnan(found["regulation/spearman/arousal"])
    assert found["regulation/of/cat"] == pytest.approx(0.105)
    assert found["regulation/of/dog"] == pytest.approx(0.4)
    assert np.isnan(found["regulation/of/emu"])


def test_a_constant_r_follows_nothing(recwarn):
    found = regulation_metrics(np.full((4, 1), 0.5), AFFECT, ("valence", "arousal"), np.zeros(4, int), ("cat",))
    assert np.isnan(found["regulation/spearman/valence"])
    assert found["regulation/sd"] == 0
    assert not recwarn.list


def test_an_r_for_each_class_counts_with_its_mean():
    r = np.array([[0.0, 1.0], [0.5, 0.5]])
    found = regulation_metrics(r, AFFECT[:2], ("valence", "arousal"), np.array([0, 1]), ("cat", "dog"))
    assert found["regulation/mean"] == 0.5
    assert found["regulation/sd"] == 0
    assert found["regulation/saturated"] == 0.5


def test_very_many_classes_are_not_listed():
    found = regulation_metrics(R, AFFECT, ("valence", "arousal"), np.zeros(4, int), [str(i) for i in range(500)])
    assert not [name for name in found if name.startswith("regulation/of/")]
