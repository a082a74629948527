"""Runs on clips: recordings in, weights, pooled predictions and a result out; interrupted, broken, misspelt."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest
from clip_files import write

import affekt
from affekt.data.audiovisual import split_clips
from affekt.errors import AffektError, DataError, RecipeError
from affekt.multimodal.metrics import task_metrics
from affekt.recipe import load_recipe, override
from affekt.study import apply_condition, list_conditions, train
from affekt.study.clips.building import task_of
from affekt.study.clips.opening import open_set
from affekt.training.progress import NoProgress

pytest.importorskip("soundfile")

ONE = ["clips.fold=1"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def recipe(path):
    return load_recipe(path)


@pytest.fixture(scope="module")
def whole(recipe, tmp_path_factory):
    """A run over all folds."""
    return train(recipe, out=tmp_path_factory.mktemp("runs") / "whole")


def record(run):
    return json.loads((run.folder / "result.json").read_text())


def contents(folder):
    """Every file but those of the clock."""
    kept = (p for p in folder.rglob("*") if p.is_file() and p.name not in ("timing.jsonl", "environment.json"))
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in kept}


def test_each_clip_is_tested_once_by_a_network_that_never_heard_its_speaker(whole):
    with np.load(whole.folder / "predictions.npz", allow_pickle=False) as found:
        assert len(set(found["test/ids"].tolist())) == len(found["test/ids"]) == 48
        for fold in range(3):
            held = set(found["test/groups"][found["test/fold"] == fold].tolist())
            inner = whole.folder / "folds" / f"fold-{fold}"
            assert held == set(json.loads((inner / "result.json").read_text())["held"])
            with np.load(inner / "predictions.npz", allow_pickle=False) as own:
                assert not held & set(own["validation/groups"].tolist())


def test_pooled_metrics_are_those_of_all_predictions_together(whole):
    with np.load(whole.folder / "predictions.npz", allow_pickle=False) as found:
        logs = {task: found[f"test/{task}/log_probabilities"] for task in ("emotion", "voice")}
        labels = {task: found[f"test/label/{task}"] for task in logs}
    classes = record(whole)["tasks"]
    assert classes == {"emotion": ["anger", "sadness"], "voice": ["loud", "soft"]}
    expected = task_metrics(logs, labels, classes)
    assert whole.metrics["test"] == pytest.approx(expected)
    assert expected["emotion/n"] == 48
    assert record(whole)["losses"]["test"]["emotion"] == expected["emotion/nll"]


def test_the_result_has_every_fold_and_models_load(whole):
    folds = record(whole)["folds"]
    assert [fold["fold"] for fold in folds] == [0, 1, 2]
    assert sorted(who for fold in folds for who in fold["held"]) == [f"s{k}" for k in range(6)]
    assert folds[0]["metrics"].keys() == {
        f"{task}/{name}" for task in ("emotion", "voice") for name in ("balanced_accuracy", "accuracy", "nll")
    }
    assert whole.model == whole.folder / "folds" / "fold-0" / "model" and whole.models == 3
    network = affekt.load(whole.folder / "folds" / "fold-2")
    assert network.classes == {"emotion": ("anger", "sadness"), "voice": ("loud", "soft")}
    assert network.reading["features"] == ["log-mel"]
    assert (network.reading["rate"], network.reading["mels"], network.reading["window"]) == (4000, 8, 1.0)
    assert not list(whole.folder.rglob("checkpoints"))


def test_one_fold_alone_is_that_of_the_whole_run(recipe, whole, tmp_path):
    alone = train(override(recipe, ONE), out=tmp_path / "one")
    weights = (alone.model / "model.safetensors").read_bytes()
    assert weights == (whole.folder / "folds" / "fold-1" / "model" / "model.safetensors").read_bytes()
    assert alone.metrics["test"]["emotion/n"] == 16


class Stop(NoProgress):
    """Ends a run after so many steps."""

    def __init__(self, steps):
        self.left = steps

    def advance(self, items):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_interrupted_in_the_second_fold_it_ends_as_if_it_had_not_been(recipe, whole, tmp_path):
    """The first fold has 2 epochs of 6 steps."""
    with pytest.raises(KeyboardInterrupt):
        train(recipe, out=tmp_path / "run", progress=Stop(17))
    assert (tmp_path / "run" / "folds" / "fold-0" / "result.json").exists()
    assert not (tmp_path / "run" / "folds" / "fold-1" / "result.json").exists()
    before = (tmp_path / "run" / "folds" / "fold-0" / "timing.jsonl").read_bytes()
    train(recipe, out=tmp_path / "run")
    assert contents(tmp_path / "run") == contents(whole.folder)
    assert (tmp_path / "run" / "folds" / "fold-0" / "timing.jsonl").read_bytes() == before  # not trained again


KILLS = int(os.environ.get("AFFEKT_KILLS", "6"))


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_bit_identical(path, tmp_path):
    def begun(out):
        words = [sys.executable, "-m", "affekt", "train", str(path), "--out", str(tmp_path / out)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        return subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    start = time.monotonic()
    _, errors = begun("whole").communicate()
    seconds = time.monotonic() - start
    draw = random.Random(0)
    for _ in range(KILLS):
        process = begun("run")
        with suppress(subprocess.TimeoutExpired):  # it may have ended: nothing is done to a finished run
            process.communicate(timeout=draw.uniform(0.4 * seconds, 1.1 * seconds))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = begun("run")
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_a_single_task_is_tested_on_the_same_clips(recipe, tmp_path):
    run = train(override(recipe, ONE), condition="voice-only", out=tmp_path / "run")
    assert "voice/accuracy" in run.metrics["test"] and "emotion/accuracy" not in run.metrics["test"]
    with np.load(run.folder / "predictions.npz", allow_pickle=False) as found:
        assert {"test/label/emotion", "test/label/voice"} <= set(found.files)
        assert "test/emotion/log_probabilities" not in found.files


def test_conditions_are_those_of_the_recipe(recipe):
    assert list_conditions(recipe) == ["uniform", "softmax", "emotion-only", "voice-only", "leaky"]
    assert apply_condition(recipe, "uniform").weighting.name == "uniform"
    with pytest.raises(RecipeError, match=r'condition "unifrm": unknown\. Nearest: uniform'):
        apply_condition(recipe, "unifrm")


def test_without_validation_the_last_weights_are_kept_and_cosines_noted_all_the_same(recipe, tmp_path):
    run = train(override(recipe, [*ONE, "clips.validation=0.0"]), out=tmp_path / "run")
    lines = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    assert [(line["epoch"], line["step"]) for line in lines if line["kind"] == "cosine"] == [(1, 8), (2, 16)]
    assert all(-1 <= line["gradient_cosine"]["emotion ~ voice"] <= 1 for line in lines if line["kind"] == "cosine")
    assert "validation" not in run.metrics and record(run)["n"] == {"train": 32, "test": 16}


def test_balanced_classes_are_those_of_the_training_clips(recipe, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    deaf = [*ONE, "clips.validation=0.0", "network.balanced=true"]
    changed = override(load_recipe(write(folder)), deaf)
    lines = (folder / "table.csv").read_text().splitlines()
    rare = [line for line in lines if "sadness" not in line or "-0.wav" in line]
    (folder / "table.csv").write_text("\n".join(rare) + "\n")
    whole = open_set(changed, data_root=None)
    parts = split_clips(whole.clips, changed.clips, 0)
    task = task_of(changed, whole.clips, parts.train, seed=0)
    counts = np.bincount(parts.train.labels["emotion"].index)
    assert counts.tolist() == [16, 4]
    assert task.log_shares_emotion.exp().tolist() == pytest.approx((counts / 20).tolist())
    assert task_of(override(changed, ["network.balanced=false"]), whole.clips, parts.train, seed=0)._adjusted == ()


def test_augmented_sound_is_read_beside_the_spectrogram(recipe, tmp_path):
    changes = [*ONE, "clip_augmentation.speed=[0.9, 1.1]", "clip_augmentation.time_masks=1", "training.epochs=1"]
    assert train(override(recipe, changes), out=tmp_path / "run").metrics["test"]["emotion/n"] == 16


@pytest.mark.parametrize("memory", [4.0, 0.0])
def test_a_clip_that_cannot_be_read_is_left_out_and_counted(path, tmp_path, memory):
    folder = tmp_path / "copy"
    folder.mkdir()
    recipe = override(load_recipe(write(folder)), [*ONE, "training.epochs=1", f"clips.memory={memory}"])
    broken = folder / "s0-anger-0.wav"
    broken.write_bytes(broken.read_bytes()[:300])
    run = train(recipe, out=tmp_path / "run")
    found = record(run)
    assert len(found["unreadable"]) == 1 and "s0-anger-0.wav: ends in the middle" in found["unreadable"][0]
    sizes = [run.metrics[split]["emotion/n"] for split in ("train", "validation", "test")]
    assert sum(sizes) == 47


def test_what_cannot_be_is_said_before_anything_is_written(recipe, tmp_path):
    for changes, message in (
        (["clips.tasks=['emotion', 'vice']"], r'task "vice": unknown\. Nearest: voice\. All: emotion, voice'),
        (["network.tasks=['age']"], r'\[network\] tasks "age": unknown.*see: affekt data info'),
        (["clips.features=['audio']"], "without log-mel, which this recipe needs"),
        (["network.audio=raw", "clip_augmentation.time_masks=1"], "mask a spectrogram"),
        (["network.audio_options.mels=16"], r"mels = 16, but \[clips\] mels = 8"),
        (["weighting.name=sotfmax"], "Nearest: softmax"),
        (["training.accumulate=999"], "training.accumulate = 999: more parts than"),
        (["training.accumulate=999", "clips.fold=0"], "training.accumulate = 999: more parts than"),
        (["clips.fold=3"], "fold = 3, but there are 3; write 0 to 2"),
        (["target.name=cifar10"], r"\[target\]: is for pictures.*write \[clips\]"),
        (["network.video=resnet8"], "no file with sound and pictures"),
    ):
        with pytest.raises(AffektError, match=message):
            train(override(recipe, changes), out=tmp_path / "run")
    assert not (tmp_path / "run" / "recipe.toml").exists()


def test_emotions_that_nobody_asked_for_are_dropped_and_counted(recipe, path, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    changed = override(load_recipe(write(folder)), [*ONE, "clips.emotions=['anger', 'fear']", "training.epochs=1"])
    table = (folder / "table.csv").read_text()
    (folder / "table.csv").write_text(
        table.replace("sadness-0.wav,s", "sadness-0.wav,s").replace(",sadness,", ",fear,", 12)
    )
    run = train(changed, out=tmp_path / "run")
    assert record(run)["dropped"] == {"emotion sadness": 12}
    assert any("12 clips left out: 12 emotion sadness" in note for note in run.notes)


def test_a_table_that_shares_a_speaker_or_names_a_missing_clip_is_refused(tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    recipe = load_recipe(write(folder))
    lines = (folder / "table.csv").read_text().splitlines()
    splits = ["split", *("test" if "s0-anger" in line else "train" for line in lines[1:])]
    (folder / "table.csv").write_text("\n".join(f"{a},{b}" for a, b in zip(lines, splits, strict=True)) + "\n")
    one = override(recipe, ["clips.folds=2"])
    with pytest.raises(DataError, match="speaker"):
        train(_without_folds(one), out=tmp_path / "run")
    (folder / "table.csv").write_text("\n".join([*lines, "gone.wav,s0,anger,soft"]) + "\n")
    with pytest.raises(DataError, match=r"1 of 49 clips have no file with sound.*allow_missing = true"):
        train(recipe, out=tmp_path / "run")
    run = train(override(recipe, [*ONE, "clips.allow_missing=true", "training.epochs=1"]), out=tmp_path / "run")
    assert record(run)["missing"] == 1


def _without_folds(recipe):
    from dataclasses import replace

    return replace(recipe, clips=replace(recipe.clips, folds=None))
