"""Speed: faster and higher, or slower and lower, sound and pictures together (Ko et al. 2015)."""

from __future__ import annotations

from fractions import Fraction

import torch
from torch import Tensor

from affekt.data.audiovisual.resampling import resample


def change_speed(
    audio: Tensor | None, faces: Tensor | None, lengths: Tensor, factors: Tensor, frame: int
) -> tuple[Tensor | None, Tensor | None, Tensor]:
    """Sound, pictures and lengths of clips played at ``factors`` times their speed; padded anew.

    A clip of T frames becomes one of ``ceil(T / factor)``. Picture k is the one that was in the middle of frame k.

    Args:
        audio: ``(B, T * frame)`` float32.
        faces: ``(B, T, 3, S, S)`` uint8.
        lengths: ``(B,)`` int64 frames.
        factors: ``(B,)`` above 1 is faster; taken as the nearest fraction of small numbers.
        frame: samples beside one picture.
    """
    ratios = [Fraction(float(factor)).limit_denominator(100) for factor in factors.tolist()]
    made = [-(-length * r.denominator // r.numerator) for length, r in zip(lengths.tolist(), ratios, strict=True)]
    lengths_now = torch.tensor(made, dtype=torch.int64, device=lengths.device)
    longest = max(made, default=0)
    rows = list(zip(lengths.tolist(), made, ratios, strict=True))
    if audio is not None:
        played = torch.zeros((len(audio), longest * frame), dtype=audio.dtype, device=audio.device)
        for row, (before, now, r) in enumerate(rows):
            heard = _played(audio[row, : before * frame], r)[: now * frame]
            played[row, : len(heard)] = heard
        audio = played
    if faces is not None:
        shown = torch.zeros((len(faces), longest, *faces.shape[2:]), dtype=faces.dtype, device=faces.device)
        for row, (before, now, r) in enumerate(rows):
            middle = ((torch.arange(now, device=faces.device) + 0.5) * float(r)).long().clamp_(max=before - 1)
            shown[row, :now] = faces[row, middle]
        faces = shown
    return audio, faces, lengths_now


def _played(samples: Tensor, factor: Fraction) -> Tensor:
    """``(S,)`` -> ``(ceil(S / factor),)``, resampled without aliases."""
    if factor == 1:
        return samples
    found = resample(samples.cpu().numpy(), factor.numerator, factor.denominator)
    return torch.from_numpy(found).to(samples.device)
