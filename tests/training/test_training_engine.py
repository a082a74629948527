"""Engine: a step in parts is the whole step; clip, weighting, precision, the names of losses."""

import pytest
import torch
from tiny import TinyTask, same, settings, stimuli, task, trainer, weights
from torch import nn

from affekt.data.augmentation import Augmentation
from affekt.data.loading import Loader
from affekt.errors import UsageError
from affekt.randomness import torch_seed
from affekt.recipe import AugmentationSettings
from affekt.training.batches import Batcher, training_batches
from affekt.training.distributed import Processes
from affekt.training.engine import Engine
from affekt.training.objective import Objective
from affekt.training.plan import Plan
from affekt.weighting import create_weighting

CPU = torch.device("cpu")


def engine(of=None, weighting=None, rate=None, **keys):
    chosen = settings(**keys)
    plan = Plan(items=40, batch_size=chosen.batch_size, epochs=chosen.epochs, seed=0)
    return Engine(
        Objective(of or task("layer"), weighting),
        chosen,
        plan,
        device=CPU,
        precision=chosen.precision,
        processes=Processes(),
        weighting_learning_rate=rate,
    )


def parts(found, number):
    batcher = Batcher(
        augmentation=Augmentation(AugmentationSettings(padding=1), 8), seed=0, channels_last=True, categories=3
    )
    loaders = {"train": Loader(stimuli())}
    return list(training_batches(found.plan, range(3), loaders, batcher, rank=0, world=1, parts=number))


@pytest.mark.parametrize("number", [2, 3, 8, 20])
@pytest.mark.parametrize("clip", [None, 0.1])
def test_parts_add_up_to_the_whole_batch(number, clip):
    whole, split = engine(clip=clip), engine(clip=clip)
    for step, (one, several) in enumerate(zip(parts(whole, 1), parts(split, number), strict=True)):
        assert len(several) == min(number, 8)
        assert torch.cat([part.images for part in several]).equal(one[0].images)
        expected, expected_norm = whole.step(one, step)
        found, norm = split.step(several, step)
        assert torch.allclose(found, expected, atol=1e-6)
        assert (norm is None) == (clip is None)
        assert norm is None or torch.allclose(norm, expected_norm, atol=1e-6)
    for a, b in zip(whole.learned, split.learned, strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_first_step_is_the_bare_loop():
    found, bare = engine(task("layer"), optimiser="sgd", schedule="constant"), task("layer")
    (batch,) = parts(found, 1)[0]
    row, _ = found.step([batch], 0)
    losses = bare.losses(batch)
    total = losses["class"] + losses["size"]
    total.backward()
    optimiser = torch.optim.SGD(bare.parameter_groups(0.02, 5e-4), lr=0.02, momentum=0.9, nesterov=True)
    optimiser.step()
    assert torch.allclose(row, torch.stack([losses["class"], losses["size"], total]))
    assert all(torch.allclose(a, b) for a, b in zip(found.objective.task.parameters(), bare.parameters(), strict=True))


def test_gradients_are_clipped_to_the_norm():
    found = engine(clip=0.01)
    _, norm = found.step(parts(found, 1)[0], 0)
    assert norm > 0.01
    clipped = torch.stack([p.grad.norm() for p in found.learned]).norm()
    assert float(clipped) == pytest.approx(0.01, rel=1e-3)


def test_learned_weighting_learns_at_its_own_rate():
    weighting = create_weighting("softmax", tasks=["class", "size"])
    found = engine(weighting=weighting, rate=0.5, schedule="constant")
    (batch,) = parts(found, 1)[0]
    row, _ = found.step([batch], 0)
    assert row[2] == pytest.approx(float(row[:2].mean()))
    # da_i = -lr * 1.9 (Nesterov's first step) * w_i (L_i - sum_j w_j L_j)
    expected = -0.5 * 1.9 * 0.5 * (row[:2] - row[:2].mean())
    assert torch.allclose(weighting.a, expected, atol=1e-6)


def test_dropout_draws_by_seed_and_step_alone():
    def losses():
        found = engine(task("layer", dropout=0.5))
        return [found.step(p, s)[0] for s, p in enumerate(parts(found, 1))]

    torch.manual_seed(1)
    one = losses()
    state = torch.get_rng_state()
    torch.rand(7)
    two = losses()
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    torch.set_rng_state(state)
    losses()
    assert torch.equal(torch.get_rng_state(), state)


class Renamed(TinyTask):
    def losses(self, batch):
        return {"klass": self.model(batch.images).mean()}


class Unreduced(TinyTask):
    def losses(self, batch):
        return {"class": self.model(batch.images).mean(1), "size": torch.zeros(())}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Renamed, "Renamed: losses klass; loss_names says class, size"),
        (Unreduced, r'Unreduced: loss "class" has shape \(8,\); a scalar is asked'),
    ],
)
def test_losses_that_break_the_promise_are_named(kind, message):
    found = engine(kind(task().model))
    with pytest.raises(UsageError, match=message):
        found.step(parts(found, 1)[0], 0)


class Seeing(TinyTask):
    """Remembers in which precision it was called."""

    def losses(self, batch):
        self.seen = (self.model[0](batch.images).dtype, batch.images.is_contiguous(memory_format=torch.channels_last))
        return super().losses(batch)


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
@pytest.mark.parametrize("channels_last", [True, False])
def test_precision_and_layout(precision, dtype, channels_last):
    found = Seeing(task().model)
    trainer(of=found, precision=precision, channels_last=channels_last, epochs=1).fit()
    assert found.seen == (dtype, channels_last)
    assert found.model[0].weight.is_contiguous(memory_format=torch.channels_last) == channels_last
    assert found.model[0].weight.dtype == torch.float32


def test_compiled_and_eager_train_alike():
    torch._dynamo.reset()
    one, two = task("layer"), task("layer")
    trainer(of=one, epochs=1).fit()
    with torch_seed("compile"):
        two.model.compile(backend="aot_eager", dynamic=False)
    trainer(of=two, epochs=1).fit()
    a, b = weights(one), weights(two)
    assert a.keys() == b.keys()
    assert all(torch.allclose(a[k], b[k], atol=1e-5) for k in a)


def test_broken_weights_are_found_by_name():
    found = engine()
    assert found.broken_weight() is None
    with torch.no_grad():
        found.objective.task.model[3].bias[1] = float("inf")
    assert found.broken_weight() == "task.model.3.bias"


def test_frozen_parts_stay_as_they_are():
    found = task("layer")
    found.model[0].requires_grad_(False)
    before = weights(found)
    trainer(of=found, epochs=1, weight_decay=0.5).fit()
    after = weights(found)
    assert torch.equal(before["model.0.weight"], after["model.0.weight"])
    assert not same(before, after)
    assert isinstance(found.model[0], nn.Conv2d)
