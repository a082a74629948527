"""``affekt predict``: words and JSON for each kind of model, and pictures that do not decode."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

import affekt
from affekt.cli import pictures
from affekt.regulation.earlier import EarlierClassifier

CLASSES = ("cat", "dog", "emu")
BACKBONE = "resnet8-w4"


def emotional():
    return affekt.AffectNetwork(
        BACKBONE, heads={"categories": ["awe", "fear"], "ratings": ["valence"]}, image_size=32, scale=(1, 7)
    )


def regulated(regulator="constant"):
    return affekt.EmotionalRegulation(
        BACKBONE,
        num_classes=3,
        image_size=32,
        emotional=emotional(),
        regulator=regulator,
        constant=0.25,
        classes=CLASSES,
    )


MODELS = {
    "affect": emotional,
    "classifier": lambda: affekt.Classifier(BACKBONE, 3, 32, classes=CLASSES),
    "regulated": regulated,
    "per-class": lambda: regulated("per_class"),
    "earlier": lambda: EarlierClassifier(BACKBONE, "bel", 3, 32, classes=CLASSES),
    "nameless": lambda: affekt.Classifier(BACKBONE, 3, 32),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A saved model of each kind: name -> folder."""
    root = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    for name, make in MODELS.items():
        make().eval().save_pretrained(root / name)
    return {name: root / name for name in MODELS}


