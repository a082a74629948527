"""Gain: the whole clip louder or softer."""

from __future__ import annotations

from torch import Tensor


def change_gain(audio: Tensor, decibels: Tensor) -> Tensor:
    """``(B, S)`` times ``10 ** (decibels / 20)``, ``(B,)``; what passes full scale is for the caller to clip."""
    return audio * (10 ** (decibels / 20))[:, None]
