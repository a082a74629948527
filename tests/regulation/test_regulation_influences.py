"""Influences: what the second branch is at the start, what it needs, what learns."""

import pytest
import torch

from affekt.errors import UsageError
from affekt.perception import AffectNetwork
from affekt.regulation import EmotionalRegulation
from affekt.regulation.influences import INFLUENCES

OWN = ("concatenated", "added", "modulated")


def test_initialised_starts_as_the_emotional_encoder_bit_for_bit(affect_network, regulated, pictures):
    emotional = affect_network()
    emotional.mean.fill_(0.4)
    emotional.std.fill_(0.3)
    model = regulated(emotional=emotional).eval()
    assert torch.equal(model.influence(pictures(), None), emotional(pictures()).features)
    assert not torch.equal(model.non_emotional.features(pictures()), emotional(pictures()).features)


def test_initialised_is_a_copy_that_learns_also_from_a_frozen_network(affect_network, regulated, pictures, labels):
    emotional = affect_network().requires_grad_(False)
    model = regulated(emotional=emotional)
    before = {k: v.clone() for k, v in emotional.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    model.losses(model(pictures()), labels)["influenced"].backward()
    optimiser.step()
    assert all(torch.equal(v, before[k]) for k, v in emotional.state_dict().items())
    changed = [
        not torch.equal(p, before["backbone." + n]) for n, p in model.influence.encoder.backbone.named_parameters()
    ]
    assert all(changed)


@pytest.mark.parametrize(
    "other", [{"backbone": "resnet14"}, {"width": 8}, {"image_size": 24}], ids=["backbone", "width", "size"]
)
def test_initialised_needs_the_same_backbone_width_and_size(affect_network, regulated, other):
    with pytest.raises(UsageError, match="Influences that work: concatenated, added, modulated, shared") as error:
        regulated(emotional=affect_network(**other))
    assert f"{other.get('backbone', 'resnet8')} (" in str(error.value)
    assert f"at {other.get('image_size', 16)} px, the classifier resnet8" in str(error.value)


@pytest.mark.parametrize("influence", [*OWN, "shared"])
def test_the_others_work_with_another_network_of_another_size(influence, affect_network, regulated, pictures, labels):
    model = regulated(influence, emotional=affect_network("resnet14", 24, width=8))
    losses = model.losses(model(pictures()), labels)
    losses["influenced"].backward()
    assert model.influenced_head[1].weight.grad.abs().max() > 0
    learning = [p for p in model.influence.parameters() if p.requires_grad]
    assert bool(learning) == (influence != "shared")


@pytest.mark.parametrize("influence", [*OWN, "shared"])
def test_emotional_features_change_the_influenced_branch_alone(influence, regulated, pictures):
    model = regulated(influence).eval()
    if influence == "modulated":
        torch.nn.init.normal_(model.influence.modulation.weight, std=0.1)
    affect, features = torch.zeros(8, 2), torch.randn(2, 8, model.emotional.num_features)
    first, second = (model(pictures(), affect=affect, emotional_features=f) for f in features)
    assert not torch.allclose(first.influenced, second.influenced)
    assert torch.equal(first.non_emotional, second.non_emotional)


def test_added_is_the_sum_of_two_features(regulated, pictures):
    influence = regulated("added").eval().influence
    features = torch.randn(8, influence.norm.normalized_shape[0])
    projected = influence.projection(torch.nn.functional.layer_norm(features, features.shape[1:]))
    torch.testing.assert_close(influence(pictures(), features), influence.encoder(pictures()) + projected)


def test_concatenated_is_both_side_by_side(regulated, pictures):
    influence = regulated("concatenated").eval().influence
    features = torch.randn(8, influence.norm.normalized_shape[0])
    both = influence(pictures(), features)
    own = influence.encoder.num_features
    assert torch.equal(both[:, :own], influence.encoder(pictures()))
    torch.testing.assert_close(both[:, own:], torch.nn.functional.layer_norm(features, features.shape[1:]))


def test_modulated_starts_without_influence_and_learns_it(regulated, pictures, labels):
    model = regulated("modulated")
    model.eval()
    features = torch.randn(8, model.emotional.num_features)
    torch.testing.assert_close(model.influence(pictures(), features), model.influence.encoder(pictures()))
    model.losses(model(pictures()), labels)["influenced"].backward()
    assert model.influence.modulation.weight.grad.abs().max() > 0


def test_shared_is_the_emotional_encoder(regulated, pictures):
    model = regulated("shared").eval()
    features = model.emotional(pictures()).features
    torch.testing.assert_close(model(pictures()).influenced, model.influenced_head(features))
    assert not list(model.influence.parameters())


def test_own_encoders_start_apart_from_the_first_branch(regulated, pictures):
    for influence in OWN:
        model = regulated(influence).eval()
        assert not torch.allclose(model.influence.encoder(pictures()), model.non_emotional.features(pictures()))


def test_only_initialised_does_without_features():
    assert [name for name, kind in INFLUENCES.items() if not kind.needs_features] == ["initialised", "independent"]


def test_an_unknown_influence_is_named():
    emotional = AffectNetwork("resnet8", {"ratings": ["valence"]}, 16)
    with pytest.raises(UsageError, match=r'influence "concat": unknown\. Nearest: concatenated'):
        EmotionalRegulation("resnet8", 4, 16, emotional, "concat")
