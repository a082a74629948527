"""Predicting: what a network says of a file of sound, pictures or both - of each window, and of the whole.

    >>> model = affekt.load("runs/emodb/model")
    >>> answer = affekt.multimodal.predict_clip(model, "talk.mp4")
    >>> answer.probabilities["emotion"]["anger"], answer.used, [(w.start, w.end) for w in answer.windows]

The answer of the whole is the mean of the windows' probabilities, each window weighted by its seconds. A mean of
log-probabilities (a product) would take windows of one recording for independent witnesses and let one of them, sure
of itself, overrule all others; a mean of probabilities moves by no more than a window's share of the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from affekt.data.audiovisual.boxes import FaceBoxes
from affekt.data.audiovisual.composed import meaning
from affekt.data.audiovisual.faces import ByDetector, Cropper, Detector
from affekt.data.audiovisual.reading import Face, Reading
from affekt.data.audiovisual.streaming import Tracks, Window, WindowStream, tracks_of, window_and_hop
from affekt.errors import DataError, UsageError, unknown
from affekt.multimodal.clip_inputs import FACES, ClipInputs, inputs_of
from affekt.multimodal.network import AudioVisualNetwork, AudioVisualOutput

AT_ONCE = 24.0
"""Seconds of windows that go through the network together, but one window at least: at 96 px 17 MB of pictures."""

Probabilities = Mapping[str, Mapping[str, float]]
"""Task -> class -> probability, in the network's order."""


@dataclass(frozen=True, kw_only=True)
class WindowAnswer:
    """What a network says of a stretch of a file.

    Attributes:
        start, end: seconds in the file.
        used: ``"sound"``, ``"pictures"`` or both: what was there and was looked at.
        probabilities: task -> class -> probability.
    """

    start: float
    end: float
    used: tuple[str, ...]
    probabilities: Probabilities


