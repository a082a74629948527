"""Metrics by group: hand-computed values, properties of the intervals, and how often they hold the truth."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from affekt.errors import UsageError
from affekt.study.statistics import by_group
from affekt.study.statistics.difference import reach

CLASSES = ("anger", "fear", "neutral")


def clips(speakers, accuracies, n=8, classes=2):
    """``(predicted, target, speaker)``: of each speaker n clips of each class, the first share of them right."""
    said, true, who = [], [], []
    for name, share in zip(speakers, accuracies, strict=True):
        for k in range(classes):
            right = np.arange(n) < round(share * n)
            said += np.where(right, k, (k + 1) % classes).tolist()
            true += [k] * n
            who += [name] * n
    return np.array(said), np.array(true), np.array(who)


def by_hand():
    """Two women, right in 3 of 4 and in 1 of 4; two men, right in all and in half; 16 clips each."""
    said, true, who = clips(("w1", "w2", "m1", "m2"), (0.75, 0.25, 1.0, 0.5))
    return said, true, np.array([name[0] for name in who]), who


def test_by_hand():
    found = by_group(*by_hand(), classes=CLASSES[:2], draws=20_000)
    men, women = found.groups
    assert [(g.name, g.clips, g.speakers) for g in found.groups] == [("m", 32, 2), ("w", 32, 2)]
    assert (men.accuracy.value, women.accuracy.value) == (0.75, 0.5)
    assert (men.recall.value, women.recall.value) == (0.75, 0.5)
    # Of two equal speakers with p and q the standard error is |p - q| / 2 = 0.25, and never less than one clip of 32;
    # the interval is wider by the t of one degree of freedom.
    error = np.hypot(0.25, 1 / 32)
    far = error * stats.t.ppf(0.975, 1)
    assert women.accuracy.high - 0.5 == pytest.approx(far, rel=0.02)
    assert 0.5 - women.accuracy.low == pytest.approx(far, rel=0.02)
    (difference,) = found.differences
    assert (difference.first, difference.second, difference.accuracy.value) == ("m", "w", 0.25)
    far = reach([(error, 1), (error, 1)], 0.025)
    assert difference.accuracy.high - 0.25 == pytest.approx(far, rel=0.02)
    assert difference.accuracy.low + difference.accuracy.high == pytest.approx(0.5)
    assert (found.classes, found.notes) == (CLASSES[:2], ())


def test_several_networks_are_their_mean():
    said, true, group, who = by_hand()
    both = by_group(np.stack([said, 1 - said]), true, group, who, classes=CLASSES[:2])
    assert [g.accuracy.value for g in both.groups] == [0.5, 0.5]
    assert [g.clips for g in both.groups] == [32, 32]
    twice = by_group(np.stack([said, said]), true, group, who, classes=CLASSES[:2])
    assert twice == by_group(said, true, group, who, classes=CLASSES[:2])


def test_average_recall_counts_classes_alike():
    """Nine of ten clips are of one class: answering it always is right nine times of ten, with a recall of a half."""
    true = np.array(([0] * 9 + [1]) * 4)
    who = np.repeat(["a", "b", "c", "d"], 10)
    found = by_group(np.zeros(40, dtype=int), true, np.repeat(["x", "y"], 20), who, classes=CLASSES[:2])
    for group in found.groups:
        assert (group.accuracy.value, group.recall.value) == (0.9, 0.5)
        # All speakers alike: what is left is one clip more or less.
        assert group.accuracy.high - 0.9 == pytest.approx(stats.t.ppf(0.975, 1) / 20)


def test_a_class_that_one_group_lacks_is_in_no_average_recall():
    said, true, group, who = by_hand()
    extra = (group == "w").nonzero()[0][:3]
    true = true.copy()
    true[extra], said = 2, np.where(np.isin(np.arange(len(said)), extra), 0, said)
    found = by_group(said, true, group, who, classes=CLASSES)
    assert found.classes == CLASSES[:2]
    assert found.notes == ("neutral: not in every group, and so in no average recall",)
    men, women = found.groups
    assert men.recall.value == 0.75
    w1 = [np.mean(said[(who == "w1") & (true == k)] == k) for k in (0, 1)]
    assert w1[0] == pytest.approx(3 / 5) and women.recall.value == pytest.approx((5 / 13 + 1 / 2) / 2)


def test_one_speaker_gets_no_interval_and_it_says_so():
    said, true, group, who = by_hand()
    kept = who != "m2"
    found = by_group(said[kept], true[kept], group[kept], who[kept], classes=CLASSES[:2])
    men, women = found.groups
    assert men.accuracy.value == 1 and men.accuracy.low is None and men.recall.high is None
    assert women.accuracy.low is not None
    assert found.differences[0].accuracy.low is None and found.differences[0].accuracy.value == 0.5
    assert found.notes == ("m: one speaker stands for no other; no interval",)
    assert json.loads(json.dumps(found.to_dict()))["groups"][0]["accuracy"] == {"value": 1.0, "low": None, "high": None}


def test_speakers_who_are_in_both_groups_are_paired():
    """All speakers lose the same from one level to the other: how they differ among themselves is no doubt about it."""
    speakers = [f"s{i}" for i in range(6)]
    high, low = np.linspace(0.5, 1.0, 6), np.linspace(0.25, 0.75, 6)
    said, true, who = (
        np.concatenate(both) for both in zip(clips(speakers, high, 8), clips(speakers, low, 8), strict=True)
    )
    level = np.repeat(["high", "low"], len(said) // 2)
    found = by_group(said, true, level, who, classes=CLASSES[:2])
    paired = found.differences[0].accuracy
    apart = by_group(said, true, level, np.char.add(who, level), classes=CLASSES[:2]).differences[0].accuracy
    assert paired.value == apart.value == pytest.approx(0.25, abs=0.05)
    assert paired.high - paired.low < 0.4 * (apart.high - apart.low)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), order=st.randoms(use_true_random=False))
def test_neither_order_nor_unlabelled_clips_matter(seed, order):
    rng = np.random.default_rng(seed)
    true, said = rng.integers(0, 3, (2, 60))
    who = np.repeat([f"s{i}" for i in range(6)], 10)
    group = np.repeat(["f", "m"], 30)
    found = by_group(said, true, group, who, classes=CLASSES, draws=200)
    rows = list(range(60))
    order.shuffle(rows)
    assert by_group(said[rows], true[rows], group[rows], who[rows], classes=CLASSES, draws=200) == found
    more = [
        np.append(said, [0, 0]),
        np.append(true, [-1, 0]),
        np.append(group, ["f", ""]),
        np.append(who, ["s0", "s7"]),
    ]
    assert by_group(*more, classes=CLASSES, draws=200) == found


@pytest.mark.parametrize("each", [3, 5])
def test_intervals_hold_the_truth_as_often_as_they_say(each):
    """Speakers differ (standard deviation .1), the groups do not: 95 % or a little more hold 0."""
    rng = np.random.default_rng(1)
    held, trials = 0, 300
    for _ in range(trials):
        p = np.clip(rng.normal(0.7, 0.1, 2 * each), 0, 1)
        true = np.tile(np.repeat([0, 1], 10), 2 * each)
        right = rng.random(len(true)) < np.repeat(p, 20)
        group, who = np.repeat(["f", "m"], 20 * each), np.repeat(np.arange(2 * each), 20)
        found = by_group(np.where(right, true, 1 - true), true, group, who, classes=CLASSES[:2], draws=200)
        bounds = found.differences[0].recall
        held += bounds.low <= 0 <= bounds.high
    assert held / trials >= 0.93


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": np.full(64, "f")}, r"1 group\(s\) with labels"),
        ({"groups": np.full(64, "")}, r"0 group\(s\)"),
        ({"speakers": np.full(3, "s")}, "one entry for each of N clips"),
        ({"target": np.repeat([0, 1], 32)}, "no class that all groups have: m, w"),
    ],
)
def test_what_cannot_be_compared(change, message):
    names = ("predicted", "target", "groups", "speakers")
    with pytest.raises(UsageError, match=message):
        by_group(**(dict(zip(names, by_hand(), strict=True)) | change), classes=CLASSES[:2])
