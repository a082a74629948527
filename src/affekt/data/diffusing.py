"""Derived sets: the pictures of a source set re-made picture by picture, each with the id whose labels it inherits.

Two readings of "diffused", each one method (:mod:`affekt.data.diffusion_methods`): an image-to-image diffusion model,
the default reading of Diffused-EMOd, and the forward noising process alone. The set is a folder of PNG files with
``derived.json`` (how it was made, written first) and ``derived.csv`` (``image,source_id``, written when all are there).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

import numpy as np

from affekt import __version__
from affekt.data.disk import told, whole
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError
from affekt.randomness import stream

if TYPE_CHECKING:
    from torch import Generator, Tensor

Progress = Callable[[str, int, int], None]
"""Called with (what, pictures done, pictures in all)."""


class Method(Protocol):
    """One way to re-make pictures."""

    def parameters(self) -> Mapping[str, object]:
        """What ``derived.json`` says of it: plain values; a folder made with others is not gone on with."""
        ...

    def __call__(
        self, images: Tensor, labels: Sequence[str], generators: Sequence[Generator], /
    ) -> Sequence[Tensor | None]:
        """``(B, 3, H, W)`` uint8 -> B pictures ``(3, h, w)`` uint8; None where it refuses to make one.

        Args:
            labels: what people felt, in words, for a prompt.
            generators: one a picture, on the CPU; all randomness comes from them.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Derived:
    """What was made.

    Attributes:
        folder: of the derived set.
        made, kept: pictures made now, and pictures that were there.
        refused: ids of which the model made nothing; not in ``derived.csv``.
    """

    folder: Path
    made: int
    kept: int
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Picture:
    """One picture to make: the row of its source, its id, which copy, and its file below the folder."""

    row: int
    source_id: str
    copy: int
    file: str


def diffuse(
    source: Stimuli,
    folder: Path,
    method: Method,
    *,
    name: str = "",
    seed: int = 0,
    copies: int = 1,
    batch: int = 4,
    progress: Progress | None = None,
) -> Derived:
    """Make the derived set of ``source`` in ``folder``; called again, it makes what is missing and nothing else.

    Each picture is a function of (method, seed, id, copy) and its source. A picture is whole or absent, whenever the
    work is interrupted.

    Args:
        name: of the source set as a recipe writes it, which the reader of the derived set looks up; absent: its own.
        copies: pictures made of each source picture.
        batch: pictures made at a time; by a model that is exactly batch-invariant it changes nothing.

    Raises:
        DataError: the folder holds something else, or a set made in another way; a full or read-only disk.
    """
    progress = progress or (lambda *_: None)
    pictures = list(_pictures(source, copies))
    side = int(source.images(np.zeros(1, dtype=np.int64)).shape[-1])
    made_of = {"source": name or source.name, "image_size": side, "seed": seed, "copies": copies}
    record = {**made_of, **method.parameters()}
    with told(folder, "making the derived set"):
        _begin(folder, record)
        missing = [p for p in pictures if not (folder / p.file).exists()]
        done, refused = len(pictures) - len(missing), dict[_Picture, None]()
        progress("pictures", done, len(pictures))
        for group in _batches(missing, batch):
            refused |= dict.fromkeys(_make(source, folder, method, group, seed))
            done += len(group)
            progress("pictures", done, len(pictures))
        _finish(folder, [p for p in pictures if p not in refused])
    made, names = len(missing) - len(refused), tuple(p.source_id for p in refused)
    return Derived(folder=folder, made=made, kept=len(pictures) - len(missing), refused=names)


def _batches(pictures: list[_Picture], size: int) -> Iterator[list[_Picture]]:
    return (pictures[start : start + size] for start in range(0, len(pictures), size))


def _pictures(source: Stimuli, copies: int) -> Iterator[_Picture]:
    for copy in range(copies):
        top = "images" if copies == 1 else f"images-{copy + 1}"
        for row, name in enumerate(source.ids.tolist()):
            # Quoted, an id that is a path of its set stays a path, and no id leads out of the folder.
            parts = [quote(part, safe=" ()+,=@&!'") for part in name.split("/")]
            parts = [part.replace(".", "%2E") if set(part) <= {"."} else part for part in parts]
            yield _Picture(row=row, source_id=name, copy=copy, file="/".join([top, *parts]) + ".png")


def _begin(folder: Path, record: Mapping[str, object]) -> None:
    """Write ``derived.json``, or compare with the one that is there.

    Raises:
        DataError: the folder holds other things, or a set made in another way.
    """
    path = folder / "derived.json"
    if not path.exists():
        if folder.exists() and any(folder.iterdir()):
            raise DataError(f"{folder}: holds other files and no derived.json; give an empty or new folder")
        folder.mkdir(parents=True, exist_ok=True)
        with whole(path) as temporary:
            document = {**record, "affekt_version": __version__}
            temporary.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise DataError(f"{path}: not readable as JSON; give a new folder") from None
    wanted = json.loads(json.dumps(record))
    keys = [k for k in {**wanted, **found} if k != "affekt_version" and found.get(k) != wanted.get(k)]
    if keys:
        differ = "; ".join(f"{k} = {found.get(k)!r} there, {wanted.get(k)!r} asked" for k in keys)
        raise DataError(f"{folder}: holds a set made in another way ({differ}); give a new folder")


def _make(source: Stimuli, folder: Path, method: Method, group: list[_Picture], seed: int) -> list[_Picture]:
    """Make and write some pictures; those that the method refused."""
    import torch

    rows = np.array([p.row for p in group], dtype=np.int64)
    words = describe(source.labels.take(rows), len(rows))
    seeds = [stream("diffuse", seed, p.source_id, p.copy) for p in group]
    generators = [torch.Generator().manual_seed(number) for number in seeds]
    made = method(source.images(rows), words, generators)
    for picture, pixels in zip(group, made, strict=True):
        if pixels is not None:
            _write_picture(pixels, folder / picture.file)
    return [picture for picture, pixels in zip(group, made, strict=True) if pixels is None]


def _write_picture(pixels: Tensor, path: Path) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as temporary:
        Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(temporary, format="PNG")


def _finish(folder: Path, pictures: Sequence[_Picture]) -> None:
    with whole(folder / "derived.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("image", "source_id"))
        writer.writerows((p.file, p.source_id) for p in pictures)


def describe(labels: Labels, n: int) -> list[str]:
    """What people felt, in words for a prompt: the emotion (the most voted one), else pleasant or not, calm or not."""
    category = labels.category
    if category is None and labels.votes is not None:
        category = np.where(labels.votes.sum(1) > 0, labels.votes.argmax(1), -1).astype(np.int64)
    words = [""] * n if category is None else [labels.categories[c] if c >= 0 else "" for c in category]
    return [word or _rated(labels, row) for row, word in enumerate(words)]


def _rated(labels: Labels, row: int) -> str:
    names = {"valence": ("unpleasant", "pleasant"), "arousal": ("calm", "arousing")}
    if labels.scale is None:
        return ""
    middle = (labels.scale.low + labels.scale.high) / 2
    values = {name: float(labels.ratings[name][row]) for name in names if name in labels.ratings}
    return ", ".join(names[name][value > middle] for name, value in values.items() if value == value)  # noqa: PLR0124
