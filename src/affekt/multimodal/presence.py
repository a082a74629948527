"""Presence: how long each clip is, and of which clips there is sound, pictures or both."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from affekt.errors import UsageError, first
from affekt.multimodal.timeline import within


@dataclass(frozen=True, kw_only=True)
class Presence:
    """What there is of B clips.

    Attributes:
        frames: T, of the longest.
        lengths: ``(B,)`` int64, from 1 to T.
        streams: ``(B, n)`` bool, of which clips each stream that the network reads is there.
    """

    frames: int
    lengths: Tensor
    streams: Tensor

    def steps(self) -> Tensor:
        """``(B, T, n)`` bool: where each stream is there."""
        return within(self.lengths, self.frames)[:, :, None] & self.streams[:, None]

    def check(self) -> None:
        """Refuse what cannot be; reading it back would stall a GPU, so only what lies on a CPU is looked at.

        Raises:
            UsageError: a length outside of 1 to T, or a clip of which nothing is there.
        """
        if self.lengths.device.type != "cpu" or torch.compiler.is_compiling():
            return
        low, high = int(self.lengths.min()), int(self.lengths.max())
        if low < 1 or high > self.frames:
            raise UsageError(f"lengths from {low} to {high}: clips of this batch have 1 to {self.frames} frames")
        nothing = (~self.streams.any(dim=1)).nonzero()[:, 0].tolist()
        if nothing:
            raise UsageError(
                f"clips {first(nothing)} of the batch have nothing that this network reads; leave them out of it"
            )


def read_lengths(lengths: Tensor | None, clips: int, frames: int, device: torch.device) -> Tensor:
    """``(B,)`` int64 on ``device``; None: every clip is as long as the batch.

    Raises:
        UsageError: no tensor, or another shape or type.
    """
    if lengths is None:
        return torch.full((clips,), frames, device=device)
    _check_tensor("lengths", lengths)
    if tuple(lengths.shape) != (clips,) or lengths.is_floating_point() or lengths.dtype == torch.bool:
        raise UsageError(f"lengths {tuple(lengths.shape)} {_named(lengths)}: for {clips} clips give ({clips},) int64")
    return lengths.to(device, torch.int64)


def read_mask(name: str, mask: Tensor | None, given: bool, clips: int, device: torch.device) -> Tensor:
    """``(B,)`` bool on ``device``, which clips have the modality; None: all, if it was given.

    Raises:
        UsageError: no tensor, or another shape or type.
    """
    if mask is None:
        return torch.full((clips,), given, device=device)
    _check_tensor(name, mask)
    if tuple(mask.shape) != (clips,) or mask.dtype != torch.bool:
        raise UsageError(f"{name} {tuple(mask.shape)} {_named(mask)}: for {clips} clips give ({clips},) bool")
    return mask.to(device) if given else torch.zeros_like(mask, device=device)


def _check_tensor(name: str, given: object) -> None:
    if not isinstance(given, Tensor):
        raise UsageError(f"{name}: a {type(given).__name__}; give a tensor: torch.tensor({name})")


def _named(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
