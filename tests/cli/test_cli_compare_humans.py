"""``affekt compare-humans``: people's tables, models of every kind, pictures that are a test, what is refused."""

import csv
import json
import shutil

import numpy as np
import pytest

from affekt.cli.compared_models import short_names

SCALE = ("--option", "scale=1..9", "--resamples", "20")
PEOPLE = ("--humans", "affective/table.csv", *SCALE)


@pytest.fixture
def runs(small_runs, monkeypatch):
    """The working folder with finished runs of the small recipe; nothing may be written there."""
    monkeypatch.chdir(small_runs.parent)
    return small_runs


def agreement(folder):
    return json.loads((folder / "agreement.json").read_text())


def stored_answers(run):
    with np.load(run / "predictions.npz") as stored:
        return stored["test/ids"].tolist(), stored["test/ratings"][:, 0]


def own_table(path, ids, values):
    path.write_text("\n".join(["id,valence", *(f"{i},{v}" for i, v in zip(ids, values, strict=True))]) + "\n")
    return path


def test_a_run_is_held_against_people_on_its_test_pictures(call, runs, tmp_path):
    answer = call("compare-humans", "runs/emotional", *PEOPLE, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    held = agreement(tmp_path / "out")
    ids, predicted = stored_answers(runs / "emotional")
    assert held["split"] == {"name": "test", "stimuli": len(ids), "of": 30}
    assert (held["humans"]["compared"], held["cautions"]) == (len(ids), [])
    ratings = dict(row.split(",") for row in (runs.parent / "affective" / "table.csv").read_text().split()[1:])
    truth = [float(ratings[i]) for i in ids]
    rmse = held["parts"][0]["measures"][3]
    assert rmse["name"] == "rmse"
    assert rmse["models"]["emotional"]["value"] == pytest.approx(np.sqrt(np.mean((predicted - truth) ** 2)), abs=0.02)
    lines = answer.out.splitlines()
    assert lines[0].startswith(f"valence ({len(ids)} stimuli")
    assert lines[3].split()[0] == "people" and lines[4].split()[0] == "emotional"
    assert "report: " in answer.err and (tmp_path / "out" / "report.html").is_file()


def test_json_is_the_file(call, runs, tmp_path):
    answer = call("compare-humans", "runs/emotional/model", *PEOPLE, "--out", tmp_path / "out", "--json")
    assert json.loads(answer.out) == agreement(tmp_path / "out")


def test_pictures_that_a_run_learned_from_are_said(call, runs, tmp_path):
    answer = call("compare-humans", "runs/emotional", *PEOPLE, "--split", "all", "--out", tmp_path / "out")
    held = agreement(tmp_path / "out")
    learned = 30 - len(stored_answers(runs / "emotional")[0])
    assert held["split"] == {"name": "all", "stimuli": 30, "of": 30}
    assert f"it learned from, or was selected by, {learned} of them" in held["cautions"][0]
    assert "not to be concluded: that these pictures are a test of emotional" in answer.err
    assert f"{learned} of them" in (tmp_path / "out" / "report.html").read_text()


def test_answers_in_a_table_are_compared_on_the_same_pictures(call, runs, tmp_path):
    rng = np.random.default_rng(0)
    table = own_table(tmp_path / "mine.csv", [f"{k}.png" for k in range(30)], rng.uniform(1, 9, 30))
    answer = call("compare-humans", "runs/emotional", table, *PEOPLE, "--out", tmp_path / "out")
    held = agreement(tmp_path / "out")
    assert [m["name"] for m in held["models"]] == ["emotional", "mine"]
    assert [m["unrated"]["count"] for m in held["models"]] == [0, 0]
    pearson = held["parts"][0]["measures"][0]
    assert (pearson["pairs"][0]["first"], pearson["pairs"][0]["second"]) == ("emotional", "mine")
    assert "a test of mine: it is not known" in held["cautions"][0]
    assert "emotional - mine" in answer.out


def test_leftovers_of_both_sides_are_counted(call, runs, tmp_path):
    table = own_table(
        tmp_path / "mine.csv", [f"{k}.png" for k in range(12)] + ["x.png", "y.png"], np.arange(14) / 2 + 1
    )
    call("compare-humans", table, *PEOPLE, "--out", tmp_path / "out")
    (model,) = agreement(tmp_path / "out")["models"]
    assert model["unseen"]["count"] == 18 and model["unrated"] == {"count": 2, "first": ["x.png", "y.png"]}


def test_a_network_by_name_gives_features_alone_and_the_way_to_a_head_is_named(call, runs, tmp_path):
    answer = call("compare-humans", "resnet8-w4=random", "runs/emotional", *PEOPLE, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    held = agreement(tmp_path / "out")
    assert held["models"][0] | {"notes": []} == {
        "name": "resnet8-w4=random", "answers": False, "features": True, "layers": [], "notes": [],
        "unseen": {"count": 0, "first": []}, "unrated": {"count": 0, "first": []},
    }  # fmt: skip
    assert held["parts"][0]["models"] == ["emotional"]
    assert held["parts"][-1]["models"] == ["resnet8-w4=random", "emotional"]
    assert "cannot answer" in answer.err and "affekt probe resnet8-w4=random" in answer.err


def test_layer_by_layer(call, runs, tmp_path):
    words = ("--layers", "stages", "--out", tmp_path / "out", "--split", "all")
    answer = call("compare-humans", "resnet8-w4=random", "runs/emotional", *PEOPLE, *words)
    assert answer.code == 0, answer.err
    held = agreement(tmp_path / "out")
    part = next(p for p in held["parts"] if p["id"] == "layers")
    assert [row["layer"] for row in part["layers"].values()] == ["stage-1", "stage-2", "stage-3", "last"] * 2
    last = next(p for p in held["parts"] if p["id"] == "features")["measures"][0]["models"]
    own = part["measures"][0]["models"]
    for model in ("resnet8-w4=random", "emotional"):
        assert own[f"{model}: last"]["value"] == pytest.approx(last[model]["value"], abs=1e-3)
    assert "emotional: stage-1" in answer.out
    assert "--layers stages" in (tmp_path / "out" / "report.html").read_text()


def test_layers_of_a_regulated_model_are_its_encoders(call, runs, tmp_path):
    words = ("--layers", "stages", "--out", tmp_path / "out", "--split", "all")
    answer = call("compare-humans", "runs/emotional", "runs/regulated", *PEOPLE, *words)
    assert answer.code == 0, answer.err
    part = next(p for p in agreement(tmp_path / "out")["parts"] if p["id"] == "layers")
    measured = part["measures"][0]["models"]
    assert measured["regulated: emotional/stage-1"]["value"] == measured["emotional: stage-1"]["value"]
    names = {row["layer"] for row in part["layers"].values() if row["model"] == "regulated"}
    assert {"non-emotional/stage-1", "non-emotional", "influenced", "emotional"} < names


def test_layers_of_what_has_none(call, runs, tmp_path):
    table = own_table(tmp_path / "mine.csv", [f"{k}.png" for k in range(30)], np.arange(30) / 5 + 1)
    for model, layers, message in (
        (table, "stages", "precomputed answers have none"),
        ("resnet8-w4=random", "layer9", 'layer "layer9": unknown'),
        ("resnet8-w4=random", ",", "a module's dotted name were expected"),
    ):
        answer = call("compare-humans", model, *PEOPLE, "--layers", layers, "--out", tmp_path / "out")
        assert answer.code == 2 and message in answer.error


def test_the_long_table(call, runs, tmp_path):
    words = ("--out", tmp_path / "out", "--table", tmp_path / "long.csv")
    assert call("compare-humans", "runs/emotional", *PEOPLE, *words).code == 0
    with (tmp_path / "long.csv").open() as file:
        rows = list(csv.DictReader(file))
    ids, predicted = stored_answers(runs / "emotional")
    own = {row["stimulus"]: float(row["rating"]) for row in rows if row["kind"] == "model"}
    assert own == pytest.approx(dict(zip(ids, predicted.tolist(), strict=True)), abs=0.02)
    assert sum(row["kind"] == "person" for row in rows) == len(ids)


def test_the_long_table_may_lie_in_the_folder_that_is_made(call, runs, tmp_path):
    words = ("--out", tmp_path / "c" / "out", "--table")
    assert call("compare-humans", "runs/emotional", *PEOPLE, *words, tmp_path / "c" / "out" / "long.csv").code == 0
    assert (tmp_path / "c" / "out" / "long.csv").is_file()
    answer = call(
        "compare-humans", "runs/emotional", *PEOPLE, "--out", tmp_path / "two", "--table", tmp_path / "x/y.csv"
    )
    assert answer.code == 2 and f"no folder {tmp_path / 'x'}; make it first" in answer.error


def test_pictures_are_shown_on_demand_alone(call, runs, tmp_path):
    for number, words in enumerate(((), ("--pictures",))):
        assert call("compare-humans", "runs/emotional", *PEOPLE, *words, "--out", tmp_path / f"{number}").code == 0
    without, shown = ((tmp_path / f"{number}" / "report.html").read_text() for number in (0, 1))
    assert "<img src=" not in without and "their licence is not known; --pictures shows them" in without
    assert '<img src="data:image/' in shown and "licence is not known" not in shown


@pytest.fixture
def trials(call, runs, tmp_path):
    """A trial table on stimuli made of the small target's pictures, filled by two people."""
    folder = tmp_path / "stimuli"
    made = ("--manipulation", "noise", "--strengths", "0,0.4,0.8", "--limit", "8", "--subjects", "2")
    assert call("stimuli", "target", "--out", folder, *made).code == 0
    rng = np.random.default_rng(0)
    with (folder / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["object_response"] = row["category"] if rng.random() < 0.8 else "light"
        row["rt"] = 0.5
    with (folder / "answers.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder / "answers.csv"


def test_trials_by_condition_and_strength(call, runs, trials, tmp_path):
    answer = call(
        "compare-humans", "runs/regulated", "--humans", trials, "--resamples", "20", "--out", tmp_path / "out"
    )
    assert answer.code == 0, answer.err
    held = agreement(tmp_path / "out")
    part = held["parts"][0]
    assert (held["humans"]["kind"], held["humans"]["subjects"], held["humans"]["simulated"]) == ("trials", 2, None)
    assert part["categories"] == ["dark", "light"] and part["stimuli"] == 24 and part["units"] == 8
    assert [c["condition"] for c in part["conditions"]] == ["noise-0", "noise-0.4", "noise-0.8"]
    assert {m["name"]: m["people"] for m in part["measures"]}["error-consistency"]["said"] == "people among themselves"
    html = (tmp_path / "out" / "report.html").read_text()
    assert "By condition" in html and "Confusion matrices" in html


def test_stimuli_in_another_folder(call, runs, trials, tmp_path):
    alone = tmp_path / "alone.csv"
    shutil.copy(trials, alone)
    words = ("compare-humans", "runs/regulated", "--humans", alone, "--resamples", "20", "--out", tmp_path / "out")
    answer = call(*words)
    assert (answer.code, answer.out) == (1, "") and "say where they are: --stimuli DIR" in answer.error
    assert call(*words, "--stimuli", trials.parent).code == 0
    assert agreement(tmp_path / "out")["humans"]["compared"] == 24


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["runs/emotional", "runs/emotional/model"], 2, "emotional: the name of two models"),
        (["runs/emotinal/model"], 1, "runs/emotinal/model"),
        (["resnet8x"], 2, 'MODEL resnet8x: no such file or folder, and as a network\'s name: backbone "resnet8x"'),
        (["none.csv"], 1, "none.csv: no such file"),
    ],
)
def test_models_that_name_nothing(call, runs, tmp_path, words, code, message):
    answer = call("compare-humans", *words, *PEOPLE, "--out", tmp_path / "out")
    assert (answer.code, answer.out) == (code, "")
    assert message in answer.error
    assert not (tmp_path / "out").exists()


def test_a_model_in_other_terms_is_refused(call, runs, tmp_path):
    answer = call("compare-humans", "runs/regulated", *PEOPLE, "--out", tmp_path / "out")
    assert (answer.code, answer.out) == (1, "")
    assert "regulated: answers with dark, light; people rated valence" in answer.error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (
            "subj,imagename,object_response",
            "a,1.png,dark",
            "no column category. Found: subj, imagename, object_response",
        ),
        ("path,valence", "1.png,12", "outside the scale"),
        ("path,colour", "1.png,red", "Found: path, colour"),
    ],
)
def test_tables_of_people_that_are_wrong(call, runs, tmp_path, header, row, message):
    (tmp_path / "people.csv").write_text(f"{header}\n{row}\n")
    options = ("--option", "scale=1..9") if "valence" in header else ()
    answer = call("compare-humans", "runs/emotional", "--humans", tmp_path / "people.csv", *options)
    assert answer.code == 1 and message in answer.error


