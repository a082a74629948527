"""IEMOCAP: ten actors in five sessions of two, scripts and improvisations (Busso et al. 2008)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from affekt.affect import SCALES
from affekt.data.audiovisual.clip_dataset import ClipDataset
from affekt.data.audiovisual.finding import Found
from affekt.data.audiovisual.media import ClipSource
from affekt.data.dataset import option
from affekt.data.stimuli import Floats32
from affekt.errors import DataError, first
from affekt.recipe import ClipSettings

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_LINE = re.compile(rf"\[{_NUMBER} - {_NUMBER}\]\t(\S+)\t(\w+)\t\[{_NUMBER}, {_NUMBER}, {_NUMBER}\]")
_UTTERANCE = re.compile(r"(?P<dialog>Ses(?P<session>\d\d)(?P<markers>[FM])_(?P<text>\w+?))_(?P<speaker>[FM])\w*")
_RATED = ("valence", "arousal", "dominance")

EMOTIONS = {
    "neu": "neutral", "hap": "happiness", "sad": "sadness", "ang": "anger", "sur": "surprise", "fea": "fear",
    "dis": "disgust", "fru": "frustration", "exc": "excitement", "oth": "other", "xxx": "no agreement",
}  # fmt: skip
"""The code in an evaluation -> emotion; the last two are none and are dropped, and counted."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One line of an evaluation.

    Attributes:
        utterance: its name, as in ``Ses01F_impro01_M000``.
        start, end: seconds in the dialog.
        emotion: as in :data:`EMOTIONS`.
        rated: valence, arousal (which the authors call activation), dominance, on 1 to 5.
        dialog, session, text: ``Ses01F_impro01``, ``01``, ``impro01``.
        speaker: ``F`` or ``M``, the actor of the session who speaks.
        markers: ``F`` or ``M``, the actor of the session who wears the markers of the motion capture.
    """

    utterance: str
    start: float
    end: float
    emotion: str
    rated: tuple[float, float, float]
    dialog: str
    session: str
    text: str
    speaker: str
    markers: str

    @property
    def side(self) -> Literal["left", "right"]:
        """Where the speaker is: the actor with the markers sits on the left, so that it changes within each session.

        A matter of who was recorded how; the label gender is not asked, and does not tell.
        """
        return "left" if self.speaker == self.markers else "right"


def parse_turns(text: str, name: str) -> Iterator[Turn]:
    """The turns of one evaluation file; single raters' lines are passed over.

    Raises:
        DataError: a line that begins like a turn and is none, an emotion that the set does not have.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("["):
            continue
        found = _LINE.fullmatch(line.rstrip())
        named = None if found is None else _UTTERANCE.fullmatch(found[3])
        if found is None or named is None:
            raise DataError(f"iemocap: {name}, line {number}: no turn ([start - end], utterance, emotion, [v, a, d])")
        if found[4] not in EMOTIONS:
            raise DataError(f'iemocap: {name}, line {number}: emotion "{found[4]}"; known: {", ".join(EMOTIONS)}')
        yield Turn(
            utterance=found[3],
            start=float(found[1]),
            end=float(found[2]),
            emotion=EMOTIONS[found[4]],
            rated=(float(found[5]), float(found[6]), float(found[7])),
            **{key: named[key] for key in ("dialog", "session", "text", "speaker", "markers")},
        )


def read(root: Path, settings: ClipSettings) -> Found:
    """All turns; groups are the ten speakers, ``session`` the five sessions, ``text`` the script or improvisation.

    Sound is that of the sentence's own file, or with ``sound = "dialog"`` the turn's stretch of the dialog's stereo
    file, in the channel of the speaker; pictures are the turn's stretch of the dialog's video, in the speaker's half.

    Raises:
        DataError: no session folder, no evaluation, a line that cannot be read.
    """
    sound = option(settings, "sound", str, "sentences", choices=("sentences", "dialog"))
    markers = option(settings, "markers", str, "left", choices=("left", "right"))
    top = root / "IEMOCAP_full_release" if (root / "IEMOCAP_full_release").is_dir() else root
    turns = _turns(top)
    return Found(
        sources=[_source(top, turn, sound, markers) for turn in turns],
        speakers=[f"Ses{turn.session}{turn.speaker}" for turn in turns],
        labels={
            "emotion": [turn.emotion for turn in turns],
            "gender": ["female" if turn.speaker == "F" else "male" for turn in turns],
        },
        columns={
            "session": [turn.session for turn in turns],
            # A script's parts and its variants in a session ("script01_1b") are one text.
            "text": [re.sub(r"^(script\d+_\d+)[a-z]$", r"\1", turn.text) for turn in turns],
            "dialog": [turn.dialog for turn in turns],
        },
        ratings=_ratings(turns),
        scale=SCALES["1-5"],
    )


