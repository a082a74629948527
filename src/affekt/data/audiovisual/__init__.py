"""Audio-visual data: clips of speech with emotions and other labels, by name; splits, decoding, packs, augmentation.

    >>> from affekt.data.audiovisual import clip_dataset
    >>> clip_dataset("emodb").tasks["gender"]
    'gender of the actor as the authors list it (male, female): an annotation of ten people, by speaker'

A clip is sound at ``rate`` samples and pictures of a face at ``fps`` a second, 640 samples beside each picture at the
defaults. A set is one file here that ends in a :class:`ClipDataset`; to add one, write the file and name it in the
table of :mod:`affekt.data`.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.data.audiovisual.clip_dataset import ClipDataset
from affekt.data.audiovisual.clips import ClassLabels, Clips, Decoded
from affekt.errors import UsageError
from affekt.recipe import ClipSettings

if TYPE_CHECKING:
    from affekt.data.audiovisual.augmentation import ClipAugmentation
    from affekt.data.audiovisual.composing import compose_clips
    from affekt.data.audiovisual.loading import ClipBatch, ClipLoader
    from affekt.data.audiovisual.pack import open_pack
    from affekt.data.audiovisual.packing import pack_clips
    from affekt.data.audiovisual.resampling import resample
    from affekt.data.audiovisual.sound import read_audio
    from affekt.data.audiovisual.spectrogram import log_mel
    from affekt.data.audiovisual.splits import ClipSplits, split_clips
    from affekt.data.audiovisual.video import read_frames

_LAZY = {
    "ClipAugmentation": "augmentation",
    "ClipBatch": "loading",
    "ClipLoader": "loading",
    "ClipSplits": "splits",
    "compose_clips": "composing",
    "log_mel": "spectrogram",
    "open_pack": "pack",
    "pack_clips": "packing",
    "read_audio": "sound",
    "read_frames": "video",
    "resample": "resampling",
    "split_clips": "splits",
}

__all__ = [
    "ClassLabels",
    "ClipAugmentation",
    "ClipBatch",
    "ClipDataset",
    "ClipLoader",
    "ClipSplits",
    "Clips",
    "Decoded",
    "clip_dataset",
    "compose_clips",
    "log_mel",
    "open_clips",
    "open_pack",
    "pack_clips",
    "read_audio",
    "read_frames",
    "resample",
    "split_clips",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'affekt.data.audiovisual' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f"affekt.data.audiovisual.{_LAZY[name]}"), name)


def clip_dataset(name: str) -> ClipDataset:
    """The set of clips of that name; underscores for dashes and upper case will do.

    Raises:
        UsageError: no such data set, or one of pictures.
    """
    from affekt.data import describe

    found = describe(name)
    if not isinstance(found, ClipDataset):
        raise UsageError(f'data set "{name}": pictures, not clips; open it with affekt.data.open_stimuli')
    return found


def open_clips(settings: ClipSettings, *, data_root: Path | str | None = None, seed: int = 0) -> ClipSplits:
    """The train, validation and test clips that ``settings`` describe, from files or from their pack.

    Args:
        data_root: parent of the data sets' folders; None: see :func:`affekt.data.data_root`.
        seed: of the split, unless ``settings.split_seed`` says another.

    Raises:
        UsageError: unknown data set, task, feature or reader option; a pack that was made in another way.
        DataError: missing or damaged data, a speaker in two splits, a class without a training clip.
    """
    from affekt.data import dataset_folder
    from affekt.data.audiovisual.splits import split_clips

    clips = clip_dataset(settings.name).clips(dataset_folder(settings, data_root), settings)
    if settings.pack:
        from affekt.data.audiovisual.pack import with_pack

        clips = with_pack(clips, Path(settings.pack).expanduser())
    return split_clips(clips, settings, seed)
