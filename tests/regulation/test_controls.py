"""Controls: what has the cost of the method and none of its emotion."""

import numpy as np
import pytest
import torch

from affekt.data.stimuli import Labels
from affekt.errors import UsageError
from affekt.regulation import EmotionalRegulation, NoEmotion, RegulationTask, create_regulator
from affekt.regulation.task import PERMUTATIONS
from affekt.saving import load
from affekt.training.task import Batch


def batch_of(pictures, classes=4, **changes):
    labels = {"category": torch.arange(len(pictures)) % classes}
    return Batch(images=pictures, labels=labels, items=torch.arange(len(pictures)), **changes)


@pytest.fixture
def mixture():
    torch.manual_seed(0)
    return EmotionalRegulation(
        "resnet8", 4, 16, NoEmotion(), influence="independent", regulator="constant", constant=0.5
    )


def test_a_mixture_is_the_mean_of_two_networks_and_has_no_third(mixture):
    pictures = torch.rand(6, 3, 16, 16)
    out = mixture.eval()(pictures)
    mean = (out.non_emotional.softmax(1) + out.influenced.softmax(1)) / 2
    torch.testing.assert_close(out.log_probabilities.exp(), mean)
    assert out.affect.shape == (6, 0)
    one = sum(p.numel() for p in mixture.non_emotional.parameters())
    assert sum(p.numel() for p in mixture.parameters()) == 2 * one


def test_the_second_branch_of_a_mixture_is_another_network(mixture):
    out = mixture.eval()(torch.rand(6, 3, 16, 16))
    assert not torch.equal(out.non_emotional, out.influenced)


def test_a_mixture_comes_back_from_its_folder(mixture, tmp_path):
    pictures = torch.rand(2, 3, 16, 16)
    mixture.save_pretrained(tmp_path / "model")
    torch.testing.assert_close(
        load(tmp_path / "model")(pictures).log_probabilities, mixture.eval()(pictures).log_probabilities
    )


def test_the_feature_gate_has_as_many_parameters_as_the_learned_one():
    learned = create_regulator("learned", ("valence", "arousal"), 4)
    gate = create_regulator("features", (), 4, num_features=9, inputs=2)
    assert sum(p.numel() for p in gate.parameters()) == sum(p.numel() for p in learned.parameters()) == 3


def test_the_feature_gate_follows_the_features_and_teaches_them_nothing():
    torch.manual_seed(1)
    gate = create_regulator("features", (), 4, start="random", num_features=9, inputs=2)
    features = torch.randn(7, 9, requires_grad=True)
    r = gate(torch.zeros(7, 0), None, features)
    assert r.std() > 0.01
    r.sum().backward()
    assert features.grad is None
    assert gate.affine.weight.grad.abs().sum() > 0


def test_the_feature_gate_says_what_it_needs():
    with pytest.raises(UsageError, match="needs 1 or more inputs"):
        create_regulator("features", (), 4, num_features=9)
    gate = create_regulator("features", (), 4, num_features=9, inputs=2)
    with pytest.raises(UsageError, match="give features"):
        gate(torch.zeros(3, 0))


class _State(torch.nn.Module):
    """An emotional encoder whose state is the brightness of each picture."""

    image_size, num_features, state_names = 16, 1, ("brightness",)

    def __init__(self):
        super().__init__()
        self.backbone = torch.nn.Identity()
        self.register_buffer("mean", torch.zeros(1, 3, 1, 1))
        self.register_buffer("std", torch.ones(1, 3, 1, 1))

    def forward(self, images):
        from affekt.regulation.absent import Nothing

        brightness = images.mean((1, 2, 3))[:, None]
        return Nothing(features=brightness, state=brightness)


@pytest.fixture
def gated():
    torch.manual_seed(0)
    model = EmotionalRegulation("resnet8", 4, 16, _State(), influence="added", regulator="learned", start="random")
    with torch.no_grad():
        model.regulator.affine.weight.fill_(30.0)
        model.regulator.affine.bias.fill_(-15.0)
    return model


