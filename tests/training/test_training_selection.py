"""Selection: the best score in either direction, NaN, ties, and when to stop."""

import pytest

from affekt.errors import UsageError
from affekt.training.selection import Selection

NAN = float("nan")


def offered(scores, **keys):
    selection = Selection(monitor="m", **keys)
    taken = [selection.offer(i + 1, {"m": s}, lambda i=i: {"epoch": i + 1}) for i, s in enumerate(scores)]
    return selection, taken


@pytest.mark.parametrize(
    ("higher", "scores", "taken", "best"),
    [
        (True, [0.1, 0.3, 0.2, 0.3], [True, True, False, False], (2, 0.3)),
        (False, [3.0, 2.0, 2.5], [True, True, False], (2, 2.0)),
        (True, [NAN, 0.1, NAN], [False, True, False], (2, 0.1)),
        (False, [NAN, NAN], [False, False], (None, None)),
    ],
)
def test_best_epoch(higher, scores, taken, best):
    selection, found = offered(scores, higher_is_better=higher)
    assert found == taken
    assert (selection.epoch, selection.score) == best
    assert selection.weights == (None if best[0] is None else {"epoch": best[0]})


def test_stops_after_so_many_epochs_without_a_better_one():
    selection, _ = offered([0.1, 0.5, 0.4], early_stop=2)
    assert [selection.should_stop(epoch) for epoch in (2, 3, 4)] == [False, False, True]
    undefined, _ = offered([NAN], early_stop=2)
    assert [undefined.should_stop(epoch) for epoch in (1, 2)] == [False, True]
    never, _ = offered([0.1])
    assert not never.should_stop(1000)


def test_a_monitor_that_no_metric_has_is_named():
    with pytest.raises(UsageError, match=r'monitor "acuracy": unknown. Nearest: accuracy'):
        Selection(monitor="acuracy").offer(1, {"accuracy": 1.0}, dict)
