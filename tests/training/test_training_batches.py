"""Batches: augmented some steps ahead, they are the ones that are augmented step by step."""

import pytest
import torch
from tiny import CLASSES, stimuli

from affekt.data.augmentation import Augmentation
from affekt.data.loading import Loader
from affekt.recipe import AugmentationSettings
from affekt.training.batches import Batcher, ahead, steps_together
from affekt.training.plan import Plan, share

EVERYTHING = AugmentationSettings(
    padding=2, cutout=3, randaugment=1, brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1
)


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("together", [2, 3, 5, 100])
def test_steps_together_are_the_steps_alone(together, channels_last):
    batcher = Batcher(
        augmentation=Augmentation(EVERYTHING, 8), seed=3, channels_last=channels_last, categories=len(CLASSES)
    )
    plan = Plan(items=40, batch_size=7, epochs=2, seed=0)
    shares = [share(plan.batch(step), rank=0, world=1) for step in range(5, 10)]
    loader = Loader(stimuli())
    alone = list(ahead(loader, shares, batcher, draw=1, together=1))
    grouped = list(ahead(loader, shares, batcher, draw=1, together=together))
    assert [len(made) for made in grouped] == [7] * 5
    layout = torch.channels_last if channels_last else torch.contiguous_format
    for one, other in zip(alone, grouped, strict=True):
        assert torch.equal(one.images, other.images) and torch.equal(one.indices, other.indices)
        assert torch.equal(one.labels["category"], other.labels["category"])
        assert other.images.is_contiguous(memory_format=layout)


@pytest.mark.parametrize("kind", [{"mixup": 0.4}, {"cutmix": 1.0}])
def test_mixing_stays_within_a_batch(kind):
    batcher = Batcher(
        augmentation=Augmentation(AugmentationSettings(padding=1, **kind), 8),
        seed=0,
        channels_last=True,
        categories=len(CLASSES),
    )
    shares = [Plan(items=40, batch_size=8, epochs=1, seed=0).batch(step) for step in range(5)]
    made = [
        [batcher.batch(part, epoch=0, step=step) for step, part in enumerate(parts)]
        for parts in (ahead(Loader(stimuli()), shares, batcher, draw=0, together=n) for n in (1, 5))
    ]
    for one, other in zip(*made, strict=True):
        assert torch.equal(one.images, other.images) and torch.equal(one.labels["category"], other.labels["category"])
        assert other.partner is not None and int(other.partner.max()) < 8


def test_a_cpu_works_step_by_step():
    assert steps_together(Loader(stimuli()), 8) == 1
