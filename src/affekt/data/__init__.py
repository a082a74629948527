"""Data: affective pictures, target pictures and audio-visual clips by name, their splits, augmentation and loading.

    >>> from affekt.data import list_datasets
    >>> list_datasets("cifar*")
    ['cifar10', 'cifar100']

A data set is one file under ``affective/``, ``targets/`` or ``audiovisual/`` that ends in its :class:`Description`; it
is imported when it is asked for. To add one: write the file, and name it in the table below.
"""

from __future__ import annotations

import fnmatch
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.data.dataset import Dataset, Description, Source, option
from affekt.data.stimuli import Labels, Pictures, Stimuli
from affekt.errors import DataError, UsageError, unknown

if TYPE_CHECKING:
    from affekt.data.augmentation import Augmentation, Mixed
    from affekt.data.loading import Loader
    from affekt.data.pictures import ArrayPictures, FilePictures
    from affekt.data.splits import Splits, make_splits
    from affekt.recipe import ClipSettings, DataSettings

_DATASETS = {
    "abstract": "affective.abstract:DATASET",
    "affective-folder": "affective.folder:DATASET",
    "derived": "affective.derived:DATASET",
    "emod": "affective.emod:DATASET",
    "emoji": "affective.emoji:DATASET",
    "emoset": "affective.emoset:DATASET",
    "ferplus": "affective.ferplus:DATASET",
    "oasis": "affective.oasis:DATASET",
    "table": "affective.table:DATASET",
    "audiovisual-table": "audiovisual.table:DATASET",
    "crema-d": "audiovisual.crema_d:DATASET",
    "emodb": "audiovisual.emodb:DATASET",
    "iemocap": "audiovisual.iemocap:DATASET",
    "ravdess": "audiovisual.ravdess:DATASET",
    "cifar10": "targets.cifar:CIFAR10",
    "cifar100": "targets.cifar:CIFAR100",
    "emoji-groups": "targets.emoji_groups:DATASET",
    "fashion-mnist": "targets.fashion_mnist:DATASET",
    "folder": "targets.folder:DATASET",
    "pack": "packs.reading:DATASET",
}

_ALIASES = {
    "diffused-emod": "derived", "fer+": "ferplus", "cifar-10": "cifar10", "cifar-100": "cifar100", "cremad": "crema-d",
    "emo-db": "emodb",
}  # fmt: skip

_LAZY = {
    "ArrayPictures": "pictures",
    "FilePictures": "pictures",
    "Splits": "splits",
    "make_splits": "splits",
    "Loader": "loading",
    "Augmentation": "augmentation",
    "Mixed": "augmentation",
}

__all__ = [
    "ArrayPictures",
    "Augmentation",
    "Dataset",
    "Description",
    "FilePictures",
    "Labels",
    "Loader",
    "Mixed",
    "Pictures",
    "Source",
    "Splits",
    "Stimuli",
    "behind",
    "data_root",
    "dataset",
    "dataset_folder",
    "describe",
    "list_datasets",
    "make_splits",
    "open_stimuli",
    "option",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'affekt.data' has no attribute {name!r}; it has {', '.join(sorted(__all__))}")
    return getattr(importlib.import_module(f"affekt.data.{_LAZY[name]}"), name)


def list_datasets(pattern: str = "*") -> list[str]:
    """The names of the data sets that match a shell pattern, sorted."""
    return sorted(fnmatch.filter(_DATASETS, pattern))


def describe(name: str) -> Description:
    """What is known of the data set of that name, of pictures or of clips; underscores and upper case will do.

    Raises:
        UsageError: no such data set; the nearest are named.
    """
    key = _known_as(name)
    if key not in _DATASETS:
        raise UsageError(unknown("data set", name, _DATASETS, everything="affekt data list"))
    module, attribute = _DATASETS[key].split(":")
    found = getattr(importlib.import_module(f"affekt.data.{module}"), attribute)
    assert isinstance(found, Description)
    return found


def _known_as(name: str) -> str:
    key = name.strip().lower().replace("_", "-")
    return _ALIASES.get(key, key)


def dataset(name: str) -> Dataset:
    """The set of pictures of that name, as :func:`describe`.

    Raises:
        UsageError: no such data set, or one of clips.
    """
    found = describe(name)
    if not isinstance(found, Dataset):
        raise UsageError(
            f'data set "{name}": clips with sound, not pictures; open it with affekt.data.audiovisual.open_clips'
        )
    return found


def behind(settings: DataSettings, root: Path | str | None = None) -> Description:
    """The description of the set of pictures that ``settings`` name; of a pack, of the set that was packed.

    A pack that is not here, or cannot be read, is described as a pack.

    Args:
        root: parent of the data sets' folders; None: see :func:`data_root`.

    Raises:
        UsageError: no such data set, or one of clips.
    """
    found = dataset(settings.name)
    if found.kind != "pack":
        return found
    from affekt.data.packs.reading import packed_set

    try:
        return packed_set(dataset_folder(settings, root))
    except DataError:
        return found


def data_root(root: Path | str | None = None) -> Path:
    """The folder that holds one folder a data set: the argument, else ``AFFEKT_DATA``, else the user's cache folder."""
    chosen = root or os.environ.get("AFFEKT_DATA")
    return Path(chosen).expanduser() if chosen else user_cache() / "affekt"


def user_cache() -> Path:
    """The user's cache folder, as the system has it."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def dataset_folder(settings: DataSettings | ClipSettings, root: Path | str | None = None) -> Path:
    """The folder of a data set: ``settings.root``, else ``<data root>/<name as the recipe writes it>``.

    A folder with underscores for the dashes of the name will do, and so will one of the name by which the set is
    listed, where the recipe has another for it.
    """
    if settings.root:
        return Path(settings.root).expanduser()
    names = (settings.name, _known_as(settings.name))
    folders = [data_root(root) / spelt for name in names for spelt in (name, name.replace("-", "_"))]
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def open_stimuli(settings: DataSettings, *, data_root: Path | str | None = None, seed: int = 0) -> Splits[Stimuli]:
    """The train, validation and test stimuli that ``settings`` describe.

    Args:
        settings: a recipe's ``[affective]`` or ``[target]``.
        data_root: parent of the data sets' folders; None: see :func:`data_root`.
        seed: of the split, unless ``settings.split_seed`` says another.

    Raises:
        UsageError: unknown data set or reader option.
        DataError: missing or damaged data, splits that share a group, a class without a training picture.
    """
    from affekt.data.splits import make_splits

    found = dataset(settings.name)
    return make_splits(found.stimuli(dataset_folder(settings, data_root), settings), settings, seed)
