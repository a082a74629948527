"""Manipulations: pictures made harder by degrees, for people and networks alike.

    >>> import torch
    >>> faces = torch.randint(256, (2, 3, 48, 48), dtype=torch.uint8)
    >>> manipulate(faces, "phase-scramble", 0.5, ids=["a", "b"], seed=0).shape
    torch.Size([2, 3, 48, 48])

What happens to a picture is a function of (manipulation, strength, seed, id), whatever batch it stands in and wherever
it is computed. Draws do not depend on the strength, so that the strengths of one picture are a series. To add one:
write a file that ends in ``MANIPULATIONS``, and name it in the table below.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from torch import Tensor

from affekt.data.manipulations import (
    bubbles,
    contrast,
    frequency,
    greyscale,
    grid_scramble,
    inversion,
    morph,
    noise,
    occlusion,
    phase_scramble,
)
from affekt.data.manipulations.description import Beside, Manipulation
from affekt.errors import UsageError, first, unknown
from affekt.randomness import stream

__all__ = ["ALIASES", "MANIPULATIONS", "Manipulation", "find", "manipulate"]

_FILES = (
    occlusion,
    bubbles,
    inversion,
    grid_scramble,
    phase_scramble,
    frequency,
    contrast,
    noise,
    greyscale,
    morph,
)

MANIPULATIONS = MappingProxyType[str, Manipulation]({m.name: m for file in _FILES for m in file.MANIPULATIONS})
"""Name -> manipulation, with the unit and range of its strength."""


ALIASES = MappingProxyType(
    {
        "inverted": "inversion",
        "eyes-covered": "eyes",
        "mouth-covered": "mouth",
        "grayscale": "greyscale",
    }
)
"""Further names of manipulations, as papers have them; in any case, with ``-`` or ``_``."""


def find(name: str) -> Manipulation:
    """The manipulation of that name, or of that further one (:data:`ALIASES`).

    Raises:
        UsageError: there is none; the nearest are named.
    """
    plain = name.lower().replace("_", "-")
    known = ALIASES.get(plain, plain)
    if known not in MANIPULATIONS:
        raise UsageError(unknown("manipulation", name, MANIPULATIONS))
    return MANIPULATIONS[known]


@torch.no_grad()
def manipulate(
    images: Tensor,
    name: str,
    strength: float,
    *,
    ids: Sequence[str | int] | None = None,
    seed: int = 0,
    boxes: Tensor | None = None,
    others: Tensor | None = None,
    landmarks: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Pictures manipulated; same shape, type and device.

    Computed in float64 on the CPU, so that a picture is the same on every device; what leaves [0, 1] is clipped. A
    picture of three equal channels keeps them equal.

    Args:
        images: ``(B, 3, H, W)`` uint8, or floating in [0, 1]; RGB.
        name: one of :data:`MANIPULATIONS`, or of :data:`ALIASES`.
        strength: in that manipulation's unit and range.
        ids: B ids, which the draws of each picture depend on; needed by manipulations that draw.
        seed: of the draws.
        boxes: ``(B, 4)`` left, top, right, bottom of each face in pixels, for the occlusions; None: the face fills the
            picture, as in FER-2013.
        others: ``(B, 3, H, W)`` of the same type, the second picture of each pair, for ``"morph"`` alone.
        landmarks: of the first and of the second picture of each pair, ``(B, L, 2)`` x, y in pixels from the middle of
            the upper left one, L points in the same order; the faces are then warped to each other. None: cross-faded.

    Raises:
        UsageError: an unknown name (the nearest are listed), a strength out of range, pictures of another shape or
            type or out of [0, 1], missing ids, boxes without area, second pictures missing, of another size, or given
            to a manipulation that has no use for them; landmarks that are not the same points of both.
    """
    chosen = find(name)
    chosen.check(strength)
    pixels = _floats(images, "pictures")
    beside = Beside(
        items=_items(chosen, ids, len(images)),
        seed=seed,
        boxes=_boxes(chosen, boxes, images),
        others=_others(chosen, others, images),
        landmarks=_landmarks(chosen, landmarks, images),
    )
    if strength == chosen.unchanged or not len(images):
        return images.clone()
    out = chosen.apply(pixels, strength, beside).clamp_(0, 1)
    return (out.mul_(255).round_() if images.dtype == torch.uint8 else out).to(images.device, images.dtype)