def test_nothing_is_overwritten(call, runs, tmp_path):
    words = ("compare-humans", "runs/emotional", *PEOPLE, "--out", tmp_path / "out")
    assert call(*words).code == 0
    before = (tmp_path / "out" / "agreement.json").read_bytes()
    answer = call(*words)
    assert answer.code == 2 and "holds a comparison already" in answer.error
    assert (tmp_path / "out" / "agreement.json").read_bytes() == before
    (tmp_path / "long.csv").write_text("mine")
    answer = call(*words[:-1], tmp_path / "other", "--table", tmp_path / "long.csv")
    assert answer.code == 2 and "is not overwritten" in answer.error


def test_ids_without_anything_in_common_are_shown(call, runs, tmp_path):
    table = own_table(tmp_path / "mine.csv", ["a", "b", "c", "d"], [1, 2, 3, 4])
    answer = call("compare-humans", table, *PEOPLE, "--out", tmp_path / "out")
    assert answer.code == 1
    assert "a, b, c and 1 more" in answer.error and "0.png, 1.png, 2.png" in answer.error


def test_people_by_an_unknown_name(call, runs, tmp_path):
    answer = call("compare-humans", "runs/emotional", "--humans", "oasi")
    assert answer.code == 2 and 'people "oasi": unknown. Nearest: oasis' in answer.error


def test_short_names_tell_apart_and_skip_what_tells_nothing():
    assert short_names(["runs/a/seed-0/model", "runs/b/seed-0", "c"]) == {
        "runs/a/seed-0/model": "a/seed-0",
        "runs/b/seed-0": "b/seed-0",
        "c": "c",
    }
    assert short_names(["x/run/model", "y/run"]) == {"x/run/model": "x/run", "y/run": "y/run"}
