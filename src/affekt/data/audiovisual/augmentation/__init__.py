"""Augmentation of clips: sound and pictures of a batch changed, each clip by its own draw.

    >>> from affekt.recipe import ClipAugmentationSettings
    >>> augment = ClipAugmentation(ClipAugmentationSettings(noise=0.5, speed=(0.9, 1.0, 1.1)), rate=16_000, fps=25)

What happens to a clip is a function of (seed, epoch, item), whatever batch it stands in (up to rounding). The order is:
speed, room, noise, gain; frame drop; then the log-mel of the changed sound, and SpecAugment.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from affekt.data.audiovisual.augmentation.frame_drop import drop_frames
from affekt.data.audiovisual.augmentation.gain import change_gain
from affekt.data.audiovisual.augmentation.noise import add_noise
from affekt.data.audiovisual.augmentation.reverberation import reverberate, rooms
from affekt.data.audiovisual.augmentation.spec_augment import spec_augment
from affekt.data.audiovisual.augmentation.speed import change_speed
from affekt.data.audiovisual.batch import ClipBatch
from affekt.data.audiovisual.spectrogram import COLUMNS, log_mel
from affekt.data.audiovisual.timeline import samples_per_frame
from affekt.errors import UsageError
from affekt.randomness import integers, uniforms
from affekt.recipe import ClipAugmentationSettings

__all__ = [
    "ClipAugmentation",
    "add_noise",
    "change_gain",
    "change_speed",
    "drop_frames",
    "reverberate",
    "rooms",
    "spec_augment",
]


class ClipAugmentation:
    """Training's changes to clips; with the default settings none."""

    def __init__(self, settings: ClipAugmentationSettings, *, rate: int = 16_000, fps: float = 25.0) -> None:
        """
        Raises:
            UsageError: a range whose ends are the wrong way round, a frame rate that does not divide.
        """
        for name in ("decay", "snr", "gain"):
            low, high = getattr(settings, name)
            if low > high:
                raise UsageError(f"{name} = [{low:g}, {high:g}]: write the smaller number first")
        self.settings = settings
        self.rate = rate
        self.fps = fps
        self.frame = samples_per_frame(rate, fps)

    @torch.no_grad()
    def __call__(self, batch: ClipBatch, *, seed: int, epoch: int) -> ClipBatch:
        """The batch changed; its ``indices`` are the items.

        Raises:
            UsageError: changes to the sound asked of a batch without sound.
        """
        if self.settings.changes_sound and batch.audio is None and batch.log_mel is not None:
            raise UsageError('speed, reverberation, noise and gain change the sound: add "audio" to the features')
        items = torch.from_numpy(batch.indices).to(batch.lengths.device)
        changed = self._sped(batch, items, seed=seed, epoch=epoch)
        changed = self._heard(changed, items, seed=seed, epoch=epoch)
        if changed.faces is not None and self.settings.frame_drop:
            faces = drop_frames(changed.faces, changed.lengths, items, self.settings.frame_drop, seed=seed, epoch=epoch)
            changed = replace(changed, faces=faces)
        return self._masked(changed, items, seed=seed, epoch=epoch)

    def _sped(self, batch: ClipBatch, items: Tensor, *, seed: int, epoch: int) -> ClipBatch:
        factors = self.settings.speed
        if not factors:
            return batch
        which = integers(items, len(factors), seed=seed, epoch=epoch, name="speed")[:, 0]
        chosen = torch.tensor(factors, dtype=torch.float64, device=items.device)[which]
        audio, faces, lengths = change_speed(batch.audio, batch.faces, batch.lengths, chosen, self.frame)
        return replace(batch, audio=audio, faces=faces, lengths=lengths)

    def _heard(self, batch: ClipBatch, items: Tensor, *, seed: int, epoch: int) -> ClipBatch:
        """Room, noise and gain; samples that pass full scale are clipped, as a recorder does."""
        if batch.audio is None or not self.settings.changes_sound:
            return batch
        chosen, audio = self.settings, batch.audio
        inside = torch.arange(audio.shape[1], device=audio.device) < self.frame * batch.lengths[:, None]
        draws = uniforms(items, seed=seed, epoch=epoch, name="sound", n=5)
        if chosen.reverberation:
            room = rooms(items, _between(chosen.decay, draws[:, 0]), self.rate, seed=seed, epoch=epoch)
            here = draws[:, 1] < chosen.reverberation
            audio = torch.where(here[:, None], reverberate(audio, inside, room), audio)
        if chosen.noise:
            snr = _between(chosen.snr, draws[:, 2])
            snr = torch.where(draws[:, 3] < chosen.noise, snr, torch.inf)
            audio = add_noise(audio, inside, items, snr, seed=seed, epoch=epoch)
        if any(chosen.gain):
            audio = change_gain(audio, _between(chosen.gain, draws[:, 4]))
        audio = audio.clamp(-1, 1)
        mel = batch.log_mel
        return replace(batch, audio=audio, log_mel=None if mel is None else self._mel(audio, batch.lengths, mel))

    def _mel(self, audio: Tensor, lengths: Tensor, before: Tensor) -> Tensor:
        """The log-mel of the changed sound, zero in the padding as in any batch."""
        found = log_mel(audio, self.rate, self.fps, before.shape[-1])
        inside = torch.arange(found.shape[1], device=found.device) < COLUMNS * lengths[:, None]
        return found * inside[:, :, None]

    def _masked(self, batch: ClipBatch, items: Tensor, *, seed: int, epoch: int) -> ClipBatch:
        chosen = self.settings
        if batch.log_mel is None or not (chosen.time_masks or chosen.frequency_masks):
            return batch
        masked = spec_augment(
            batch.log_mel,
            COLUMNS * batch.lengths,
            items,
            time_masks=chosen.time_masks,
            time_mask=chosen.time_mask,
            frequency_masks=chosen.frequency_masks,
            frequency_mask=chosen.frequency_mask,
            seed=seed,
            epoch=epoch,
        )
        return replace(batch, log_mel=masked)


def _between(ends: tuple[float, float], share: Tensor) -> Tensor:
    return ends[0] + (ends[1] - ends[0]) * share
