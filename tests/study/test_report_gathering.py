"""What a report takes from the run folders, and what it says may not be concluded."""

import json

import numpy as np
import pytest
import synthetic_study

from affekt.study.report.caveats import caveats, headline, progress
from affekt.study.report.gathering import gather
from affekt.study.report.page import key_figure
from affekt.study.report.pictures import ends
from affekt.study.report.reading import read_study


@pytest.fixture
def root(tmp_path):
    return synthetic_study.write(tmp_path / "study", n=40)


def change(root, seed, **arrays):
    path = root / "runs" / "learn-e-reg" / f"seed-{seed}" / "predictions.npz"
    held = dict(np.load(path))
    np.savez(path, **(held | {name.replace("__", "/"): value(held) for name, value in arrays.items()}))


def test_damaged_run_is_left_out_with_a_note(root):
    broken = root / "runs" / "learn-e-reg" / "seed-1"
    (broken / "predictions.npz").write_bytes(b"PK\x03\x04 nothing")
    (broken / "log.jsonl").write_text('{"kind": "validation", "epoch":')
    study = read_study(root)
    gathered = gather(study)
    assert len(study.notes) == len(gathered.notes) == 1
    assert study.notes[0].startswith("learn-e-reg, seed 1: log.jsonl cannot be read")
    assert gathered.notes[0].startswith("learn-e-reg, seed 1: predictions.npz cannot be read")
    assert list(study.curves["learn-e-reg"]) == list(gathered.runs["learn-e-reg"]) == [0, 2]
    assert gathered.shown.seeds == (0, 2)


def test_a_run_without_a_log_has_no_curve_and_no_note(root):
    (root / "runs" / "baseline" / "seed-1" / "log.jsonl").unlink()  # as ensembles
    study = read_study(root)
    assert (study.notes, list(study.curves["baseline"])) == ([], [0, 2])


def test_a_note_names_no_path_of_the_machine(root):
    log = root / "runs" / "baseline" / "seed-1" / "log.jsonl"
    log.unlink()
    log.mkdir()
    (note,) = read_study(root).notes
    assert "Is a directory" in note
    assert str(root) not in note


def test_seeds_of_other_items_are_not_mixed(root):
    change(root, 2, test__ids=lambda held: held["test/ids"][::-1])
    gathered = gather(read_study(root))
    assert gathered.shown.seeds == (0, 1)
    assert len(gathered.shown.regulation) == 80
    assert "learn-e-reg, seeds 2: other test items than seed 0" in gathered.notes[0]


def test_items_of_unknown_class_count_in_no_score(root):
    change(
        root, 0, **{"test__label/category": lambda held: np.where(np.arange(40) < 10, -1, held["test/label/category"])}
    )
    gathered = gather(read_study(root))
    run = gathered.runs["learn-e-reg"][0]
    assert (run.n, run.sizes.sum(), run.regulated.outcomes.sum()) == (30, 30, 30)
    assert ends(gathered.shown, ["a"] * 4, None).highest


def test_r_of_every_class_is_averaged(root):
    for seed in (0, 1, 2):
        change(root, seed, test__regulation=lambda _: np.tile(np.array([[0.1, 0.2, 0.3, 0.8]], np.float32), (40, 1)))
    assert gather(read_study(root)).shown.mean == pytest.approx(np.full(40, 0.35))


def test_method_is_shown_item_by_item_though_another_comes_first(root):
    gathered = gather(read_study(root))
    assert list(gathered.runs) == ["baseline", "mixture", "learn-e-reg"]
    assert list(gathered.regulated) == ["mixture", "learn-e-reg"]
    assert gathered.shown.condition == "learn-e-reg"


def test_without_a_regulated_run_of_the_method_another_condition_is_shown(tmp_path):
    root = synthetic_study.write(tmp_path / "study", n=40, changes={"method": "baseline"})
    assert gather(read_study(root)).shown.condition == "mixture"


def test_folders_that_the_comparison_does_not_name_are_left_alone(root):
    held = json.loads((root / "comparison.json").read_text())
    held["conditions"] = [c for c in held["conditions"] if c["name"] != "mixture"]
    (root / "comparison.json").write_text(json.dumps(held))
    assert {run.condition for run in read_study(root).runs} == {"baseline", "learn-e-reg"}


def test_runs_without_a_folder_are_named(root):
    (root / "runs" / "mixture").rename(root / "elsewhere")
    study = read_study(root)
    assert {run.condition for run in study.runs} == {"baseline", "learn-e-reg"}
    assert study.notes == [
        "Without a folder, so in no figure of curves or single items: mixture (seed 0), "
        "mixture (seed 1), mixture (seed 2)."
    ]


def comparison(seeds=(0, 1), **changes):
    accuracy = {"mixture": [70.0] * len(seeds), "baseline": [70.0] * len(seeds), "learn-e-reg": [72.0] * len(seeds)}
    return synthetic_study.comparison(accuracy, seeds=seeds, n=1000, classes=("a", "b")) | changes


def test_page_opens_with_the_method_against_the_start_of_the_chain():
    assert headline(comparison())["second"] == "baseline"
    held = comparison()
    held["attribution"] = None
    assert headline(held)["second"] == "baseline"
    held["method"] = "other"
    assert headline(held)["second"] == "mixture"
    assert key_figure(comparison(comparisons=[])) is None


def test_one_seed_speaks_of_these_networks_only():
    text = " ".join(caveats(comparison(seeds=(0,))))
    assert "with these very networks, not for the methods" in text
    assert key_figure(comparison(seeds=(0,)))["over"] == "over test items alone; n = 1 seed × 1,000 test pictures"
    assert "these very networks" not in " ".join(caveats(comparison()))


def test_no_effect_is_never_said_of_what_cannot_be_told():
    assert any("“cannot tell” is not “no effect”" in line and "1.87 points" in line for line in caveats(comparison()))
    held = comparison()
    for c in held["comparisons"]:
        c["verdict"] = "better"
    assert not any("no effect" in line for line in caveats(held))


def test_controls_that_are_missing_come_first():
    assert caveats(comparison())[0].startswith("How much of the difference is due to emotion: scalar-gate")
    assert caveats(comparison(attribution=None))[0].startswith("What the difference is due to")
    assert any("wide-total, which does not apply here: no width" in line
               for line in caveats(comparison(inapplicable={"wide-total": "no width"})))  # fmt: skip


def test_seeds_that_were_added_are_said():
    held = comparison(seeds=(0, 1))
    assert not any("added" in line for line in caveats(held))
    held["seeds"]["added"] = [3, 4]
    assert any("2 seeds (3 and 4) were added after a first look" in line for line in caveats(held))


def test_progress_is_said_until_all_runs_are_there():
    assert progress(comparison()) == ""
    assert progress(comparison(runs={"finished": 4, "declared": 18})).startswith("4 of 18 runs finished.")
    assert progress(comparison(runs=None)) == ""
