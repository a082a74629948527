"""ClipBatch: clips of different lengths side by side, padded, with their lengths and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from affekt.data.audiovisual.clips import Clips, Decoded
from affekt.data.audiovisual.spectrogram import COLUMNS
from affekt.data.stimuli import Ints


@dataclass(frozen=True, kw_only=True)
class ClipBatch:
    """B clips; what was not asked for is None. T is the longest clip's number of frames; padding is zero.

    Attributes:
        indices: ``(B,)`` int64 rows of the clips that were read.
        lengths: ``(B,)`` int64 frames of each.
        audio: ``(B, T * rate / fps)`` float32 in [-1, 1].
        log_mel: ``(B, 4 T, n)`` float32.
        faces: ``(B, T, 3, S, S)`` uint8.
        labels: task -> ``(B,)`` int64, -1 where not known; rating -> ``(B,)`` float32, NaN where not rated.
        problems: a line for each clip that could not be read and is left out.
        notes: a line for each thing out of the ordinary.
    """

    indices: Ints
    lengths: Tensor
    audio: Tensor | None = None
    log_mel: Tensor | None = None
    faces: Tensor | None = None
    labels: dict[str, Tensor]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.indices)

    def to(self, device: torch.device | str) -> ClipBatch:
        """The same batch with its tensors on a device."""

        def moved(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.to(device, non_blocking=True)

        return replace(
            self,
            lengths=self.lengths.to(device, non_blocking=True),
            audio=moved(self.audio),
            log_mel=moved(self.log_mel),
            faces=moved(self.faces),
            labels={name: values.to(device, non_blocking=True) for name, values in self.labels.items()},
        )

    def mask(self) -> Tensor:
        """``(B, T)`` bool: the frames that are no padding."""
        return torch.arange(self._longest(), device=self.lengths.device) < self.lengths[:, None]

    def _longest(self) -> int:
        return int(self.lengths.max()) if len(self) else 0


def collate(
    clips: Clips, indices: Ints, decoded: Sequence[Decoded], frame: int, problems: Sequence[str] = ()
) -> ClipBatch:
    """Clips that were read, side by side.

    Args:
        indices: ``(B,)`` their rows.
        frame: samples of sound beside one picture.
    """
    lengths = np.array([frames_of(clip, frame) for clip in decoded], dtype=np.int64)
    longest = int(lengths.max()) if len(lengths) else 0
    rows = torch.from_numpy(np.asarray(indices, dtype=np.int64))
    labels = {name: torch.from_numpy(found.index)[rows] for name, found in clips.labels.items()}
    labels |= {name: torch.from_numpy(values)[rows] for name, values in clips.ratings.items()}
    return ClipBatch(
        indices=np.asarray(indices, dtype=np.int64),
        lengths=torch.from_numpy(lengths),
        audio=_stacked([clip.audio for clip in decoded], longest * frame),
        log_mel=_stacked([clip.log_mel for clip in decoded], longest * COLUMNS),
        faces=_stacked([clip.faces for clip in decoded], longest),
        labels=labels,
        problems=tuple(problems),
        notes=tuple(note for clip in decoded for note in clip.notes),
    )


def frames_of(clip: Decoded, frame: int) -> int:
    """The number of frames of a clip's timeline."""
    if clip.faces is not None:
        return len(clip.faces)
    if clip.audio is not None:
        return len(clip.audio) // frame
    return 0 if clip.log_mel is None else len(clip.log_mel) // COLUMNS


def _stacked(parts: Sequence[np.ndarray | None], length: int) -> Tensor | None:
    """``(B, length, ...)``, each part followed by zeros; None where there is none."""
    there = [part for part in parts if part is not None]
    if len(there) < len(parts) or not there:
        return None
    out = np.zeros((len(there), length, *there[0].shape[1:]), dtype=there[0].dtype)
    for row, part in enumerate(there):
        out[row, : len(part)] = part
    return torch.from_numpy(out)
