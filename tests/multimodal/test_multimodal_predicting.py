"""Predicting: what a network says of a file is what it says of its windows, and the whole is their mean."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
from audiovisual_files import grey_frames, noise, tone, write_media, write_wav

import affekt
from affekt.data.audiovisual import read_audio, read_frames
from affekt.errors import DataError, UsageError
from affekt.multimodal import AudioVisualNetwork, predict_clip

TASKS = {"emotion": 3, "gender": 2}
CLASSES = {"emotion": ("anger", "fear", "neutral")}


def make(audio="log-mel", video="resnet8", **options):
    torch.manual_seed(2)
    options = {"video_size": 32, "hidden": 8, "width": 4, "classes": CLASSES, **options}
    if audio:
        options["audio_options"] = {"mels": 16, "features": 8}
    network = AudioVisualNetwork(TASKS, audio, video, **options)
    for head in ("emotion_head", "gender_head"):  # so that windows differ in more than the third digit
        network.heads.get_submodule(head).weight.data *= 20
    return network.eval()


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Seven seconds in which sound and pictures change."""
    pytest.importorskip("av")
    samples = np.concatenate([noise(2.5, 48_000), tone(300, 2.0, 48_000), 0.05 * noise(2.5, 48_000, seed=1)])
    return write_media(tmp_path_factory.mktemp("film") / "film.mp4", grey_frames(175), samples)


def said(network, film, start, end, *, sound=True, pictures=True):
    with torch.no_grad():
        out = network(
            torch.from_numpy(read_audio(film)[round(start * 16_000) : round(end * 16_000)])[None] if sound else None,
            torch.from_numpy(read_frames(film, size=32)[round(start * 25) : round(end * 25)])[None]
            if pictures
            else None,
        )
    return {task: logs[0].exp().tolist() for task, logs in out.log_probabilities.items()}


@pytest.mark.parametrize(
    ("parts", "used"),
    [
        ({}, ("sound", "pictures")),
        ({"video": None}, ("sound",)),
        ({"audio": None}, ("pictures",)),
    ],
)
def test_each_window_is_what_the_network_says_of_it(parts, used, film):
    network = make(**parts)
    found = predict_clip(network, film, window=3, hop=2)
    assert [(w.start, w.end) for w in found.windows] == [(0, 3), (2, 5), (4, 7)]
    assert found.used == used and found.seconds == 7 and found.path == str(film) and found.notes == ()
    for window in found.windows:
        expected = said(network, film, window.start, window.end, sound="sound" in used, pictures="pictures" in used)
        assert window.used == used
        assert list(window.probabilities["emotion"].values()) == pytest.approx(expected["emotion"], abs=1e-4)
        assert window.probabilities["gender"] == pytest.approx(
            dict(zip("01", expected["gender"], strict=True)), abs=1e-4
        )
    assert tuple(found.probabilities["emotion"]) == CLASSES["emotion"]


def test_the_whole_is_the_mean_of_probabilities_by_seconds(film):
    found = predict_clip(make(), film, window=4)
    first, second = found.windows
    assert (first.end - first.start, second.end - second.start) == (4, 3)
    for task, classes in found.probabilities.items():
        expected = {k: (4 * first.probabilities[task][k] + 3 * second.probabilities[task][k]) / 7 for k in classes}
        assert classes == pytest.approx(expected)
        assert sum(classes.values()) == pytest.approx(1, abs=1e-6)
    assert first.probabilities["gender"] != pytest.approx(second.probabilities["gender"], abs=1e-3)


def test_windows_that_go_through_together_say_what_they_say_alone(film, monkeypatch):
    network = make()
    together = predict_clip(network, film, window=2)
    monkeypatch.setattr("affekt.multimodal.predicting.AT_ONCE", 2.0)
    alone = predict_clip(network, film, window=2)
    assert len(alone.windows) == 4
    for one, other in zip(together.windows, alone.windows, strict=True):
        assert one.probabilities["emotion"] == pytest.approx(other.probabilities["emotion"], abs=1e-5)


@pytest.mark.parametrize("taught", [0.0, 0.3])
def test_a_network_of_both_answers_from_one_and_says_so(taught, film, tmp_path):
    network = make(modality_dropout=taught)
    silent, heard = write_media(tmp_path / "a.mp4", grey_frames(50), None), tmp_path / "b.mp3"
    write_media(heard, None, noise(2.0, 44_100), rate=44_100, audio="libmp3lame")
    for path, used, track in ((silent, "pictures", "audio"), (heard, "sound", "video")):
        found = predict_clip(network, path)
        assert found.used == (used,)
        (note,) = found.notes
        assert note.startswith(f"{path}: no {track} track; answered by its {used} alone")
        assert ("never learned" in note) == (taught == 0)


