"""Rotation as a task without labels: what is turned, what is drawn, what is scored."""

import numpy as np
import pytest
import torch

from affekt.data.stimuli import Labels
from affekt.regulation import ClassificationTask, Classifier, RotationTask
from affekt.regulation.rotation_task import turned
from affekt.training.task import Batch


class Oracle(torch.nn.Module):
    """Sees by the place of the only bright pixel how a picture was turned."""

    corners = ((0, 0), (7, 0), (7, 7), (0, 7))

    def forward(self, images):
        return torch.stack([images[:, 0, y, x] for y, x in self.corners], dim=1) * 100


def marked(n):
    images = torch.zeros(n, 3, 8, 8)
    images[:, :, 0, 0] = 1
    return images


def batch(n, epoch=-1, images=None):
    return Batch(images=marked(n) if images is None else images, labels={}, items=torch.arange(n), epoch=epoch)


def test_pictures_are_turned_as_numpy_turns_them():
    images = torch.rand(8, 3, 5, 5)
    turns = torch.arange(8) % 4
    found = turned(images, turns)
    for image, k, out in zip(images, turns.tolist(), found, strict=True):
        assert np.array_equal(out.numpy(), np.rot90(image.numpy(), k, (1, 2)))


def test_what_sees_the_turn_has_no_loss_in_training_and_every_answer_right():
    task = RotationTask(Oracle(), seed=3)
    assert task.losses(batch(64, epoch=0))["rotation"] < 1e-6
    loss, outputs = task.score(batch(10))
    assert outputs["log_probabilities"].shape == (10, 4, 4)
    assert loss["rotation"] < 1e-6
    scored = task.metrics({"log_probabilities": outputs["log_probabilities"].numpy()}, Labels())
    assert scored["accuracy"] == 1 and scored["accuracy_of_majority"] == 0.25


def test_turns_are_drawn_by_seed_epoch_and_picture_alone():
    images, model = torch.rand(40, 3, 8, 8), torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 4))

    def loss(seed, epoch, rows=slice(None)):
        part = Batch(images=images[rows], labels={}, items=torch.arange(40)[rows], epoch=epoch)
        return RotationTask(model, seed=seed).losses(part)["rotation"].item()

    assert loss(0, 1) == loss(0, 1) != loss(0, 2)
    assert loss(0, 1) != loss(1, 1)
    halves = loss(0, 1, slice(20)), loss(0, 1, slice(20, None))
    assert sum(halves) / 2 == pytest.approx(loss(0, 1), rel=1e-5)


def test_a_frozen_backbone_stands_still_and_its_attention_learns():
    model = Classifier("resnet8+sagan", 2, 16)
    task = ClassificationTask(model, trainable="head").train()
    learning = {
        name.split(".")[0] + ("+" if "attention" in name else "")
        for name, p in model.named_parameters()
        if p.requires_grad
    }
    assert learning == {"head", "backbone+"}
    before = {k: v.clone() for k, v in model.backbone.state_dict().items() if "attention" not in k}
    labels = {"category": torch.tensor([0, 1])}
    task.losses(Batch(images=torch.rand(2, 3, 16, 16), labels=labels, items=torch.arange(2)))[
        "classification"
    ].backward()
    after = model.backbone.state_dict()
    assert all(torch.equal(v, after[k]) for k, v in before.items())  # batch norms' statistics included


def test_networks_that_differ_in_attention_alone_start_the_same_bit_for_bit():
    images, answers = torch.rand(2, 3, 32, 32), []
    for name in ("resnet8", "resnet8+sagan", "resnet8+pointwise"):
        torch.manual_seed(5)
        answers.append(Classifier(name, 3, 32).eval()(images))
    assert torch.equal(answers[0], answers[1]) and torch.equal(answers[0], answers[2])


def test_attentions_of_two_networks_made_one_after_the_other_differ():
    torch.manual_seed(5)
    one, other = (Classifier("resnet8+sagan", 3, 16).backbone.attention for _ in range(2))
    first, second = (next(p for p in a.parameters() if p.ndim > 1) for a in (one, other))
    assert not torch.equal(first, second)
