"""Studies of clips: conditions x seeds over folds, average recall with intervals over speakers, a leak."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from clip_files import write

from affekt.cli.study import print_comparison
from affekt.errors import DataError, RecipeError
from affekt.recipe import load_recipe, override
from affekt.study import plan, study, tables, write_report
from affekt.study.archiving import archive
from affekt.study.clips.comparing import compare_clips
from affekt.study.clips.comparison import sentence
from affekt.study.clips.exporting import rows_of
from affekt.study.clips.groups import groups_of
from affekt.study.clips.report import write_clip_report
from affekt.study.clips.report.tables import clip_tables
from affekt.study.clips.scores import ClipScores
from affekt.study.conditions import apply_condition
from affekt.study.exporting import export_items
from affekt.study.frame import frame_in
from affekt.training.classification import balanced_accuracy
from affekt.weighting import delta_p

pytest.importorskip("soundfile")

BRIEF = ["training.epochs=1"]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    return override(load_recipe(write(tmp_path_factory.mktemp("clips"))), BRIEF)


@pytest.fixture(scope="module")
def done(recipe, tmp_path_factory):
    return study(recipe, out=tmp_path_factory.mktemp("studies") / "study", workers=1)


def test_every_condition_and_seed_is_run_and_compared(done):
    held = json.loads((done.folder / "comparison.json").read_text())
    assert done.failed == {} and held["kind"] == "clips"
    assert held["runs"] == {"finished": 10, "declared": 10}
    assert [c["name"] for c in held["conditions"]] == ["uniform", "softmax", "emotion-only", "voice-only", "leaky"]
    assert [(c["name"], c["task"]) for c in held["comparisons"]] == [
        ("softmax - uniform", "emotion"),
        ("softmax - uniform", "voice"),
        ("uniform - emotion-only", "emotion"),
    ]
    assert held["n_items"] == 48 and held["n_groups"] == 6
    assert all(c["low"] <= c["estimate"] <= c["high"] for c in held["comparisons"])
    assert "5 degrees of freedom" in held["verdict"]["rules"]


def test_average_recall_is_that_of_the_pooled_predictions(done):
    for name in ("uniform", "leaky"):
        condition = next(c for c in done.comparison["conditions"] if c["name"] == name)
        for seed, value in zip(condition["seeds"], condition["tasks"]["emotion"]["uar"]["each"], strict=True):
            with np.load(done.folder / "runs" / name / f"seed-{seed}" / "predictions.npz") as found:
                said = found["test/emotion/log_probabilities"].argmax(1)
                assert value == pytest.approx(100 * balanced_accuracy(said, found["test/label/emotion"]))


def test_the_leak_is_marked_and_stands_in_no_comparison(done):
    leaky = next(c for c in done.comparison["conditions"] if c["name"] == "leaky")
    assert leaky["leaky"] and leaky["delta_p"] is None
    assert {(leak["condition"], leak["against"]) for leak in done.comparison["leaks"]} == {("leaky", "uniform")}
    assert all("leaky" not in (c["first"], c["second"]) for c in done.comparison["comparisons"])
    assert any("leaky LEAKS" in note for note in done.comparison["notes"])


def test_a_task_is_told_by_the_groups_of_the_other_label(done):
    groups = done.comparison["groups"]
    assert groups["uniform"].keys() == {"emotion", "voice"} and groups["emotion-only"].keys() == {"emotion"}
    found = groups["emotion-only"]["emotion"]["voice"]  # a label that this network has not learned
    assert [(g["name"], g["n"], g["speakers"]) for g in found["groups"]] == [("loud", 24, 3), ("soft", 24, 3)]
    recalls = []
    for seed in (0, 1):
        with np.load(done.folder / "runs" / "emotion-only" / f"seed-{seed}" / "predictions.npz") as held:
            said, true = held["test/emotion/log_probabilities"].argmax(1), held["test/label/emotion"]
            loud = held["test/label/voice"] == 0
            recalls.append([balanced_accuracy(said[rows], true[rows]) for rows in (loud, ~loud)])
    loud, soft = 100 * np.mean(recalls, axis=0)
    assert [g["uar"]["estimate"] for g in found["groups"]] == pytest.approx([loud, soft])
    (difference,) = found["differences"]
    assert difference["uar"]["estimate"] == pytest.approx(loud - soft)
    assert difference["uar"]["low"] <= difference["uar"]["estimate"] <= difference["uar"]["high"]
    assert "loud (3) - soft (3)" in tables(done.comparison, "markdown", only="groups")


def test_losses_are_unweighted_and_held_against_single_tasks(done):
    by = {c["name"]: c for c in done.comparison["conditions"]}
    joint = {task: by["uniform"]["tasks"][task]["nll"]["mean"] for task in ("emotion", "voice")}
    single = {task: by[f"{task}-only"]["tasks"][task]["nll"]["mean"] for task in joint}
    assert by["uniform"]["nll_sum"]["mean"] == pytest.approx(sum(joint.values()))
    assert by["uniform"]["delta_p"] == pytest.approx(100 * delta_p(joint, single))
    assert by["emotion-only"]["delta_p"] is None


def test_the_terminal_gets_every_task_and_what_leaks(done, capsys):
    print_comparison(done.comparison)
    said = capsys.readouterr().out
    assert said.startswith(done.comparison["verdict"]["sentence"])
    assert said.count("leaky (leaks)") == 2  # emotion and voice
    first, leak = said.split("Differences in absolute points")[1].split("shares speakers")
    assert first.count("softmax - uniform") == 2 and "leaky" not in first and "uniform" in leak


def test_called_again_nothing_is_trained_and_nothing_changes(recipe, done):
    before = {p: p.stat().st_mtime_ns for p in done.folder.rglob("result.json")}
    comparison = (done.folder / "comparison.json").read_bytes()
    study(recipe, out=done.folder, workers=1)
    assert {p: p.stat().st_mtime_ns for p in done.folder.rglob("result.json")} == before
    assert (done.folder / "comparison.json").read_bytes() == comparison


def test_the_report_has_its_figures_and_says_what_leaks(done):
    files = {p.relative_to(done.folder).as_posix() for p in write_report(done.folder)}
    assert {"report.html", "figures/recall.svg", "figures/weights.svg", "figures/gradient-cosine.svg"} <= files
    assert {f"tables/{name}.csv" for name in ("conditions", "comparisons", "joint-losses", "leak", "speakers")} <= files
    page = (done.folder / "report.html").read_text()
    assert "leaky (leaks)" in page and "over seeds and speakers" in page
    assert "mean over seeds and folds" in page and "Much about people: these are 6 speakers" in page
    assert tables(done.comparison, "markdown", only="leak").count("leaky") == 2


def test_one_task_has_no_joint_losses(done):
    one = {**done.comparison, "tasks": {"emotion": done.comparison["tasks"]["emotion"]}}
    names = [{table.name for table in clip_tables(comparison)} for comparison in (done.comparison, one)]
    assert names[0] - names[1] == {"joint-losses"}


def test_out_of_an_archive_it_is_the_same_study(recipe, done, tmp_path):
    frame = frame_in(done.folder)
    assert archive(done.folder, frame, tmp_path / "runs.zip").runs == 10
    with zipfile.ZipFile(tmp_path / "runs.zip") as packed:
        assert not [name for name in packed.namelist() if "model" in name or "checkpoints" in name]
        packed.extractall(tmp_path / "study")
    again = study(recipe, out=tmp_path / "study", workers=1)
    assert again.comparison == done.comparison
    assert not list((tmp_path / "study").rglob("model"))  # nothing was trained
    write_clip_report(tmp_path / "study")
    assert (tmp_path / "study" / "figures" / "weights.svg").exists()


@pytest.fixture(scope="module")
def table(done, tmp_path_factory):
    """The long table of every test clip, read back."""
    path = tmp_path_factory.mktemp("tables") / "items.csv"
    rows = export_items(done.folder, frame_in(done.folder), path)
    found = pd.read_csv(path, dtype={"group": str})
    assert len(found) == rows
    return found


def test_the_long_table_has_every_clip_once_a_run_and_task(table):
    assert list(table) == [
        "condition", "seed", "fold", "item", "group", "task", "label", "predicted", "correct", "nll",
        "label_emotion", "label_voice",
    ]  # fmt: skip
    counts = table.groupby(["condition", "seed", "task"])["item"].nunique()
    assert (counts == 48).all() and len(counts) == 2 * (3 * 2 + 2)  # three conditions of two tasks, two of one
    assert len(table) == counts.sum()
    sound = table[table["condition"] == "uniform"]
    assert (sound.groupby(["seed", "group"])["fold"].nunique() == 1).all()  # a speaker is tested in one fold
    assert set(table["fold"]) == {0, 1, 2}


def test_the_long_table_says_what_the_comparison_says(done, table):
    (condition,) = [c for c in done.comparison["conditions"] if c["name"] == "uniform"]
    for task, measures in condition["tasks"].items():
        rows = table[(table["condition"] == "uniform") & (table["task"] == task)]
        assert ((rows["label"] == rows["predicted"]) == rows["correct"]).all()
        assert (rows["label"] == rows[f"label_{task}"]).all()
        recalls = rows.groupby(["seed", "label"])["correct"].mean().groupby("seed").mean()
        assert 100 * recalls.to_numpy() == pytest.approx(measures["uar"]["each"])
        assert rows.groupby("seed")["nll"].mean().mean() == pytest.approx(measures["nll"]["mean"])
    alone = table[table["condition"] == "emotion-only"]  # which has not learned the label that it is grouped by
    assert (alone["label_voice"] == np.where(alone["group"].str[1:].astype(int) % 2, "loud", "soft")).all()


def test_the_long_table_as_parquet_is_the_same(done, table, tmp_path):
    pytest.importorskip("pyarrow")
    export_items(done.folder, frame_in(done.folder), tmp_path / "items.parquet")
    held = pd.read_parquet(tmp_path / "items.parquet")
    assert {name: held[name].dtype.kind for name in ("seed", "fold", "correct", "nll")} == {
        "seed": "i", "fold": "i", "correct": "i", "nll": "f",
    }  # fmt: skip
    pd.testing.assert_frame_equal(held, table, check_dtype=False)


def test_clips_without_a_label_or_a_fold_are_left_out_or_empty(done):
    """Of one run, changed by hand: half of the emotions unknown, one split."""
    record = {"condition": "uniform", "seed": 0}
    with np.load(done.folder / "runs" / "uniform" / "seed-0" / "predictions.npz") as found:
        arrays = {name.removeprefix("test/"): found[name] for name in found.files}
    arrays["label/emotion"] = np.where(np.arange(48) % 2, -1, arrays["label/emotion"])
    del arrays["fold"]
    classes = {"emotion": ["anger", "sadness"], "voice": ["loud", "soft"]}
    emotion, voice = (rows_of(arrays, task, record, classes) for task in classes)
    assert len(emotion["item"]) == 24 and len(voice["item"]) == 48
    assert emotion["fold"] == [None] * 24
    assert voice["label_emotion"][1::2] == [""] * 24 and "" not in voice["label_emotion"][::2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["study.comparisons=['leaky - uniform']"], "leaky learns from the speakers that it is tested on"),
        (["study.comparisons=['emotion-only - voice-only']"], "they learn no task in common"),
        (["study.comparisons=['softmax - unifrm']"], "Nearest: uniform"),
        (["study.comparisons=['softmax - softmax']"], "compares a condition with itself"),
        (["study.comparisons=['softmax - uniform', 'uniform - softmax']"], "is declared twice"),
        (["study.comparisons=['softmax']"], 'write "first - second"'),
        (["study.conditions=['unifrm']"], "Nearest: uniform"),
        (["study.learning_rates=[0.1]"], "learning_rates: is for studies of pictures"),
        (
            ["clip_augmentation.frame_drop=0.1"],
            'frame_drop = 0.1: loses pictures, and .network. video = "none" sees none',
        ),
        (["clips.fold=0"], r"\[conditions.leaky\]: tests other clips than uniform"),
    ],
)
def test_what_means_nothing_is_refused(recipe, changes, message):
    with pytest.raises(RecipeError, match=message):
        plan(override(recipe, changes))


def test_a_condition_has_the_labels_of_the_study(recipe):
    other = replace(recipe, conditions={**recipe.conditions, "fewer": {"clips.tasks": ("voice",)}})
    with pytest.raises(RecipeError, match=r"\[conditions.fewer\] clips.tasks: .*What is learned is network.tasks"):
        plan(other)


BOTH = ["network.video='resnet8'", "network.modality_dropout=0.3", "clip_augmentation.frame_drop=0.1",
        "clip_augmentation.time_masks=1"]  # fmt: skip


def test_a_condition_without_sound_or_pictures_goes_without_their_keys(recipe):
    chosen = override(recipe, BOTH)
    changes = {"sound": {"network.video": "none"}, "pictures": {"network.audio": "none"}, "both": {}}
    chosen = replace(chosen, conditions=changes)
    sound, pictures, both = (apply_condition(chosen, name) for name in changes)
    assert (sound.network.modality_dropout, sound.network.audio_options) == (0, {"features": 8})
    assert (sound.clip_augmentation.frame_drop, sound.clip_augmentation.time_masks) == (0, 1)
    assert (pictures.network.modality_dropout, pictures.network.audio_options) == (0, {})
    assert (pictures.clip_augmentation.frame_drop, pictures.clip_augmentation.time_masks) == (0.1, 0)
    assert (both.network, both.clip_augmentation) == (chosen.network, chosen.clip_augmentation)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network.video": "none", "network.modality_dropout": 0.5}, "write modality_dropout = 0$"),
        ({"network.audio": "none"}, "nothing is left"),
        ({"network.audio_options.featurs": 8}, "Nearest: features"),
    ],
)
def test_a_network_that_cannot_be_made_is_said_before_anything_is_trained(recipe, changes, message):
    chosen = replace(recipe, conditions={**recipe.conditions, "odd": changes})
    with pytest.raises(RecipeError, match=rf"^\[conditions.odd\].*{message}"):
        plan(chosen)


def test_a_split_that_cannot_be_cut_is_said_before_anything_is_trained(recipe):
    with pytest.raises(DataError, match=r"uniform, seed 0, fold 0: .*cannot be cut into 7 folds"):
        plan(override(recipe, ["clips.folds=7"]))


def made_up(right):
    """Scores of two conditions: ``right[condition]`` ``(seeds, N)`` whether each clip is found."""
    n = 80
    labels = np.arange(n) % 2
    speakers = np.array([f"s{k}" for k in np.arange(n) // 10])

    def logs(found):
        said = np.where(found, labels, 1 - labels)
        return np.log(np.where(np.arange(2) == said[:, None], 0.9, 0.1))

    runs = {name: {s: {"emotion": logs(row)} for s, row in enumerate(rows)} for name, rows in right.items()}
    ids = np.array([f"c{k:02d}" for k in range(n)])
    return ClipScores(
        ids=ids, speakers=speakers, labels={"emotion": labels}, classes={"emotion": ["a", "b"]}, runs=runs
    )


def test_a_clear_difference_is_told_and_none_is_not(recipe):
    rng = np.random.default_rng(0)
    poor, fine = rng.random((4, 80)) < 0.4, rng.random((4, 80)) < 0.98
    chosen = override(recipe, ["study.comparisons=['softmax - uniform', 'uniform - emotion-only']"])
    conditions = {n: apply_condition(chosen, n) for n in ("uniform", "softmax", "emotion-only")}
    lines = [{"condition": n, "seed": s, "parameters": None, "seconds": None} for n in conditions for s in range(4)]
    scores = made_up({"uniform": poor, "softmax": fine, "emotion-only": poor})
    found = compare_clips(scores, lines, chosen, conditions)
    by = {c["name"]: c for c in found["comparisons"] if c["task"] == "emotion"}
    assert by["softmax - uniform"]["verdict"] == "better"
    assert by["uniform - emotion-only"]["estimate"] == 0 and by["uniform - emotion-only"]["p"] == 1


def test_the_sentence_says_what_is_told_what_is_equal_and_how_many_are_neither():
    def said(*verdicts):
        numbers = {"task": "emotion", "estimate": -3.0, "low": -5.0, "high": -1.0}
        made = [{"first": "a", "second": "b", **numbers, "verdict": verdict} for verdict in verdicts]
        return sentence({"comparisons": [*made, {"first": "a", "second": "c", "task": "emotion"}]})

    worse = "a is worse than b on emotion (-3.0 points, 95 % interval -5.0 to -1.0)"
    rest = "it cannot be told whether the sides differ."
    assert said("worse") == f"{worse}."
    assert said("worse", "cannot tell") == f"{worse}; of 1 of 2 declared comparisons {rest}"
    assert said("equivalent") == "a and b are equivalent on emotion within the margin."
    assert said("cannot tell") == f"Of 1 of 1 declared comparisons {rest}"
    assert said().startswith("Nothing can be said yet")


@pytest.mark.parametrize(("many", "labels"), [(2, ["accent"]), (4, ["accent"]), (5, [])])
def test_groups_are_of_labels_with_few_classes_and_end_at_all_of_their_clips(many, labels):
    scores = made_up({"perfect": np.ones((1, 80), dtype=bool)})
    scores.labels = {**scores.labels, "accent": np.arange(80) // 2 % many}
    scores.classes["accent"] = list("abcde"[:many])
    found = groups_of(scores, "emotion", [scores.runs["perfect"][0]["emotion"]], 50)
    assert list(found) == labels
    for groups in found.values():
        assert all(g["uar"]["low"] < g["uar"]["estimate"] == g["uar"]["high"] == 100 for g in groups["groups"])
