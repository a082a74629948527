"""Regulation and classification tasks: who learns from which pictures, the cache, scores, optimiser groups."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from affekt.data.stimuli import Labels
from affekt.errors import DataError, UsageError
from affekt.regulation import ClassificationTask, Classifier, RegulationTask
from affekt.training.task import Batch

LABELS = Labels(categories=tuple("abcd"), category=np.array([0, 1, 2, 3, 3, 2, 1, 0]))


@pytest.fixture
def batch(pictures, labels):
    return Batch(images=pictures(), labels={"category": labels}, items=torch.arange(8))


@pytest.fixture
def with_companion(batch, pictures):
    other = Batch(
        images=pictures(seed=9), labels={"category": torch.arange(8) % 4}, items=torch.arange(8), split="held-out"
    )
    return replace(batch, held_out=other)


def gradients(task, batch, names):
    task.zero_grad(set_to_none=True)
    losses = task(batch)
    sum(losses[name] for name in names).backward()
    return {n for n, p in task.model.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}


def test_losses_are_those_of_the_model(regulated, batch, labels):
    task = RegulationTask(regulated(), label_smoothing=0.1).eval()
    expected = task.model.losses(task.model(batch.images), labels, 0.1)
    assert task(batch) == expected
    assert tuple(expected) == task.loss_names


def test_the_regulator_learns_from_held_out_pictures_and_from_nothing_else(regulated, with_companion):
    task = RegulationTask(regulated("added", start="random"))
    assert gradients(task, with_companion, ["regulated"]) == {"regulator.affine.weight", "regulator.affine.bias"}
    branches = gradients(task, with_companion, ["non_emotional", "influenced"])
    assert not any(name.startswith("regulator") for name in branches)
    assert {name.split(".")[0] for name in branches} == {"non_emotional", "influence", "influenced_head"}


def test_the_branches_never_see_held_out_pictures(regulated, with_companion, batch):
    """Neither their gradients nor the statistics of their batch norms depend on the companion."""
    results = []
    for given in (batch, with_companion):
        task = RegulationTask(regulated("added", start="random"))
        losses = task(given)
        (losses["non_emotional"] + losses["influenced"]).backward()
        kept = {n: p.grad for n, p in task.model.named_parameters() if not n.startswith("regulator")}
        results.append((kept, task.model.state_dict()))
    for first, second in zip(*results, strict=True):
        assert first.keys() == second.keys()
        assert all(v is w is None or torch.equal(v, w) for v, w in zip(first.values(), second.values(), strict=True))


def test_the_held_out_loss_is_that_of_evaluation_and_modes_are_put_back(regulated, with_companion):
    task = RegulationTask(regulated("added", dropout=0.5))
    task.train()
    modes = {name: m.training for name, m in task.named_modules()}
    given = task(with_companion)["regulated"]
    assert {name: m.training for name, m in task.named_modules()} == modes
    other = with_companion.held_out
    task.eval()
    expected = task.model.losses(task.model(other.images), other.labels["category"])["regulated"]
    torch.testing.assert_close(given, expected)


def test_a_fine_tuned_encoder_learns_nothing_from_held_out_pictures(regulated, with_companion):
    task = RegulationTask(regulated("added", start="random", emotional_mode="fine-tuned"))
    assert all(n.startswith("regulator") for n in gradients(task, with_companion, ["regulated"]))


def test_held_out_pictures_need_branches_with_losses(regulated, with_companion):
    with pytest.raises(UsageError, match='the branches need losses of their own, losses = "all"'):
        RegulationTask(regulated(losses="regulated"))(with_companion)


@pytest.mark.parametrize("influence", ["initialised", "added", "shared"])
def test_with_the_cache_evaluation_says_the_same(influence, regulated, batch, stimuli):
    plain, cached = (
        RegulationTask(regulated(influence)),
        RegulationTask(regulated(influence), affect_cache=True, cached_features=True),
    )
    cached.load_state_dict(plain.state_dict())
    cached.prepare("train", stimuli)
    calls = []
    cached.model.emotional.register_forward_hook(lambda *_: calls.append(1))
    first, second = plain.eval().outputs(batch), cached.eval().outputs(batch)
    assert not calls
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=1e-4, atol=1e-5)


def test_the_cache_is_of_the_stimulus_not_of_its_augmented_form(regulated, batch, stimuli):
    task = RegulationTask(regulated(regulator="valence"), affect_cache=True).eval()
    task.prepare("train", stimuli)
    changed = replace(batch, images=batch.images.flip(3) * 0.5)
    assert torch.equal(task.outputs(changed)["affect"], task.outputs(batch)["affect"])
    assert not torch.equal(task.outputs(changed)["non_emotional"], task.outputs(batch)["non_emotional"])


def test_features_come_from_the_augmented_picture_unless_asked(regulated, batch, stimuli):
    task = RegulationTask(regulated("added"), affect_cache=True).eval()
    task.prepare("train", stimuli)
    calls = []
    task.model.emotional.register_forward_hook(lambda *_: calls.append(1))
    task.outputs(batch)
    assert calls == [1]


def test_a_split_that_was_not_prepared_is_computed(regulated, batch, stimuli):
    task = RegulationTask(regulated(), affect_cache=True).eval()
    task.prepare("train", stimuli)
    found = task.outputs(replace(batch, split="test"))["affect"]
    torch.testing.assert_close(found, task.outputs(batch)["affect"], rtol=1e-4, atol=1e-5)


def test_held_out_pictures_use_the_cache_of_their_own_split(regulated, with_companion, stimuli):
    task = RegulationTask(regulated(), affect_cache=True)
    task.prepare("train", stimuli)
    task.prepare("held-out", stimuli)
    calls = []
    task.model.emotional.register_forward_hook(lambda *_: calls.append(1))
    task(with_companion)
    assert not calls


def test_a_cache_of_an_encoder_that_changes_is_refused(regulated):
    with pytest.raises(UsageError, match="affect_cache: a fine-tuned emotional encoder changes"):
        RegulationTask(regulated(emotional_mode="fine-tuned"), affect_cache=True)


def test_scores_of_the_whole_and_of_each_branch(regulated, batch):
    task = RegulationTask(regulated(classes=tuple("abcd"))).eval()
    losses, outputs = task.score(batch)
    arrays = {k: v.detach().numpy() for k, v in outputs.items()}
    assert set(arrays) == {"log_probabilities", "non_emotional", "influenced", "regulation", "affect"}
    found = task.metrics(arrays, LABELS)
    assert found["nll"] == pytest.approx(losses["regulated"].item(), rel=1e-5)
    for branch in ("non_emotional", "influenced"):
        right = arrays[branch].argmax(1) == LABELS.category
        assert found[f"{branch}/accuracy"] == right.mean()
    assert found["regulation/mean"] == 0.5
    assert {"accuracy", "ece", "balanced_accuracy", "regulation/of/a", "regulation/spearman/valence"} <= set(found)


def test_optimiser_groups(regulated):
    task = RegulationTask(regulated(emotional_mode="fine-tuned"), emotional_learning_rate=0.001)
    groups = task.parameter_groups(0.1, 0.01)
    by_id = {id(p): g for g in groups for p in g["params"]}
    assert set(by_id) == {id(p) for p in task.parameters()}
    for name, parameter in task.model.named_parameters():
        group, part = by_id[id(parameter)], name.split(".")[0]
        assert group["lr"] == (0.001 if part == "emotional" else 0.1), name
        assert (group["weight_decay"] == 0) == (part == "regulator" or parameter.ndim < 2), name


def test_a_frozen_encoder_is_in_no_group(regulated):
    task = RegulationTask(regulated())
    listed = {id(p) for g in task.parameter_groups(0.1, 0.01) for p in g["params"]}
    assert not listed & {id(p) for p in task.model.emotional.parameters()}


def test_classification_task(batch, labels):
    task = ClassificationTask(Classifier("resnet8", 4, 16, width=4), label_smoothing=0.1).eval()
    losses, outputs = task.score(batch)
    logits = task.model(batch.images)
    torch.testing.assert_close(
        losses["classification"], nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
    )
    assert task.loss_names == tuple(losses) == tuple(task(batch))
    found = task.metrics({k: v.detach().numpy() for k, v in outputs.items()}, LABELS)
    assert found["accuracy"] == pytest.approx((logits.argmax(1) == labels).float().mean().item())
    assert found["accuracy_of_majority"] == 0.25


def test_any_module_that_gives_logits_is_a_classifier(batch):
    task = ClassificationTask(nn.Sequential(nn.Flatten(), nn.Linear(768, 4)))
    assert torch.isfinite(task(batch)["classification"])


def test_pictures_without_classes_are_refused(batch):
    task = ClassificationTask(nn.Sequential(nn.Flatten(), nn.Linear(768, 4)))
    with pytest.raises(DataError, match="these pictures have no classes"):
        task.metrics({"log_probabilities": np.zeros((8, 4))}, Labels())
