"""``affekt data pack`` of pictures, ``data check pack``: what they print, and their one-line errors."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from affekt.data import dataset


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("cat/1.png", "cat/2.png", "dog/1.jpg", "dog/2.jpg", "dog/3.jpg"):
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(path)
    return tmp_path / "mine"


def test_bytes_of_a_folder_of_ones_own_and_a_check(call, pictures: Path, tmp_path: Path) -> None:
    answer = call("data", "pack", "folder", "--root", pictures, "--out", tmp_path / "pack")
    assert (answer.code, answer.err) == (0, "")
    assert "as         bytes" in answer.out
    assert "pictures   5" in answer.out
    names = [p.relative_to(pictures).as_posix() for p in sorted(pictures.rglob("*.*"))]
    content = b"".join((pictures / name).read_bytes() for name in names)
    assert (tmp_path / "pack" / "pictures.bin").read_bytes() == content
    found = dataset("pack").open(tmp_path / "pack", "all")
    assert found.ids.tolist() == names
    checked = call("data", "check", "pack", "--root", tmp_path / "pack")
    assert (checked.code, checked.err) == (0, "")
    assert "category dog  3" in checked.out
    again = call("data", "pack", "folder", "--root", pictures, "--out", tmp_path / "pack")
    assert again.code == 2
    assert "exists already and is not overwritten" in again.error


def test_an_altered_pack_fails_its_check(call, pictures: Path, tmp_path: Path) -> None:
    call("data", "pack", "folder", "--root", pictures, "--out", tmp_path / "pack")
    path = tmp_path / "pack" / "pictures.bin"
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    answer = call("data", "check", "pack", "--root", tmp_path / "pack")
    assert answer.code == 1
    assert "pictures.bin: altered (1 picture(s): cat/1.png); make the pack anew" in answer.err


def test_pixels_at_a_size_of_a_few_of_every_class(call, pictures: Path, tmp_path: Path) -> None:
    words = ("--image-size", 12, "--fit", "squash", "--limit", 3, "--json")
    answer = call("data", "pack", "folder", "--root", pictures, "--out", tmp_path / "pack", *words)
    found = json.loads(answer.out)
    assert (answer.code, found["as"], found["pictures"], found["left out"]) == (0, "pixels", 3, 0)
    assert answer.err == "note: mine: 3 of 5 pictures, drawn evenly over its splits and labels\n"
    assert (tmp_path / "pack" / "pictures.bin").stat().st_size == 3 * 3 * 12 * 12
    drawn = dataset("pack").open(tmp_path / "pack", "all", image_size=12, fit="squash")
    assert sorted(Path(name).parent.name for name in drawn.ids) == ["cat", "dog", "dog"]
    assert drawn.notes[-1] == "mine: 3 of 5 pictures, drawn evenly over its splits and labels"
    (tmp_path / "pack" / "columns.npz").write_bytes(b"")
    error = call("data", "check", "pack", "--root", tmp_path / "pack").err
    assert f"--image-size 12 --fit squash --limit 3 --out {tmp_path / 'pack'}" in error


def test_all_of_a_set_are_not_drawn(call, pictures: Path, tmp_path: Path) -> None:
    answer = call("data", "pack", "folder", "--root", pictures, "--out", tmp_path / "pack", "--limit", 5)
    assert (answer.code, answer.err) == (0, "")


def test_a_picture_that_cannot_be_read_is_named_and_the_others_are_packed(call, pictures: Path, tmp_path: Path) -> None:
    (pictures / "dog" / "2.jpg").write_bytes(b"no picture")
    answer = call("data", "pack", "folder", "--root", pictures, "--out", tmp_path / "pack")
    assert answer.code == 1
    assert len(dataset("pack").open(tmp_path / "pack", "all")) == 4
    assert "left out   1" in answer.out
    assert "problem: " in answer.err
    assert "dog/2.jpg: cannot be decoded" in answer.err


def test_a_pack_of_a_pack_names_the_set_and_each_keeps_the_options_of_its_reader(
    call, pictures: Path, tmp_path: Path
) -> None:
    words = ("--root", pictures, "--option", "group=item", "--out", tmp_path / "one")
    assert call("data", "pack", "folder", *words).code == 0
    assert call("data", "pack", "pack", "--root", tmp_path / "one", "--out", tmp_path / "two").code == 0
    one, two = (json.loads((tmp_path / name / "pack.json").read_text()) for name in ("one", "two"))
    assert (one["options"], two["options"]) == ({"group": "item"}, {})
    assert one["set"] == two["set"]
    assert two["set"]["name"] == "folder"


def test_pictures_that_are_missing_are_allowed_by_name(call, pictures: Path, tmp_path: Path) -> None:
    (pictures / "labels.csv").write_text("path,valence\ncat/1.png,5\ncat/9.png,5\n")
    words = ("data", "pack", "table", "--root", pictures, "--option", "scale=1-9", "--out", tmp_path / "pack")
    assert "1 of 2 pictures missing" in call(*words).error
    assert call(*words, "--allow-missing").code == 0
    assert dataset("pack").open(tmp_path / "pack", "all").missing == 1


def test_the_number_of_workers_is_the_one_asked_for(
    call, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("affekt.data.packs.writing.default_workers", lambda: pytest.fail("a number was asked for"))
    words = ("--root", pictures, "--out", tmp_path / "pack", "--workers", 1)
    assert call("data", "pack", "folder", *words).code == 0


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--features", "audio"), "--features: of clips, and folder is a set of pictures"),
        (("--as", "pixels"), "--as pixels: at which size? Write --image-size N"),
        (("--as", "bytes", "--image-size", 8), "--as bytes: keeps files as they are, at any size"),
        (("--fit", "squash"), "--as bytes: keeps files as they are, at any size"),
        (("--limit", 6), "--limit 6: mine has 5 pictures"),
        (("--option", "gruop=item"), 'folder: option "gruop": unknown'),
    ],
)
def test_wrong_calls(call, pictures: Path, tmp_path: Path, words: tuple[str, ...], problem: str) -> None:
    answer = call("data", "pack", "folder", "--root", pictures, "--out", tmp_path / "pack", *words)
    assert (answer.code, answer.out) == (2, "")
    assert problem in answer.error
    assert not (tmp_path / "pack").exists()


def test_a_folder_in_the_place_of_a_name(call, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call("data", "pack", "folder", "--root", pictures, "--out", tmp_path / "packs" / "my own")
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "pack.json").write_text('{"format": 1}')
    (tmp_path / "oasis").mkdir()
    monkeypatch.chdir(tmp_path)
    for words, advice in (
        (("check", "packs/my own"), "write affekt data check pack --root 'packs/my own'"),
        (("info", "packs/my own"), "write affekt data check pack --root 'packs/my own'"),
        (("pack", "packs/my own", "--out", "x"), "write affekt data pack pack --root 'packs/my own' --out DIR"),
        (("check", "clips"), "write affekt data check pack --root clips"),
        (("pack", "clips", "--out", "x"), 'it holds a pack of clips, which a recipe takes as [clips] pack = "clips"'),
        (("check", "./oasis"), "write affekt data check oasis --root ./oasis"),
        (
            ("pack", pictures, "--out", "x"),
            f"write affekt data pack folder --root {pictures} --out DIR (or the set's own name: affekt data list)",
        ),
    ):
        answer = call("data", *words)
        assert (answer.code, answer.out) == (2, "")
        assert answer.error == f'data set "{words[1]}": a folder, not a name; {advice}'
    assert "unknown" in call("data", "check", "packs/other").error


def test_options_of_pictures_for_clips(call, tmp_path: Path) -> None:
    for words, option in ((("--as", "bytes"), "--as"), (("--image-size", 32), "--image-size")):
        answer = call("data", "pack", "emodb", "--out", tmp_path / "pack", *words)
        assert (answer.code, answer.error) == (2, f"{option}: of pictures, and emodb is a set of clips")
