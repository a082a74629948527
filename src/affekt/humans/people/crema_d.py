"""CREMA-D: votes of 2,443 people on 7,442 clips of 91 actors, heard, seen, or both (Cao et al. 2014)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from affekt.affect import canonical_category
from affekt.data.affective.columns import Columns, read_columns
from affekt.data.affective.files import check_unique
from affekt.data.affective.votes import check_votes, whole_numbers
from affekt.errors import DataError, UsageError, first, unknown
from affekt.humans.people.known import Options, Strings, Votes

MODALITIES: Mapping[str, str] = {"voice": "1", "face": "2", "both": "3"}
"""How people met the clip -> first digit of the number of a row."""

CATEGORIES = ("anger", "disgust", "fear", "happiness", "neutral", "sadness")

OPTIONS: Mapping[str, str] = {"modality": '"face" (default), "voice" or "both": what of a clip people were given'}

_TABLE = "tabulatedVotes.csv"
_COLUMNS = ("A", "D", "F", "H", "N", "S")
_LICENCE = "Open Database License 1.0; contents: Database Contents License 1.0"


def read(folder: Path, options: Options) -> Votes:
    """Votes on every clip, in one modality; ids are file names without ending, groups the actors.

    The right answer is the emotion that the actor was asked for, which is in the clip's name. By it the votes are right
    in .400 (voice), .574 (face) and .631 (both) of all votes, those of all clips taken together:
    :attr:`~affekt.humans.people.Votes.accuracy`. Taken by clip, a clip's majority is right more often (.416, .663, .722
    with a tie counted as wrong): a crowd is better than one of its members.

    Raises:
        UsageError: no such modality.
        DataError: no table, a column missing, votes that are no counts, a name that is no clip's.
    """
    modality = str(options.get("modality", "face"))
    if modality not in MODALITIES:
        raise UsageError(unknown("crema-d: modality", modality, MODALITIES))
    columns = _rows(read_columns(_table(folder)), modality)
    clips = columns.text(columns.require("fileName"))
    check_unique(f"{columns.name} ({modality})", clips)
    parts = _parts(columns, clips)
    every = np.stack([columns.numbers(columns.require(name)) for name in _COLUMNS], axis=-1)
    whole_numbers(every, columns)
    other = ", ".join(name for name in MODALITIES if name != modality)
    return Votes(
        name="crema-d",
        licence=_LICENCE,
        notes=(*columns.notes, f"votes on the {_SAID[modality]} of a clip (option modality; else {other})"),
        ids=np.array(clips),
        groups=parts[:, 0],
        categories=CATEGORIES,
        votes=check_votes(every, columns).astype(np.int64),
        modality=modality,
        truth=np.array([CATEGORIES.index(canonical_category(code)) for code in parts[:, 2]], dtype=np.int64),
        facts={"sentence": parts[:, 1], "level": parts[:, 3], **_sexes(folder, parts[:, 0])},
    )


_SAID = {"voice": "voice alone", "face": "face alone", "both": "voice and face"}


def _table(folder: Path) -> Path:
    """The table in the folder, or where the set's repository has it."""
    inner = folder / "processedResults" / _TABLE
    return inner if inner.is_file() else folder / _TABLE


def _rows(columns: Columns, modality: str) -> Columns:
    """The rows of one modality: the first digit of a row's number, which stands under an empty header.

    Raises:
        DataError: no column of numbers, or another first digit.
    """
    header = columns.find("", "unnamed: 0", "id", "row")
    if header is None:
        raise DataError(
            f"{columns.name}: no column of row numbers (its header is empty), whose first digit says the modality: "
            f"1 voice, 2 face, 3 both. Found: {columns.headers()}"
        )
    digits = [cell[:1] for cell in columns.text(header)]
    strange = [row for row, digit in enumerate(digits) if digit not in MODALITIES.values()]
    if strange:
        number, line = columns.text(header)[strange[0]], columns.lines[strange[0]]
        raise DataError(
            f'{columns.name}: row number "{number}" (line {line}) begins with none of 1 (voice), 2 (face), 3 (both)'
        )
    return columns.take(row for row, digit in enumerate(digits) if digit == MODALITIES[modality])


def _parts(columns: Columns, clips: list[str]) -> Strings:
    """``(N, 4)`` actor, sentence, emotion, level.

    Raises:
        DataError: names that are not of that form, or of an emotion that is none of the six.
    """
    codes = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
    wrong = [clip for clip in clips if clip.count("_") != 3 or clip.split("_")[2] not in codes]
    if wrong:
        raise DataError(
            f"{columns.name}: {len(wrong)} name(s) are no clip's: {first(wrong)}; they read "
            f"actor_sentence_emotion_level as 1001_DFA_ANG_XX, emotion one of {', '.join(codes)}"
        )
    return np.array([clip.split("_") for clip in clips]).reshape(-1, 4)


def _sexes(folder: Path, actors: Strings) -> dict[str, Strings]:
    """The actors' sex as the table of actors has it; nothing without that table."""
    path = folder / "VideoDemographics.csv"
    if not path.is_file():
        return {}
    table = read_columns(path)
    names, sexes = table.text(table.require("ActorID")), table.text(table.require("Sex"))
    known = dict(zip(names, (sex.lower() for sex in sexes), strict=True))
    return {"sex": np.array([known.get(actor, "") for actor in actors])}
