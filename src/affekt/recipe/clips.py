"""The settings of clips - sound, pictures of a face, or both: which set, how read and changed, by what network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from affekt.recipe.settings import Value, setting


@dataclass(frozen=True, kw_only=True)
class ClipSettings:
    """A set of clips, how it is split and how it is decoded."""

    name: str = setting("", "data set of clips, see `affekt data list`")
    root: str = setting("", "its folder; empty: `<data root>/<name>`")
    tasks: tuple[str, ...] = setting(
        ("emotion",), "labels that are read, any of the set: `emotion`, `gender` ...; splits are balanced by the first"
    )
    emotions: tuple[str, ...] = setting(
        (), "the emotions asked for, in order; `excitement=happiness` counts one as another; empty: all that occur"
    )
    features: tuple[str, ...] = setting(
        (), "of `audio`, `log-mel`, `faces`; empty: audio, and faces where the set has pictures"
    )
    rate: int = setting(16_000, "samples a second", low=4_000, high=192_000)
    fps: float = setting(25.0, "pictures a second; must divide `rate`", low=1, high=200)
    size: int = setting(96, "side of a face, pixels", low=8, high=1024)
    mels: int = setting(64, "bands of the log-mel spectrogram", low=4, high=256)
    face: Literal["centre", "whole", "detector"] = setting(
        "centre", "centred square, the whole picture squashed, or a face detector (extra `faces`)"
    )
    face_share: float | None = setting(
        None, "side of the centred square as a share of the shorter side; absent: the set's own", low=0.05, high=1
    )
    boxes: str = setting("", "table of given face boxes (id, left, top, width, height, perhaps time) instead of `face`")
    window: float | None = setting(6.0, "longest piece that is read at once, seconds", low=0.04, high=300)
    hop: float | None = setting(None, "seconds between the starts of two windows; absent: `window`", low=0.04, high=300)
    longer: Literal["cut", "windows"] = setting(
        "cut", "a clip longer than `window`: its beginning, or windows with a timeline"
    )
    split_by: Literal["speaker", "session", "text", "leaky", "leaky-text"] = setting(
        "speaker", "what no two splits share; `text`: neither texts nor speakers; `leaky`: nothing, and says so"
    )
    validation: float = setting(0.1, "share cut for validation where the set fixes none", low=0.0, high=0.9)
    test: float = setting(0.2, "share cut for test where the set fixes none", low=0.0, high=0.9)
    split_seed: int | None = setting(None, "seed of the split; absent: the run's seed", low=0)
    folds: int | None = setting(None, "k-fold instead of one split: fold `fold` is the test set", low=2)
    fold: int | None = setting(
        None, "which fold, or with `leave_one_out` which unit, is held out; absent: a run trains each in turn", low=0
    )
    leave_one_out: bool = setting(False, "as many folds as there are speakers (sessions, with `split_by = session`)")
    allow_missing: bool = setting(False, "go on without clips whose file is missing; the result says how many")
    memory: float = setting(
        4.0, "GiB of decoded clips kept in memory in training; larger sets are decoded as they are read", low=0
    )
    workers: int | None = setting(None, "threads that decode; absent: by cores", low=0)
    pack: str = setting("", "folder of a pack (`affekt data pack`) that the features come from; empty: decode")
    options: dict[str, Value] = setting({}, "options of this reader, see `affekt data info <name>`")


@dataclass(frozen=True, kw_only=True)
class ClipAugmentationSettings:
    """Changes to clips in training, each a pure function of (seed, epoch, item); all are off by default."""

    speed: tuple[float, ...] = setting((), "factors, one drawn for each clip, e.g. [0.9, 1.0, 1.1]", low=0.5, high=2)
    reverberation: float = setting(0.0, "probability of a synthetic room", low=0, high=1)
    decay: tuple[float, float] = setting((0.2, 0.6), "of the room: seconds until it is 60 dB down", low=0.05, high=3)
    noise: float = setting(0.0, "probability of white noise", low=0, high=1)
    snr: tuple[float, float] = setting((5.0, 30.0), "of the noise: signal to noise, dB", low=-20, high=100)
    gain: tuple[float, float] = setting((0.0, 0.0), "lowest and highest gain, dB", low=-60, high=40)
    frame_drop: float = setting(0.0, "probability that a picture is lost; the one before it stays", low=0, high=0.95)
    time_masks: int = setting(0, "SpecAugment: stretches of time masked in the log-mel", low=0, high=20)
    time_mask: float = setting(0.1, "longest of them, as a share of the clip", low=0, high=1)
    frequency_masks: int = setting(0, "SpecAugment: bands of frequency masked in the log-mel", low=0, high=20)
    frequency_mask: int = setting(8, "widest of them, mel bands", low=1, high=128)

    @property
    def changes_sound(self) -> bool:
        """Whether the samples are changed, and not the spectrogram alone."""
        return bool(self.speed or self.reverberation or self.noise or any(self.gain))


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """The network of a recipe about clips; by default the published one (Chae et al., arXiv:1809.00758)."""

    tasks: tuple[str, ...] = setting((), "which of `clips.tasks` are learned; empty: all")
    audio: str = setting("raw", "how it hears: `raw`, `log-mel`, `speech:<model of the hub, or folder>`, `none`")
    audio_options: dict[str, Value] = setting({}, "options of that front end, e.g. `features` of `log-mel`")
    video: str = setting("resnet50", "how it sees: an image backbone, see `affekt.list_backbones()`, or `none`")
    video_size: int = setting(96, "side of what the image backbone sees, pixels", low=8, high=1024)
    initial: str = setting("random", "of the image backbone: `random`, `imagenet`, or a path")
    width: float | None = setting(None, "channels of its first stage", low=1)
    recurrent: Literal["lstm", "gru", "transformer", "mean", "statistics"] = setting("lstm", "over time")
    hidden: int = setting(256, "width of that, and of fusions", low=1)
    layers: int = setting(2, "its layers", low=1)
    fusion: Literal["concatenate", "gated", "attention"] = setting("concatenate", "of each step's sound and pictures")
    dropout: float = setting(0.5, "before the heads", low=0, high=1)
    modality_dropout: float = setting(
        0.0, "probability that a training clip that has both loses its sound or its pictures", low=0, high=1
    )
    given_at_test: tuple[str, ...] = setting(
        (), "`audio`, `video`: the test clips are scored with that alone, too; of a network of both", unwritten=True
    )
    balanced: bool = setting(False, "classes count alike in training, however many clips they have (logit adjustment)")
