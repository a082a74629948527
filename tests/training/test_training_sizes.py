"""Progressive sizes and whitening through the trainer: when each size is seen, and an exact way back in."""

from functools import partial

import pytest
import torch
from test_training_full_memory import SmallMemory
from test_training_resume import Interrupted, Interrupting
from tiny import CLASSES, Norm, TinyTask, data, settings, stimuli, weights
from tiny import trainer as tiny_trainer
from torch import nn

from affekt.backbones.inputs import features_of
from affekt.backbones.sizes import seen_size
from affekt.errors import UsageError
from affekt.randomness import torch_seed
from affekt.recipe import AugmentationSettings, TrainingSettings, to_dict
from affekt.regulation import ClassificationTask, Classifier
from affekt.training import Trainer
from affekt.training.compiling import CACHE
from affekt.training.sizes import at_each_size, epochs_at, size_in

SIZES = (9, 10, 12)


def task():
    with torch_seed("sizes", 0):
        return ClassificationTask(Classifier("resnet9-whitened-w2", 3, 12))


def splits():
    return {"train": stimuli(24, size=12), "validation": stimuli(12, size=12, name="other")}


def trainer(of, folder=None, progress=None, **keys):
    keys = {"epochs": 3, "sizes": SIZES, "learning_rate": 0.1, "checkpoint_every": 1, **keys}
    return Trainer(
        of,
        splits(),
        settings(**keys),
        folder=folder,
        augmentation=AugmentationSettings(padding=2),
        progress=progress,
    )


def test_equal_shares_of_the_epochs():
    chosen = settings(epochs=10, sizes=(16, 24, 32))
    assert [size_in(chosen, epoch) for epoch in range(10)] == [16] * 4 + [24] * 3 + [32] * 3
    assert size_in(settings(), 0) is None
    assert dict(epochs_at(settings(epochs=10, sizes=(16, 24, 32), stop_after=6))) == {16: 4, 24: 2}
    assert size_in(settings(epochs=1, sizes=(16, 32)), 0) == 16


def test_a_network_at_each_size_in_turn_and_at_last_at_full_size():
    of = task().train()
    shares = at_each_size(of, settings(epochs=4, sizes=SIZES, stop_after=3))
    assert [(share, seen_size(of.model)) for share in shares] == [(2 / 3, 9), (1 / 3, 10)]
    assert seen_size(of.model) == 12
    with pytest.raises(UsageError, match="above image_size = 12"):
        next(at_each_size(of, settings(sizes=(9, 13))))


def test_each_epoch_at_its_size_and_validation_at_full():
    of, seen = task(), []
    made = trainer(of)
    of.model.backbone.register_forward_pre_hook(lambda _, inputs: seen.append((of.training, int(inputs[0].shape[-1]))))
    made.fit()
    steps = [side for training, side in seen if training]
    assert steps == [9] * 3 + [10] * 3 + [12] * 3
    assert {side for training, side in seen if not training} == {12}
    assert of.model.train() and not [p for p in of.modules() if getattr(p, "training_size", None)]


@pytest.mark.parametrize("steps", [1, 3, 4, 8])
def test_resumed_in_the_middle(tmp_path, steps):
    whole = task()
    expected = trainer(whole).fit()
    with pytest.raises(Interrupted):
        trainer(task(), tmp_path / "run", Interrupting(steps)).fit()
    again = task()
    result = trainer(again, tmp_path / "run").fit()
    assert result.history == expected.history
    found, wanted = weights(again), weights(whole)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert again.model.backbone.trunk.whitening.filled


def test_sizes_are_part_of_a_trainings_identity(tmp_path):
    with pytest.raises(Interrupted):
        trainer(task(), tmp_path / "run", Interrupting(2)).fit()
    with pytest.raises(UsageError, match=r"training.sizes"):
        trainer(task(), tmp_path / "run", sizes=(10, 12)).fit()


def test_without_sizes_nothing_is_written_of_them():
    assert "sizes" not in to_dict(TrainingSettings()) and to_dict(settings(sizes=(9,)))["sizes"] == (9,)


def test_the_filters_are_those_of_the_training_pictures():
    one, two = task(), task()
    trainer(one).fit()
    other = {"train": splits()["train"], "validation": data()["validation"]}
    Trainer(two, other, settings(epochs=1), seed=7).fit()
    filters = [of.model.backbone.trunk.whitening.weight for of in (one, two)]
    assert torch.equal(*filters), "whatever the seed, the epochs and the validation pictures"
    with pytest.raises(UsageError, match="is above image_size = 12"):
        trainer(task(), sizes=(9, 13))


class Sized(nn.Module):
    """A network of any size, without statistics over a batch."""

    image_size = 8

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 4, 3), Norm(4), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 16)
        )
        self.backbone.num_features = 16
        self.head = nn.Linear(16, len(CLASSES))
        self.register_buffer("mean", torch.full((1, 3, 1, 1), 0.5))
        self.register_buffer("std", torch.full((1, 3, 1, 1), 0.25))

    def forward(self, images):
        return self.head(features_of(self, images))


class NarrowForLarge(SmallMemory):
    """Has room for four pictures of 8 px, and for any number of smaller ones."""

    @property
    def room(self):
        return 4 if self.model.training_size == 8 else 10**6


def trained(kind, **keys):
    with torch_seed("sizes", 0):
        made = kind(Sized())
    return made, tiny_trainer(of=made, sizes=(5, 6, 8), **keys).fit()


def close(one, other):
    found, wanted = weights(one), weights(other)
    return all(torch.allclose(found[name], wanted[name], atol=1e-5) for name in wanted)


def test_halved_once_the_pictures_have_grown():
    (halved, result), (whole, _) = trained(NarrowForLarge, halve_when_full=True), trained(TinyTask)
    assert result.halvings == [{"step": 11, "parts": 2}], "the first step of the last of three epochs"
    assert close(halved, whole)


def test_compiled_at_each_size(tmp_path, monkeypatch):
    """Which graph is used at which size; what a graph's kernels compute is tested elsewhere, and takes minutes here."""
    monkeypatch.setenv(CACHE, str(tmp_path))
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    torch._dynamo.reset()
    (compiled, result), (eager, expected) = trained(TinyTask, compile=True), trained(TinyTask)
    assert close(compiled, eager)
    for found, wanted in zip(result.history, expected.history, strict=True):
        assert found["losses"] == pytest.approx(wanted["losses"], abs=1e-5)
