"""Inputs: sound and pictures as the network takes them; what cannot be them is refused in words."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.errors import UsageError
from affekt.multimodal.front_ends import AudioFrontEnd, VideoFrontEnd

LOUD = 100.0
"""Samples further from 0 are no sound in [-1, 1] that some gain was put on (100 is 40 dB)."""


def read_audio(audio: Tensor | None, part: AudioFrontEnd | None) -> Tensor | None:
    """The sound as it is; None where there is no front end for it.

    Raises:
        UsageError: no tensor, whole numbers, or (looked at on a CPU only) samples that cannot be in [-1, 1].
    """
    if audio is None or part is None:
        return None
    if not isinstance(audio, Tensor):
        raise UsageError(f"audio: a {type(audio).__name__}; give a tensor, of an array: torch.from_numpy(array)")
    if not audio.is_floating_point():
        scale = " / 32768" if audio.dtype == torch.int16 else " / its largest value"
        raise UsageError(
            f"audio: {str(audio.dtype).removeprefix('torch.')}; give float in [-1, 1]: audio.float(){scale}"
        )
    if audio.device.type == "cpu" and audio.numel() and not torch.compiler.is_compiling():
        largest = float(audio.detach().abs().max())
        if not largest <= LOUD:  # so that NaN is caught too
            raise UsageError(f"audio: samples up to {largest:.3g}; give float in [-1, 1] (of 16 bits: audio / 32768)")
    return audio


def read_frames(frames: Tensor | None, part: VideoFrontEnd | None) -> Tensor | None:
    """The pictures as they are; None where there is no front end for them.

    Raises:
        UsageError: no tensor, or no clips of RGB pictures.
    """
    if frames is None or part is None:
        return None
    if not isinstance(frames, Tensor):
        raise UsageError(f"frames: a {type(frames).__name__}; give a tensor, of an array: torch.from_numpy(array)")
    if frames.ndim != 5 or frames.shape[2] != 3 or not frames.shape[1]:
        raise UsageError(f"frames of shape {tuple(frames.shape)}: give (B, T, 3, H, W), T RGB pictures of each clip")
    return frames
