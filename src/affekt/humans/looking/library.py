"""Library: captum, imported where it is needed, and what its methods say in our words."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from affekt.errors import MissingExtra, UsageError


def method(name: str) -> Any:
    """A class of ``captum.attr``.

    Raises:
        MissingExtra: captum is not installed.
    """
    try:
        import captum.attr
    except ImportError:
        raise MissingExtra("humans", "captum") from None
    return getattr(captum.attr, name)


@contextmanager
def explaining(what: str) -> Iterator[None]:
    """A block in which gradients are taken; captum's own warnings (that pictures now have one) are of no use here.

    Raises:
        UsageError: the answer has no gradient, or does not depend on what is looked at.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            yield
    except RuntimeError as error:
        if "does not require grad" in str(error):
            raise UsageError(f"{what}: this model's answer has no gradient; occlusion needs none") from error
        if "not have been used" in str(error):
            raise UsageError(f"{what}: the answer does not depend on the part that is looked into") from error
        raise


def at_picture_size(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """``(B, h, w)`` -> ``(B, H, W)`` float32, bilinear between the middles of points."""
    return F.interpolate(maps[:, None].detach().float(), size, mode="bilinear", align_corners=False)[:, 0]