@dataclass(frozen=True, kw_only=True)
class ClipAnswer:
    """What a network says of a file.

    Attributes:
        path: the file.
        seconds: its length, as far as it was read.
        used: what was there and was looked at in any window.
        probabilities: task -> class -> mean over the windows, weighted by their seconds.
        windows: one or more, in order.
        notes: what is out of the ordinary about the file, a line each.
    """

    path: str
    seconds: float
    used: tuple[str, ...]
    probabilities: Probabilities
    windows: tuple[WindowAnswer, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Viewing:
    """How files are shown to a network: its own inputs, or what was asked for instead.

    Attributes:
        inputs: window, size and face rule.
        hop: seconds from one window to the next.
        boxes: given boxes by path or name of the file, for ``face = "boxes"``.
        detector: for ``face = "detector"``.
    """

    inputs: ClipInputs
    hop: float
    boxes: FaceBoxes | None = None
    detector: Detector | None = None

    def crop(self, path: Path) -> Cropper | None:
        """None: by the rule.

        Raises:
            DataError: no box for this file.
        """
        if self.boxes is not None:
            return self.boxes.of(self.boxes.key_of(path) or path.name)
        return None if self.detector is None else ByDetector(self.detector)


def viewing_of(
    model: AudioVisualNetwork,
    *,
    window: float | None = None,
    hop: float | None = None,
    face: Face | None = None,
    boxes: str | Path | None = None,
) -> Viewing:
    """How ``model`` is shown files; what is None is as in its training.

    Raises:
        UsageError: a face rule for a network that sees nothing, boxes that it was trained on and that are not given, a
            window or hop that cannot be.
        DataError: no such table of boxes.
        MissingExtra: no OpenCV, for ``face = "detector"``.
    """
    if (face is not None or boxes is not None) and model.seeing is None:
        raise UsageError(f"{'boxes' if face is None else 'face'}: this network sees no pictures")
    if face is not None and face not in FACES:
        raise UsageError(unknown("face", face, FACES))
    own = inputs_of(model.reading)
    chosen: Face = "boxes" if boxes is not None and face is None else own.face if face is None else face
    if (chosen == "boxes") != (boxes is not None) and model.seeing is not None:
        asked = "it learned from given face boxes" if face is None else f'face = "{face}"'
        raise UsageError(f"boxes: {asked}; give a table of boxes with face = boxes, or face = centre without")
    inputs = replace(own, face=chosen, window=own.window if window is None else window)
    hop = inputs.window if hop is None else hop
    window_and_hop(_reading(model, inputs, Tracks(sound=True, pictures=True)), hop)  # refuses what cannot be
    return Viewing(inputs=inputs, hop=hop, boxes=_boxes(boxes), detector=_detector(model, chosen))


def predict_clip(
    model: AudioVisualNetwork,
    path: str | Path,
    *,
    window: float | None = None,
    hop: float | None = None,
    face: Face | None = None,
    boxes: str | Path | None = None,
) -> ClipAnswer:
    """What ``model`` (in evaluation mode) says of a wav, flac, mp3, mp4, avi ..., however long it is.

    Memory holds a few windows and the answers. A network of both answers from one where the file lacks the other, and
    says so in ``notes``.

    Args:
        window, hop: seconds; None: as in training, and one after the other.
        face: which square of a picture is kept; None: as in training.
        boxes: a table of given boxes, see :func:`affekt.data.audiovisual.boxes.read_boxes`, by path or file name.

    Raises:
        DataError: missing, damaged, ends in the middle, no track that the network reads, no box.
        UsageError: settings that cannot be.
        MissingExtra: av, soundfile or OpenCV is not installed.
    """
    return answer_of(model, Path(path), viewing_of(model, window=window, hop=hop, face=face, boxes=boxes))


def answer_of(model: AudioVisualNetwork, path: Path, viewing: Viewing) -> ClipAnswer:
    """As :func:`predict_clip`, for many files that are shown in one way."""
    tracks = tracks_of(path)
    shown, notes = _shown(model, path, tracks)
    crop = viewing.crop(path) if shown.pictures else None
    stream = WindowStream(path, _reading(model, viewing.inputs, shown), hop=viewing.hop, crop=crop)
    at_once = max(1, int(AT_ONCE / viewing.inputs.window))
    windows = tuple(_answers(model, iter(stream), at_once))
    return ClipAnswer(
        path=str(path),
        seconds=windows[-1].end,
        used=tuple(dict.fromkeys(word for window in windows for word in window.used)),
        probabilities=_mean(windows),
        windows=windows,
        notes=(*learned_from(model), *notes, *stream.notes),
    )


def learned_from(model: AudioVisualNetwork) -> tuple[str, ...]:
    """What is to be said of every answer of a network that learned from no recordings."""
    sets = model.reading.get("composed")
    return (f"this network learned from clips {meaning(sets)}",) if sets else ()


def _shown(model: AudioVisualNetwork, path: Path, tracks: Tracks) -> tuple[Tracks, tuple[str, ...]]:
    """What of a file the network is shown, and what is to be said of it.

    Raises:
        DataError: nothing that it reads.
    """
    hears, sees = model.hearing is not None, model.seeing is not None
    shown = Tracks(sound=hears and tracks.sound, pictures=sees and tracks.pictures)
    lacks = "no audio track" if not tracks.sound else "no video track"
    if not (shown.sound or shown.pictures):
        raise DataError(f"{path}: {lacks}, and this network reads {'sound' if hears else 'pictures'} alone")
    if not (hears and sees) or (shown.sound and shown.pictures):
        return shown, ()
    alone = "its pictures" if not shown.sound else "its sound"
    untaught = "" if model.modality_dropout else ", which this network never learned to do (modality_dropout = 0)"
    return shown, (f"{path}: {lacks}; answered by {alone} alone{untaught}",)


def _reading(model: AudioVisualNetwork, inputs: ClipInputs, shown: Tracks) -> Reading:
    return Reading(
        features=(*(("audio",) if shown.sound else ()), *(("faces",) if shown.pictures else ())),
        rate=model.rate,
        fps=model.fps,
        size=inputs.size or model.video_size,
        face=inputs.face,
        face_share=inputs.face_share,
        window=inputs.window,
    )


def _boxes(path: str | Path | None) -> FaceBoxes | None:
    if path is None:
        return None
    from affekt.data.audiovisual.boxes import read_boxes

    return read_boxes(Path(path).expanduser())


def _detector(model: AudioVisualNetwork, face: Face) -> Detector | None:
    if face != "detector" or model.seeing is None:
        return None
    from affekt.data.audiovisual.detecting import haar_detector

    return haar_detector()


def _answers(model: AudioVisualNetwork, windows: Iterator[Window], at_once: int) -> Iterator[WindowAnswer]:
    """Of each window, a few at a time."""
    while group := list(islice(windows, at_once)):
        with torch.inference_mode():
            out = _said(model, group)
        for row, window in enumerate(group):
            yield WindowAnswer(
                start=window.start, end=window.end, used=_used(window), probabilities=_named(model, out, row)
            )


def _used(window: Window) -> tuple[str, ...]:
    return (
        *(("sound",) if window.audio is not None else ()),
        *(("pictures",) if window.faces is not None else ()),
    )


def _said(model: AudioVisualNetwork, group: list[Window]) -> AudioVisualOutput:
    device = next(model.parameters()).device
    frame = model.rate / model.fps
    lengths = [_frames(window, frame) for window in group]
    audio = _padded([w.audio for w in group], round(max(lengths) * frame))
    faces = _padded([w.faces for w in group], max(lengths))
    out: AudioVisualOutput = model(
        None if audio is None else audio.to(device),
        None if faces is None else faces.to(device),
        torch.tensor(lengths, device=device),
        has_audio=torch.tensor([w.audio is not None for w in group], device=device),
        has_video=torch.tensor([w.faces is not None for w in group], device=device),
    )
    return out


def _frames(window: Window, frame: float) -> int:
    """T: of the sound, of ``frame`` samples each, or of the pictures where there is none."""
    if window.audio is not None:
        return round(len(window.audio) / frame)
    return 0 if window.faces is None else len(window.faces)


def _padded(parts: list[Any], length: int) -> Tensor | None:
    """``(B, length, ...)`` with zeros behind each part and in place of those that are None; None: all are."""
    there = [part for part in parts if part is not None]
    if not there:
        return None
    out = torch.zeros(len(parts), length, *there[0].shape[1:], dtype=torch.from_numpy(there[0][:0]).dtype)
    for row, part in enumerate(parts):
        if part is not None:
            out[row, : len(part)] = torch.from_numpy(part)
    return out


def _named(model: AudioVisualNetwork, out: AudioVisualOutput, row: int) -> dict[str, dict[str, float]]:
    return {
        task: dict(zip(names, out.log_probabilities[task][row].exp().tolist(), strict=True))
        for task, names in model.class_names.items()
    }


def _mean(windows: tuple[WindowAnswer, ...]) -> dict[str, dict[str, float]]:
    """Mean over the windows, weighted by their seconds."""
    seconds = [window.end - window.start for window in windows]
    whole = sum(seconds)
    return {
        task: {
            name: sum(s * w.probabilities[task][name] for s, w in zip(seconds, windows, strict=True)) / whole
            for name in classes
        }
        for task, classes in windows[0].probabilities.items()
    }