def spread(n=12):
    """Pictures from dark to light, so that r goes from 0 to 1."""
    return torch.linspace(0.05, 0.95, n)[:, None, None, None].expand(n, 3, 16, 16) + 0.02 * torch.rand(n, 3, 16, 16)


def test_affect_is_permuted_in_training_and_features_are_not(gated):
    pictures = spread()
    task = RegulationTask(gated, permute_affect=True).train()
    torch.manual_seed(3)
    out = task._run(batch_of(pictures))
    own = gated.emotional(pictures).state
    assert not torch.equal(out.affect, own)
    torch.testing.assert_close(out.affect.sort(0).values, own.sort(0).values)
    gated.eval()
    torch.testing.assert_close(
        gated.influence(pictures, own), gated.influence(pictures, gated.emotional(pictures).features)
    )


def test_evaluation_tells_what_other_pictures_affect_would_have_done(gated):
    pictures, task = spread(), RegulationTask(gated).eval()
    labels = Labels(categories=tuple("abcd"), category=np.arange(12) % 4)
    with torch.no_grad():
        outputs = {k: v.numpy() for k, v in task.outputs(batch_of(pictures)).items()}
    found = task.finish(outputs, labels)
    np.testing.assert_array_equal(found["log_probabilities"], outputs["log_probabilities"])
    # By hand: the mean over the permutations of what each picture would have got.
    from affekt.randomness import permutation

    correct, loss = np.zeros(12), np.zeros(12)
    for draw in range(PERMUTATIONS):
        order = permutation(12, seed=0, epoch=draw, name="affect states")
        r = 1 / (1 + np.exp(-(30.0 * outputs["affect"][order].astype(float) - 15.0)))
        p, q = (np.exp(z) / np.exp(z).sum(1, keepdims=True) for z in (outputs["non_emotional"], outputs["influenced"]))
        mixed = (1 - r) * p + r * q
        correct += mixed.argmax(1) == labels.category
        loss -= np.log(mixed[np.arange(12), labels.category])
    np.testing.assert_allclose(found["permuted_correct"], correct / PERMUTATIONS)
    np.testing.assert_allclose(found["permuted_nll"], loss / PERMUTATIONS, rtol=1e-4)
    assert task.metrics(found, labels)["permuted/accuracy"] == pytest.approx(correct.mean() / PERMUTATIONS)


def test_a_permuted_condition_is_scored_with_permuted_affect(gated):
    pictures, task = spread(), RegulationTask(gated, permute_affect=True, seed=5).eval()
    labels = Labels(categories=tuple("abcd"), category=np.arange(12) % 4)
    with torch.no_grad():
        outputs = {k: v.numpy() for k, v in task.outputs(batch_of(pictures)).items()}
    found = task.finish(outputs, labels)
    assert not np.allclose(found["regulation"], outputs["regulation"])
    np.testing.assert_allclose(np.sort(found["regulation"], 0), np.sort(outputs["regulation"], 0), rtol=1e-5)
    assert not np.allclose(found["log_probabilities"], outputs["log_probabilities"])


def test_pictures_without_a_class_have_no_score(gated):
    pictures, task = spread(), RegulationTask(gated).eval()
    labels = Labels(categories=tuple("abcd"), category=np.array([-1, *[0] * 11]))
    with torch.no_grad():
        outputs = {k: v.numpy() for k, v in task.outputs(batch_of(pictures)).items()}
    assert np.isnan(task.finish(outputs, labels)["permuted_correct"]).tolist() == [True, *[False] * 11]


@pytest.mark.parametrize("regulator", ["constant", "scalar", "random"])
def test_without_affect_in_r_there_is_nothing_to_permute(regulator):
    model = EmotionalRegulation("resnet8", 4, 16, _State(), influence="added", regulator=regulator)
    outputs = {"log_probabilities": np.zeros((2, 4))}
    labels = Labels(categories=tuple("abcd"), category=np.array([0, 1]))
    assert RegulationTask(model).finish(outputs, labels) is outputs
