"""Raw: two wide convolutions on the samples themselves, the published front end."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F

from affekt.errors import UsageError
from affekt.multimodal.convolution import WideConv1d
from affekt.multimodal.front_ends.base import AudioFrontEnd, AudioSetup
from affekt.multimodal.timeline import silenced


class RawAudio(AudioFrontEnd):
    """``conv(1 -> 40, 80)``, max-pool 2, ``conv(40 -> 40, 4000)``, max-pool 10 across channels: 1280 numbers a frame.

    At 16 kHz the first kernel spans 5 ms and, behind the pool, the second 500 ms (Chae et al., arXiv:1809.00758, after
    Tzirakis et al., arXiv:1704.08619). Our reading: the convolutions run over the whole clip, with zeros around it, so
    that 640 samples leave 320 moments of four numbers; each is followed by a half-wave rectifier.

    Args:
        channels: of both convolutions.
        kernels: their taps.
        pool: channels of which the largest is kept; a divisor of ``channels``.
        rectify: whether negative numbers become zero behind each convolution.
        convolution: of the second, ``"fft"`` or ``"direct"``.

    Raises:
        UsageError: an odd number of samples a frame, channels that the pool does not divide, another convolution.
    """

    def __init__(
        self,
        setup: AudioSetup,
        *,
        channels: int = 40,
        kernels: Sequence[int] = (80, 4000),
        pool: int = 10,
        rectify: bool = True,
        convolution: str = "fft",
    ) -> None:
        super().__init__(setup)
        if len(kernels) != 2 or min(kernels) < 1:
            raise UsageError(f"kernels = {list(kernels)}: two numbers of taps are asked, e.g. [80, 4000]")
        if self.samples % 2:
            raise UsageError(f'audio = "raw": {self.samples} samples a frame; an even number is asked')
        if channels < 1 or pool < 1 or channels % pool:
            raise UsageError(f"channels = {channels}, pool = {pool}: the pool must divide the channels")
        self.channels, self.pool, self.rectify = channels, pool, rectify
        self.first = WideConv1d(1, channels, kernels[0])
        self.second = WideConv1d(channels, channels, kernels[1], way=convolution)
        self.num_features = self.samples // 2 * (channels // pool)

    def forward(self, audio: Tensor, lengths: Tensor) -> Tensor:
        frames = self.frames_of(audio)
        x = silenced(audio[:, None].to(self.first.weight.dtype), lengths * self.samples)
        x = F.max_pool1d(self._rectified(self.first(x)), 2)
        # Biases have put something after the end again, and the second kernel reaches a quarter of a second there.
        x = silenced(x, lengths * (self.samples // 2))
        x = self._rectified(self.second(x))
        largest = x.reshape(len(x), self.channels // self.pool, self.pool, -1).amax(2)
        return largest.transpose(1, 2).reshape(len(audio), frames, self.num_features)

    def _rectified(self, x: Tensor) -> Tensor:
        return F.relu(x) if self.rectify else x
