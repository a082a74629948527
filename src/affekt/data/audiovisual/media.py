"""Media in files: each clip's place, and how it is decoded; holds paths only, decodes when it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from affekt.data.audiovisual.boxes import FaceBoxes
from affekt.data.audiovisual.channels import Channel
from affekt.data.audiovisual.clips import Decoded, Floats32, Ints
from affekt.data.audiovisual.endings import short
from affekt.data.audiovisual.faces import ByDetector, Cropper, Detector, Half, by_rule
from affekt.data.audiovisual.reading import LONGEST, Reading
from affekt.data.audiovisual.sound import Sound, decode_sound
from affekt.data.audiovisual.timeline import frames_in
from affekt.data.audiovisual.video import Faces, decode_faces
from affekt.errors import DataError


@dataclass(frozen=True, kw_only=True)
class ClipSource:
    """Where a clip is.

    Attributes:
        name: its id, for messages and given boxes.
        audio, video: files; ``""`` where there is none. May be one and the same.
        audio_start, video_start: seconds at which it begins in each.
        seconds: its length; None: to the end of the file.
        channel: of the sound, by the recording.
        half: of the picture, by the recording.
    """

    name: str
    audio: str = ""
    video: str = ""
    audio_start: float = 0.0
    video_start: float = 0.0
    seconds: float | None = None
    channel: Channel = "mean"
    half: Half = "whole"

    def part(self, start: float, seconds: float | None) -> ClipSource:
        """A stretch of the clip, ``start`` seconds after its beginning."""
        return replace(
            self, audio_start=self.audio_start + start, video_start=self.video_start + start, seconds=seconds
        )


@dataclass(frozen=True, kw_only=True)
class FileMedia:
    """Clips in files; a :class:`~affekt.data.audiovisual.clips.Media`.

    Attributes:
        sources: N places.
        reading: how they are decoded.
        boxes: given boxes by clip, for ``face = "boxes"``.
        detector: for ``face = "detector"``.
    """

    sources: Sequence[ClipSource]
    reading: Reading
    boxes: FaceBoxes | None = None
    detector: Detector | None = None

    def __len__(self) -> int:
        return len(self.sources)

    def take(self, indices: Ints) -> FileMedia:
        return replace(self, sources=[self.sources[i] for i in np.asarray(indices).tolist()])

    def read(self, index: int) -> Decoded:
        source, reading = self.sources[index], self.reading
        sound = self._sound(source) if reading.hears else None
        frames = None if sound is None else frames_in(len(sound.samples) / reading.rate, reading.fps)
        faces = self._faces(source, frames) if reading.sees else None
        audio = None if sound is None or frames is None else _padded(sound.samples, frames * reading.samples)
        return Decoded(
            audio=audio if "audio" in reading.features else None,
            log_mel=_log_mel(audio, reading) if audio is not None and "log-mel" in reading.features else None,
            faces=None if faces is None else faces.pictures,
            notes=self._notes(source, sound, faces),
        )

    def _sound(self, source: ClipSource) -> Sound:
        if not source.audio:
            raise DataError(f'{source.name}: no audio; read its pictures alone (features = ["faces"])')
        return decode_sound(
            Path(source.audio),
            self.reading.rate,
            start=source.audio_start,
            end=None if source.seconds is None else source.audio_start + source.seconds,
            limit=self.reading.limit,
            channel=source.channel,
        )

    def _faces(self, source: ClipSource, frames: int | None) -> Faces:
        if not source.video:
            raise DataError(f'{source.name}: no pictures; read its sound alone (features = ["audio"])')
        return decode_faces(
            Path(source.video),
            self.reading.fps,
            self.reading.size,
            start=source.video_start,
            end=None if source.seconds is None else source.video_start + source.seconds,
            limit=self.reading.limit,
            count=frames,
            crop=self._crop(source),
        )

    def _notes(self, source: ClipSource, sound: Sound | None, faces: Faces | None) -> tuple[str, ...]:
        """
        Raises:
            DataError: a clip too long to be read as one.
        """
        reading = self.reading
        cut = any(found is not None and found.cut for found in (sound, faces))
        if cut and reading.window is None:
            raise DataError(f"{source.name}: longer than {LONGEST:g} s in one clip; write a window, e.g. window = 6")
        notes = [*(() if sound is None else sound.notes), *(() if faces is None else faces.notes)]
        if cut:
            notes.append(f"{source.name}: longer than window = {reading.window:g} s; its beginning is kept")
        if sound is not None and len(sound.samples) < reading.samples:
            notes.append(f"{source.name}: {short(len(sound.samples))}")
        return tuple(notes)

    def _crop(self, source: ClipSource) -> Cropper:
        reading = self.reading
        if reading.face == "boxes" and self.boxes is not None:
            return self.boxes.of(source.name)
        if reading.face == "detector" and self.detector is not None:
            return ByDetector(self.detector, half=source.half)
        return by_rule(reading, source.half)


def _padded(samples: Floats32, length: int) -> Floats32:
    """The samples and zeros up to ``length``."""
    return np.pad(samples, (0, length - len(samples)))


def _log_mel(audio: Floats32, reading: Reading) -> Floats32:
    import torch

    from affekt.data.audiovisual.spectrogram import log_mel

    return log_mel(torch.from_numpy(audio)[None], reading.rate, reading.fps, reading.mels)[0].numpy()