@pytest.fixture
def folder(tmp_path):
    """Three pictures, one of them damaged, one in a sub-folder, and a text file."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    for name in ("a.png", "b.jpg", "more/c.webp"):
        Image.fromarray(rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(folder / name)
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:100])
    (folder / "notes.txt").write_text("no picture")
    return folder


def lines(answer):
    return [json.loads(line) for line in answer.out.splitlines()]


def test_regulated_model_in_json_is_what_the_model_says(call, models, folder):
    answer = call("predict", models["regulated"], folder / "a.png", "--json", "--top", "2")
    assert answer.code == 0
    (found,) = lines(answer)
    model = affekt.load(models["regulated"]).eval()
    pixels = pictures._decode(str(folder / "a.png"), 32, "crop").pixels
    with torch.no_grad():
        out = model(torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy()))
    probabilities = out.log_probabilities.exp()[0]
    assert found["image"] == str(folder / "a.png")
    assert found["class"] == CLASSES[int(probabilities.argmax())]
    assert found["probability"] == pytest.approx(float(probabilities.max()), abs=1e-5)
    assert [t["class"] for t in found["top"]] == [CLASSES[i] for i in probabilities.argsort(descending=True)[:2]]
    assert found["r"] == pytest.approx(0.25)
    assert found["branches"]["influenced"]["probability"] == pytest.approx(
        float(out.influenced.softmax(1).max()), abs=1e-5
    )
    assert found["affect"]["scale"] == [1, 7]
    assert 1 <= found["affect"]["ratings"]["valence"] <= 7
    assert sum(found["affect"]["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_regulated_model_in_words(call, models, folder):
    out = call("predict", models["regulated"], folder / "a.png").out
    assert out.startswith(f"{folder / 'a.png'}: ")
    for word in ("r 0.25 (non-emotional: ", ", influenced: ", "valence", "most likely"):
        assert word in out
    assert out.count("\n") == 1


def test_a_regulator_for_each_class_says_the_r_of_the_class(call, models, folder):
    (found,) = lines(call("predict", models["per-class"], folder / "a.png", "--json"))
    assert found["r_by_class"].keys() == set(CLASSES)
    assert found["r"] == found["r_by_class"][found["class"]]


def test_plain_classifier_has_no_r_and_no_affect(call, models, folder):
    (found,) = lines(call("predict", models["classifier"], folder / "a.png", "--json"))
    assert found.keys() == {"image", "class", "probability", "top"}
    assert call("predict", models["classifier"], folder / "a.png", "--top", "9").out.count(" %") == 3


def test_an_earlier_learner_answers_like_a_classifier(call, models, folder):
    (found,) = lines(call("predict", models["earlier"], folder / "a.png", "--json", "--top", "9"))
    # Untrained, it knows nothing.
    assert [entry["probability"] for entry in found["top"]] == pytest.approx([1 / 3] * 3)
    assert "r" not in found and "affect" not in found


def test_classes_without_names_are_numbers(call, models, folder):
    (found,) = lines(call("predict", models["nameless"], folder / "a.png", "--json"))
    assert found["class"] in {"0", "1", "2"}


def test_affect_network_says_its_state(call, models, folder):
    (found,) = lines(call("predict", models["affect"], folder / "a.png", "--json"))
    assert found.keys() == {"image", "affect", "state"}
    assert found["affect"]["words"] in call("predict", models["affect"], folder / "a.png").out


def test_undecodable_pictures_are_reported_and_the_rest_goes_on(call, models, folder):
    answer = call("predict", models["classifier"], folder, "--json")
    assert answer.code == 1
    found = lines(answer)
    assert [(f["image"].rpartition("/")[2], "error" in f) for f in found] == [
        ("a.png", False),
        ("b.jpg", False),
        ("broken.png", True),
    ]
    assert "broken.png" in answer.error
    assert "1 of the pictures could not be read; the others are done" in answer.err


def test_text_output_keeps_errors_off_stdout(call, models, folder):
    answer = call("predict", models["classifier"], folder / "broken.png", folder / "a.png")
    assert (answer.code, answer.out.count("\n")) == (1, 1)
    assert answer.out.startswith(str(folder / "a.png"))


def test_recursive_looks_deeper(call, models, folder):
    answer = call("predict", models["classifier"], folder, "--recursive", "--json")
    assert [f["image"].rpartition("/")[2] for f in lines(answer)] == ["a.png", "b.jpg", "broken.png", "c.webp"]


def test_a_list_on_stdin(call, models, folder, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{folder / 'b.jpg'}\n\n{folder / 'more'}\n"))
    answer = call("predict", models["classifier"], "-", "--json")
    assert [f["image"].rpartition("/")[2] for f in lines(answer)] == ["b.jpg", "c.webp"]


def test_a_folder_without_pictures_and_a_missing_file_are_named(call, models, folder, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    answer = call("predict", models["classifier"], empty, tmp_path / "none.png", folder / "a.png")
    assert answer.code == 1
    assert f"{empty}: no picture in this folder; --recursive" in answer.err
    assert "none.png: no such file" in answer.err
    assert answer.out.count("\n") == 1


def test_batches_answer_in_order_and_as_one_by_one(call, models, folder, monkeypatch):
    from affekt.cli import predict

    paths = [folder / "a.png", folder / "b.jpg", folder / "broken.png", folder / "more" / "c.webp"] * 2
    whole = lines(call("predict", models["classifier"], *paths, "--json"))
    monkeypatch.setattr(predict, "BATCH", 3)
    parts = lines(call("predict", models["classifier"], *paths, "--json"))
    assert [f["image"] for f in parts] == [str(p) for p in paths]
    for one, other in zip(whole, parts, strict=True):
        assert one.get("class") == other.get("class")
        assert one.get("probability") == pytest.approx(other.get("probability"), abs=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p / "none", "none"),
        (lambda p: (p / "file.bin").write_text("x") and p / "file.bin", "give the model folder that holds it"),
        (lambda p: (p / "recipe.toml").write_text("") or p, "this run has no model yet"),
    ],
)
def test_models_that_are_not_there_are_refused(call, tmp_path, folder, make, message):
    answer = call("predict", make(tmp_path), folder / "a.png")
    assert answer.code in (1, 2)
    assert message in answer.error


def test_sound_and_options_of_clips_are_refused_in_words(call, models, folder, tmp_path):
    (tmp_path / "talk.mp4").write_bytes(b"no picture")
    answer = call("predict", models["classifier"], tmp_path / "talk.mp4", folder / "a.png")
    assert (answer.code, answer.out.count("\n")) == (1, 1)
    assert answer.error.endswith(
        "talk.mp4: sound or film; this model looks at pictures. One that hears and sees is an AudioVisualNetwork"
    )
    for option in (("--window", "3"), ("--hop", "1"), ("--face", "whole"), ("--boxes", "b.csv")):
        answer = call("predict", models["classifier"], folder / "a.png", *option)
        assert (answer.code, answer.out) == (2, "")
        assert answer.error.startswith(f"{option[0]}: is for networks of sound and films")


def test_verbs_of_pictures_refuse_a_network_of_clips(call, tmp_path, folder):
    model = affekt.AudioVisualNetwork({"emotion": 2}, "log-mel", None, hidden=4, audio_options={"features": 4})
    model.save_pretrained(tmp_path / "model")
    answer = call("look", tmp_path / "model", folder / "a.png", "--out", tmp_path / "looked")
    assert (answer.code, answer.out) == (2, "")
    assert "a network of sound and pictures of clips; affekt predict shows files of them to it" in answer.error


def test_an_altered_model_is_named(call, models, folder, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(models["classifier"], copy)
    weights = copy / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    answer = call("predict", copy, folder / "a.png")
    assert (answer.code, answer.out) == (1, "")
    assert "model.safetensors (altered)" in answer.error


def test_as_a_process_of_its_own(spawn, models, folder):
    answer = spawn(
        "predict", models["regulated"], "-", "--json", stdin=f"{folder / 'a.png'}\n{folder / 'broken.png'}\n"
    )
    assert answer.code == 1
    assert ["error" in f for f in lines(answer)] == [False, True]
    assert "Traceback" not in answer.err


def test_a_list_on_stdin_may_be_empty_or_have_blanks(call, models, folder, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    answer = call("predict", models["classifier"], "-")
    assert answer.code == 1 and "no path on standard input" in answer.err
    picture = next(p for p in sorted(folder.glob("*.png")) if p.stem != "broken")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"\n  {picture} \r\n"))
    answer = call("predict", models["classifier"], "-")
    assert answer.code == 0 and answer.out.startswith(f"{picture}: ")


def test_r_follows_from_the_state_that_json_gives(call, folder, tmp_path):
    torch.manual_seed(3)
    model = affekt.EmotionalRegulation(
        BACKBONE, num_classes=3, image_size=32, emotional=emotional(), regulator="learned", start="random"
    ).eval()
    model.emotional.calibrate([torch.rand(8, 3, 32, 32)])
    model.save_pretrained(tmp_path / "model")
    found = json.loads(call("predict", tmp_path / "model", folder / "a.png", "--json").out)
    assert list(found["state"]) == ["awe", "fear", "valence"]
    weight, bias = model.regulator.affine.weight[0].tolist(), model.regulator.affine.bias.item()
    z = sum(w * e for w, e in zip(weight, found["state"].values(), strict=True)) + bias
    assert found["r"] == pytest.approx(1 / (1 + np.exp(-z)), abs=1e-5)
