"""Audio-visual batch: one step's clips and labels, as the audio-visual task takes them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from affekt.training.task import Batch


@dataclass(frozen=True, kw_only=True)
class AudioVisualBatch(Batch):
    """Clips of up to T frames, on the training device; see :class:`~affekt.training.task.Batch` for the rest.

    Attributes:
        images: ``(B, T, 3, H, W)``, the frames, float in [0, 1] or uint8; ``(B, 0, 3, 1, 1)`` in a batch without any.
        audio: ``(B, T * rate / fps)`` float in [-1, 1]; None in a batch without any.
        lengths: ``(B,)`` int64, frames of each clip; None: T.
        has_audio, has_video: ``(B,)`` bool, which clips have them; None: all.
        labels: task -> ``(B,)`` int64, -1 where not known.
    """

    audio: Tensor | None = None
    lengths: Tensor | None = None
    has_audio: Tensor | None = None
    has_video: Tensor | None = None

    @property
    def frames(self) -> Tensor | None:
        """``images``, or None where there are none."""
        return self.images if self.images.shape[1] else None
