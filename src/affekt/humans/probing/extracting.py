"""Extracting: the features of all pictures, batch by batch; pictures are decoded once for all that read them alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from affekt.data.loading import Loader
from affekt.data.packs import PackedPictures, of_files
from affekt.data.pictures import FilePictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.humans.probing.extractors import Extractor
from affekt.humans.probing.settings import Fit

Arrays = dict[str, NDArray[np.float32]]
"""Layer -> ``(N, D)``."""

BATCH = 32
"""Pictures at a time: the maps of VGG's first layers take 13 MB a picture at 224 px."""


class PicturesOf:
    """The pictures of a set, in the sizes in which subjects read them; the last size stays decoded in memory.

    Args:
        people: N pictures.
        device: where they are wanted.
        memory_gib: what decoded pictures may take; beyond it they are decoded as they are read.
    """

    def __init__(self, people: Stimuli, device: torch.device, *, memory_gib: float = 4.0) -> None:
        self._people = replace(people, labels=Labels())
        self._device, self._memory = device, memory_gib
        self._held: tuple[int, Fit] | None = None
        self._loader: Loader | None = None

    def __enter__(self) -> PicturesOf:
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def loader(self, image_size: int, fit: Fit) -> Loader:
        """Pictures in files as squares of that size; others as they are: a network resizes for itself.

        Raises:
            DataError: a picture that does not decode.
        """
        if self._loader is None or self._held != (image_size, fit):
            self._release()
            self._loader = Loader(self._sized(image_size, fit), device=self._device, memory_gib=self._memory)
            self._held = (image_size, fit)
        return self._loader

    def _sized(self, image_size: int, fit: Fit) -> Stimuli:
        files = self._people.pictures
        if not of_files(files):
            return self._people
        return replace(self._people, pictures=files.sized(image_size, fit))

    def _release(self) -> None:
        if self._loader is not None:
            self._loader.close()
            self._loader = None


@torch.inference_mode()
def extract(extractor: Extractor, loader: Loader, *, advance: Callable[[int], None] = lambda _n: None) -> Arrays:
    """Layer -> ``(N, D)`` float32, in order of the pictures.

    Args:
        extractor: on the loader's device.
        advance: told how many more pictures are done, after each batch.
    """
    rows = [np.arange(start, min(start + BATCH, len(loader))) for start in range(0, len(loader), BATCH)]
    found: Arrays = {}
    for indices, images, _ in loader.batches(rows):
        for layer, features in extractor(images).items():
            if layer not in found:
                found[layer] = np.empty((len(loader), features.shape[1]), dtype=np.float32)
            found[layer][indices] = features.cpu().numpy()
        advance(len(indices))
    return found


def digest_of_pictures(people: Stimuli) -> str:
    """SHA-256 of the ids and of the pictures: the bytes of files, the pixels of others."""
    hashed = hashlib.sha256("\n".join(people.ids.tolist()).encode())
    pictures = people.pictures
    if isinstance(pictures, FilePictures):
        for path in pictures.paths:
            with open(path, "rb") as file:  # noqa: PTH123 - paths are strings there
                hashed.update(hashlib.file_digest(file, "sha256").digest())
    elif isinstance(pictures, PackedPictures) and pictures.side is None:
        for start in range(0, len(people), BATCH):
            for data in pictures.raw(np.arange(start, min(start + BATCH, len(people)))):
                hashed.update(hashlib.sha256(data).digest())
    else:
        for start in range(0, len(people), BATCH):
            read = pictures.read(np.arange(start, min(start + BATCH, len(people))))
            hashed.update(np.ascontiguousarray(read.cpu().numpy()).data)
    return hashed.hexdigest()


def digest_of_labels(people: Stimuli, dimensions: tuple[str, ...]) -> str:
    """SHA-256 of what is predicted and of the groups."""
    hashed = hashlib.sha256("\n".join(people.groups.tolist()).encode())
    for name in dimensions:
        hashed.update(name.encode())
        hashed.update(np.ascontiguousarray(people.labels.ratings[name], dtype=np.float64).data)
    return hashed.hexdigest()
