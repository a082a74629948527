"""Networks of sound and pictures with one of the two missing at test: scores, predictions, and what a study says."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clip_files import write

import affekt
from affekt.errors import RecipeError
from affekt.multimodal import predict_clip
from affekt.multimodal.metrics import task_metrics
from affekt.recipe import load_recipe, override, to_toml
from affekt.study import apply_condition, tables, train
from affekt.study.clips.comparing import compare_clips
from affekt.study.clips.given import given_at_test
from affekt.study.clips.scores import ClipScores, read_clip_scores
from affekt.study.results import hash_of

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
from audiovisual_files import grey_frames, write_media

pytest.importorskip("soundfile")

BOTH = ["network.video='resnet8'", "network.width=4", "network.video_size=16", "clips.size=16", "clips.folds=2",
        "training.epochs=1", "network.given_at_test=['audio', 'video']"]  # fmt: skip


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    return load_recipe(write(tmp_path_factory.mktemp("clips")))


@pytest.fixture(scope="module")
def films(recipe):
    """The same clips, each with a film of grey frames beside its sound."""
    pytest.importorskip("av")
    root = Path(recipe.clips.root)
    table = (root / "table.csv").read_text().splitlines()
    rows = [f"{table[0]},video"]
    for number, row in enumerate(table[1:]):
        name = row.partition(",")[0].replace(".wav", ".mp4")
        write_media(root / name, (grey_frames(10, 32, 32) + 4 * number).astype(np.uint8))
        rows.append(f"{row},{name}")
    (root / "table.csv").write_text("\n".join(rows) + "\n")
    return override(recipe, BOTH)


@pytest.fixture(scope="module")
def run(films, tmp_path_factory):
    return train(films, out=tmp_path_factory.mktemp("runs") / "run")


def arrays(run):
    with np.load(run.folder / "predictions.npz", allow_pickle=False) as found:
        return {name.removeprefix("test/"): found[name] for name in found.files}


def test_the_result_has_the_metrics_of_each_alone(run):
    metrics = json.loads((run.folder / "result.json").read_text())["metrics"]["test"]
    found = arrays(run)
    classes = {"emotion": ["anger", "sadness"], "voice": ["loud", "soft"]}
    for word in ("audio", "video"):
        logs = {task: found[f"given/{word}/{task}"] for task in classes}
        for name, value in task_metrics(logs, {task: found[f"label/{task}"] for task in classes}, classes).items():
            assert metrics[f"given {word}/{name}"] == pytest.approx(value)


def test_what_is_said_by_sound_alone_is_what_a_file_of_sound_is_told(run, films):
    found = arrays(run)
    row = int(np.flatnonzero(found["fold"] == 0)[0])
    answer = predict_clip(
        affekt.load(run.folder / "folds" / "fold-0" / "model"), Path(films.clips.root) / str(found["ids"][row])
    )
    assert answer.used == ("sound",)
    assert list(answer.probabilities["emotion"].values()) == pytest.approx(
        np.exp(found["given/audio/emotion"][row]), abs=1e-3
    )
    assert not np.allclose(found["given/audio/emotion"], found["emotion/log_probabilities"])


def test_a_saved_network_is_scored_with_one_alone(run, capsys):
    from affekt.cli import main

    fold = run.folder / "folds" / "fold-1"
    expected = json.loads((fold / "result.json").read_text())["metrics"]["test"]
    for word in ("audio", "video"):
        assert main(["evaluate", str(fold), "--given", word, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["given"] == word
        for name, value in found["metrics"].items():
            assert value == pytest.approx(expected[f"given {word}/{name}"], abs=1e-5)


def test_what_is_scored_after_them_is_given_both_again(run, capsys):
    from affekt.cli import main

    fold = run.folder / "folds" / "fold-1"
    assert main(["evaluate", str(fold), "--split", "train", "--json"]) == 0
    expected = json.loads((fold / "result.json").read_text())["metrics"]["train"]
    assert json.loads(capsys.readouterr().out)["metrics"] == pytest.approx(expected, abs=1e-5)


def test_a_study_reads_them(run):
    record = {
        "folder": run.folder.name,
        "condition": "both",
        "seed": 0,
        "predictions": hash_of(run.folder / "predictions.npz"),
    }
    scores = read_clip_scores(run.folder.parent, [record])
    assert scores is not None
    assert np.allclose(scores.given["both"][0]["video"]["voice"], arrays(run)["given/video/voice"])
    assert scores.runs["both"][0].keys() == {"emotion", "voice"}


def made_up(recipe, unknown=0):
    """Two seeds of a network that is right by both, and by sound alone for six clips in eight; the first have no
    label."""
    labels = np.arange(80) % 2
    both = np.ones(80, dtype=bool)
    sound = np.arange(80) % 8 < 6

    def logs(found):
        said = np.where(found, labels, 1 - labels)
        return np.log(np.where(np.arange(2) == said[:, None], 0.9, 0.1))

    runs = {"uniform": {s: {"emotion": logs(both)} for s in (0, 1)}}
    given = {"uniform": {s: {"audio": {"emotion": logs(sound)}} for s in (0, 1)}}
    scores = ClipScores(
        ids=np.array([f"c{k:02d}" for k in range(80)]), speakers=np.array([f"s{k // 10}" for k in range(80)]),
        labels={"emotion": np.where(np.arange(80) < unknown, -1, labels)}, classes={"emotion": ["a", "b"]},
        runs=runs, given=given,
    )  # fmt: skip
    lines = [{"condition": "uniform", "seed": s, "parameters": None, "seconds": None} for s in (0, 1)]
    chosen = override(recipe, ["study.comparisons=[]"])
    return compare_clips(scores, lines, chosen, {"uniform": apply_condition(chosen, "uniform")})


def test_recall_with_one_alone_and_the_difference_from_both(recipe):
    found = made_up(recipe)
    alone = found["conditions"][0]["given"]["audio"]["emotion"]
    assert alone["uar"]["mean"] == pytest.approx(75) and alone["difference"]["estimate"] == pytest.approx(-25)
    assert alone["difference"]["low"] < -25 < alone["difference"]["high"] < 0
    said = tables({**found, "kind": "clips"}, "markdown", only="one-modality")
    assert "sound alone" in said and "75.0" in said and "uniform" in said and "pictures alone" not in said
    assert "−25.0 |" in said


def test_clips_without_a_label_say_nothing_of_one_alone(recipe):
    alone = made_up(recipe, unknown=16)["conditions"][0]["given"]["audio"]["emotion"]
    assert alone["uar"]["mean"] == pytest.approx(75) and alone["difference"]["estimate"] == pytest.approx(-25)


def test_without_the_key_nothing_is_written_of_it(recipe):
    assert "given_at_test" not in to_toml(recipe)
    assert 'given_at_test = ["audio"]' in to_toml(override(recipe, ["network.given_at_test=['audio']"]))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["network.given_at_test=['audio']"], r"given_at_test = \['audio'\]: this network reads sound alone"),
        (
            ["network.given_at_test=['sound']", "network.video='resnet8'"],
            r'given_at_test "sound": unknown.*audio, video',
        ),
    ],
)
def test_what_cannot_be_given_is_refused_before_anything_is_trained(recipe, tmp_path, keys, message):
    with pytest.raises(RecipeError, match=message):
        train(override(recipe, keys), out=tmp_path / "run")
    assert not (tmp_path / "run" / "recipe.toml").exists()


def test_a_condition_without_pictures_is_tested_as_it_is(recipe):
    chosen = override(recipe, BOTH)
    chosen = replace(chosen, conditions={"sound": {"network.video": "none"}, "both": {}})
    assert given_at_test(apply_condition(chosen, "sound")) == ()
    assert given_at_test(apply_condition(chosen, "both")) == ("audio", "video")
