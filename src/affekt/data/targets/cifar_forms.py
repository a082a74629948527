"""The published forms of CIFAR-10 and CIFAR-100: which files they hold and how one of them is decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.data.stimuli import Ints
from affekt.data.unpickling import read_batch
from affekt.errors import DataError

Decode = Callable[[bytes, str], tuple[NDArray[np.uint8], Ints]]
"""Content and name of a file -> ``(N, 3072)`` pixels, ``(N,)`` labels."""

_PIXELS = 3 * 32 * 32
"""Numbers a picture: 32 x 32 red, then green, then blue."""


@dataclass(frozen=True, kw_only=True)
class Form:
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
FORMS_10 = (
    Form(
        folder="cifar-10-batches-py",
        archive="cifar-10-python.tar.gz",
        files={"train": _BATCHES, "test": ("test_batch",)},
        decode=_python("labels"),
    ),
    Form(
        folder="cifar-10-batches-bin",
        archive="cifar-10-binary.tar.gz",
        files={"train": tuple(f"{name}.bin" for name in _BATCHES), "test": ("test_batch.bin",)},
        decode=_binary(1),
    ),
)
FORMS_100 = (
    Form(
        folder="cifar-100-python",
        archive="cifar-100-python.tar.gz",
        files={"train": ("train",), "test": ("test",)},
        decode=_python("fine_labels"),
    ),
    Form(
        folder="cifar-100-binary",
        archive="cifar-100-binary.tar.gz",
        files={"train": ("train.bin",), "test": ("test.bin",)},
        decode=_binary(2),
    ),
)
