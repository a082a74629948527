"""``affekt look``: the folder it makes, the table against fixations, what it refuses."""

import csv
import importlib.util
import json

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

import affekt
from affekt.cli import look, pictures
from affekt.humans.looking import METHODS, attention, face_mask, grad_cam, occlusion, region_share
from affekt.humans.looking.parts import REGULATED

pytestmark = pytest.mark.skipif(importlib.util.find_spec("captum") is None, reason="captum is not installed")

CLASSES = ("anger", "happiness", "sadness")
BACKBONE = "resnet8-w4+sagan(reduction=4)"


def emotional(backbone=BACKBONE):
    heads = {"categories": CLASSES, "ratings": ["valence"]}
    return affekt.AffectNetwork(backbone, heads=heads, image_size=32, scale=(1, 7))


MODELS = {
    "affect": emotional,
    "classifier": lambda: affekt.Classifier("resnet8-w4", 3, 32, classes=CLASSES),
    "nameless": lambda: affekt.Classifier("resnet8-w4", 3, 32),
    "no-map": lambda: affekt.Classifier("timm:xcit_nano_12_p16_224", 3, 64),
    "regulated": lambda: affekt.EmotionalRegulation(
        "resnet8-w4", 3, 32, emotional("resnet8-w4"), regulator="intensity", classes=CLASSES
    ),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    for name, make in MODELS.items():
        model = make().eval()
        for head in (module for n, module in model.named_modules() if n.endswith("head") or "heads." in n):
            if isinstance(head, torch.nn.Linear):
                torch.nn.init.normal_(head.weight)
        model.save_pretrained(root / name)
    return {name: root / name for name in MODELS}


@pytest.fixture
def faces(tmp_path):
    """Two faces of one name in two folders, and a damaged one."""
    rng = np.random.default_rng(0)
    for name in ("a/face.png", "b/face.png"):
        (tmp_path / "faces" / name).parent.mkdir(parents=True)
        Image.fromarray(rng.integers(256, size=(40, 50, 3), dtype=np.uint8)).save(tmp_path / "faces" / name)
    (tmp_path / "faces" / "broken.png").write_bytes(b"no picture")
    return tmp_path / "faces"


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def tensor(path, size=32):
    return torch.from_numpy(pictures._decode(str(path), size, "crop").pixels.transpose(2, 0, 1)[None].copy())


def test_the_words_of_the_command_are_those_of_the_library():
    assert tuple(METHODS) == look.METHODS and look.PARTS == REGULATED


def test_a_folder_with_a_drawing_and_a_map_of_each(call, models, faces, tmp_path):
    answer = call("look", models["affect"], faces / "a", faces / "b", "--out", tmp_path / "out", "--class", "happy")
    assert answer.code == 0, answer.err
    assert files(tmp_path / "out") == ["a-face.npy", "a-face.png", "b-face.npy", "b-face.png", "look.csv"]
    model = affekt.load(models["affect"])
    for folder in "ab":
        expected = grad_cam(model, tensor(faces / folder / "face.png"), category="happiness")[0].numpy()
        np.testing.assert_allclose(np.load(tmp_path / "out" / f"{folder}-face.npy"), expected, atol=1e-5)
        with Image.open(tmp_path / "out" / f"{folder}-face.png") as image:
            assert image.format == "PNG" and image.width > 400
    with (tmp_path / "out" / "look.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [str(faces / f / "face.png") for f in "ab"]
    with torch.no_grad():
        value = model(tensor(faces / "a/face.png")).category_logits.log_softmax(1)[0, 1].item()
    assert rows[0]["asked"] == "happiness" and float(rows[0]["answer"]) == pytest.approx(value, abs=1e-4)
    assert answer.out.splitlines()[0].split() == ["image", "asked", "answer"]
    assert f"drawings, maps and look.csv: {tmp_path / 'out'}" in answer.err


def test_shares_of_the_face_and_what_they_are_held_against(call, models, faces, tmp_path):
    words = ["--method", "occlusion", "--window", 8, "--stride", 8, "--regions", "face", "--json"]
    answer = call("look", models["classifier"], faces / "a", faces / "b", "--out", tmp_path / "out", *words)
    found = json.loads(answer.out)
    model, shares = affekt.load(models["classifier"]), []
    for folder, record in zip("ab", found["pictures"], strict=True):
        images = tensor(faces / folder / "face.png")
        expected = occlusion(model, images, window=8, stride=8)
        np.testing.assert_allclose(np.load(tmp_path / "out" / record["npy"]), expected[0].numpy(), atol=1e-5)
        assert record["asked"] == CLASSES[int(model(images).argmax())]
        shares.append(region_share(expected.clamp(min=0), face_mask("eyes", 32, 32))[0])
        assert record["eyes"] == pytest.approx(shares[-1], abs=1e-4)
    eyes = found["regions"]["eyes"]
    assert eyes["value"] == pytest.approx(np.mean(shares), abs=1e-4)
    assert eyes["against"]["uniform"]["value"] == pytest.approx(face_mask("eyes", 32, 32).mean())
    assert set(eyes["against"]) == {"uniform", "centre"} and eyes["low"] <= eyes["value"] <= eyes["high"]
    out = call("look", models["classifier"], faces / "a", faces / "b", "--out", tmp_path / "two", *words[:-1]).out
    assert "share in" in out and "chance" in out and "less centre bias" in out


def test_faces_that_do_not_fill_the_pictures(call, models, faces, tmp_path):
    table = tmp_path / "boxes.csv"
    # The pictures are 50 x 40: 5 columns go on either side, then 40 pixels become 32.
    table.write_text(f"id,left,top,width,height\n{faces / 'a/face.png'},15,0,20,40\n{faces / 'b/face.png'},5,0,40,40\n")
    words = ["--regions", "face", "--boxes", table, "--json"]
    answer = call("look", models["classifier"], faces / "a", faces / "b", "--out", tmp_path / "out", *words)
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    for record, box in zip(found["pictures"], ([8, 0, 24, 32], [0, 0, 32, 32]), strict=True):
        looked = np.load(tmp_path / "out" / record["npy"])[None].clip(0)
        expected = region_share(looked, face_mask("eyes", 32, 32, boxes=[box]))[0]
        assert record["eyes"] == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert "shuffled" in found["regions"]["eyes"]["against"]
    table.write_text("id,left,top,width,height\nface.png,15,0,20,40\n")
    answer = call("look", models["classifier"], faces / "a", faces / "b", "--out", tmp_path / "two", *words)
    assert answer.code == 1 and "one face box for 2 pictures" in answer.error


def test_attention_asks_nothing(call, models, faces, tmp_path):
    words = ["--method", "attention", "--out", tmp_path / "out", "--json"]
    (record,) = json.loads(call("look", models["affect"], faces / "a", *words).out)["pictures"]
    assert record.keys() == {"image", "png", "npy"} and record["npy"] == "face.npy"
    expected = attention(affekt.load(models["affect"]), tensor(faces / "a/face.png"))[0].numpy()
    np.testing.assert_allclose(np.load(tmp_path / "out" / "face.npy"), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("affect", ["--rating", "valence", "--method", "integrated-gradients", "--steps", "8"]),
        ("nameless", ["--class", "2"]),
        ("regulated", ["--part", "emotional", "--class", "sadness"]),
    ],
)
def test_each_kind_of_model(call, models, faces, tmp_path, model, words):
    answer = call("look", models[model], faces / "a", *words, "--out", tmp_path / "out", "--json")
    assert answer.code == 0, answer.err
    (record,) = json.loads(answer.out)["pictures"]
    asked = next((words[i + 1] for i, w in enumerate(words) if w in ("--rating", "--class")), record["asked"])
    assert record["asked"] == asked
    assert np.load(tmp_path / "out" / "face.npy").any()


def test_pictures_that_do_not_decode_are_named_and_the_rest_goes_on(call, models, faces, tmp_path):
    words = ["--recursive", "--out", tmp_path / "out", "--json"]
    answer = call("look", models["classifier"], faces, *words)
    assert answer.code == 1 and "broken.png" in answer.error
    found = json.loads(answer.out)
    assert len(found["pictures"]) == 2 and found["errors"][0]["image"].endswith("broken.png")
    assert len(files(tmp_path / "out")) == 5


def test_nothing_that_can_be_read_leaves_nothing_behind(call, models, faces, tmp_path):
    answer = call("look", models["classifier"], faces / "broken.png", "--out", tmp_path / "out")
    assert answer.code == 1 and "none of the 1 pictures could be read" in answer.error
    assert files(tmp_path) == ["faces"]


def test_no_folder_is_overwritten(call, models, faces):
    answer = call("look", models["classifier"], faces / "a", "--out", faces)
    assert answer.code == 2 and "exists already and is not overwritten" in answer.error


@pytest.mark.parametrize(
    ("model", "words", "message"),
    [
        (
            "no-map",
            [],
            "timm:xcit_nano_12_p16_224: has no feature map for Grad-CAM; integrated gradients",
        ),
        ("classifier", ["--method", "attention"], "resnet8-w4: has no attention to look at; a backbone with a map"),
        ("classifier", ["--class", "hapiness"], 'class "hapiness": unknown. Nearest: happiness'),
        ("classifier", ["--rating", "valence"], "rating valence: Classifier has no ratings; name a class"),
        ("classifier", ["--part", "emotional"], 'part "emotional": Classifier has no parts; leave it out'),
        ("affect", ["--rating", "arousal"], 'rating "arousal": unknown'),
        ("affect", ["--method", "gradcam"], '--method "gradcam": unknown. Nearest: grad-cam'),
        ("affect", ["--window", "4"], "--window: --method grad-cam has no use for it; occlusion has"),
        (
            "affect",
            ["--method", "attention", "--class", "anger"],
            "has no use for it; grad-cam, integrated-gradients and occlusion have",
        ),
        ("affect", ["--method", "occlusion", "--window", "99"], "window = 99: 1 to 32 pixels"),
        ("affect", ["--class", "anger", "--rating", "valence"], "not allowed with argument"),
        ("affect", ["--dataset", "emod"], "--dataset: has no use with pictures without --fixations"),
        ("affect", ["--boxes", "boxes.csv"], "--boxes: say where eyes and mouth are; write --regions face"),
        ("affect", ["--fixations"], "--fixations: on which data set? write --dataset emod"),
        ("affect", ["--fixations", "--dataset", "emod"], "IMAGE: has no use with --fixations"),
    ],
)
def test_calls_that_cannot_be(call, models, faces, tmp_path, model, words, message):
    answer = call("look", models[model], faces / "a", *words, "--out", tmp_path / "out")
    assert answer.code == 2 and message in answer.error and answer.out == ""
    assert files(tmp_path) == ["faces"]


def test_what_is_missing_is_said(call, models, faces):
    assert "--out DIR: the folder for the maps is missing" in call("look", models["affect"], faces / "a").error
    assert "no picture; give files or a folder, or --dataset emod --fixations" in call("look", models["affect"]).error


# ------------------------------------------------------------------------------------------------ fixations


@pytest.fixture
def emod(tmp_path):
    """Twelve pictures with maps of fixations where a bright spot is, and one without."""
    root, rng = tmp_path / "emod", np.random.default_rng(1)
    for folder in ("EMOdImages1019", "FixationMap/Continous_map"):
        (root / folder).mkdir(parents=True)
    table = np.full((13, 15), 2.0)
    table[:, 0] = np.arange(1, 14)
    savemat(root / "allfindata1019_renamed.mat", {"allfindata1019": table})
    y, x = np.mgrid[:60, :80]
    for number in range(1, 14):
        spot = np.exp(-((y - rng.integers(10, 50)) ** 2 + (x - rng.integers(20, 60)) ** 2) / 72)
        pixels = (80 + 150 * spot[..., None] + rng.integers(20, size=(60, 80, 3))).astype(np.uint8)
        Image.fromarray(pixels).save(root / f"EMOdImages1019/{number}.jpg")
        if number < 13:
            Image.fromarray((255 * spot).astype(np.uint8)).save(root / f"FixationMap/Continous_map/{number}.jpg")
    return root


def test_the_overlap_with_fixations(call, models, emod):
    words = ["--dataset", "emod", "--fixations", "--root", emod, "--method", "occlusion", "--rating", "valence"]
    answer = call("look", models["affect"], *words, "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert found["n"] == 12 and "1 of 13 pictures have no map of fixations, left out" in answer.err
    assert set(found["measures"]) == {"NSS", "AUC-Judd", "shuffled AUC", "CC", "KL", "SIM"}
    nss = found["measures"]["NSS"]
    assert nss["low"] <= nss["value"] <= nss["high"] and set(nss["against"]) == {"uniform", "centre", "shuffled"}
    difference = nss["against"]["centre"]["difference"]
    assert difference["value"] == pytest.approx(nss["value"] - nss["against"]["centre"]["value"])
    table = call("look", models["affect"], *words).out
    assert table.startswith("emod, n = 12") and "KL (less is better)" in table and "less other pictures" in table


def test_a_part_of_the_set(call, models, emod):
    words = ["--dataset", "emod", "--fixations", "--root", emod, "--method", "attention", "--json"]
    assert json.loads(call("look", models["affect"], *words, "--limit", 5).out)["n"] == 5
    assert json.loads(call("look", models["affect"], *words, "--split", "train").out)["n"] < 12


def test_a_set_without_maps(call, models, emod, small):
    for path in (emod / "FixationMap/Continous_map").iterdir():
        path.unlink()
    answer = call("look", models["affect"], "--dataset", "emod", "--fixations", "--root", emod)
    assert answer.code == 1 and "emod: no map of fixations for its 13 pictures" in answer.error
    words = [
        "--dataset",
        "table",
        "--root",
        small / "affective",
        "--option",
        "file=table.csv",
        "--option",
        "scale=1..9",
    ]
    answer = call("look", models["affect"], *words, "--fixations")
    assert answer.code == 1 and "table: no map of fixations for its 30 pictures" in answer.error
