"""Channels: one out of several, by a rule that is stated and never looks at a label."""

from __future__ import annotations

from typing import Literal

import numpy as np

from affekt.data.audiovisual.clips import Floats32
from affekt.errors import UsageError, unknown

Channel = Literal["mean", "left", "right"]

RULES = ("mean", "left", "right")


def mono(samples: Floats32, rule: Channel) -> Floats32:
    """``(C, S)`` -> ``(S,)``: the mean of all channels, or the first (left) or second (right) of them.

    Sound of one channel is that channel, whatever the rule.

    Raises:
        UsageError: no such rule.
    """
    if rule not in RULES:
        raise UsageError(unknown("channel", rule, RULES))
    one: Floats32
    if len(samples) == 1:
        one = samples[0]
    elif rule == "mean":
        one = samples.mean(axis=0, dtype=np.float64).astype(np.float32)
    else:
        one = samples[RULES.index(rule) - 1]
    return one
