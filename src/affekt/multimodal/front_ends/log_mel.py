"""Log-mel: a spectrogram in mel bands, made inside the network, and a few convolutions in time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from affekt.data.audiovisual.spectrogram import COLUMNS, log_mel
from affekt.errors import UsageError
from affekt.multimodal.front_ends.base import AudioFrontEnd, AudioSetup
from affekt.multimodal.timeline import silenced

CENTRE, SPREAD = -4.0, 6.0
"""About the mean and the standard deviation of log power in speech: -4.1 and 5.8 in 60 clips of EmoDB. Fixed, so that
loudness is kept and a clip's numbers do not depend on what else is in its batch."""

STRIDES = (1, 2, 2)
"""Of the convolutions: from the columns of the spectrogram to frames."""


class LogMelAudio(AudioFrontEnd):
    """64 mel bands every 10 ms, then three convolutions in time, two of which halve the columns: 256 numbers a frame.

    A spectrogram that was made before, ``(B, 4 T, mels)`` natural logarithm of power, is taken in place of the sound.

    Args:
        mels: bands of frequency.
        features: channels of the convolutions, and so the length of what is said of a frame.

    Raises:
        UsageError: a frame that cannot be cut in four, or more bands than there are frequencies for.
    """

    def __init__(self, setup: AudioSetup, *, mels: int = 64, features: int = 256) -> None:
        super().__init__(setup)
        self.mels, self.num_features = mels, features
        self.spectrogram(torch.zeros(1, self.samples, device="cpu"))  # so that what cannot be is refused at once
        sizes = (mels, features, features)
        self.steps = nn.ModuleList(_Step(n, features, stride) for n, stride in zip(sizes, STRIDES, strict=True))

    def frames_of(self, audio: Tensor) -> int:
        """T, of sound or of a spectrogram."""
        if audio.ndim != 3:
            return super().frames_of(audio)
        if audio.shape[2] != self.mels or audio.shape[1] % COLUMNS or not audio.shape[1]:
            raise UsageError(
                f"audio of shape {tuple(audio.shape)}: give sound, (B, T * {self.samples}), or a log-mel spectrogram, "
                f"(B, {COLUMNS} T, {self.mels})"
            )
        return audio.shape[1] // COLUMNS

    def spectrogram(self, audio: Tensor) -> Tensor:
        """``(B, T * samples)`` -> ``(B, 4 T, mels)`` float32, natural logarithm of power."""
        with torch.autocast(audio.device.type, enabled=False):
            return log_mel(audio.float(), self.setup.rate, self.setup.fps, self.mels)

    def forward(self, audio: Tensor, lengths: Tensor) -> Tensor:
        self.frames_of(audio)
        if audio.ndim == 2:
            audio = self.spectrogram(silenced(audio[:, None], lengths * self.samples)[:, 0])
        x = ((audio - CENTRE) / SPREAD).to(next(self.steps.parameters()).dtype).transpose(1, 2)
        columns = lengths * COLUMNS
        for step, stride in zip(self.steps, STRIDES, strict=True):
            x = step(silenced(x, columns))
            columns = columns // stride
        return x.transpose(1, 2)


class _Step(nn.Module):
    """``(B, C, L)`` -> ``(B, O, L / stride)``: convolution, norm over the channels of each moment, GELU.

    A convolution that halves has an even kernel, so that its output j is about the columns 2j and 2j + 1.
    """

    def __init__(self, channels: int, features: int, stride: int) -> None:
        super().__init__()
        kernel = 5 if stride == 1 else 2 * stride
        self.convolution = nn.Conv1d(channels, features, kernel, stride=stride, padding=(kernel - stride) // 2)
        self.norm = nn.LayerNorm(features)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.convolution(x).transpose(1, 2)).transpose(1, 2)
        return nn.functional.gelu(y)
