"""Joining on ids, and the long table of all that was joined."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.affect import RatingScale
from affekt.errors import AffektError, DataError, UsageError
from affekt.humans.people import (
    Answers,
    Features,
    Joined,
    Left,
    Observers,
    People,
    Ratings,
    TrialRows,
    Trials,
    Votes,
    join,
    long_rows,
    write_table,
)

NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1)


def answers(ids: list[str], conditions: list[str] | None = None, name: str = "net", first: float = 1.0) -> Answers:
    """All for "cat" where ``first`` is 1."""
    return Answers(
        name=name,
        ids=np.array(ids),
        categories=("cat", "dog"),
        probabilities=np.tile([first, 1 - first], (len(ids), 1)),
        conditions=None if conditions is None else np.array(conditions),
    )


def votes(ids: list[str], advice: str = "") -> Votes:
    table = np.array([[3, 1]] * len(ids))
    groups = np.array([f"g{name}" for name in ids])
    return Votes(name="mine", ids=np.array(ids), groups=groups, categories=("cat", "dog"), votes=table, advice=advice)


def trials(ids: list[str], conditions: list[str], truth: str = "cat") -> Trials:
    """Subject s answers "cat" to each, in the second session once more "dog" to the first."""
    n = len(ids)
    return Trials(
        name="mine",
        ids=np.array(ids),
        groups=np.array(["g"] * n),
        conditions=np.array(conditions),
        truth=np.array([truth] * n),
        facts={"strength": np.arange(n) / 2, "correct": np.arange(n)},
        trials=TrialRows(
            subject=np.array(["s"] * (n + 2)),
            stimulus=np.array([*range(n), 0, 0]),
            response=np.array(["cat"] * n + ["dog", ""]),
            rt=np.array([0.5] * n + [np.nan, np.nan]),
            session=np.array(["1"] * n + ["2", "2"]),
            trial=np.array([*map(str, range(n)), "0", "1"]),
        ),
    )


# ------------------------------------------------------------------------------------------------ joining


@given(people=NAMES, one=NAMES, other=NAMES)
def test_what_is_joined_and_what_is_left(people: list[str], one: list[str], other: list[str]) -> None:
    models = {"one": answers(one), "other": answers(other)}
    common = set(people) & set(one) & set(other)
    if not common:
        with pytest.raises(DataError):
            join(votes(people), models)
        return
    found = join(votes(people), models)
    assert np.array(people)[found.people].tolist() == [name for name in people if name in common]
    for name, ids in (("one", one), ("other", other)):
        assert np.array(ids)[found.models[name]].tolist() == np.array(people)[found.people].tolist()
        assert found.unseen[name].count == len(set(people) - set(ids))
        assert found.unrated[name].count == len(set(ids) - set(people))
    assert found.unseen_by_all.count == len(set(people) - set(one) - set(other))
    assert found.total == len(people)


def test_ids_alone_and_features_join_too() -> None:
    features = Features(name="fc", ids=np.array(["b", "a"]), features=np.ones((2, 3)))
    found = join(np.array(["a", "b", "c"]), {"fc": features})
    assert found.models["fc"].tolist() == [1, 0]
    assert found.unseen["fc"] == Left(count=1, examples=("c",))


def test_leftovers_are_said() -> None:
    found = join(votes([*"abcdefgh"]), {"net": answers(["a", "z"])})
    assert found.notes == (
        "net has no answer to 7 (b, c, d, e, f and 2 more) of people's 8 stimuli",
        "people have no answer to 1 (z) of the stimuli of net",
    )
    assert join(votes(["a"]), {"net": answers(["a"])}).notes == ()


def test_nothing_in_common_shows_three_of_each_and_what_would_help() -> None:
    with pytest.raises(DataError) as caught:
        join(votes(["1", "2", "3", "4"], advice="Rows are in another order"), {"net": answers(["p/1.png", "q.png"])})
    assert str(caught.value) == (
        "net: no stimulus in common with people. Its ids: p/1.png, q.png; people's: 1, 2, 3 and 1 more. By file name "
        "without folder and ending 1 would meet: write one side's ids as the other's. Rows are in another order."
    )
    with pytest.raises(DataError, match="by people and by every model; in common with people: one 1, two 1"):
        join(votes(["a", "b"]), {"one": answers(["a"]), "two": answers(["b"])})
    with pytest.raises(UsageError, match="join: no models"):
        join(votes(["a"]), {})


def test_people_without_conditions_judged_intact_stimuli() -> None:
    seen = answers(["eyes-1/a", "intact/a", "eyes-1/b"], ["eyes-1", "intact", "eyes-1"])
    found = join(votes(["a", "b"]), {"net": seen})
    assert found.people.tolist() == [0]
    assert found.models["net"].tolist() == [1]
    assert found.unseen["net"].examples == ("b",)
    assert found.unrated["net"].examples == ("eyes-1/a", "eyes-1/b")
    with pytest.raises(DataError, match=r"net: answers to manipulated stimuli only \(eyes-1\), which people have not"):
        join(votes(["a"]), {"net": answers(["a"], ["eyes-1"])})


def test_without_a_condition_in_common_this_is_said() -> None:
    people = trials(["original/a.png", "eyes-1/a.png"], ["original", "eyes-1"])
    with pytest.raises(DataError) as caught:
        join(people, {"net": answers(["noise-0.1/a.png", "noise-0.4/a.png"], ["noise-0.1", "Noise-0.4"])})
    assert str(caught.value) == (
        "net: no stimulus in common with people. Its ids: noise-0.1/a.png, noise-0.4/a.png; people's: original/a.png, "
        "eyes-1/a.png. No condition is in common, so that no id can meet: its are noise-0.1, noise-0.4; people's "
        "intact, eyes-1. Give people's trials under its conditions, or answers under people's."
    )


def test_what_would_meet_by_file_name_is_counted_under_the_same_condition() -> None:
    people = trials(["old/low/a.png", "old/high/b.png", "old/high/c.png"], ["low", "high", "high"])
    with pytest.raises(DataError, match="without folder and ending 1 would meet"):
        join(people, {"net": answers(["new/a.png", "new/b.png", "new/c.png"], ["high", "high", "low"])})
    with pytest.raises(DataError, match=r"people's: a\.png\.$"):
        join(votes(["a.png"]), {"net": answers(["new/a.png", "new/b.png"], ["high", "intact"])})
    with pytest.raises(DataError, match="without folder and ending 1 would meet"):
        join(votes(["a.png"]), {"net": answers(["new/a.png", "new/b.png"], ["intact", "high"])})


def test_conditions_of_trials_and_models_must_agree() -> None:
    people = trials(["low/a", "high/a", "b"], ["low", "high", "Intact"])
    found = join(people, {"net": answers(["a", "b"], ["low", "original"])})
    assert found.people.tolist() == [0, 2]
    with pytest.raises(DataError, match="no stimulus in common"):
        join(trials(["a", "b"], ["low", "high"]), {"net": answers(["a", "b"], ["high", "low"])})
    assert len(join(trials(["images/low/a.png"], ["low"]), {"net": answers(["images/low/a.png"])})) == 1


# ------------------------------------------------------------------------------------------------ long tables


def rows(people: People, *models: Answers) -> list[dict[str, object]]:
    named = {model.name: model for model in models}
    return list(long_rows(people, named, join(people, named)))


def test_every_trial_with_an_answer_and_the_models() -> None:
    found = rows(trials(["a", "b", "c"], ["low", "high", "high"]), answers(["b", "a"]))
    first = {"stimulus": "a", "kind": "person", "observer": "s", "category": "cat", "response": "cat", "correct": 1,
             "condition": "low", "session": "1", "trial": "0", "rt": 0.5, "group": "g", "strength": 0.0,
             "stimulus_correct": 0}  # fmt: skip
    assert found[0] == first
    assert found[1] == first | {
        "stimulus": "b",
        "condition": "high",
        "trial": "1",
        "strength": 0.5,
        "stimulus_correct": 1,
    }
    assert found[2] == first | {"response": "dog", "correct": 0, "session": "2", "rt": None}
    assert found[3] == first | {"kind": "model", "observer": "net", "session": "", "trial": "", "rt": None}
    assert [row["stimulus"] for row in found] == ["a", "b", "a", "a", "b"]
    assert {tuple(row) for row in found} == {tuple(first)}


def test_without_a_right_answer_nothing_is_correct() -> None:
    assert {row["correct"] for row in rows(trials(["a"], [""], truth=""), answers(["a"]))} == {None}


def test_simulated_observers_are_called_so() -> None:
    people = Observers(name="mine", ids=np.array(["a", "b"]), groups=np.array(["g", "h"]), said="simulated",
                       responses={"one": np.array(["dog", ""])}, truth=np.array(["cat", ""]))  # fmt: skip
    found = rows(people, answers(["a", "b"]))
    assert [(row["kind"], row["observer"], row["stimulus"], row["correct"]) for row in found] == [
        ("simulated", "one", "a", 0), ("model", "net", "a", 1), ("model", "net", "b", None),
    ]  # fmt: skip


def test_votes_are_weights() -> None:
    found = rows(votes(["a"]), answers(["a"], first=0.0))
    wanted = [("votes", "cat", 1, 3), ("votes", "dog", 0, 1), ("net", "dog", 0, 1)]
    assert [(row["observer"], row["response"], row["correct"], row["weight"]) for row in found] == wanted
    assert {row["group"] for row in found} == {"ga"}


def rated(raters: dict[str, np.ndarray] | None = None) -> Ratings:
    return Ratings(
        name="mine",
        ids=np.array(["a", "b"]),
        groups=np.array(["g", "g"]),
        scale=RatingScale(1, 9),
        means={"valence": np.array([2.0, 8.0]), "arousal": np.array([5.0, np.nan])},
        sds={"valence": np.array([1.0, 0.5])},
        raters=raters or {},
        rater_names=("kim",) if raters else (),
    )


def test_means_with_their_spread_or_single_ratings() -> None:
    model = Answers(
        name="net", ids=np.array(["a", "b"]), ratings={"valence": np.array([0.0, 1.0])}, scale=RatingScale(0, 1)
    )
    found = rows(rated(), model)
    wanted = [("a", "mean", 2.0), ("b", "mean", 8.0), ("a", "net", 1.0), ("b", "net", 9.0), ("a", "mean", 5.0)]
    assert [(row["stimulus"], row["observer"], row["rating"]) for row in found] == wanted
    assert [row["dimension"] for row in found] == ["valence"] * 4 + ["arousal"]
    assert [row["sd"] for row in found[:2]] == [1.0, 0.5]
    assert {tuple(row) for row in found} == {tuple(found[0])}
    single = rows(rated({"valence": np.array([[3.0, np.nan]]), "arousal": np.array([[1.0, 2.0]])}), model)
    assert [(row["observer"], row["rating"]) for row in single if row["kind"] == "person"] == [
        ("kim", 3.0), ("kim", 1.0), ("kim", 2.0),
    ]  # fmt: skip
    assert "sd" not in single[0]


def test_tables_that_cannot_be() -> None:
    people, model = votes(["a"]), answers(["a"])
    joined = join(people, {"net": model})
    with pytest.raises(UsageError, match="no answers of net"):
        long_rows(people, {}, joined)
    with pytest.raises(DataError, match="net: ratings without categories"):
        rows(people, Answers(name="net", ids=np.array(["a"]), ratings={"valence": np.ones(1)}))
    with pytest.raises(DataError, match="net rates dominance; people rated valence, arousal"):
        rows(rated(), Answers(name="net", ids=np.array(["a"]), ratings={"dominance": np.ones(1)}))
    with pytest.raises(UsageError, match='"s" is the name of a person and of a model'):
        rows(trials(["a"], [""]), answers(["a"], name="s"))


# ------------------------------------------------------------------------------------------------ files


def test_a_csv_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "long.csv"
    people, model = trials(["a"], ["low"]), answers(["a"])
    assert write_table(path, rows(people, model)) == 3
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["rt"] for row in read] == ["0.5", "", ""]
    assert [row["response"] for row in read] == ["cat", "dog", "cat"]
    with pytest.raises(UsageError, match=r"long\.csv: exists already and is not overwritten"):
        write_table(path, rows(people, model))
    with pytest.raises(UsageError, match=r"\.csv or \.parquet is asked"):
        write_table(tmp_path / "long.xlsx", [])
    with pytest.raises(UsageError, match="no rows to write"):
        write_table(tmp_path / "none.csv", [])
    with pytest.raises(ValueError, match="fields not in fieldnames"):
        write_table(tmp_path / "half.csv", [{"a": 1}, {"b": 1}])
    with pytest.raises(AffektError, match="cannot write"):
        write_table(path / "below-a-file.csv", [{"a": 1}])
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["long.csv"]


def test_parquet_keeps_numbers(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    write_table(tmp_path / "long.parquet", rows(trials(["a"], ["low"]), answers(["a"])))
    table = parquet.read_table(tmp_path / "long.parquet")
    assert table["rt"].to_pylist() == [0.5, None, None]
    assert table["strength"].to_pylist() == [0.0, 0.0, 0.0]
    assert table["correct"].to_pylist() == [1, 0, 1]


def test_a_joined_set_has_a_length() -> None:
    assert isinstance(joined := join(votes(["a", "b"]), {"net": answers(["b"])}), Joined)
    assert len(joined) == 1
