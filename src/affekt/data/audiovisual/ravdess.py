"""RAVDESS: 24 actors speak and sing two sentences in eight emotions (Livingstone and Russo 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from affekt.data.audiovisual.clip_dataset import ClipDataset
from affekt.data.audiovisual.finding import AUDIO, VIDEO, Found, files_below, none_named_so, strangers
from affekt.data.audiovisual.media import ClipSource
from affekt.data.dataset import option
from affekt.errors import DataError
from affekt.recipe import ClipSettings

EMOTIONS = {
    "01": "neutral", "02": "calm", "03": "happiness", "04": "sadness", "05": "anger", "06": "fear", "07": "disgust",
    "08": "surprise",
}  # fmt: skip

_CHANNELS = {"01": "speech", "02": "song"}
_BOTH, _PICTURES, _SOUND = "01", "02", "03"
_FIELDS = ("modality", "channel", "emotion", "intensity", "statement", "repetition", "actor")
_RANGES: Mapping[str, int] = dict(zip(_FIELDS, (3, 2, 8, 2, 2, 2, 24), strict=True))


def parse_name(stem: str) -> dict[str, str] | None:
    """``"03-01-06-01-02-01-12"`` -> its seven fields; None where it is no name of this set."""
    parts = stem.split("-")
    if len(parts) != len(_FIELDS) or not all(len(part) == 2 and part.isascii() and part.isdigit() for part in parts):
        return None
    fields = dict(zip(_FIELDS, parts, strict=True))
    return fields if all(1 <= int(fields[name]) <= high for name, high in _RANGES.items()) else None


def read(root: Path, settings: ClipSettings) -> Found:
    """One clip a performance: files of the same performance (both, pictures only, sound only) are one clip.

    Pictures are those of the file with both, else of the one with pictures only; sound is that of the sound-only file,
    or of the file with both where pictures are read too, so that they are in step. Groups are actors.

    Raises:
        DataError: no file with a name of this form, or none of the vocal channel asked for.
    """
    vocal = option(settings, "vocal", str, "speech", choices=("speech", "song", "both"))
    performances: dict[str, dict[str, Path]] = {}
    strange = []
    for path in files_below(root, (*AUDIO, *VIDEO)):
        name = parse_name(path.stem)
        if name is None:
            strange.append(path)
        elif vocal in ("both", _CHANNELS[name["channel"]]):
            performances.setdefault(path.stem[3:], {}).setdefault(name["modality"], path)
    if not performances:
        if strange or not files_below(root, (*AUDIO, *VIDEO)):
            raise none_named_so("ravdess", root, "03-01-06-01-02-01-12.wav", strange)
        raise DataError(f'ravdess: no {vocal} in {root}; write vocal = "both"')
    ids = sorted(performances)
    names = [parse_name(f"{_BOTH}-{name}") or {} for name in ids]
    heard_only = bool(settings.features) and "faces" not in settings.features
    return Found(
        sources=[_source(name, performances[name], heard_only) for name in ids],
        speakers=[name["actor"] for name in names],
        labels={
            "emotion": [EMOTIONS[name["emotion"]] for name in names],
            "gender": ["male" if int(name["actor"]) % 2 else "female" for name in names],
        },
        columns={
            "text": [name["statement"] for name in names],
            "vocal": [_CHANNELS[name["channel"]] for name in names],
            "intensity": ["normal" if name["intensity"] == "01" else "strong" for name in names],
            "repetition": [name["repetition"] for name in names],
        },
        notes=strangers("ravdess", strange),
    )


def _source(name: str, files: Mapping[str, Path], heard_only: bool) -> ClipSource:
    pictures = files.get(_BOTH) or files.get(_PICTURES)
    order = (_SOUND, _BOTH) if heard_only or pictures is None else (_BOTH, _SOUND)
    sound = files.get(order[0]) or files.get(order[1])
    return ClipSource(name=name, audio=str(sound or ""), video=str(pictures or ""))


DATASET = ClipDataset(
    name="ravdess",
    title="RAVDESS: 24 actors speak (and sing) two sentences in eight emotions, with sound and pictures",
    licence="CC BY-NC-SA 4.0",
    show_pictures=True,
    citation=(
        "Livingstone, S. R., & Russo, F. A. (2018). The Ryerson Audio-Visual Database of Emotional Speech and Song "
        "(RAVDESS). PLoS ONE, 13(5), e0196391. https://doi.org/10.1371/journal.pone.0196391"
    ),
    homepage="https://zenodo.org/records/1188976",
    labels=("emotion", "gender"),
    categories=tuple(EMOTIONS.values()),
    tasks={
        "emotion": "what the actor was asked to play",
        "gender": "gender of the actor by the authors' numbering (odd male, even female): an annotation of 24 people",
    },
    layout=(
        "Actor_01/ ... Actor_24/ (in any folder) with *.mp4 and *.wav: modality-channel-emotion-intensity-statement-"
        "repetition-actor, as in 03-01-06-01-02-01-12.wav"
    ),
    expected=1440,
    options={"vocal": '"speech", "song" or "both"; default: "speech" (1,440 performances; 1,012 are song)'},
    read=read,
)