def _turns(top: Path) -> list[Turn]:
    files = sorted(
        path for path in top.glob("Session[1-5]/dialog/EmoEvaluation/*.txt") if not path.name.startswith(".")
    )
    if not files:
        raise DataError(f"iemocap: no Session1 ... Session5 with dialog/EmoEvaluation/*.txt in {top}")
    turns = [turn for path in files for turn in parse_turns(path.read_text(encoding="latin-1"), path.name)]
    wrong = [turn.utterance for turn in turns if turn.end <= turn.start]
    if wrong:
        raise DataError(f"iemocap: {len(wrong)} turn(s) end before they begin: {first(wrong)}")
    return sorted(turns, key=lambda turn: turn.utterance)


def _source(top: Path, turn: Turn, sound: str, markers: str) -> ClipSource:
    session = top / f"Session{int(turn.session)}"
    side = turn.side if markers == "left" else _OTHER[turn.side]
    video = session / "dialog" / "avi" / "DivX" / f"{turn.dialog}.avi"
    own = session / "sentences" / "wav" / turn.dialog / f"{turn.utterance}.wav"
    return ClipSource(
        name=turn.utterance,
        audio=str(own if sound == "sentences" else session / "dialog" / "wav" / f"{turn.dialog}.wav"),
        audio_start=0.0 if sound == "sentences" else turn.start,
        video=str(video) if video.parent.is_dir() else "",
        video_start=turn.start,
        seconds=turn.end - turn.start,
        channel=side,
        half=side,
    )


_OTHER: dict[Literal["left", "right"], Literal["left", "right"]] = {"left": "right", "right": "left"}


def _ratings(turns: list[Turn]) -> dict[str, Floats32]:
    """Dimension -> ``(N,)``; a turn that nobody rated has values outside the scale, which are NaN here."""
    values = np.array([turn.rated for turn in turns], dtype=np.float32)
    values[(values < 1) | (values > 5)] = np.nan
    return {name: values[:, column] for column, name in enumerate(_RATED)}


DATASET = ClipDataset(
    name="iemocap",
    title="IEMOCAP: ten actors in five sessions, scripts and improvisations, 10,039 turns",
    licence="on request, for research; see homepage",
    show_pictures=False,
    citation=(
        "Busso, C., Bulut, M., Lee, C.-C., Kazemzadeh, A., Mower, E., Kim, S., Chang, J. N., Lee, S., & Narayanan, "
        "S. S. (2008). IEMOCAP: Interactive emotional dyadic motion capture database. Language Resources and "
        "Evaluation, 42(4), 335-359. https://doi.org/10.1007/s10579-008-9076-6"
    ),
    homepage="https://sail.usc.edu/iemocap/",
    labels=("emotion", "gender", "valence", "arousal", "dominance"),
    categories=tuple(word for word in EMOTIONS.values() if word not in ("other", "no agreement")),
    tasks={
        "emotion": "what most of three or more people heard and saw in it; turns without agreement are dropped",
        "gender": "gender of the actor by the letter in the turn's name (F, M): an annotation of ten people",
    },
    layout=(
        "Session1 ... Session5 with dialog/EmoEvaluation/*.txt, sentences/wav/<dialog>/<utterance>.wav, and for "
        "pictures dialog/avi/DivX/<dialog>.avi"
    ),
    expected=10_039,
    face_share=0.65,
    options={
        "sound": '"sentences" (default: one file a turn) or "dialog" (the turn\'s stretch of the stereo file)',
        "markers": 'side of the actor who wears the markers, in picture and stereo: "left" (default) or "right"',
    },
    read=read,
)
