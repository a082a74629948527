"""Packs: a set of pictures in one memory-mapped file, with its labels; and the files that packs of clips share.

>>> from affekt.data import dataset
>>> from affekt.data.packs import pack_pictures
>>> emoset = dataset("emoset")
>>> pack_pictures(emoset.open("data/emoset", "all"), "packs/emoset", how="bytes", described=emoset)
>>> train = dataset("pack").open("packs/emoset", "train", image_size=224)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from affekt.data.packs.pictures import PackedPictures, of_files
    from affekt.data.packs.reading import verify_pictures
    from affekt.data.packs.writing import Packed, pack_pictures

_LAZY = {
    "Packed": "writing",
    "PackedPictures": "pictures",
    "of_files": "pictures",
    "pack_pictures": "writing",
    "verify_pictures": "reading",
}

__all__ = ["Packed", "PackedPictures", "of_files", "pack_pictures", "verify_pictures"]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'affekt.data.packs' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f"affekt.data.packs.{_LAZY[name]}"), name)
