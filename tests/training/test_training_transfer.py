"""Transfer: what learns, what stands still - statistics included - and how fast."""

import pytest
import torch

from affekt.errors import UsageError
from affekt.perception import AffectNetwork, layerwise_groups, set_trainable


def network():
    return AffectNetwork("resnet8", {"ratings": ["valence"]}, 16, dropout=0.3)


def trained(made):
    """The names of the tensors that two steps with weight decay change."""
    before = {k: v.clone() for k, v in made.state_dict().items()}
    made.train()
    optimiser = torch.optim.SGD([p for p in made.parameters() if p.requires_grad], lr=0.1, weight_decay=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        made(torch.rand(4, 3, 16, 16)).ratings.square().mean().backward()
        optimiser.step()
    return {k for k, v in made.state_dict().items() if not torch.equal(v, before[k])}


def names_of(module, made):
    ids = {id(p) for p in module.parameters()}
    return {n for n, p in made.named_parameters() if id(p) in ids}


@pytest.mark.parametrize("part", ["head", 0, "0"])
def test_a_frozen_backbone_moves_nothing_not_even_statistics(part):
    made = network()
    set_trainable(made, part)
    assert trained(made) == {"heads.rating_head.weight", "heads.rating_head.bias"}
    assert not made.backbone.training
    assert made.heads.training


@pytest.mark.parametrize("k", [1, 2])
def test_the_last_stages_learn(k):
    made = network()
    set_trainable(made, k)
    stages = made.backbone.stages()
    changed = trained(made)
    for stage in stages[:-k]:
        assert not changed & names_of(stage, made)
        assert not any(m.training for m in stage.children())
    for stage in stages[-k:]:
        assert names_of(stage, made) <= changed
    moved = {n for n in changed if "running_mean" in n}
    assert moved
    assert not any(n.startswith(("backbone.trunk.bn1", "backbone.trunk.conv1")) for n in changed)


def test_all_learns_again_after_a_part_was_frozen():
    made = network()
    set_trainable(made, "head")
    made.train()
    set_trainable(made, "all")
    assert all(p.requires_grad for p in made.parameters())
    assert all(m.training for m in made.modules())


def test_evaluation_mode_stays_evaluation_mode():
    made = network().eval()
    set_trainable(made, 1)
    assert not any(m.training for m in made.modules())


@pytest.mark.parametrize("part", ["some", "-1", 99, "1.5"])
def test_another_word_is_refused(part):
    with pytest.raises(UsageError, match=r'trainable = ".*": write all, head, or a number of last stages from 0 to \d'):
        set_trainable(network(), part)


def test_learning_rates_fall_from_the_head_to_the_input():
    made = network()
    stages = made.backbone.stages()
    groups = layerwise_groups(made, 1.0, 0.01, 0.5)
    rate = {id(p): g["lr"] for g in groups for p in g["params"]}
    assert {rate[id(p)] for p in made.heads.parameters()} == {1.0}
    for index, stage in enumerate(stages):
        assert {rate[id(p)] for p in stage.parameters()} == {0.5 ** (len(stages) - index)}


def test_every_learning_parameter_is_in_one_group_and_vectors_do_not_decay():
    made = network()
    set_trainable(made, 1)
    groups = layerwise_groups(made, 0.1, 0.01, 0.9)
    listed = [id(p) for g in groups for p in g["params"]]
    assert sorted(listed) == sorted(id(p) for p in made.parameters() if p.requires_grad)
    assert all((g["weight_decay"] == 0) == (p.ndim < 2) for g in groups for p in g["params"])
