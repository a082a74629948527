"""Comparing: models' answers and features held against what people say of the same stimuli."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from affekt.errors import DataError, UsageError
from affekt.humans.agreement import RESAMPLES
from affekt.humans.comparison import chosen as choosing
from affekt.humans.comparison.categories import (
    Space,
    fold,
    folded_probabilities,
    refuse_strangers,
    shared_terms,
    spaces,
)
from affekt.humans.comparison.chosen import Chosen
from affekt.humans.comparison.choices import errors_part, votes_part
from affekt.humans.comparison.curves import curves
from affekt.humans.comparison.parts import Differing, Part
from affekt.humans.comparison.ratings import rating_part
from affekt.humans.comparison.structure import structure_part
from affekt.humans.comparison.valence import Numbers, numbers, of_votes
from affekt.humans.people import Answers, Features, Joined, Ratings, Trials, Votes, join
from affekt.report.numbers import counted, share

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
