"""One's own pictures in class folders: what is found, what is left out, what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from affekt.data import dataset
from affekt.errors import DataError, UsageError


def picture(path: Path, value: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (value, value, value)).save(path, format="PNG")


def make(root: Path, *names: str) -> Path:
    for n, name in enumerate(names):
        picture(root / name, n)
    return root


def read(root: Path, **settings: object):
    described = dataset("folder")
    return described.stimuli(root, described.settings(image_size=8, **settings))


def test_class_folders_without_splits(tmp_path: Path) -> None:
    make(tmp_path, "cat/2.png", "cat/1.png", "dog/1.png")
    stimuli = read(tmp_path)
    assert stimuli.ids.tolist() == ["cat/1.png", "cat/2.png", "dog/1.png"]
    assert stimuli.labels.categories == ("cat", "dog")
    assert stimuli.labels.category.tolist() == [0, 0, 1]
    assert stimuli.split is None
    assert stimuli.notes == ()
    assert stimuli.images(np.arange(3))[:, 0, 0, 0].tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Training", "valid", "testing"), ("train", "validation", "test")]
)
def test_class_folders_below_splits(tmp_path: Path, names: tuple[str, str, str]) -> None:
    make(tmp_path, *(f"{split}/{label}/1.png" for split in names for label in ("cat", "dog")))
    stimuli = read(tmp_path)
    assert stimuli.labels.category.tolist() == [0, 1] * 3
    assert stimuli.split.tolist() == ["train"] * 2 + ["validation"] * 2 + ["test"] * 2
    assert stimuli.ids[0] == f"{names[0]}/cat/1.png"


def test_nested_folders_any_case_and_hidden_files(tmp_path: Path) -> None:
    make(
        tmp_path,
        *("cat/a/b/1.PNG", "cat/2.JPeG", "dog/3.WebP", "dog/.hidden.png", "dog/.cache/4.png", ".git/x/5.png"),
        "__MACOSX/cat/6.png",
    )
    stimuli = read(tmp_path)
    assert stimuli.ids.tolist() == ["cat/2.JPeG", "cat/a/b/1.PNG", "dog/3.WebP"]
    assert stimuli.labels.categories == ("cat", "dog")


def test_other_files_and_loose_pictures_are_counted_in_a_note(tmp_path: Path) -> None:
    make(tmp_path, "cat/1.png", "dog/1.png", "loose.png")
    (tmp_path / "cat" / "notes.txt").write_text("x")
    (tmp_path / "dog" / "Thumbs.db").write_text("x")
    (tmp_path / "README").write_text("x")
    notes = read(tmp_path).notes
    assert notes[0] == "2 files in class folders are no pictures by their names, left out"
    assert notes[1].startswith("1 pictures beside the class folders")


@pytest.mark.parametrize(
    ("files", "found"), [((), "nothing"), (("notes.txt",), "1 other files"), ((".hidden.png",), "nothing")]
)
def test_a_class_folder_without_a_picture_is_named(tmp_path: Path, files: tuple[str, ...], found: str) -> None:
    make(tmp_path, "cat/1.png", "dog/1.png")
    (tmp_path / "emu").mkdir()
    for file in files:
        (tmp_path / "emu" / file).write_text("x")
    with pytest.raises(DataError, match=rf"no picture in the class folder .*emu, {found} there"):
        read(tmp_path)


def test_a_class_folder_without_a_picture_in_one_split_is_named(tmp_path: Path) -> None:
    make(tmp_path, "train/cat/1.png", "train/dog/1.png", "test/cat/2.png")
    (tmp_path / "test" / "dog").mkdir()
    with pytest.raises(DataError, match=r"no picture in the class folder .*test/dog"):
        read(tmp_path)


def test_a_class_without_a_folder_in_test_is_a_note_and_one_without_train_an_error(tmp_path: Path) -> None:
    make(tmp_path, "train/cat/1.png", "train/dog/1.png", "test/cat/2.png")
    assert read(tmp_path).notes == ("test: no folder for dog",)
    make(tmp_path, "test/dogs/1.png")
    with pytest.raises(
        DataError, match=r'class folder "dogs": unknown. Nearest: dog.*the train folder has no such class'
    ):
        read(tmp_path)


def test_pictures_without_class_folders_get_a_helpful_message(tmp_path: Path) -> None:
    make(tmp_path, "1.png", "2.png")
    with pytest.raises(DataError, match=r"holds 2 pictures but no class folders; put the pictures .* e.g. cat/1.jpg"):
        read(tmp_path)


def test_an_empty_folder_a_file_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no folders; put"):
        read(tmp_path)
    make(tmp_path, "1.png")
    with pytest.raises(DataError, match="is no folder"):
        read(tmp_path / "1.png")
    with pytest.raises(DataError, match="no folder"):
        read(tmp_path / "nowhere")


def test_one_class_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='one class only, "cat"'):
        read(make(tmp_path, "cat/1.png", "cat/2.png"))


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    make(tmp_path, "train/1.png", "plane/1.png", "test/1.png")
    stimuli = read(tmp_path)
    assert stimuli.labels.categories == ("plane", "test", "train")
    assert stimuli.split is None
    picture(tmp_path / "train" / "steam" / "2.png")
    assert read(tmp_path).ids.tolist() == ["plane/1.png", "test/1.png", "train/1.png", "train/steam/2.png"]


def test_two_folders_for_one_split_and_a_test_without_train_are_refused(tmp_path: Path) -> None:
    make(tmp_path / "a", "train/cat/1.png", "train/dog/1.png", "val/cat/1.png", "validation/cat/1.png")
    with pytest.raises(DataError, match="are both the validation split"):
        read(tmp_path / "a")
    make(tmp_path / "b", "test/cat/1.png", "test/dog/1.png")
    with pytest.raises(DataError, match="has test but no train folder"):
        read(tmp_path / "b")


def test_pictures_of_one_folder_may_be_kept_in_one_split(tmp_path: Path) -> None:
    make(tmp_path, "cat/tom/1.png", "cat/tom/2.png", "cat/ada/1.png", "dog/1.png")
    assert len(set(read(tmp_path).groups)) == 4
    assert read(tmp_path, group="folder").groups.tolist() == ["cat/ada", "cat/tom", "cat/tom", "dog"]
    with pytest.raises(UsageError, match=r'option group "floder": unknown. Nearest: folder'):
        read(tmp_path, group="floder")


def test_links_to_class_folders_are_followed(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere", "1.png")
    make(tmp_path / "set", "dog/1.png")
    (tmp_path / "set" / "cat").symlink_to(tmp_path / "elsewhere")
    assert read(tmp_path / "set").ids.tolist() == ["cat/1.png", "dog/1.png"]
