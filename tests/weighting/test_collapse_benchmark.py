"""The benchmark's simulation: the published softmax collapses where it is said to, and remedies hold."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "collapse.py"


@pytest.fixture(scope="module")
def simulate():
    spec = importlib.util.spec_from_file_location("collapse", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.simulate


def test_a_higher_rate_collapses_earlier(simulate):
    passed, warned, shares = simulate("softmax", {}, steps=1000, learning_rate=1e-2)
    assert 160 < passed < 800
    assert warned == passed + 199  # from the step that passed on, under .05 for 200 in a row
    assert shares[1] > 0.95


@pytest.mark.parametrize("options", [{"floor": 0.1}, {"normalise": "running"}, {"temperature": 5.0}])
def test_remedies_have_not_collapsed_by_then(simulate, options):
    passed, warned, shares = simulate("softmax", options, steps=400, learning_rate=1e-2)
    assert passed is None
    assert warned is None
    assert shares[0] > 0.05


@pytest.mark.slow
def test_the_figure_of_the_documentation(simulate):
    passed, warned, _ = simulate("softmax", {}, steps=16_500, learning_rate=1e-4)
    assert passed == pytest.approx(16_281, abs=20)
    assert warned == passed + 199
