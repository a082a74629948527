"""Crops: pad and crop, random resized crop, centred resize; each sample of a batch by its own box, without a loop.

A flip is folded into the crop's column numbers, where it costs nothing.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from affekt.randomness import uniforms

_ATTEMPTS = 10


def centred(images: Tensor, size: int) -> Tensor:
    """``(B, 3, H, W)`` uint8 -> ``(B, 3, S, S)`` float32 in [0, 1]: the centred square, antialiased bilinear."""
    height, width = images.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = images[..., top : top + side, left : left + side].float().div_(255)
    if side == size:
        return square
    shape = (size, size)
    return interpolate(square, shape, mode="bilinear", antialias=True, align_corners=False).clamp_(0, 1)


def _mirrored(index: Tensor, n: int) -> Tensor:
    """Numbers outside 0 ... n-1 reflected at the first and last one, which are not repeated: -1 -> 1, n -> n-2."""
    if n == 1:
        return torch.zeros_like(index)
    folded = index.remainder(2 * n - 2)
    return torch.where(folded >= n, 2 * n - 2 - folded, folded)


def pad_crop(
    images: Tensor, items: Tensor, flipped: Tensor, size: int, padding: int, *, seed: int, epoch: int
) -> Tensor:
    """``(B, 3, H, W)`` uint8 -> ``(B, 3, S, S)`` uint8 from a random place of the picture with a reflected border.

    Pictures larger than ``size`` are cropped anywhere within their border; none may be smaller.

    Args:
        flipped: ``(B,)`` bool, mirrored left to right.
        padding: pixels of border.
    """
    height, width = images.shape[-2:]
    high = torch.tensor([height, width], device=images.device) + (2 * padding - size + 1)
    place = uniforms(items, seed=seed, epoch=epoch, name="pad-crop", n=2)
    place = torch.minimum((place * high).long(), high - 1) - padding
    line = torch.arange(size, device=images.device)
    across = torch.where(flipped[:, None], line.flip(0), line)
    rows = _mirrored(place[:, :1] + line, height)
    columns = _mirrored(place[:, 1:] + across, width)
    return _pick(images, rows, columns)


def _pick(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """``(B, C, R, K)``: rows ``(B, R)`` and columns ``(B, K)`` of each picture; whole rows first, which is a memcpy."""
    b, c, height, width = images.shape
    r, k = rows.shape[1], columns.shape[1]
    planes = torch.arange(b * c, device=images.device).view(b, c, 1) * height
    lines = images.reshape(b * c * height, width).index_select(0, (planes + rows[:, None, :]).view(-1))
    return lines.view(b, c * r, width).gather(2, columns[:, None, :].expand(b, c * r, k)).view(b, c, r, k)


def boxes(
    items: Tensor,
    shape: tuple[int, int],
    scale: tuple[float, float],
    ratio: tuple[float, float],
    *,
    seed: int,
    epoch: int,
) -> Tensor:
    """``(B, 4)`` int64 top, left, height, width, distributed as torchvision's ``RandomResizedCrop``.

    Share of the area uniform in ``scale``, logarithm of width / height uniform in that of ``ratio``. All ten attempts
    are drawn at once and the first that fits is taken; if none does, the largest centred box of an allowed ratio.
    """
    height, width = shape
    draws = uniforms(items, seed=seed, epoch=epoch, name="random-resized-crop", n=2 * _ATTEMPTS + 2)
    area = height * width * (scale[0] + (scale[1] - scale[0]) * draws[:, :_ATTEMPTS])
    low, high = math.log(ratio[0]), math.log(ratio[1])
    aspect = torch.exp(low + (high - low) * draws[:, _ATTEMPTS : 2 * _ATTEMPTS])
    w = torch.sqrt(area * aspect).round().long()
    h = torch.sqrt(area / aspect).round().long()
    fits = (w > 0) & (w <= width) & (h > 0) & (h <= height)
    chosen = fits.to(torch.uint8).argmax(dim=1, keepdim=True)
    h, w, found = (values.gather(1, chosen)[:, 0] for values in (h, w, fits))
    fallback_h, fallback_w = _largest(shape, ratio)
    h, w = torch.where(found, h, fallback_h), torch.where(found, w, fallback_w)
    room = torch.stack([height - h + 1, width - w + 1], dim=1)
    place = torch.minimum((draws[:, -2:] * room).long(), room - 1)
    centre = torch.stack([(height - h) // 2, (width - w) // 2], dim=1)
    return torch.cat([torch.where(found[:, None], place, centre), h[:, None], w[:, None]], dim=1)


def _largest(shape: tuple[int, int], ratio: tuple[float, float]) -> tuple[int, int]:
    height, width = shape
    if width / height < ratio[0]:
        return max(1, round(width / ratio[0])), width
    if width / height > ratio[1]:
        return height, max(1, round(height * ratio[1]))
    return height, width


def resized_crop(images: Tensor, box: Tensor, flipped: Tensor, size: int) -> Tensor:
    """``(B, 3, H, W)`` uint8 -> ``(B, 3, S, S)`` float32 in [0, 1]: each box resized, bilinear, antialiased.

    The same filter as Pillow's and torchvision's antialiased bilinear: a triangle as wide as the reduction asks, cut
    off at the box. It is applied to rows, then to columns, as a sum of a fixed number of weighted rows: two where the
    picture is stored at ``size``, twice the largest possible reduction where it is stored larger.

    Args:
        box: ``(B, 4)`` int64 top, left, height, width.
        flipped: ``(B,)`` bool, mirrored left to right.
    """
    height, width = images.shape[-2:]
    rows, row_weights = _taps(box[:, 0], box[:, 2], size, height)
    columns, column_weights = _taps(box[:, 1], box[:, 3], size, width)
    columns = torch.where(flipped[:, None, None], columns.flip(1), columns)
    column_weights = torch.where(flipped[:, None, None], column_weights.flip(1), column_weights)
    lines = _weighted_rows(images, rows, row_weights / 255)
    return _weighted_rows(lines.transpose(2, 3), columns, column_weights).transpose(2, 3).contiguous().clamp_(0, 1)


def _taps(start: Tensor, length: Tensor, size: int, full: int) -> tuple[Tensor, Tensor]:
    """``(B, S, T)`` source lines and their weights for each of ``size`` lines resampled from ``length`` of ``full``."""
    n = max(2, math.ceil(2 * full / size))
    reduction = (length.double() / size)[:, None]
    support = reduction.clamp(min=1)
    centre = (torch.arange(size, device=start.device).double() + 0.5) * reduction
    first = torch.floor(centre - support + 0.5).clamp(min=0)
    line = first[:, :, None] + torch.arange(n, device=start.device)
    weight = 1 - ((line + 0.5 - centre[:, :, None]) / support[:, :, None]).abs()
    weight = torch.where(line < length[:, None, None], weight.clamp(min=0), 0)
    weight = weight / weight.sum(dim=2, keepdim=True)
    line = torch.minimum(line.long(), length[:, None, None] - 1) + start[:, None, None]
    return line, weight.float()


def _weighted_rows(images: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
    """``(B, C, S, W)``: for each of S lines the weighted sum of T rows; rows and weights ``(B, S, T)``."""
    b, c, height, width = images.shape
    s = rows.shape[1]
    lines = images.reshape(b * c * height, width)
    planes = torch.arange(b * c, device=images.device).view(b, c, 1) * height
    total = torch.zeros((b, c, s, width), device=images.device)
    for tap in range(rows.shape[2]):
        chosen = lines.index_select(0, (planes + rows[:, None, :, tap]).view(-1)).view(b, c, s, width)
        total.addcmul_(chosen.float(), weights[:, None, :, tap, None])
    return total
