"""Tables among the models of ``affekt compare-humans``: columns by other names, ratings, features, a draw."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from affekt.cli.compared_tables import options_of
from affekt.errors import UsageError
from affekt.humans.comparison import Model, compare
from affekt.humans.people import Features, read_features, read_people

WORDS = ("anger", "happiness", "sadness")
N = 24


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path, header, rows):
    Path(path).write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")


@pytest.fixture
def trials(folder):
    rng = np.random.default_rng(0)
    rows = [
        (f"subject-{s}", f"{k}.png", WORDS[k % 3] if rng.random() < 0.7 else WORDS[s], WORDS[k % 3])
        for s in range(3)
        for k in range(N)
    ]
    write("people.csv", "subj,imagename,object_response,category", rows)


@pytest.fixture
def rated(folder):
    values = np.random.default_rng(1).uniform(1, 9, N).round(2)
    write("rated.csv", "path,valence", [(f"{k}.png", v) for k, v in enumerate(values)])
    return values


def answered(path, header="id,response", shift=0):
    write(path, header, [(f"{k}.png", WORDS[(k + shift * (k % 4 == 0)) % 3]) for k in range(N)])


def compared(call, *words, humans="people.csv", out="out"):
    answer = call("compare-humans", *words, "--humans", humans, "--resamples", "20", "--out", out)
    return answer, json.loads(Path(out, "agreement.json").read_text()) if answer.code == 0 else None


def measure(held, part, name):
    found = next(p for p in held["parts"] if p["id"].startswith(part))
    return next(m for m in found["measures"] if m["name"] == name)


# ------------------------------------------------------------------------------------------------ --answers


def test_columns_of_other_names_are_named_by_answers(call, trials):
    answered("plain.csv")
    answered("other.csv", "picture_file,net_says")
    answer, _ = compared(call, "other.csv")
    assert answer.code == 1 and "Found: picture_file, net_says" in answer.error
    assert "--answers id=COLUMN" in answer.error
    answer, _ = compared(call, "other.csv", "--answers", "id=picture_file")
    assert answer.code == 1 and "--answers response=COLUMN" in answer.error
    named = ("--answers", "id=picture_file", "--answers", "response=net_says")
    answer, held = compared(call, "other.csv", *named)
    assert answer.code == 0, answer.err
    _, plain = compared(call, "plain.csv", out="plain")
    ours, theirs = (measure(one, "errors", "accuracy")["models"] for one in (held, plain))
    assert ours["other"] == theirs["plain"]
    assert "--answers id=picture_file --answers response=net_says" in Path("out/report.html").read_text()


def test_what_is_said_of_one_table_is_not_said_of_the_others(call, trials):
    answered("plain.csv")
    answered("other.csv", "picture_file,net_says", shift=1)
    named = ("--answers", "other:id=picture_file", "--answers", "other.csv:response=net_says")
    answer, held = compared(call, "plain.csv", "other.csv", *named)
    assert answer.code == 0, answer.err
    assert [model["unseen"]["count"] for model in held["models"]] == [0, 0]


def test_probabilities_by_a_list_without_brackets(call, trials):
    write("net.csv", "id,anger,happiness,sadness,fear", [(f"{k}.png", *np.eye(3)[k % 3], 7) for k in range(N)])
    assert "no distribution" in compared(call, "net.csv")[0].error
    answer, held = compared(call, "net.csv", "--answers", "categories=anger,happiness,sadness")
    assert answer.code == 0, answer.err
    assert measure(held, "errors", "accuracy")["models"]["net"]["value"] == 1


def test_one_table_goes_before_all():
    texts = ["scale=1..9", "a:scale=1..7", "b.csv:id=name", "x/a.csv:response=said"]
    assert options_of(texts, ["x/a.csv", "b.csv"]) == {
        "x/a.csv": {"scale": "1..7", "response": "said"},
        "b.csv": {"scale": "1..9", "id": "name"},
    }
    assert options_of(["categories=[happy, sad]"], ["a.csv"])["a.csv"]["categories"] == ("happy", "sad")
    assert options_of(['categories=["a,b", "c"]'], ["a.csv"])["a.csv"]["categories"] == ("a,b", "c")
    assert options_of([], []) == {}


@pytest.mark.parametrize(
    ("text", "tables", "message"),
    [
        ("id", ["a.csv"], '--answers "id": write KEY=VALUE, e.g. --answers id=COLUMN'),
        ("respons=x", ["a.csv"], '--answers: option "respons": unknown. Nearest: response'),
        ("b:id=x", ["a.csv"], '--answers "b:...": no MODEL that is a table is called so. There are: a.csv'),
        ("id=x", [], "no MODEL is one"),
    ],
)
def test_answers_that_cannot_be_said(text, tables, message):
    with pytest.raises(UsageError) as caught:
        options_of([text], tables)
    assert message in str(caught.value)


# ------------------------------------------------------------------------------------------------ features


def of_classes(seed=0, sd=0.5, width=6):
    """Features that tell the three right answers apart."""
    rng = np.random.default_rng(seed)
    return np.eye(3, width)[np.arange(N) % 3] + rng.normal(0, sd, (N, width))


def test_features_of_a_table_are_compared_by_rsa_and_cka_alone(call, trials):
    features = of_classes()
    write("net.csv", "id,f0,f1,f2,f3,f4,f5", [(f"{k}.png", *row) for k, row in enumerate(features)])
    answered("plain.csv")
    answer, held = compared(call, "net.csv", "plain.csv")
    assert answer.code == 0, answer.err
    assert [(m["name"], m["answers"], m["features"]) for m in held["models"]] == [
        ("net", False, True), ("plain", True, False),
    ]  # fmt: skip
    assert measure(held, "errors", "accuracy")["models"].keys() == {"plain"}
    people = read_people("people.csv")
    model = Model(name="net", features=Features(name="net", ids=people.ids, features=features))
    (part,) = compare(people, [model], resamples=20).parts
    for own in part.measures:
        assert measure(held, "features", own.name)["models"]["net"]["value"] == pytest.approx(own.models["net"].value)
    assert "net: net.csv holds no answers and is read as features (numbers a stimulus: net 6)" in answer.err
    assert "a test of net, plain: it is not known" in held["cautions"][0]


def test_an_npz_of_several_layers_is_compared_layer_by_layer(call, trials):
    np.savez("net.npz", ids=[f"{k}.png" for k in range(N)], conv1=of_classes(1).reshape(N, 3, 2), fc=of_classes(2, 0.1))
    answer, held = compared(call, "net.npz")
    assert answer.code == 0, answer.err
    assert held["models"][0]["layers"] == ["conv1", "fc"]
    assert "<td>layers</td>" in Path("out/report.html").read_text()
    assert [part["id"] for part in held["parts"]] == ["layers"]  # of a file's numbers nobody knows what is a unit
    rsa = measure(held, "layers", "rsa-categories")["models"]
    assert rsa["net: conv1"]["value"] < rsa["net: fc"]["value"]
    answer, held = compared(call, "net.npz", "--answers", "columns=fc", "--answers", "name=mine", out="one")
    assert measure(held, "features", "rsa-categories")["models"]["mine"]["value"] == pytest.approx(
        rsa["net: fc"]["value"]
    )


def test_features_that_cannot_be_compared(call, trials, rated):
    write("one.csv", "id,pleasure", [(f"{k}.png", v) for k, v in enumerate(rated)])
    answer, _ = compared(call, "one.csv", humans="rated.csv")
    assert answer.code == 2 and "scale" in answer.error
    answer, _ = compared(call, "one.csv", "--option", "scale=1..9", humans="rated.csv")
    assert answer.code == 1 and "valence=COLUMN" in answer.error
    few = [(f"{k}.png", *row) for k, row in enumerate(of_classes()[:3])]
    write("few.csv", "id,f0,f1,f2,f3,f4,f5", few)
    answer, _ = compared(call, "few.csv")
    assert answer.code == 1 and "features ask for four stimuli, and people and all models have 3" in answer.error
    answer, _ = compared(call, "few.csv", "--layers", "last")
    assert answer.code == 2 and "of a file of features all are compared" in answer.error
    np.savez("none.npz", ids=["0.png"], conv=np.full((1, 4), np.nan))
    answer, _ = compared(call, "none.npz")
    assert answer.code == 1 and "none.npz: conv: features that are empty or not finite in 1 stimuli" in answer.error


# ------------------------------------------------------------------------------------------------ ratings


def test_the_scale_of_ratings_is_stated_or_said(call, rated):
    mine = np.clip(rated + np.random.default_rng(2).normal(0, 1, N), 1.5, 8.5)
    write("nine.csv", "id,valence", [(f"{k}.png", v) for k, v in enumerate(mine)])
    write("one.csv", "id,valence", [(f"{k}.png", (v - 1) / 8) for k, v in enumerate(mine)])
    on_nine = ("--option", "scale=1..9", "--split", "all")
    answer, _ = compared(call, "nine.csv", "one.csv", *on_nine, humans="rated.csv")
    assert answer.code == 1 and "one: valence: 24 of 24 ratings lie outside people's scale 1 to 9" in answer.error
    stated = ("--answers", "one:scale=0..1")
    answer, held = compared(call, "nine.csv", "one.csv", *on_nine, *stated, humans="rated.csv")
    assert answer.code == 0, answer.err
    for name in ("rmse", "ccc", "mae"):
        of = measure(held, "rating", name)["models"]
        assert of["one"]["value"] == pytest.approx(of["nine"]["value"])
    assert "nine does not state the scale of its valence: taken to be people's, 1 to 9" in answer.err
    assert "one does not state" not in answer.err
    answer, _ = compared(call, "one.csv", *on_nine, "--answers", "scale=0..0.5", humans="rated.csv", out="b")
    assert answer.code == 1 and "outside the scale 0 to 0.5" in answer.error


# ------------------------------------------------------------------------------------------------ --limit


def test_a_draw_is_the_same_for_all_models(call, trials):
    answered("plain.csv")
    write("half.csv", "id,response", [(f"{k}.png", WORDS[k % 3]) for k in range(4, N)])
    answer, held = compared(call, "plain.csv", "half.csv", "--limit", "12")
    assert answer.code == 0, answer.err
    assert held["split"] == {"name": "all", "stimuli": 12, "of": N, "limit": 12}
    assert held["humans"]["compared"] == 12  # drawn from what all have, not from what people have
    assert [m["unseen"]["count"] + m["unrated"]["count"] for m in held["models"]] == [0, 0]
    assert f"12 stimuli, drawn by the seed from those of {N} that all models have" in answer.err
    assert "--limit 12" in Path("out/report.html").read_text()
    _, again = compared(call, "plain.csv", "half.csv", "--limit", "12", out="again")
    _, other = compared(call, "plain.csv", "half.csv", "--limit", "12", "--seed", "3", out="other")
    assert again["parts"] == held["parts"] != other["parts"]


def test_a_draw_is_of_pictures_that_are_there(call, trials):
    rng = np.random.default_rng(0)
    for k in range(0, N, 2):
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(f"{k}.png")
    answered("plain.csv")
    answer, held = compared(call, "resnet8-w4=random", "plain.csv", "--limit", "8")
    assert answer.code == 0, answer.err
    assert held["humans"]["compared"] == 8
    assert [model["unseen"]["count"] for model in held["models"]] == [0, 0]


def test_a_draw_of_more_than_there_is_takes_all(call, trials):
    answered("plain.csv")
    _, held = compared(call, "plain.csv", "--limit", "99")
    assert held["humans"]["compared"] == N and "limit" not in held["split"]
    assert held["parts"] == compared(call, "plain.csv", out="all")[1]["parts"]


def test_of_features_alone_no_more_are_taken_than_are_looked_at(call, folder):
    many, rng = 420, np.random.default_rng(0)
    ids, values = [f"{k}.png" for k in range(many)], rng.uniform(1, 9, many)
    write("rated.csv", "path,valence", zip(ids, values, strict=True))
    features = np.stack([values, rng.normal(size=many), rng.normal(size=many)], axis=1)
    write("net.csv", "id,f0,f1,f2", [(i, *row) for i, row in zip(ids, features, strict=True)])
    answer, held = compared(call, "net.csv", "--option", "scale=1..9", humans="rated.csv")
    assert answer.code == 0, answer.err
    assert held["split"]["limit"] == 400
    people = read_people("rated.csv", options={"scale": "1..9"})
    all_of_them = Model(name="net", features=read_features("net.csv")["net"])
    (part,) = compare(people, [all_of_them], resamples=20).parts
    for own in part.measures:
        assert measure(held, "features", own.name)["models"]["net"]["value"] == own.models["net"].value
