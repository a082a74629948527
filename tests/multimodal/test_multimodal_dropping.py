"""Modality dropout: one of two, never both, a pure function of (seed, step, item)."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from affekt.multimodal import Draw, drop_modality

MANY = 4000


def everybody(n=MANY):
    return torch.ones(n, dtype=torch.bool)


def draw(n=MANY, seed=0, step=0):
    return Draw(seed=seed, step=step, items=torch.arange(n))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1), st.floats(0, 1), st.integers(0, 9))
def test_only_a_clip_that_has_both_loses_one(there, probability, seed):
    sound, pictures = torch.tensor(there).T
    one, other = drop_modality(sound, pictures, probability, draw(len(sound), seed))
    assert not (one & ~sound).any() and not (other & ~pictures).any()
    assert torch.equal(one | other, sound | pictures)
    single = ~(sound & pictures)
    assert torch.equal(one[single], sound[single]) and torch.equal(other[single], pictures[single])


def test_as_often_as_said_and_each_as_often_as_the_other():
    sound, pictures = drop_modality(everybody(), everybody(), 0.3, draw())
    assert abs((~sound).float().mean() - 0.15) < 0.02
    assert abs((~pictures).float().mean() - 0.15) < 0.02


def test_bounds():
    none = drop_modality(everybody(), everybody(), 0.0, draw())
    assert none[0].all() and none[1].all()
    sound, pictures = drop_modality(everybody(), everybody(), 1.0, draw())
    assert (sound ^ pictures).all()


def test_a_pure_function_of_seed_step_and_item():
    whole = torch.stack(drop_modality(everybody(), everybody(), 0.5, draw()))
    order = torch.randperm(MANY)[:50]
    part = drop_modality(everybody(50), everybody(50), 0.5, Draw(seed=0, step=0, items=order))
    assert torch.equal(torch.stack(part), whole[:, order])
    for other in (draw(seed=1), draw(step=1)):
        assert not torch.equal(torch.stack(drop_modality(everybody(), everybody(), 0.5, other)), whole)
