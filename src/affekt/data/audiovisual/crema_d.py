"""CREMA-D: 91 actors say twelve sentences in six emotions, with sound and pictures (Cao et al. 2014)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from affekt.data.affective.columns import read_columns
from affekt.data.audiovisual.clip_dataset import ClipDataset
from affekt.data.audiovisual.finding import AUDIO, VIDEO, Found, by_stem, files_below, none_named_so, strangers
from affekt.data.audiovisual.media import ClipSource
from affekt.errors import DataError
from affekt.recipe import ClipSettings

_TEXTS = ("DFA", "IEO", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI")
"""The twelve sentences, by their first letters."""

_NAME = re.compile(
    rf"(?P<actor>\d{{4}})_(?P<text>{'|'.join(_TEXTS)})_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)_(?P<level>LO|MD|HI|XX?)"
)

EMOTIONS = {
    "ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "happiness", "NEU": "neutral", "SAD": "sadness",
}  # fmt: skip

_LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}
_TABLE = "VideoDemographics.csv"


def parse_name(stem: str) -> dict[str, str] | None:
    """``"1001_DFA_ANG_XX"`` -> id, actor, text, emotion, level; None where it is no name of this set.

    One file was published with a level of one letter (``1040_ITH_SAD_X``): its id is spelt as in the set's tables.
    """
    found = _NAME.fullmatch(stem)
    if found is None:
        return None
    level = "XX" if found["level"] == "X" else found["level"]
    return {
        "id": "_".join((found["actor"], found["text"], found["emotion"], level)),
        "actor": found["actor"],
        "text": found["text"],
        "emotion": EMOTIONS[found["emotion"]],
        "level": _LEVELS[level],
    }


def read(root: Path, _settings: ClipSettings) -> Found:
    """All clips; groups are actors, ``text`` is the sentence. Sound is that of the .wav, else of the .mp3 or the video.

    Raises:
        DataError: no file with a name of this form, a table of actors that cannot be read.
    """
    audio, strange = _named(files_below(root, AUDIO), AUDIO)
    video, odd = _named(files_below(root, VIDEO), VIDEO)
    ids = sorted({*audio, *video})
    if not ids:
        raise none_named_so("crema-d", root, "1001_DFA_ANG_XX.wav or .flv", [*strange, *odd])
    names = [parse_name(name) or {} for name in ids]
    sex, notes = _sex(root)
    return Found(
        sources=[_source(name, audio.get(name), video.get(name)) for name in ids],
        speakers=[name["actor"] for name in names],
        labels={"emotion": [name["emotion"] for name in names]}
        | ({"gender": [sex.get(name["actor"], "") for name in names]} if sex else {}),
        columns={key: [name[key] for name in names] for key in ("text", "level")},
        notes=notes + strangers("crema-d", [*strange, *odd]),
    )


def _named(paths: Iterable[Path], preferred: tuple[str, ...]) -> tuple[dict[str, Path], list[Path]]:
    files = by_stem(paths, preferred)
    found = {name["id"]: path for stem, path in files.items() if (name := parse_name(stem))}
    return found, [path for stem, path in files.items() if parse_name(stem) is None]


def _source(name: str, audio: Path | None, video: Path | None) -> ClipSource:
    return ClipSource(name=name, audio=str(audio or video), video="" if video is None else str(video))


def _sex(root: Path) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Actor -> male or female; empty, with a note, where the table is not there.

    Raises:
        DataError: another word in it.
    """
    if not (root / _TABLE).is_file():
        return {}, (f"crema-d: no {_TABLE}: the task gender cannot be had",)
    columns = read_columns(root / _TABLE)
    actors, words = (columns.text(columns.require(name)) for name in ("ActorID", "Sex"))
    strange = sorted({word for word in words if word.lower() not in ("male", "female")})
    if strange:
        raise DataError(f'{columns.name}: Sex "{strange[0]}" is none of Male, Female')
    return {actor: word.lower() for actor, word in zip(actors, words, strict=True)}, ()


DATASET = ClipDataset(
    name="crema-d",
    title="CREMA-D: 91 actors, twelve sentences, six emotions in sound and pictures, 7,442 clips",
    licence="Open Database Licence 1.0 (database), Database Contents Licence 1.0 (contents)",
    show_pictures=True,
    citation=(
        "Cao, H., Cooper, D. G., Keutmann, M. K., Gur, R. C., Nenkova, A., & Verma, R. (2014). CREMA-D: Crowd-sourced "
        "emotional multimodal actors dataset. IEEE Transactions on Affective Computing, 5(4), 377-390. "
        "https://doi.org/10.1109/TAFFC.2014.2336244"
    ),
    homepage="https://github.com/CheyneyComputerScience/CREMA-D",
    labels=("emotion", "gender"),
    categories=tuple(EMOTIONS.values()),
    tasks={
        "emotion": "what the actor was asked to play, not what people heard or saw in it",
        "gender": f"sex of the actor as recorded in {_TABLE} (Male, Female): an annotation of 91 people, by speaker",
    },
    layout=(
        f"AudioWAV/*.wav and VideoFlash/*.flv (or .mp4, in any folder): actor_sentence_emotion_level, as in "
        f"1001_DFA_ANG_XX.wav; {_TABLE} for the task gender"
    ),
    expected=7442,
    read=read,
)
