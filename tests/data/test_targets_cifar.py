"""CIFAR-10 and CIFAR-100 in each form in which people have them, and what is said of damaged ones."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from cifar_files import SPLITS_10, batch, official_pickle, pack, write_cifar
from PIL import Image

from affekt.data import dataset
from affekt.data.targets.cifar import CLASSES_10, CLASSES_100, SUPERCLASSES
from affekt.errors import DataError

ARCHIVES = {
    "cifar-10-batches-py": "cifar-10-python.tar.gz",
    "cifar-10-batches-bin": "cifar-10-binary.tar.gz",
    "cifar-100-python": "cifar-100-python.tar.gz",
    "cifar-100-binary": "cifar-100-binary.tar.gz",
}


def read(name: str, root: Path, **settings: object):
    described = dataset(name)
    return described.stimuli(root, described.settings(**settings))


def name_of(form: str) -> str:
    return "cifar100" if "100" in form else "cifar10"


@pytest.mark.parametrize("form", list(ARCHIVES))
@pytest.mark.parametrize("how", ["folder", "folder itself", "archive", "archive itself"])
def test_every_published_form_gives_the_same_pictures(tmp_path: Path, form: str, how: str) -> None:
    root = write_cifar(tmp_path, form)
    if how.startswith("archive"):
        root = pack(root, tmp_path / ARCHIVES[form])
    stimuli = read(name_of(form), root if how.endswith("itself") else tmp_path)
    hundred = "100" in form
    names = {"train": "train", "test": "test"} if hundred else SPLITS_10
    batches = [batch(name, 3, 100 if hundred else 10) for name in names]
    pixels = np.concatenate([p for p, _ in batches]).reshape(-1, 3, 32, 32)
    np.testing.assert_array_equal(stimuli.images(np.arange(len(stimuli))).numpy(), pixels)
    assert stimuli.labels.category is not None
    assert stimuli.labels.category.tolist() == [label for _, labels in batches for label in labels]
    assert stimuli.split is not None
    assert stimuli.split.tolist() == [split for split in names.values() for _ in range(3)]
    assert stimuli.ids[0] == "train/00000"
    assert stimuli.ids[-1] == "test/00002"
    assert stimuli.labels.categories == (CLASSES_100 if hundred else CLASSES_10)
    assert stimuli.notes == (f"CIFAR-{100 if hundred else 10}: {len(pixels)} of 60,000 pictures",)


def test_the_first_pixel_is_the_top_left_one_and_red_comes_first(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-100-binary"
    folder.mkdir()
    pixels = np.zeros((1, 3, 32, 32), np.uint8)
    pixels[0, :, 0, 1] = (200, 100, 50)
    for name in ("train.bin", "test.bin"):
        (folder / name).write_bytes(bytes([4, 30]) + pixels.tobytes())
    stimuli = read("cifar100", tmp_path)
    assert stimuli.images(np.array([0]))[0, :, 0, 1].tolist() == [200, 100, 50]
    assert stimuli.labels.category.tolist() == [30, 30]


def test_coarse_classes_of_cifar_100_follow_the_fine_ones(tmp_path: Path) -> None:
    write_cifar(tmp_path, "cifar-100-binary", n=50)
    labels = read("cifar100", tmp_path).labels
    for fine, coarse in zip(labels.category.tolist(), labels.extra["coarse"].tolist(), strict=True):
        assert CLASSES_100[fine] in SUPERCLASSES[coarse]


def test_the_classes_are_the_published_ones() -> None:
    assert CLASSES_10[:3] == ("airplane", "automobile", "bird")
    assert (CLASSES_100[0], CLASSES_100[11], CLASSES_100[52], CLASSES_100[99]) == ("apple", "boy", "oak_tree", "worm")
    assert len(set(CLASSES_100)) == 100
    assert [len(group) for group in SUPERCLASSES.values()] == [5] * 20
    assert list(SUPERCLASSES) == sorted(SUPERCLASSES)


def test_pictures_are_resized_when_asked(tmp_path: Path) -> None:
    write_cifar(tmp_path, "cifar-10-batches-bin")
    assert read("cifar10", tmp_path, image_size=64).images(np.array([0])).shape == (1, 3, 64, 64)


def write_pictures(root: Path, classes: tuple[str, ...]) -> None:
    for split in ("train", "test"):
        for n, name in enumerate(classes):
            folder = root / split / name
            folder.mkdir(parents=True)
            Image.new("RGB", (32, 32), (n, n, n)).save(folder / "0000.png")


def test_class_folders_are_read_and_said_to_be_no_archive(tmp_path: Path) -> None:
    write_pictures(tmp_path, CLASSES_10)
    stimuli = read("cifar10", tmp_path)
    assert stimuli.labels.category.tolist() == [*range(10), *range(10)]
    assert stimuli.split.tolist() == ["train"] * 10 + ["test"] * 10
    assert stimuli.ids[0] == "train/airplane/0000.png"
    assert "CIFAR-10 (JPEG)" in stimuli.notes[0]
    assert stimuli.images(np.array([3])).unique().tolist() == [3]


def test_class_folders_of_cifar_100_know_their_coarse_class(tmp_path: Path) -> None:
    write_pictures(tmp_path, CLASSES_100)
    assert read("cifar100", tmp_path).labels.extra["coarse"][0] == "fruit_and_vegetables"


def test_other_class_folders_are_refused_with_the_nearest(tmp_path: Path) -> None:
    write_pictures(tmp_path, (*CLASSES_10[:-1], "trucks"))
    with pytest.raises(DataError, match=r'CIFAR-10: class folder "trucks": unknown. Nearest: truck'):
        read("cifar10", tmp_path)


def test_a_class_folder_too_few_is_named(tmp_path: Path) -> None:
    write_pictures(tmp_path, CLASSES_10[:-1])
    with pytest.raises(DataError, match="no folder for the class truck"):
        read("cifar10", tmp_path)


def test_an_empty_folder_says_what_it_must_hold(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"nothing of it in .*affekt data fetch cifar100`, or put there: cifar-100-python"
    ):
        read("cifar100", tmp_path)
    (tmp_path / "other.tar.gz").write_bytes(b"")
    with pytest.raises(DataError, match=r"is not one of its archives: cifar-10-python.tar.gz, cifar-10-binary"):
        read("cifar10", tmp_path / "other.tar.gz")


def test_a_missing_batch_is_named(tmp_path: Path) -> None:
    folder = write_cifar(tmp_path, "cifar-10-batches-py")
    (folder / "data_batch_3").unlink()
    with pytest.raises(DataError, match=r"cifar-10-batches-py lacks data_batch_3; remove the folder"):
        read("cifar10", tmp_path)
    pack(folder, tmp_path / "cifar-10-python.tar.gz")
    with pytest.raises(DataError, match=r"no cifar-10-batches-py/data_batch_3 in it"):
        read("cifar10", tmp_path)


@pytest.mark.parametrize("form", ["cifar-10-batches-bin", "cifar-10-batches-py"])
def test_a_truncated_batch_is_named(tmp_path: Path, form: str) -> None:
    path = next(p for p in sorted(write_cifar(tmp_path, form).iterdir()) if "batch_2" in p.name)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=rf"CIFAR-10: {path.name}: "):
        read("cifar10", tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (official_pickle(np.zeros((2, 3072), np.uint8), labels=[0, 10]), "a label 10 where there are 10 classes"),
        (pickle.dumps({"data": np.zeros((1, 3072), np.int64), "labels": [0]}, protocol=3), "int64 .* pixels"),
        (official_pickle(np.zeros((2, 3072), np.uint8), labels=[0]), "pixels for 1 labels"),
        (official_pickle(np.zeros((2, 30), np.uint8), labels=[0, 1]), r"\(2, 30\) pixels"),
        (
            official_pickle(np.zeros((2, 3072), np.uint8), fine_labels=[0, 1]),
            'no "data" and "labels" in it; it has data',
        ),
        (official_pickle(np.zeros((2, 3072), np.uint8), labels=["a", "b"]), "labels that are no whole numbers"),
    ],
)
def test_a_wrong_batch_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (write_cifar(tmp_path, "cifar-10-batches-py") / "test_batch").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read("cifar10", tmp_path)


class Hostile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_hostile_batch_in_an_archive_is_refused_and_does_not_run(tmp_path: Path) -> None:
    folder = write_cifar(tmp_path, "cifar-10-batches-py")
    (folder / "data_batch_1").write_bytes(
        pickle.dumps({"data": Hostile(tmp_path / "trace"), "labels": [1]}, protocol=2)
    )
    pack(folder, tmp_path / "cifar-10-python.tar.gz")
    with pytest.raises(DataError, match=r"data_batch_1: not read: its pickle asks for posix.mkdir"):
        read("cifar10", tmp_path)
    assert not (tmp_path / "trace").exists()


def test_splits_are_the_published_ones_with_validation_cut_from_train(tmp_path: Path) -> None:
    write_cifar(tmp_path, "cifar-10-batches-bin", n=40)
    described = dataset("cifar10")
    parts = {split: described.open(tmp_path, split, validation=0.2) for split in ("train", "validation", "test")}
    assert {split: len(part) for split, part in parts.items()} == {"train": 160, "validation": 40, "test": 40}
    assert all(name.startswith("test/") for name in parts["test"].ids)


def test_the_real_pictures() -> None:
    root = Path(os.environ.get("AFFEKT_DATA", "")) / "cifar10"
    if not os.environ.get("AFFEKT_DATA") or not root.is_dir():
        pytest.skip("AFFEKT_DATA has no cifar10")
    stimuli = read("cifar10", root)
    assert len(stimuli) == 60_000
    np.testing.assert_array_equal(np.bincount(stimuli.labels.category), [6000] * 10)
    assert (stimuli.split == "test").sum() == 10_000
    assert stimuli.images(np.array([0, 59_999])).shape == (2, 3, 32, 32)
