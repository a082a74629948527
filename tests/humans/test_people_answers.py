"""Answers and features of any model: tables, arrays by name, the predictions of a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from people_files import table

from affekt.affect import RatingScale
from affekt.errors import AffektError, DataError, UsageError
from affekt.humans.people import Answers, read_answers, read_features


def refused(path: Path, **options: object) -> str:
    with pytest.raises(AffektError) as caught:
        read_answers(path, options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def one(path: Path, **options: object) -> Answers:
    (found,) = read_answers(path, options).values()
    return found


# ------------------------------------------------------------------------------------------------ tables


def test_probabilities_by_prefix_emotion_and_list(tmp_path: Path) -> None:
    found = one(table(tmp_path / "net.csv", "id,p_happy,P_Angry", ("a", 0.25, 0.75), ("b", 0.9, 0.1)))
    assert found.name == "net"
    assert found.ids.tolist() == ["a", "b"]
    assert found.categories == ("happiness", "anger")
    assert found.probabilities is not None
    assert found.probabilities.tolist() == [[0.25, 0.75], [0.9, 0.1]]
    assert found.responses.tolist() == ["anger", "happiness"]
    assert found.conditions is None
    assert found.notes == ()
    called = one(table(tmp_path / "x.csv", "id,happy,angry,valence", ("a", 0.5, 0.5, 3)))
    assert called.categories == ("happiness", "anger")
    assert called.ratings["valence"].tolist() == [3]
    assert called.responses.tolist() == ["happiness"]
    listed = table(tmp_path / "y.csv", "id,cat,dog,other", ("a", 1, 0, 7))
    assert one(listed, categories=("cat", "dog")).categories == ("cat", "dog")
    assert one(table(tmp_path / "z.csv", "id,p_cat,p_joy", ("a", 1, 0))).categories == ("cat", "joy")


def test_responses_of_several_models_on_published_names(tmp_path: Path) -> None:
    path = table(
        tmp_path / "all.csv", "subj,imagename,object_response,condition",
        ("net", "0001_cl_dnn_cr_oven_1.png", "oven", "cr"), ("net", "0002_cl_dnn_bw_bear_2.png", "cat", "bw"),
        ("vit", "0001_cl_dnn_cr_oven_1.png", "oven", "cr"),
    )  # fmt: skip
    found = read_answers(path)
    assert list(found) == ["net", "vit"]
    assert found["net"].ids.tolist() == ["cr_oven_1.png", "bw_bear_2.png"]
    assert found["net"].categories == ("cat", "oven")
    assert found["net"].responses.tolist() == ["oven", "cat"]
    assert found["net"].conditions is not None
    assert found["net"].conditions.tolist() == ["cr", "bw"]
    assert any("nothing can be said of its confidence" in note for note in found["net"].notes)


def test_ratings_with_and_without_a_scale(tmp_path: Path) -> None:
    path = table(tmp_path / "net.csv", "stimulus,valence,arousal_mean", ("a", 3, 1), ("b", 4, 1))
    found = one(path, scale="1-7", name="mine")
    assert found.name == "mine"
    assert found.scale == RatingScale(1, 7)
    assert found.ratings["valence"].tolist() == [3, 4]
    assert found.notes == ("mine gives everything the arousal 1; nothing correlates with it",)
    assert one(path).scale is None
    assert 'column "valence": 1 rating(s) outside the scale 1 to 3 (first: 4)' in refused(path, scale="1-3")
    with pytest.raises(DataError, match="net: ratings without categories; probabilities are asked"):
        _ = one(path).responses


def test_columns_and_arrays_by_other_names(tmp_path: Path) -> None:
    path = table(tmp_path / "net.csv", "what,pleasant,said,how", ("a", 3, "cat", "low"), ("b", 4, "dog", "low"))
    message = refused(path)
    assert 'no column "imagename", "id" or the like. Found: what, pleasant, said, how' in message
    assert message.endswith("--answers id=COLUMN")
    assert refused(path, id="what").endswith(
        "--answers response=COLUMN, --answers categories=COLUMN,COLUMN or --answers valence=COLUMN"
    )
    found = one(path, id="what", valence="pleasant", response="said", condition="how")
    assert found.ratings["valence"].tolist() == [3, 4]
    assert found.responses.tolist() == ["cat", "dog"]
    assert found.conditions is not None
    assert found.conditions.tolist() == ["low", "low"]
    assert 'no column "pleasnt"' in refused(path, id="what", valence="pleasnt")
    arrays = tmp_path / "net.npz"
    np.savez(arrays, names=["a", "b"], pleasant=[3, 4], how=["low", "low"])
    assert refused(arrays).endswith("--answers id=ARRAY")
    found = one(arrays, id="names", valence="pleasant", condition="how")
    assert found.ratings["valence"].tolist() == [3, 4]
    assert found.conditions is not None
    assert found.conditions.tolist() == ["low", "low"]
    assert "no array pleasnt. Found: names, pleasant, how" in refused(arrays, id="names", valence="pleasnt")


def test_an_image_under_several_conditions(tmp_path: Path) -> None:
    path = table(tmp_path / "net.csv", "id,condition,response", ("a", "low", "cat"), ("a", "high", "dog"))
    assert one(path).ids.tolist() == ["low/a", "high/a"]


def test_one_answer_to_everything_is_said(tmp_path: Path) -> None:
    found = one(table(tmp_path / "net.csv", "id,p_cat,p_dog", ("a", 0.6, 0.4), ("b", 0.7, 0.3)))
    assert found.notes == ('net answers "cat" to everything',)


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("id,x", [("a", 1)], "no column of answers: p_<category> for each category, response, or any of valence"),
        ("name,p_cat,p_dog", [("a", 1, 0)], 'no column "imagename"'),
        ("id,p_cat,p_dog", [("a", 2.5, -1)], "1 of 1 no distribution"),
        ("id,p_cat,p_dog", [("a", 1, 0), ("a", 1, 0)], "net: 1 ids stand twice: a"),
        ("id,p_joy,p_happy", [("a", 1, 0)], "two columns of probabilities for one category: p_joy, p_happy"),
        ("id,response", [("a", "cat"), ("b", "")], '1 row(s) of net without a "response" (line 3)'),
        ("id,valence", [("a", 3), ("b", "")], '1 row(s) without a number in "valence" (line 3)'),
        ("id,valence", [], "no rows under its header"),
    ],
)
def test_tables_that_cannot_be(tmp_path: Path, header: str, rows: list[tuple[object, ...]], message: str) -> None:
    assert message in refused(table(tmp_path / "net.csv", header, *rows))


def test_options_and_files_that_cannot_be(tmp_path: Path) -> None:
    assert 'answers: option "scal": unknown. Nearest: scale' in refused(tmp_path, scal="1-7")
    assert "no such file; a table (csv, parquet), an .npz, or the folder of a run" in refused(tmp_path / "net.csv")


# ------------------------------------------------------------------------------------------------ runs


def run(folder: Path, config: dict[str, object] | None = None, **arrays: np.ndarray) -> Path:
    folder.mkdir(parents=True)
    ids = np.array(["a", "b"])
    named = {f"{split}/{name}": values for split in ("validation", "test") for name, values in arrays.items()}
    np.savez(folder / "predictions.npz", **{"validation/ids": ids[::-1], "test/ids": ids}, **named)  # type: ignore[arg-type]
    if config is not None:
        (folder / "model").mkdir()
        (folder / "model" / "config.json").write_text(json.dumps({"config": config}))
    return folder


LOGS = np.log(np.float32([[0.25, 0.75], [0.9, 0.1]]))


def test_the_run_of_a_classifier(tmp_path: Path) -> None:
    folder = run(tmp_path / "baseline" / "seed-3", {"classes": ["cat", "dog"]}, log_probabilities=LOGS)
    found = one(folder)
    assert found.name == "baseline/seed-3"
    assert found.categories == ("cat", "dog")
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities, [[0.25, 0.75], [0.9, 0.1]], atol=1e-6)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-12)
    assert found.ids.tolist() == ["a", "b"]
    assert one(folder / "predictions.npz", split="validation").ids.tolist() == ["b", "a"]
    assert "no predictions of train; it holds test, validation: --answers split=NAME" in refused(folder, split="train")


def test_the_run_of_an_affect_network(tmp_path: Path) -> None:
    heads = {"categories": ["anger", "awe"], "ratings": ["valence", "arousal"]}
    found = one(
        run(
            tmp_path / "emotional",
            {"heads": heads, "scale": [1, 7]},
            category_probabilities=np.exp(LOGS),
            ratings=np.float32([[1, 2], [3, 4]]),
        )
    )
    assert found.name == "emotional"
    assert found.categories == ("anger", "awe")
    assert found.scale == RatingScale(1, 7)
    assert {name: values.tolist() for name, values in found.ratings.items()} == {"valence": [1, 3], "arousal": [2, 4]}


def test_a_run_without_a_model_has_its_targets_classes(tmp_path: Path) -> None:
    folder = run(tmp_path / "ensemble", log_probabilities=np.log(np.full((2, 10), 0.1)))
    assert "(2, 10) and no names of categories; name them in order: --answers categories=NAME,NAME" in refused(folder)
    (folder / "recipe.toml").write_text('[target]\nname = "cifar10"\n')
    assert one(folder).categories[:2] == ("airplane", "automobile")
    assert one(folder, categories=list("abcdefghij")).categories == tuple("abcdefghij")
    assert "and 1 names (a) of categories" in refused(folder, categories=["a"])


def test_plain_arrays(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    np.savez(path, ids=["a", "b"], probabilities=np.exp(LOGS), categories=["cat", "dog"], valence=[1, 2],
             conditions=["low", "intact"])  # fmt: skip
    found = one(path, scale="1-7")
    assert (found.name, found.categories) == ("net", ("cat", "dog"))
    assert found.ratings["valence"].tolist() == [1, 2]
    assert found.conditions is not None
    assert found.conditions.tolist() == ["low", "intact"]
    np.savez(path, ids=["a", "b"])
    assert "no answers: probabilities (with categories), or any of valence" in refused(path)
    np.savez(path, x=[1])
    assert 'no array "ids". Found: x' in refused(path)
    np.savez(path, ids=["a", "b"], valence=[1, 12])
    assert "valence: 1 rating(s) outside the scale 1 to 9 (first: 12)" in refused(path, scale="1-9")
    assert one(path, scale="1-12").scale == RatingScale(1, 12)
    np.savez(path, ids=["a", "b"], valence=[1, np.nan])
    assert "valence: 1 of 2 not a finite number" in refused(path)
    np.savez(path, ids=np.array(["a", None], dtype=object), valence=[1, 2])
    assert "not readable as .npz" in refused(path)
    path.write_bytes(b"PK no zip")
    assert "not readable as .npz" in refused(path)


# ------------------------------------------------------------------------------------------------ features


def test_features_of_a_table(tmp_path: Path) -> None:
    path = table(tmp_path / "net.csv", "id,f0,f1,theme", ("a", 1, 2, "sea"), ("b", 3, 4.5, "land"))
    (found,) = read_features(path).values()
    assert found.name == "net"
    assert found.ids.tolist() == ["a", "b"]
    assert found.features.tolist() == [[1, 2], [3, 4.5]]
    assert found.notes == ("net.csv: columns left out, which are no features: theme",)
    assert read_features(path, {"columns": ["f1"], "name": "x"})["x"].features.tolist() == [[2], [4.5]]


def test_features_by_layer(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    layer = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    np.savez(path, ids=["a", "b"], conv=layer, fc=layer[:, 0], note=["x", "y"])
    found = read_features(path)
    assert list(found) == ["conv", "fc"]
    assert found["conv"].name == "net conv"
    assert found["conv"].features.tolist() == layer.reshape(2, 6).tolist()
    assert found["conv"].features.dtype == np.float32
    assert list(read_features(path, {"columns": "fc"})) == ["fc"]
    with pytest.raises(DataError, match=r"no layer fcc\. Found: conv, fc"):
        read_features(path, {"columns": ["fcc"]})
    np.savez(path, ids=["a", "b", "c"], conv=layer)
    with pytest.raises(DataError, match=r"3 ids, but conv \(2, 3, 2\); the first axis is that of the stimuli"):
        read_features(path)
    np.savez(path, ids=["a", "b"], note=["x", "y"])
    with pytest.raises(DataError, match=r"no array \(N, \.\.\.\) of numbers beside ids"):
        read_features(path)
    np.savez(path, conv=layer)
    with pytest.raises(DataError, match=r'no array "ids" of stimuli\. Found: conv'):
        read_features(path)


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("id,theme", [("a", "sea")], 'no column of numbers beside "id"'),
        (
            "id,f0",
            [("a", 1), ("b", ""), ("c", "nan")],
            r"features that are empty or not finite in 2 stimuli \(rows 2, 3\)",
        ),
        ("id,f0", [("a", 1), ("a", 1)], "net: 1 ids stand twice: a"),
        ("name,f0", [("a", 1)], 'no column "imagename"'),
        ("id,f0", [], "no rows under its header"),
    ],
)
def test_features_that_cannot_be(tmp_path: Path, header: str, rows: list[tuple[object, ...]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_features(table(tmp_path / "net.csv", header, *rows))
    with pytest.raises(UsageError, match='features: option "layers": unknown'):
        read_features(tmp_path / "net.csv", {"layers": 1})