def test_pictures_that_end_before_the_sound_are_then_no_part_of_the_answer(tmp_path):
    pytest.importorskip("av")
    path = write_media(tmp_path / "a.mp4", grey_frames(50), noise(6.0, 48_000))
    found = predict_clip(make(), path, window=2)
    assert [w.used for w in found.windows] == [("sound", "pictures"), ("sound",), ("sound",)]
    assert found.used == ("sound", "pictures")
    assert found.notes == (f"{path}: pictures end 4.00 s before the sound",)


@pytest.mark.parametrize(("parts", "lacks"), [({"video": None}, "audio"), ({"audio": None}, "video")])
def test_a_file_without_what_the_network_reads_is_refused(parts, lacks, tmp_path):
    pytest.importorskip("av")
    path = tmp_path / "a.mp4"
    frames, sound = (grey_frames(30), None) if lacks == "audio" else (None, noise(1.0, 48_000))
    write_media(path, frames, sound)
    with pytest.raises(DataError, match=f"a.mp4: no {lacks} track, and this network reads"):
        predict_clip(make(**parts), path)


def test_files_are_read_as_the_network_learned(tmp_path, film):
    network = make(reading={"window": 2.0, "size": 48, "face": "whole", "features": ["audio", "faces"]})
    assert [w.end for w in predict_clip(network, film).windows] == [2, 4, 6, 7]
    network.save_pretrained(tmp_path / "model")
    loaded = affekt.load(tmp_path / "model")
    assert loaded.reading == network.reading
    assert predict_clip(loaded, film) == predict_clip(network, film)


def test_a_config_from_before_reading_was_kept_loads_with_the_published_inputs(film):
    network = make()
    config = network.config()
    del config["reading"]
    assert AudioVisualNetwork.from_config(config).reading == {}
    assert [w.end for w in predict_clip(network, film).windows] == [6, 7]


class TestFaces:
    @pytest.fixture
    def halves(self, tmp_path):
        """A picture whose left third is white."""
        pytest.importorskip("av")
        frames = np.zeros((25, 48, 96, 3), dtype=np.uint8)
        frames[:, :, :32] = 255
        return write_media(tmp_path / "halves.mp4", frames, None)

    def test_rules_and_boxes_decide_what_is_looked_at(self, halves, tmp_path):
        network = make(audio=None)
        seen = []
        network.seeing.register_forward_pre_hook(lambda _, given: seen.append(given[0].float().mean().item() / 255))
        boxes = tmp_path / "boxes.csv"
        boxes.write_text("id,left,top,width,height\nhalves.mp4,0,8,30,30\n")
        predict_clip(network, halves, face="centre")
        predict_clip(network, halves, face="whole")
        predict_clip(network, halves, boxes=boxes)
        assert seen == pytest.approx([8 / 48, 32 / 96, 1.0], abs=0.03)

    def test_a_network_that_learned_from_boxes_needs_some(self, halves, tmp_path):
        network = make(audio=None, reading={"face": "boxes"})
        with pytest.raises(UsageError, match="it learned from given face boxes; give a table of boxes"):
            predict_clip(network, halves)
        assert predict_clip(network, halves, face="centre").used == ("pictures",)
        (tmp_path / "boxes.csv").write_text("id,left,top,width,height\nother.mp4,0,8,30,30\n")
        with pytest.raises(DataError, match=r"no face box for halves\.mp4"):
            predict_clip(network, halves, boxes=tmp_path / "boxes.csv")

    def test_a_detector_is_asked(self, halves, monkeypatch):
        network = make(audio=None)
        monkeypatch.setattr("affekt.data.audiovisual.detecting.haar_detector", lambda: lambda _picture: None)
        found = predict_clip(network, halves, face="detector")
        assert found.notes == (f"{halves}: no face found; the centred square was kept",)

    def test_what_a_network_that_sees_nothing_has_no_use_for(self, film):
        network = make(video=None, reading={"face": "boxes"})
        assert predict_clip(network, film).used == ("sound",)
        for options in ({"face": "whole"}, {"boxes": "boxes.csv"}):
            with pytest.raises(UsageError, match="this network sees no pictures"):
                predict_clip(network, film, **options)


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        ({"windows": 6}, 'reading: key "windows": unknown. Nearest: window'),
        ({"face": "center"}, 'face "center": unknown. Nearest: centre'),
        ({"face_share": 0.0}, "face_share = 0.0"),
        ({"face_share": 1.5}, "face_share = 1.5"),
        ({"window": -1.0}, "window = -1.0"),
        ({"size": 0}, "size = 0"),
    ],
)
def test_a_reading_that_cannot_be(reading, message):
    with pytest.raises(UsageError, match=message):
        make(video=None, reading=reading)


def test_clips_that_were_read_whole_come_in_the_longest_pieces(tmp_path):
    pytest.importorskip("soundfile")
    path = write_wav(tmp_path / "a.wav", noise(8.0, 8_000), 8_000)
    assert len(predict_clip(make(video=None, reading={"window": None}), path).windows) == 1
