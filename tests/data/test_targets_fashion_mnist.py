"""Fashion-MNIST's idx files: read whole or refused by name."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from affekt.data import dataset
from affekt.data.targets import fashion_mnist
from affekt.errors import DataError

PIXELS = {"train": np.arange(4 * 784, dtype=np.int64).reshape(4, 28, 28) % 251, "t10k": np.full((2, 28, 28), 7)}
LABELS = {"train": [9, 0, 3, 3], "t10k": [1, 2]}


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.astype(np.uint8).tobytes()


def write(folder: Path, *, packed: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, pixels in PIXELS.items():
        for name, values in (("images-idx3", pixels), ("labels-idx1", np.array(LABELS[prefix]))):
            content = idx(values)
            path = folder / f"{prefix}-{name}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(content) if packed else content)
    return folder


def read(root: Path, image_size: int = 28):
    described = dataset("fashion-mnist")
    return described.stimuli(root, described.settings(image_size=image_size))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("sub", ["", "FashionMNIST/raw"])
def test_the_four_files_are_read(tmp_path: Path, packed: bool, sub: str) -> None:
    write(tmp_path / sub, packed=packed)
    stimuli = read(tmp_path)
    images = stimuli.images(np.arange(6)).numpy()
    assert images.shape == (6, 3, 28, 28)
    for channel in range(3):
        np.testing.assert_array_equal(images[:, channel], np.concatenate([*PIXELS.values()]))
    assert stimuli.labels.category.tolist() == [9, 0, 3, 3, 1, 2]
    assert stimuli.labels.categories[9] == "ankle boot"
    assert stimuli.split.tolist() == ["train"] * 4 + ["test"] * 2
    assert stimuli.ids.tolist()[3:5] == ["train/00003", "test/00000"]
    assert stimuli.notes == ("Fashion-MNIST: 6 of 70,000 pictures",)


def test_pictures_are_kept_once_not_once_a_channel_and_resized_when_asked(tmp_path: Path) -> None:
    write(tmp_path)
    pixels = read(tmp_path).pictures.pixels
    assert pixels.untyped_storage().nbytes() == 6 * 28 * 28
    assert read(tmp_path, 32).images(np.array([4])).unique().tolist() == [7]


def test_the_installed_package_is_found_when_there_is_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fashion_mnist, "INSTALLED", write(tmp_path / "usr"))
    assert len(read(tmp_path / "nowhere")) == 6
    monkeypatch.setattr(fashion_mnist, "INSTALLED", tmp_path / "absent")
    with pytest.raises(DataError, match=r"affekt data fetch fashion-mnist.*apt install dataset-fashion-mnist"):
        read(tmp_path / "nowhere")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (write(tmp_path) / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte.gz is missing"):
        read(tmp_path)


def labels(*values: int) -> bytes:
    return gzip.compress(idx(np.array(values)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(idx(np.arange(2)))[:-9], "truncated or damaged"),
        (b"<html>", "truncated or damaged"),
        (gzip.compress(b"<html>log in</html>"), "not an idx file"),
        (gzip.compress(idx(np.zeros((2, 2)))), "not an idx file of 1 dimensions"),
        (gzip.compress(idx(np.arange(3))[:-1]), "its header says 3 bytes"),
        (gzip.compress(idx(np.arange(3)) + b"more"), "its header says 3 bytes"),
        (gzip.compress(struct.pack(">HBBI", 0, 8, 1, 2**32 - 1)), "its header says 4294967295 bytes"),
        (labels(1), "2 pictures, 1 labels"),
        (labels(1, 10), "a label 10 where there are 10 classes"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (write(tmp_path) / "t10k-labels-idx1-ubyte.gz").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(tmp_path)


def test_a_file_that_would_fill_the_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setattr(fashion_mnist, "_LARGEST", 1000)
    with pytest.raises(DataError, match="its header says 4 x 28 x 28 bytes"):
        read(tmp_path)


def test_the_real_pictures() -> None:
    if not fashion_mnist.INSTALLED.is_dir():
        pytest.skip(f"no {fashion_mnist.INSTALLED}")
    stimuli = read(Path("/nowhere"))
    assert (len(stimuli), stimuli.notes) == (70_000, ())
    np.testing.assert_array_equal(np.bincount(stimuli.labels.category), [7000] * 10)