def _landmarks(
    chosen: Manipulation, landmarks: tuple[Tensor, Tensor] | None, images: Tensor
) -> tuple[Tensor, Tensor] | None:
    if landmarks is None:
        return None
    if not chosen.pairs:
        raise UsageError(f"{chosen.name}: has no use for landmarks; morph has")
    from affekt.data.manipulations.warping import check_landmarks

    return check_landmarks(landmarks, len(images), *images.shape[-2:])


def _floats(images: Tensor, what: str) -> Tensor:
    """``(B, 3, H, W)`` float64 in [0, 1] on the CPU, contiguous."""
    if not isinstance(images, Tensor):
        raise UsageError(
            f"{what}: {type(images).__name__} found; a torch tensor (B, 3, H, W) asked: torch.from_numpy(array), of "
            "(B, H, W, 3) with .permute(0, 3, 1, 2)"
        )
    kind = images.dtype == torch.uint8 or images.is_floating_point()
    if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape[2:] or not kind:
        raise UsageError(
            f"{what}: {tuple(images.shape)} {images.dtype} found; (B, 3, H, W) uint8, or floating in [0, 1], asked"
        )
    pixels = images.to("cpu", torch.float64).contiguous()
    if images.dtype == torch.uint8:
        return pixels / 255
    if len(pixels) and not bool(((pixels >= 0) & (pixels <= 1)).all()):
        low, high = pixels.min().item(), pixels.max().item()
        raise UsageError(f"{what}: values {low:g} to {high:g}; floating pictures must lie in [0, 1], without NaN")
    return pixels


def _items(chosen: Manipulation, ids: Sequence[str | int] | None, n: int) -> Tensor:
    """``(B,)`` int64: a number for each id; 0 where nothing is drawn."""
    if ids is None:
        if chosen.random:
            raise UsageError(f"{chosen.name}: draws by picture; give ids, one for each of the {n} pictures")
        return torch.zeros(n, dtype=torch.int64)
    if len(ids) != n:
        raise UsageError(f"ids: {len(ids)} for {n} pictures; one id a picture")
    return torch.tensor([stream("stimulus", each) for each in ids], dtype=torch.int64)


def _boxes(chosen: Manipulation, boxes: Tensor | None, images: Tensor) -> Tensor:
    """``(B, 4)`` float64; the whole picture where none are given."""
    n, (height, width) = len(images), images.shape[-2:]
    if boxes is None:
        return torch.tensor([0, 0, width, height], dtype=torch.float64).expand(n, 4)
    if not chosen.faces:
        having = ", ".join(m.name for m in MANIPULATIONS.values() if m.faces)
        raise UsageError(f"{chosen.name}: has no use for face boxes; {having} have")
    boxes = torch.as_tensor(boxes)
    if boxes.shape != (n, 4):
        raise UsageError(f"boxes: {tuple(boxes.shape)} for {n} pictures; (B, 4) left, top, right, bottom asked")
    found = boxes.to("cpu", torch.float64)
    left, top, right, bottom = found.unbind(1)
    outside = ~((left < right) & (top < bottom) & (left < width) & (top < height) & (right > 0) & (bottom > 0))
    if outside.any():
        rows = outside.nonzero()[:, 0].tolist()
        raise UsageError(
            f"boxes: {first(found[rows].tolist())} have no area within {width} x {height}; left, top, right, bottom in "
            "pixels asked"
        )
    return found


def _others(chosen: Manipulation, others: Tensor | None, images: Tensor) -> Tensor | None:
    if others is None:
        if chosen.pairs:
            raise UsageError(f"{chosen.name}: needs a second picture for each; give others = (B, 3, H, W)")
        return None
    if not chosen.pairs:
        having = ", ".join(m.name for m in MANIPULATIONS.values() if m.pairs)
        raise UsageError(f"{chosen.name}: has no use for second pictures; {having} has")
    pixels = _floats(others, "second pictures")
    if others.shape != images.shape or others.dtype != images.dtype:
        raise UsageError(
            f"{chosen.name}: pictures of two sizes or types, {tuple(images.shape)} {images.dtype} and "
            f"{tuple(others.shape)} {others.dtype}; resize one of them first"
        )
    return pixels
