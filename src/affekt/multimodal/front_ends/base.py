"""Front end: sound or pictures of a clip -> features of each frame; what every one has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from affekt.data.audiovisual.timeline import samples_per_frame
from affekt.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class AudioSetup:
    """What a front end for sound is made from.

    Attributes:
        rate: samples a second.
        fps: frames a second.
        model: what stands behind the colon of its name, as in ``speech:facebook/hubert-base-ls960``.

    Raises:
        UsageError: a rate that is no whole number of samples a frame.
    """

    rate: int = 16_000
    fps: float = 25.0
    model: str = ""

    @property
    def samples(self) -> int:
        """Samples beside one frame."""
        return samples_per_frame(self.rate, self.fps)


class AudioFrontEnd(nn.Module, ABC):
    """Sound of B clips -> ``(B, T, num_features)``, T frames; what stands after a clip's end changes nothing before it.

    A subclass is made from an :class:`AudioSetup` and options of its own, by keyword.

    Attributes:
        num_features: length of what it says of a frame.
    """

    num_features: int

    def __init__(self, setup: AudioSetup) -> None:
        super().__init__()
        self.setup = setup
        self.samples = setup.samples

    @abstractmethod
    def forward(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Features of each frame.

        Args:
            audio: ``(B, T * samples)`` float in [-1, 1].
            lengths: ``(B,)`` int64 frames of each clip.
        """

    def frames_of(self, audio: Tensor) -> int:
        """T, the number of frames that ``audio`` holds.

        Raises:
            UsageError: another shape, or samples that are no whole number of frames.
        """
        if audio.ndim != 2 or audio.shape[1] % self.samples or not audio.shape[1]:
            hint = "; write audio.flatten(1)" if audio.ndim == 3 and audio.shape[2] == self.samples else ""
            raise UsageError(
                f"audio of shape {tuple(audio.shape)}: give (B, T * {self.samples}), {self.samples} samples for each "
                f"of T frames{hint}"
            )
        return audio.shape[1] // self.samples

    def options(self) -> dict[str, Any]:
        """What must be kept of a loaded front end, beside its own options, to make it again."""
        return {}
