"""Average recall over draws of whole speakers."""

import numpy as np

from affekt.study.clips.recalls import recalls
from affekt.study.clips.scores import ClipScores


def drawn_of(speakers):
    """Twenty clips, of which the first ten are answered rightly; two more have no label."""
    labels = np.r_[np.arange(20) % 2, -1, -1]
    scores = ClipScores(
        ids=np.arange(22).astype(str), speakers=np.append(speakers, ["x", "y"]), labels={"t": labels},
        classes={"t": ["a", "b"]}, runs={},
    )  # fmt: skip
    said = np.where(np.arange(20) < 10, labels[:20], 1 - labels[:20])
    logs = np.log(np.where(np.arange(2) == said[:, None], 0.9, 0.1))
    return recalls(scores, "t", {"n": {0: logs}}, 200)["n"]


def test_speakers_are_drawn_whole():
    found = drawn_of(np.repeat(["s", "t"], 10))
    assert (found.items, found.groups, found.mean.tolist()) == (20, 2, [0.5])
    assert set(found.draws[:, 0]) == {0.0, 0.5, 1.0}


def test_of_one_speaker_clips_are_drawn():
    found = drawn_of(np.repeat(["s"], 20))
    assert (found.items, found.groups) == (20, 20) and len(set(found.draws[:, 0])) > 3
