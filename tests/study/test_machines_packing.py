"""Packing: by hand, and what holds for any jobs on any number of machines."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.errors import UsageError
from affekt.study.machines import packing as module
from affekt.study.machines.packing import pack


@st.composite
def studies(draw):
    """Jobs that need some of those before them."""
    lengths = draw(st.lists(st.integers(1, 9), min_size=1, max_size=12))
    seconds = {f"job {i}": float(length) for i, length in enumerate(lengths)}
    needs = {
        f"job {i}": tuple(f"job {k}" for k in draw(st.sets(st.integers(0, i - 1), max_size=2))) if i else ()
        for i in range(len(lengths))
    }
    return seconds, needs


def chain(job, seconds, needs):
    return seconds[job] + max((chain(need, seconds, needs) for need in needs[job]), default=0.0)


def test_by_hand_the_longest_first_and_runs_after_their_encoder():
    seconds = {"encoder": 4.0, "regulated": 6.0, "baseline": 5.0, "short": 3.0}
    packing = pack(seconds, {"regulated": ("encoder",)}, 2)
    turns = {turn.job: (turn.begins, turn.ends, turn.machine) for turn in packing.turns}
    assert turns["encoder"] == (0.0, 4.0, 0)
    assert turns["regulated"] == (4.0, 10.0, 0)
    assert turns["baseline"] == (0.0, 5.0, 1)
    assert turns["short"] == (5.0, 8.0, 1)
    assert packing.seconds == 10.0
    assert packing.busy == pytest.approx(18 / 20)


def test_one_machine_does_all_one_after_the_other():
    packing = pack({"a": 1.0, "b": 2.0, "c": 3.0}, {"a": ("c",)}, 1)
    assert packing.seconds == 6.0 and packing.busy == 1.0
    assert [turn.job for turn in packing.turns][-1] != "c"


def test_what_is_not_among_the_jobs_was_done_before():
    assert pack({"run": 2.0}, {"run": ("shared/encoder",)}, 4).seconds == 2.0


def test_a_machine_too_many_never_hurts_where_a_list_would_be_longer_with_it():
    # Graham's example (1969): nine jobs take 12 on three machines, and by the same list 15 on four.
    seconds = dict(zip("123456789", [3.0, 2.0, 2.0, 2.0, 4.0, 4.0, 4.0, 4.0, 9.0], strict=True))
    needs = {"9": ("1",), "5": ("4",), "6": ("4",), "7": ("4",), "8": ("4",)}
    found = [pack(seconds, needs, machines).seconds for machines in (1, 2, 3, 4, 9)]
    assert found == sorted(found, reverse=True)
    assert found[2] == 12.0


def test_where_one_machine_more_is_slower_fewer_are_used(monkeypatch):
    # By the longest chain first that is rare, and no small example of it is known: so a packing that is made slow.
    packed = module._packed

    def slow_on_three(seconds, needs, chains, machines):
        turns = packed(seconds, needs, chains, machines)
        return tuple(replace(turn, ends=turn.ends + 100 * (machines == 3)) for turn in turns)

    monkeypatch.setattr(module, "_packed", slow_on_three)
    packing = pack({"a": 1.0, "b": 1.0, "c": 1.0}, {}, 3)
    assert packing.seconds == 2.0 and packing.machines == 3
    assert packing.busy == pytest.approx(3 / 6)


@given(studies(), st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_every_job_once_after_its_needs_and_never_two_on_one_machine(study, machines):
    seconds, needs = study
    packing = pack(seconds, needs, machines)
    turns = {turn.job: turn for turn in packing.turns}
    assert len(packing.turns) == len(turns) and turns.keys() == seconds.keys()
    for job, turn in turns.items():
        assert turn.ends == turn.begins + seconds[job]
        assert all(turns[need].ends <= turn.begins for need in needs[job])
        assert 0 <= turn.machine < machines
    for machine in range(machines):
        mine = sorted((turn.begins, turn.ends) for turn in packing.turns if turn.machine == machine)
        assert all(before[1] <= after[0] for before, after in pairwise(mine))


@given(studies(), st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_more_machines_are_never_slower_and_no_number_beats_the_work_or_the_longest_chain(study, machines):
    seconds, needs = study
    one_more, packing = pack(seconds, needs, machines + 1), pack(seconds, needs, machines)
    assert one_more.seconds <= packing.seconds
    longest = max(chain(job, seconds, needs) for job in seconds)
    work = sum(seconds.values())
    assert max(longest, work / machines) <= packing.seconds + 1e-9
    # Graham's bound for lists.
    assert packing.seconds <= work / machines + (1 - 1 / machines) * longest + 1e-9
    assert packing.busy == pytest.approx(work / machines / packing.seconds)


def test_no_machines_and_circles_are_one_line():
    with pytest.raises(UsageError, match="0 machines: write 1 or more"):
        pack({"a": 1.0}, {}, 0)
    with pytest.raises(UsageError, match="wait for each other: a, b"):
        pack({"a": 1.0, "b": 1.0, "c": 1.0}, {"a": ("b",), "b": ("a",)}, 2)
