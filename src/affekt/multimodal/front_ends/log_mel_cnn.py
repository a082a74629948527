"""Log-mel CNN: a spectrogram as a picture; convolutions slide over its bands, so that a voice may be higher."""

from __future__ import annotations

from torch import Tensor, nn

from affekt.errors import UsageError
from affekt.multimodal.front_ends.base import AudioSetup
from affekt.multimodal.front_ends.log_mel import LogMelAudio
from affekt.multimodal.timeline import silenced

STRIDES = (1, 2, 2, 1)
"""Of the blocks: from the columns of the spectrogram to frames. Each block halves the bands."""

LEAST = 2 ** len(STRIDES)
"""Bands of frequency that are halved by every block."""


class LogMelCnnAudio(LogMelAudio):
    """64 mel bands every 10 ms, then four convolutions over bands and time, each followed by the larger of two bands;
    of the bands left the largest: 64 numbers a frame.

    Where ``log-mel`` learns weights for every single band, these are the same along the bands: an utterance in a higher
    voice is the same picture, moved. For sets of few speakers. It has batch norms: in training, clips of a batch and
    their padding count together.

    Args:
        mels: bands of frequency, 16 or more.
        features: channels of the last convolution, and so the length of what is said of a frame; a multiple of 4.

    Raises:
        UsageError: numbers that cannot be, or what :class:`LogMelAudio` refuses.
    """

    def __init__(self, setup: AudioSetup, *, mels: int = 64, features: int = 64) -> None:
        if mels < LEAST or features < 4 or features % 4:
            raise UsageError(
                f"mels = {mels}, features = {features}: {LEAST} bands or more and a multiple of 4 features are asked"
            )
        super().__init__(setup, mels=mels, features=features, norm="batch")

    def _made(self, mels: int, features: int) -> nn.ModuleList:
        del mels
        sizes = (1, features // 4, features // 2, features, features)
        return nn.ModuleList(_Block(n, m, stride) for n, m, stride in zip(sizes[:-1], sizes[1:], STRIDES, strict=True))

    def _through(self, x: Tensor, columns: Tensor) -> Tensor:
        x = x[:, None]
        for block, stride in zip(self.steps, STRIDES, strict=True):
            x = block(silenced(x.flatten(1, 2), columns).view_as(x))
            columns = columns // stride
        return x.amax(dim=2)


class _Block(nn.Module):
    """``(B, C, M, L)`` -> ``(B, O, M // 2, L / stride)``: convolution, batch norm, GELU, the larger of two bands.

    A convolution that halves the columns has an even kernel, so that its output j is about the columns 2j and 2j + 1.
    """

    def __init__(self, channels: int, features: int, stride: int) -> None:
        super().__init__()
        kernel = 5 if stride == 1 else 4
        self.convolution = nn.Conv2d(
            channels, features, (3, kernel), stride=(1, stride), padding=(1, (kernel - stride) // 2), bias=False
        )
        self.norm = nn.BatchNorm2d(features)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = nn.functional.gelu(self.norm(self.convolution(x)))
        return nn.functional.max_pool2d(y, (2, 1))
