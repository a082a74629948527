"""Work: operations by hand and by torch's own counter, bytes by hand, and nothing computed."""

from functools import cache

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from affekt import AffectNetwork, Classifier, EmotionalRegulation
from affekt.recipe import AugmentationSettings
from affekt.regulation import ClassificationTask, RegulationTask
from affekt.study.machines.work import NOTHING, Ledger, scoring_work, training_work
from affekt.training.task import Batch

PLAIN = AugmentationSettings(crop="none", flip=0.0)


@cache
def step(task, **changes):
    keys = {"batch_size": 4, "stored_size": 32, "image_size": 32, "augmentation": PLAIN}
    return training_work(task, **(keys | {"precision": "fp32", "optimiser": "sgd"} | changes))


@pytest.fixture(scope="module")
def classifier():
    return ClassificationTask(Classifier("resnet8", 10, 32))


@pytest.fixture(scope="module")
def regulated():
    return regulated_task()


def regulated_task(**keys):
    emotional = AffectNetwork("resnet8", {"ratings": ("valence", "arousal")}, 32)
    return RegulationTask(EmotionalRegulation("resnet8", 10, 32, emotional), **keys)


def test_a_matrix_product_by_hand():
    with Ledger() as ledger:
        torch.rand(2, 3) @ torch.rand(3, 5)
    work = ledger.work
    assert work.flops.max() == 2 * 2 * 3 * 5
    assert work.moved[work.flops.argmax()] == 4 * (2 * 3 + 3 * 5 + 2 * 5)


def test_views_move_nothing_and_what_is_repeated_lies_in_memory_once():
    x = torch.rand(1, 8)
    with Ledger() as ledger:
        x.t().expand(8, 100)
    assert ledger.work.launches == 0
    with Ledger() as ledger:
        x.expand(100, 8).sum()
    assert ledger.work.moved.tolist() == [4 * 8 + 4]


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_a_convolution_by_hand_back_too_and_only_within_its_groups(groups):
    kernel = nn.Conv2d(8, 8, 3, padding=1, groups=groups, bias=False)
    images = torch.rand(2, 8, 5, 5, requires_grad=True)
    forward = 2 * (2 * 8 * 5 * 5) * (8 // groups * 9)
    with Ledger() as ledger:
        kernel(images).sum().backward()
    assert ledger.work.flops.sum() == 3 * forward
    with Ledger() as ledger:
        kernel(images.detach()).sum().backward()
    assert ledger.work.flops.sum() == 2 * forward


def test_as_many_operations_as_torch_counts_on_real_pictures(classifier):
    batch = Batch(images=torch.rand(2, 3, 32, 32), labels={"category": torch.tensor([0, 1])}, items=torch.arange(2))
    with FlopCounterMode(display=False) as counter:
        sum(classifier.losses(batch).values()).backward()
    assert step(classifier, batch_size=2).flops.sum() == counter.get_total_flops()


def test_operations_grow_with_the_batch_and_launches_do_not(classifier):
    small, large = step(classifier, batch_size=4), step(classifier, batch_size=4000)
    assert large.flops.sum() == pytest.approx(1000 * small.flops.sum())
    assert large.launches == small.launches
    assert large.moved.sum() > 500 * small.moved.sum()


def test_parts_of_a_batch_launch_more_and_compute_as_much(classifier):
    whole, parts = step(classifier, batch_size=8), step(classifier, batch_size=8, parts=4)
    assert parts.flops.sum() == pytest.approx(whole.flops.sum())
    assert parts.launches == 4 * (whole.launches - 1) + 1


def test_bfloat16_moves_less_and_launches_more(classifier):
    full, half = step(classifier, batch_size=256), step(classifier, batch_size=256, precision="bf16")
    assert half.flops.sum() == full.flops.sum()
    assert 0.4 * full.moved.sum() < half.moved.sum() < 0.7 * full.moved.sum()
    assert half.launches > full.launches


def test_augmentation_and_the_optimisers_own_numbers_count(classifier):
    plain, cut = step(classifier), step(classifier, augmentation=AugmentationSettings(crop="random-resized"))
    assert cut.moved.sum() > plain.moved.sum() and cut.flops.sum() == plain.flops.sum()
    learned = sum(p.numel() for p in classifier.parameters())
    more = step(classifier, optimiser="adamw").moved.sum() - plain.moved.sum()
    assert more == 2 * 4 * learned


def test_a_regulated_step_is_two_trained_networks_and_a_look_of_the_third(classifier, regulated):
    one, look = step(classifier).flops.sum(), scoring(classifier).flops.sum()
    assert step(regulated).flops.sum() == pytest.approx(2 * one + look, rel=0.01)
    assert scoring(regulated).flops.sum() == pytest.approx(3 * look, rel=0.01)


@cache
def scoring(task):
    return scoring_work(task, batch_size=4, image_size=32, precision="fp32")


def test_an_affect_cache_spares_the_look_and_is_left_as_it_was(regulated):
    task = regulated_task(affect_cache=True)
    kept = task.cache
    assert step(task).flops.sum() < step(regulated).flops.sum()
    assert step(task, cache_filled=False).flops.sum() == step(regulated).flops.sum()
    assert task.cache is kept and "train" not in kept


def test_a_companion_is_looked_at_by_all_three(classifier, regulated):
    more = step(regulated, held_out=True).flops.sum() - step(regulated).flops.sum()
    assert more == pytest.approx(scoring(regulated).flops.sum(), rel=0.02)


def test_a_task_is_left_with_its_weights_and_without_gradients(classifier):
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    step(classifier, batch_size=10**6)
    assert all(torch.equal(before[name], value) for name, value in classifier.state_dict().items())
    assert all(p.grad is None for p in classifier.parameters())


def test_gradients_that_are_there_already_are_no_work(classifier):
    fresh = step(classifier)
    for parameter in classifier.parameters():
        parameter.grad = torch.zeros_like(parameter)
    assert step.__wrapped__(classifier).launches == fresh.launches


def test_nothing_is_no_work():
    assert NOTHING.launches == 0 and (NOTHING + NOTHING).flops.sum() == 0
