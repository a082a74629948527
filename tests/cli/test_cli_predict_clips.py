"""``affekt predict`` on sound and films: words and JSON, windows, and files that cannot be answered for."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
from audiovisual_files import cut, grey_frames, noise, write_media, write_wav

import affekt
from affekt.cli.named_files import CLIPS
from affekt.data.audiovisual import finding
from affekt.multimodal import predict_clip

pytest.importorskip("av")
pytest.importorskip("soundfile")

CLASSES = {"emotion": ("anger", "fear", "neutral"), "gender": ("female", "male")}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Networks that hear, see, or do both: name -> folder."""
    root = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    for name, audio, video in (("both", "log-mel", "resnet8"), ("heard", "log-mel", None), ("seen", None, "resnet8")):
        options = {"mels": 16, "features": 8} if audio else None
        affekt.AudioVisualNetwork(
            {"emotion": 3, "gender": 2}, audio, video, video_size=32, hidden=8, width=4, classes=CLASSES,
            audio_options=options, reading={"window": 2.0, "size": 32},
        ).save_pretrained(root / name)  # fmt: skip
    return {name: root / name for name in ("both", "heard", "seen")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A film, sound, a film without sound, one that breaks off; a text; one more in a sub-folder."""
    root = tmp_path_factory.mktemp("files")
    write_media(root / "a.mp4", grey_frames(30), noise(1.2, 48_000))
    write_wav(root / "b.wav", noise(5.0, 16_000))
    write_media(root / "c.avi", grey_frames(30), None)
    whole = write_media(root / "whole.avi", grey_frames(200), noise(8.0, 44_100), rate=44_100, audio="libmp3lame")
    cut(whole, root / "d.avi", 0.5)
    whole.unlink()
    (root / "notes.txt").write_text("nothing to hear\n" * 50)
    write_wav(root / "more" / "e.wav", noise(1.0, 16_000))
    return root


def lines(answer):
    return [json.loads(line) for line in answer.out.splitlines()]


def names(answer):
    return [line["file"].rpartition("/")[2] for line in lines(answer)]


def test_json_is_what_the_library_says(call, models, folder):
    (found,) = lines(call("predict", models["heard"], folder / "b.wav", "--json", "--top", "2"))
    said = predict_clip(affekt.load(models["heard"]), folder / "b.wav")
    best = max(said.probabilities["emotion"].items(), key=lambda item: item[1])
    emotion = found["tasks"]["emotion"]
    assert (emotion["class"], emotion["probability"]) == (best[0], pytest.approx(best[1]))
    assert [entry["class"] for entry in emotion["top"]] == sorted(
        said.probabilities["emotion"], key=lambda name: -said.probabilities["emotion"][name]
    )[:2]
    assert found["tasks"].keys() == {"emotion", "gender"} and len(found["tasks"]["gender"]["top"]) == 2
    assert (found["seconds"], found["used"], found["notes"]) == (5.0, ["sound"], [])
    assert [(w["start"], w["end"]) for w in found["windows"]] == [(0, 2), (2, 4), (4, 5)]
    for window, expected in zip(found["windows"], said.windows, strict=True):
        name = window["tasks"]["gender"]["class"]
        assert window["tasks"]["gender"]["probability"] == pytest.approx(expected.probabilities["gender"][name])


def test_words_have_a_line_a_window(call, models, folder):
    answer = call("predict", models["both"], folder / "a.mp4", folder / "b.wav", "--window", "3", "--hop", "2")
    first, second, *rest = answer.out.splitlines()
    assert answer.code == 0
    assert first.startswith(f"{folder / 'a.mp4'}: emotion ") and first.endswith(" % (sound and pictures, 1.20 s)")
    assert "; gender " in first
    assert second.endswith("(sound, 5.00 s)")
    assert [line.split("  ")[1] for line in rest] == ["0.00-3.00", "2.00-5.00"]
    assert "note: " in answer.err and "b.wav: no video track; answered by its sound alone" in answer.err


def test_the_batch_goes_on_and_each_failure_has_its_line(call, models, folder):
    answer = call("predict", models["heard"], folder, folder / "notes.txt", folder / "none.mp4", "--json")
    assert answer.code == 1
    assert names(answer) == ["a.mp4", "b.wav", "c.avi", "d.avi", "notes.txt", "none.mp4"]
    errors = {line["file"].rpartition("/")[2]: line["error"] for line in lines(answer) if "error" in line}
    assert errors.keys() == {"c.avi", "d.avi", "notes.txt", "none.mp4"}
    assert errors["c.avi"].endswith("c.avi: no audio track, and this network reads sound alone")
    assert "d.avi: ends in the middle: " in errors["d.avi"]
    assert errors["notes.txt"].endswith("notes.txt: text, and neither sound nor pictures")
    assert errors["none.mp4"].endswith("none.mp4: no such file")
    assert [line for line in answer.err.splitlines() if line.startswith("affekt: error: ")] == [
        f"affekt: error: {error}" for error in errors.values()
    ]
    assert "4 of the files could not be read; the others are done" in answer.err


def test_a_network_that_sees_needs_pictures(call, models, folder):
    answer = call("predict", models["seen"], folder / "b.wav", folder / "c.avi")
    assert (answer.code, answer.out.count("\n")) == (1, 1)
    assert answer.error.endswith("b.wav: no video track, and this network reads pictures alone")
    assert answer.out.endswith("(pictures, 1.20 s)\n")


def test_pictures_folders_and_a_list_on_stdin(call, models, folder, tmp_path, monkeypatch):
    answer = call("predict", models["heard"], tmp_path, "cat.png")
    assert answer.code == 1 and answer.out == ""
    assert f"{tmp_path}: no sound or film in this folder; --recursive" in answer.err
    assert "cat.png: a picture; this model hears and sees clips: give wav, flac, mp3, mp4, avi ..." in answer.err
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{folder / 'more'}\n\n{folder / 'a.mp4'}\n"))
    assert names(call("predict", models["heard"], "-", "--json")) == ["e.wav", "a.mp4"]
    recursive = call("predict", models["heard"], folder / "more" / "..", "--recursive", "--json")
    assert names(recursive)[-1] == "e.wav"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--window", "0"), 'argument --window: "0": seconds, a number above 0, were expected'),
        (("--window", "0.05"), "window = 0.05 s: 1.25 pictures at fps = 25"),
        (("--hop", "3"), "hop = 3 s: write a number above 0, at most window = 2 s"),
        (("--face", "middle"), '"middle": unknown'),
    ],
)
def test_settings_that_cannot_be(call, models, folder, options, message):
    answer = call("predict", models["both"], folder / "a.mp4", *options)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.error


def test_boxes_and_their_absence(call, models, folder, tmp_path):
    (tmp_path / "boxes.csv").write_text("id,left,top,width,height\na.mp4,0,0,20,20\n")
    answer = call("predict", models["both"], folder / "a.mp4", folder / "c.avi", "--boxes", tmp_path / "boxes.csv")
    assert (answer.code, answer.out.count("\n")) == (1, 1)
    assert answer.error.endswith("boxes.csv: no face box for c.avi")
    answer = call("predict", models["both"], folder / "a.mp4", "--boxes", tmp_path / "none.csv")
    assert answer.code == 1 and "none.csv" in answer.error


def test_silence_and_less_than_a_frame_are_answered_and_noted(call, models, tmp_path):
    write_wav(tmp_path / "silent.wav", np.zeros(16_000, dtype=np.float32))
    write_wav(tmp_path / "short.wav", noise(0.01, 16_000))
    answer = call("predict", models["heard"], tmp_path, "--json")
    assert answer.code == 0
    short, silent = (line["notes"] for line in lines(answer))
    assert silent == [f"{tmp_path / 'silent.wav'}: silence; kept as it is"]
    assert short == [f"{tmp_path / 'short.wav'}: 160 samples, less than one frame; zeros follow"]


def test_a_folder_holds_what_the_readers_take_for_clips():
    assert CLIPS.suffixes == finding.AUDIO + finding.VIDEO
