"""Plan: the items of each step, of each process, of the held-out companion."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from affekt.randomness import permutation
from affekt.training.plan import Plan, share


def plan(items=10, batch_size=4, epochs=3, seed=1, held_out=0):
    return Plan(items=items, batch_size=batch_size, epochs=epochs, seed=seed, held_out=held_out)


def test_an_epoch_is_one_permutation_without_its_rest():
    found = np.concatenate([plan().batch(s) for s in (2, 3)])
    assert plan().steps_per_epoch == 2
    assert plan().steps == 6
    assert found.tolist() == permutation(10, seed=1, epoch=1)[:8].tolist()


def test_a_set_smaller_than_a_batch_is_one_batch():
    assert plan(items=3).steps_per_epoch == 1
    assert sorted(plan(items=3).batch(2).tolist()) == [0, 1, 2]


def test_any_step_can_be_asked_for_first():
    forwards = [plan().batch(s).tolist() for s in range(6)]
    assert [plan().batch(s).tolist() for s in reversed(range(6))] == forwards[::-1]


@given(items=st.integers(1, 40), rank=st.integers(1, 7))
def test_shares_of_all_processes_are_the_batch(items, rank):
    batch = np.arange(items)
    shares = [share(batch, rank=r, world=rank) for r in range(rank)]
    assert np.concatenate(shares).tolist() == batch.tolist()
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(held_out=st.integers(1, 13), seed=st.integers(0, 5))
def test_held_out_items_come_round_evenly(held_out, seed):
    found = plan(held_out=held_out, seed=seed)
    drawn = np.concatenate([found.held_out_batch(s) for s in range(found.steps)])
    assert len(drawn) == found.steps * 4
    for cycle in range(len(drawn) // held_out):
        assert sorted(drawn[cycle * held_out : (cycle + 1) * held_out].tolist()) == list(range(held_out))
    assert [found.held_out_cycle(s) for s in range(found.steps)] == [s * 4 // held_out for s in range(found.steps)]
