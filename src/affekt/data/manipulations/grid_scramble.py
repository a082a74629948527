"""Grid scramble: the picture cut into equal cells, each put in another cell's place."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.data.manipulations.description import Beside, Manipulation
from affekt.errors import UsageError


def _places(draws: Tensor) -> Tensor:
    """``(B, n)`` int64: the cell that comes to each place - one random circle through all cells, so that none stays."""
    order = torch.argsort(draws, dim=1, stable=True)
    return torch.empty_like(order).scatter_(1, order, order.roll(-1, dims=1))


def grid_scramble(images: Tensor, strength: float, beside: Beside) -> Tensor:
    """``strength`` x ``strength`` cells, every one of them moved.

    Raises:
        UsageError: sides that are no multiple of the number of cells.
    """
    n, (b, c, height, width) = int(strength), images.shape
    if height % n or width % n:
        able = [str(k) for k in range(1, min(height, width, 64) + 1) if height % k == width % k == 0]
        raise UsageError(
            f"grid-scramble: {width} x {height} pixels are not cut into {n} x {n} equal cells; write {', '.join(able)}"
        )
    cells = images.view(b, c, n, height // n, n, width // n).permute(0, 2, 4, 1, 3, 5).reshape(b, n * n, -1)
    places = _places(beside.draws("grid-scramble", n * n))
    moved = cells.gather(1, places[:, :, None].expand_as(cells))
    back = moved.view(b, n, n, c, height // n, width // n).permute(0, 3, 1, 4, 2, 5)
    return back.reshape(b, c, height, width)


MANIPULATIONS = (
    Manipulation(
        name="grid-scramble",
        about="cut into equal cells, every one put in another's place",
        unit="cells a side: 1 is the picture itself; the sides must be multiples of it",
        low=1,
        high=64,
        reference="Grill-Spector et al. 1998, Human Brain Mapping 6:316",
        apply=grid_scramble,
        unchanged=1.0,
        whole=True,
        random=True,
    ),
)
