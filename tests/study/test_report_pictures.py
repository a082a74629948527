"""Pictures of the report: which are shown."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from affekt.study.report.pictures import extremes


@given(st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=40), st.integers(0, 20))
def test_extremes_are_the_ends_and_never_overlap(values, n):
    r = np.array(values)
    highest, lowest = extremes(r, n)
    assert len(highest) == len(lowest) == min(n, len(values) // 2)
    assert not set(highest) & set(lowest)
    assert r[highest].tolist() == sorted(values, reverse=True)[: len(highest)]
    assert r[lowest].tolist() == sorted(values)[: len(lowest)]
