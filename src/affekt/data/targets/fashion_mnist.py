"""Fashion-MNIST: 70,000 grey pictures of clothes in the four idx files of its authors."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affekt.data.dataset import Dataset, Source
from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError
from affekt.recipe import DataSettings

if TYPE_CHECKING:
    from torch import Tensor

INSTALLED = Path("/usr/share/datasets/fashion-mnist")
"""Where the Debian package ``dataset-fashion-mnist`` puts the files."""

CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")

_SPLITS = {"train": "train", "t10k": "test"}
_SUBFOLDERS = ("", "FashionMNIST/raw", "raw")
_UBYTE, _LARGEST = 8, 2**31


def _read(root: Path, settings: DataSettings) -> Stimuli:
    folder = _find(root)
    images, labels, ids, splits = [], [], list[str](), list[str]()
    for prefix, split in _SPLITS.items():
        pixels = _read_idx(folder / f"{prefix}-images-idx3-ubyte", 3)
        classes = _read_idx(folder / f"{prefix}-labels-idx1-ubyte", 1)
        if len(pixels) != len(classes) or len(classes) == 0:
            raise DataError(f"Fashion-MNIST: {split}: {len(pixels)} pictures, {len(classes)} labels in {folder}")
        images.append(pixels)
        labels.append(classes.astype(np.int64))
        splits += [split] * len(classes)
        ids += [f"{split}/{n:05d}" for n in range(len(classes))]
    category = np.concatenate(labels)
    if category.max() >= len(CLASSES):
        raise DataError(f"Fashion-MNIST: a label {category.max()} where there are {len(CLASSES)} classes in {folder}")
    notes = () if len(ids) == 70_000 else (f"Fashion-MNIST: {len(ids):,} of 70,000 pictures",)
    return Stimuli(
        name="Fashion-MNIST",
        ids=np.array(ids),
        pictures=ArrayPictures(_rgb(np.concatenate(images))).resized(settings.image_size),
        labels=Labels(categories=CLASSES, category=category),
        groups=np.array(ids),
        split=np.array(splits),
        notes=notes,
    )


def _rgb(pixels: NDArray[np.uint8]) -> Tensor:
    """``(N, H, W)`` grey -> ``(N, 3, H, W)``: one value seen three times, not three copies."""
    import torch

    return torch.from_numpy(pixels)[:, None].expand(-1, 3, -1, -1)


def _find(root: Path) -> Path:
    """The folder that holds the files: ``root``, torchvision's folders in it, or where Debian installs them."""
    for folder in (*(root / sub for sub in _SUBFOLDERS), INSTALLED):
        if any(folder.glob("train-images-idx3-ubyte*")):
            return folder
    raise DataError(
        f"fashion-mnist: no train-images-idx3-ubyte.gz in {root}; get it with `affekt data fetch fashion-mnist`, or "
        "on Debian with `apt install dataset-fashion-mnist`"
    )


def _read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """An idx file of unsigned bytes, gzipped (``.gz``) or not.

    Raises:
        DataError: missing, truncated, or of another kind.
    """
    packed = path.with_name(path.name + ".gz")
    found = packed if packed.is_file() else path
    if not found.is_file():
        raise DataError(f"Fashion-MNIST: {packed} is missing; get it with `affekt data fetch fashion-mnist`")
    try:
        with gzip.open(found) if found is packed else found.open("rb") as file:
            header = np.frombuffer(file.read(4 + 4 * dimensions), ">u4")
            if len(header) != 1 + dimensions or header[0] != _UBYTE << 8 | dimensions:
                raise DataError(f"{found}: not an idx file of {dimensions} dimensions of bytes")
            shape = [int(n) for n in header[1:]]
            size = int(np.prod(shape, dtype=object))
            data = file.read(size + 1) if size < _LARGEST else b""
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{found}: truncated or damaged ({error}); fetch it again") from None
    if len(data) != size:
        raise DataError(f"{found}: its header says {' x '.join(map(str, shape))} bytes; truncated or damaged")
    return np.frombuffer(bytearray(data), np.uint8).reshape(shape)


def _source(file: str, sha256: str, size: int) -> Source:
    hosts = (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
    )
    return Source(urls=tuple(f"{host}/{file}" for host in hosts), file=file, sha256=sha256, size=size)


DATASET = Dataset(
    name="fashion-mnist",
    title="Fashion-MNIST: 70,000 grey pictures of 28 x 28 pixels of clothes in ten classes",
    kind="target",
    licence="MIT",
    show_pictures=True,
    citation="Xiao, Rasul, Vollgraf (2017), Fashion-MNIST, arXiv:1708.07747",
    homepage="https://github.com/zalandoresearch/fashion-mnist",
    labels=("category",),
    categories=CLASSES,
    layout="{train,t10k}-images-idx3-ubyte.gz and {train,t10k}-labels-idx1-ubyte.gz (or the files unpacked)",
    expected=70_000,
    splits={"train": 6 / 7, "test": 1 / 7},
    sources=(
        _source(
            "train-images-idx3-ubyte.gz",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            26_421_880,
        ),
        _source(
            "train-labels-idx1-ubyte.gz",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            29_515,
        ),
        _source(
            "t10k-images-idx3-ubyte.gz",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            4_422_102,
        ),
        _source(
            "t10k-labels-idx1-ubyte.gz",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            5_148,
        ),
    ),
    read=_read,
    needs_folder=False,
)
