"""Audio-visual network: sound and pictures of a clip in, the classes of any number of tasks out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from affekt.errors import UsageError
from affekt.multimodal.clip_inputs import check_reading
from affekt.multimodal.dropping import Draw, drop_modality
from affekt.multimodal.front_ends import AudioFrontEnd, VideoFrontEnd, create_audio
from affekt.multimodal.fusion import create_fusion
from affekt.multimodal.heads import Classes, Heads, Tasks, read_classes, read_tasks
from affekt.multimodal.inputs import read_audio, read_frames
from affekt.multimodal.presence import Presence, read_lengths, read_mask
from affekt.multimodal.recurrent import create_recurrent
from affekt.multimodal.streams import hear, see
from affekt.saving import PretrainedModel
from affekt.training.classification import check_labels, nll


@dataclass(frozen=True, kw_only=True)
class AudioVisualOutput:
    """What the network says of B clips.

    Attributes:
        logits: task -> ``(B, K)`` float32.
        log_probabilities: task -> ``(B, K)`` float32.
        features: ``(B, F)``, what the heads read, before dropout.
        fused: ``(B, T, D)``, the fused features of each step; zero behind a clip's end.
    """

    logits: dict[str, Tensor]
    log_probabilities: dict[str, Tensor]
    features: Tensor
    fused: Tensor


class AudioVisualNetwork(PretrainedModel):
    """Sound, pictures or both of B clips -> :class:`AudioVisualOutput`.

    As it stands, the network of Chae et al. (arXiv:1809.00758): two wide convolutions on raw sound, a ResNet-50 on
    crops of 96 px, both side by side in an LSTM, a head for each task on its last state. Any part can be another.

    Args:
        tasks: name -> number of classes, in any number: ``{"emotion": 4, "gender": 2}``.
        audio: ``"raw"``, ``"log-mel"``, ``"speech:<model of the hub, or folder>"``; None: it hears nothing.
        video: a name for ``affekt.create_backbone``, or a module with ``num_features`` that maps normalised images to
            ``(N, D)`` (such a network cannot be saved); None: it sees nothing.
        video_size: side of what the image backbone sees, pixels; other frames are resized.
        recurrent: over time: ``"lstm"``, ``"gru"``, ``"transformer"``, ``"mean"``, ``"statistics"``.
        hidden, layers: width and number of its layers; ``hidden`` is the width of fusions, too.
        fusion: ``"concatenate"``, ``"gated"`` or ``"attention"``.
        dropout: before the heads.
        modality_dropout: probability that a training clip that has both loses its sound or its pictures.
        classes: task -> names of its classes, for any of the tasks.
        rate, fps: samples and frames a second: 16,000 and 25, 640 samples beside each frame.
        audio_options: of the front end for sound, by name, see the class of that name, e.g. ``RawAudio``.
        initial, width: of the image backbone: ``"random"``, ``"imagenet"`` or a path; channels of its first stage.
        reading: how the clips are read that it learns from: ``{"window": 6.0, "size": 96, "face": "centre"}``; nothing
            in it depends on that, but :func:`~affekt.multimodal.predict_clip` reads files so.

    Attributes:
        hearing, seeing: the front ends, None without; ``fusing``, ``recurrent``, ``heads``: the other parts.

    Raises:
        UsageError: names, numbers or options that make no sense, and what ``create_backbone`` raises.
    """

    hearing: AudioFrontEnd | None
    seeing: VideoFrontEnd | None

    def __init__(
        self,
        tasks: Tasks,
        audio: str | None = "raw",
        video: str | nn.Module | None = "resnet50",
        video_size: int = 96,
        recurrent: str = "lstm",
        hidden: int = 256,
        layers: int = 2,
        fusion: str = "concatenate",
        dropout: float = 0.5,
        modality_dropout: float = 0.0,
        classes: Classes | None = None,
        *,
        rate: int = 16_000,
        fps: float = 25.0,
        audio_options: Mapping[str, Any] | None = None,
        initial: str = "random",
        width: float | None = None,
        reading: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.tasks = read_tasks(tasks)
        self.classes = read_classes(classes, self.tasks)
        self._arguments: dict[str, Any] = {
            "audio": audio, "video": video, "video_size": video_size, "recurrent": recurrent, "hidden": hidden,
            "layers": layers, "fusion": fusion, "dropout": dropout, "modality_dropout": modality_dropout,
            "rate": rate, "fps": fps, "audio_options": dict(audio_options or {}), "width": width,
        }  # fmt: skip
        _check_numbers(self._arguments)
        self.modality_dropout = modality_dropout
        self.rate, self.fps, self.video_size = rate, fps, video_size
        self.reading = check_reading(reading)
        self.hearing = None if audio is None else create_audio(audio, rate=rate, fps=fps, options=audio_options)
        self.seeing = None if video is None else VideoFrontEnd(video, video_size, initial=initial, width=width)
        sizes = [part.num_features for part in (self.hearing, self.seeing) if part is not None]
        self.fusing = create_fusion(fusion, sizes, hidden)
        self.recurrent = create_recurrent(recurrent, self.fusing.num_features, hidden, layers)
        self.heads = Heads(self.recurrent.num_features, self.tasks, dropout=dropout)

    @property
    def class_names(self) -> dict[str, tuple[str, ...]]:
        """Task -> names of its classes, their numbers where they have none."""
        return {task: self.classes.get(task, tuple(map(str, range(n)))) for task, n in self.tasks.items()}

    @property
    def pipelines(self) -> tuple[str, ...]:
        """The hub has no word for both: a network that sees is one of videos, and one that hears of audio, too."""
        seen = ("video-classification",) if self.seeing is not None else ()
        return (*seen, "audio-classification") if self.hearing is not None else seen

    @property
    def num_features(self) -> int:
        """F, the length of ``features``."""
        return self.recurrent.num_features

    def forward(
        self,
        audio: Tensor | None = None,
        frames: Tensor | None = None,
        lengths: Tensor | None = None,
        *,
        has_audio: Tensor | None = None,
        has_video: Tensor | None = None,
        draw: Draw | None = None,
    ) -> AudioVisualOutput:
        """Classes of B clips of up to T frames.

        A clip may lack its sound or its pictures, also a batch; but not both. What the network has no front end for is
        not looked at, nor is what stands behind a clip's end.

        Args:
            audio: ``(B, T * 640)`` float in [-1, 1] (``rate / fps`` samples a frame).
            frames: ``(B, T, 3, H, W)`` RGB in [0, 1], or uint8.
            lengths: ``(B,)`` int64, frames of each clip; None: T.
            has_audio, has_video: ``(B,)`` bool, which clips have them; None: all.
            draw: for modality dropout, in training.

        Raises:
            UsageError: shapes, types or values that do not fit, or modality dropout without a draw.
        """
        sound = read_audio(audio, self.hearing)
        pictures = read_frames(frames, self.seeing)
        presence = self._presence(sound, pictures, lengths, (has_audio, has_video), draw)
        steps = presence.steps()
        streams: list[Tensor] = []
        if self.hearing is not None:
            streams.append(hear(self.hearing, sound, presence.lengths, steps[:, :, 0]))
        if self.seeing is not None:
            streams.append(see(self.seeing, pictures, steps[:, :, -1]))
        fused = self.fusing(streams, steps)
        features = self.recurrent(fused, presence.lengths)
        return self._answer(features, fused)

    def _presence(
        self,
        sound: Tensor | None,
        pictures: Tensor | None,
        lengths: Tensor | None,
        masks: tuple[Tensor | None, Tensor | None],
        draw: Draw | None,
    ) -> Presence:
        clips, frames = self._shape(sound, pictures)
        device = next(self.heads.parameters()).device
        hears = read_mask("has_audio", masks[0], sound is not None, clips, device)
        sees = read_mask("has_video", masks[1], pictures is not None, clips, device)
        if self.training and self.modality_dropout:
            if draw is None:
                raise UsageError(
                    f"modality_dropout = {self.modality_dropout:g}: in training, say what is drawn by: "
                    "draw = affekt.multimodal.Draw(seed=0, step=step, items=items)"
                )
            hears, sees = drop_modality(hears, sees, self.modality_dropout, draw)
        read = [mask for mask, part in ((hears, self.hearing), (sees, self.seeing)) if part is not None]
        presence = Presence(
            frames=frames, lengths=read_lengths(lengths, clips, frames, device), streams=torch.stack(read, dim=1)
        )
        presence.check()
        return presence

    def _shape(self, sound: Tensor | None, pictures: Tensor | None) -> tuple[int, int]:
        found = []
        if sound is not None and self.hearing is not None:
            found.append((len(sound), self.hearing.frames_of(sound)))
        if pictures is not None:
            found.append((len(pictures), pictures.shape[1]))
        if not found:
            reads = " or ".join(n for n, part in (("audio", self.hearing), ("frames", self.seeing)) if part is not None)
            raise UsageError(f"no clips: this network reads {reads}; give it")
        if len(set(found)) > 1:
            (n, t), (m, u) = found
            raise UsageError(f"audio of {n} clips of {t} frames, but pictures of {m} clips of {u} frames")
        return found[0]

    def _answer(self, features: Tensor, fused: Tensor) -> AudioVisualOutput:
        logits = self.heads(features)
        return AudioVisualOutput(
            logits=logits,
            log_probabilities={name: torch.log_softmax(values, dim=1) for name, values in logits.items()},
            features=features,
            fused=fused,
        )

    def losses(
        self, out: AudioVisualOutput, labels: Mapping[str, Tensor], label_smoothing: float = 0.0
    ) -> dict[str, Tensor]:
        """The named, unweighted losses, float32 scalars: the cross-entropy of each task, under its name.

        A task of which the batch holds no label has a loss of 0 that keeps the graph.

        Args:
            out: what the network said.
            labels: task -> ``(B,)`` int64, -1 for unknown (left out); or ``(B, K)`` shares.
            label_smoothing: the same for each loss.

        Raises:
            UsageError: no labels of a task, or labels of another number of clips, type or range.
        """
        return {name: self._loss(name, out, labels, label_smoothing) for name in self.tasks}

    def _loss(self, name: str, out: AudioVisualOutput, labels: Mapping[str, Tensor], smoothing: float) -> Tensor:
        if name not in labels:
            raise UsageError(
                f'labels: none of the task "{name}"; found {", ".join(labels) or "nothing"}. Unknown ones: -1'
            )
        logs = out.log_probabilities[name]
        check_labels(labels[name], logs, name=f'labels["{name}"]', items="clips")
        with torch.autocast(logs.device.type, enabled=False):
            return nll(logs, labels[name], smoothing)

    def config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON can hold them; tasks as pairs, so that their order is kept.

        Raises:
            UsageError: the image backbone was given as a module, not by name.
        """
        if isinstance(self._arguments["video"], nn.Module):
            raise UsageError("AudioVisualNetwork: its video is a module; give a backbone by name to save the network")
        kept = {} if self.hearing is None else self.hearing.options()
        return {
            **self._arguments,
            "audio_options": {**self._arguments["audio_options"], **kept},
            "tasks": [list(pair) for pair in self.tasks.items()],
            "classes": [[name, list(names)] for name, names in self.classes.items()],
            "reading": dict(self.reading),
        }


def _check_numbers(arguments: Mapping[str, Any]) -> None:
    """
    Raises:
        UsageError: no front end at all, shares outside of 0 to 1, or options and dropout of what is not there.
    """
    audio, video = arguments["audio"], arguments["video"]
    if audio is None and video is None:
        raise UsageError('audio = None, video = None: nothing is left; write e.g. audio = "raw", video = "resnet50"')
    for name in ("dropout", "modality_dropout"):
        if not 0 <= arguments[name] <= 1:
            raise UsageError(f"{name} = {arguments[name]}: a share from 0 to 1 is asked")
    if arguments["modality_dropout"] and (audio is None or video is None):
        raise UsageError(
            f"modality_dropout = {arguments['modality_dropout']:g}: is for networks that read audio and video, this "
            "one reads one of them; write modality_dropout = 0"
        )
    if arguments["audio_options"] and audio is None:
        raise UsageError(
            f"audio_options = {dict(arguments['audio_options'])}: for audio = None there are none; write "
            "audio_options = {}"
        )
