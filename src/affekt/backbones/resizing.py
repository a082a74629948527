"""Resizing weights: position embeddings for another grid, kernels for another patch, a stem for other channels."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def resize_positions(positions: Tensor, grid: tuple[int, int], *, prefix: int) -> Tensor | None:
    """``(1, prefix + h w, D)`` from a square table, ``(1, prefix + s s, D)``; None where it has another form.

    Bicubic with antialiasing over the grid (Dosovitskiy et al. 2021, section 3.2); tokens before it are kept.
    """
    side = math.isqrt(positions.shape[1])
    before = positions.shape[1] - side**2
    if before != prefix:
        return None
    tokens, table = positions[:, :before], positions[:, before:]
    square = table.reshape(1, side, side, -1).permute(0, 3, 1, 2).float()
    resized = F.interpolate(square, size=grid, mode="bicubic", antialias=True, align_corners=False)
    flat = resized.permute(0, 2, 3, 1).reshape(1, grid[0] * grid[1], -1)
    return torch.cat([tokens, flat.to(positions.dtype)], dim=1)


def resize_kernel(kernel: Tensor, size: tuple[int, int]) -> Tensor:
    """``(O, I, h, w)`` -> ``(O, I, *size)``: kernels that respond to resized patches as the old ones to the originals.

    The pseudo-inverse of bilinear resizing (Beyer et al. 2023, FlexiViT, equation 3).
    """
    old = (kernel.shape[2], kernel.shape[3])
    if old == size:
        return kernel
    basis = torch.eye(old[0] * old[1], dtype=torch.float64).reshape(-1, 1, *old)
    resized = F.interpolate(basis, size=size, mode="bilinear", antialias=True, align_corners=False)
    matrix = resized.reshape(old[0] * old[1], size[0] * size[1])
    solution: Tensor = kernel.double().flatten(2) @ torch.linalg.pinv(matrix).mT
    return solution.reshape(*kernel.shape[:2], *size).to(kernel.dtype)


def with_channels(kernel: Tensor, channels: int) -> Tensor:
    """``(O, 3, h, w)`` -> ``(O, channels, h, w)``: RGB kernels in turn; a grey picture gives the same as before."""
    repeats = math.ceil(channels / 3)
    if channels == 1:
        return kernel.sum(1, keepdim=True)
    return kernel.repeat(1, repeats, 1, 1)[:, :channels] * (3 / channels)
