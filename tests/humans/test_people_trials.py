"""Trial tables: model-vs-human's own form, those that affekt writes, and everything that can be wrong with one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from people_files import refused, table

from affekt.data.trial_table import COLUMNS
from affekt.humans.people import Trials, read_people

HEADER = "subj,Session,trial,rt,object_response,category,condition,imagename"
ROWS = (
    ("subject-01", 1, 1, 0.75, "oven", "oven", "cr", "0001_cl_s01_cr_oven_40_n04_1.png"),
    ("subject-01", 1, 2, 0.65, "cat", "bear", "bw", "0002_cl_s01_bw_bear_40_n02_5.png"),
    ("subject-02", 1, 1, "NaN", "na", "bear", "bw", "0001_cl_s02_bw_bear_40_n02_5.png"),
    ("subject-02", 1, 2, 0.55, "oven", "oven", "cr", "0002_cl_s02_cr_oven_40_n04_1.png"),
)
PLAIN = "subj,imagename,object_response,category,condition"


def trials(path: Path, **options: object) -> Trials:
    found = read_people(path, options=options)
    assert isinstance(found, Trials)
    return found


def said(found: Trials, part: str) -> bool:
    return any(part in note for note in found.notes)


# ------------------------------------------------------------------------------------------------ as it is written


def test_model_vs_humans_own_table(tmp_path: Path) -> None:
    found = trials(table(tmp_path / "colour.csv", HEADER, *ROWS), licence="MIT")
    assert found.name == "colour"
    assert found.licence == "MIT"
    assert found.ids.tolist() == ["cr_oven_40_n04_1.png", "bw_bear_40_n02_5.png"]
    assert found.groups.tolist() == ["oven_40_n04_1.png", "bear_40_n02_5.png"]
    assert found.conditions.tolist() == ["cr", "bw"]
    assert found.truth.tolist() == ["oven", "bear"]
    rows = found.trials
    assert rows.subject.tolist() == ["subject-01", "subject-01", "subject-02", "subject-02"]
    assert rows.stimulus.tolist() == [0, 1, 1, 0]
    assert rows.response.tolist() == ["oven", "cat", "", "oven"]
    np.testing.assert_array_equal(rows.rt, [0.75, 0.65, np.nan, 0.55])
    assert (rows.session.tolist(), rows.trial.tolist()) == (["1"] * 4, ["1", "2", "1", "2"])
    assert {name: values.tolist() for name, values in found.responses().items()} == {
        "subject-01": ["oven", "cat"], "subject-02": ["oven", ""],
    }  # fmt: skip
    assert said(found, "4 trials of 2 subjects on 2 stimuli")
    assert said(found, "1 trials without an answer are left out, not counted as wrong")
    assert said(found, "taken off the image names (0001_cl_s01_cr_oven_40_n04_1.png -> cr_oven_40_n04_1.png)")


def test_a_folder_of_people_and_models_has_people_only(tmp_path: Path) -> None:
    for row in ROWS:
        table(tmp_path / f"{row[0]}_{row[2]}.csv", HEADER, row)
    table(tmp_path / "net.csv", HEADER, ("net", 1, 1, "NaN", "oven", "oven", "cr", "0001_cl_dnn_cr_oven_40_n04_1.png"))
    table(tmp_path / "stimuli-list.csv", "a,b", (1, 2))
    found = trials(tmp_path)
    assert found.subjects == ("subject-01", "subject-02")
    assert len(found) == 2
    assert said(found, "5 trial tables read")
    assert said(found, '1 that are not called "subject-*" are left out: net')
    assert trials(tmp_path, subjects="net").subjects == ("net",)
    assert 'no subject is called "nobody"; there are net, subject-01' in refused(tmp_path, subjects="nobody")


def test_the_folder_of_an_experiment_of_ours(tmp_path: Path) -> None:
    rows = [
        ("subject-01", 1, 1, 0.5, "joy", "joy", "eyes-0", "images/eyes-0/a.png"),
        ("subject-01", 2, 2, 0.9, "anger", "joy", "eyes-0.5", "images/eyes-0.5/a.png"),
        ("subject-01", 1, 3, 0.7, "anger", "anger", "eyes-0.5", "images/eyes-0.5/b.png"),
    ]
    table(tmp_path / "trials.csv", COLUMNS, *rows)
    table(
        tmp_path / "stimuli.csv", "file,source_id,category,group,manipulation,strength,seed,other_id",
        ("images/eyes-0/a.png", "a.jpg", "joy", "anna", "eyes", 0, 0, ""),
        ("images/eyes-0.5/a.png", "a.jpg", "joy", "anna", "eyes", 0.5, 0, ""),
        ("images/eyes-0.5/b.png", "b.jpg", "anger", "", "eyes", 0.5, 0, ""),
    )  # fmt: skip
    for path in (tmp_path, tmp_path / "trials.csv"):
        found = trials(path)
        assert found.ids.tolist() == ["images/eyes-0/a.png", "images/eyes-0.5/a.png", "images/eyes-0.5/b.png"]
        assert found.groups.tolist() == ["anna", "anna", "images/eyes-0.5/b.png"]
        assert found.facts["strength"].tolist() == [0, 0.5, 0.5]
        assert found.facts["manipulation"].tolist() == ["eyes"] * 3
        assert said(found, "groups of stimuli from stimuli.csv")
    assert "none of the stimuli of the trials in its column file" in refused(
        tmp_path, stimuli=str(table(tmp_path / "x.csv", "file,group", ("z", "g")))
    )
    assert "nowhere.csv: no such table" in refused(tmp_path, stimuli="nowhere.csv")


def test_one_image_under_several_conditions_is_several_stimuli(tmp_path: Path) -> None:
    found = trials(
        table(tmp_path / "t.csv", PLAIN, ("s", "a.png", "cat", "cat", "low"), ("s", "a.png", "dog", "cat", "high"),
              ("s", "b.png", "dog", "dog", "low"))
    )  # fmt: skip
    assert found.ids.tolist() == ["low/a.png", "high/a.png", "low/b.png"]
    assert found.groups.tolist() == ["a.png", "a.png", "b.png"]
    assert said(found, "the condition goes before each name (low/a.png)")


def test_columns_by_other_names_and_a_group(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "who,Stimulus,response,truth,source", ("s", "a", "cat", "cat", "g"),
                 ("s", "b", "dog", "dog", ""))  # fmt: skip
    found = trials(path, subject="who")
    assert found.groups.tolist() == ["g", "b"]
    assert found.conditions.tolist() == ["", ""]


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = dict(zip(HEADER.split(","), map(list, zip(*ROWS[:2], strict=True)), strict=True))
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    assert trials(tmp_path / "t.parquet").trials.rt.tolist() == [0.75, 0.65]


# ------------------------------------------------------------------------------------------------ what is said


def test_one_class_alone(tmp_path: Path) -> None:
    found = trials(table(tmp_path / "t.csv", PLAIN, ("s", "a", "cat", "cat", ""), ("s", "b", "cat", "cat", "")))
    assert said(found, 'all stimuli are of one category, "cat": who answers nothing else is always right')
    assert not said(found, "one answer to everything")


def test_constant_answers_and_repetitions(tmp_path: Path) -> None:
    path = table(
        tmp_path / "t.csv", PLAIN, ("s", "a", "cat", "cat", ""), ("s", "b", "cat", "dog", ""),
        ("t", "a", "", "cat", ""), ("t", "a", "cat", "cat", ""), ("t", "a", "dog", "cat", ""),
        ("t", "b", "dog", "dog", ""),
    )  # fmt: skip
    found = trials(path)
    assert said(found, '1 subject(s) gave one answer to everything: s ("cat")')
    assert said(found, "2 trials show a subject a stimulus again: the first answer is compared")
    assert found.responses()["t"].tolist() == ["cat", "dog"]


def test_spelling_strange_answers_and_milliseconds(tmp_path: Path) -> None:
    path = table(
        tmp_path / "t.csv", f"{PLAIN},rt", ("s", "a", "Cat", "cat", "", 700), ("s", "b", "cow", "dog", "", 800),
        ("s", "c", "cat", "", "", 900),
    )  # fmt: skip
    found = trials(path)
    assert found.trials.response.tolist() == ["cat", "cow", "cat"]
    assert said(found, "1 answers differ from a category in upper and lower case only")
    assert said(found, "1 answers are no category that occurs (cow) and count as wrong")
    assert said(found, "1 stimuli have no right answer")
    assert said(found, "response times have a median of 800; seconds are asked")


# ------------------------------------------------------------------------------------------------ what cannot be


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("subj,imagename", [("s", "a")],
         "t.csv: no column object_response, category. Found: subj, imagename. A trial table has subj, imagename, "
         "object_response, category"),
        (PLAIN, [("s", "a", "", "cat", ""), ("s", "b", "na", "dog", "")], "none of its 2 trials has an answer"),
        (PLAIN, [("s", "a", "1", "cat", ""), ("s", "b", "2", "dog", "")],
         "no answer is one of the categories: answers 1, 2; categories cat, dog"),
        (PLAIN, [("s", "a", "cat", "cat", ""), ("t", "a", "cat", "dog", "")],
         '1 stimuli with more than one category: a ("cat" and "dog")'),
        (PLAIN, [("s", "a", "cat", "cat", ""), ("", "b", "cat", "dog", "")],
         "1 row(s) without subject or stimulus (line 3)"),
        (f"{PLAIN},rt", [("s", "a", "cat", "cat", "", "fast")],
         '"rt": 1 cell(s) are no numbers (first: "fast", line 2)'),
        (f"{PLAIN},group", [("s", "a", "cat", "cat", "", "g"), ("t", "a", "cat", "cat", "", "h")],
         "1 stimuli with more than one group"),
        (PLAIN, [], "t.csv: no trials under its header"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be(tmp_path: Path, header: str, rows: list[tuple[object, ...]], message: str) -> None:
    assert message in refused(table(tmp_path / "t.csv", header, *rows))


def test_options_that_cannot_be(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", PLAIN, ("s", "a", "cat", "cat", ""))
    assert 'trial table: option "subjcts": unknown. Nearest: subjects' in refused(path, subjcts="x")
    assert "t.csv: no column when. Found" in refused(path, rt="when")


def test_what_is_neither_trials_nor_ratings(tmp_path: Path) -> None:
    assert refused(table(tmp_path / "t.csv", "a,b", (1, 2))) == (
        "t.csv: neither trials (subj, imagename, object_response, category) nor ratings or votes (path, and any of "
        "valence, arousal, dominance or a column an emotion). Found: a, b; name yours: "
        "--option path=COLUMN --option valence=COLUMN, of trials --option subject=COLUMN ..."
    )
