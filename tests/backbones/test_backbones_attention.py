"""Attention: nothing at the start, bit for bit; the published sums and sizes; the same on every network with a map."""

import copy
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import affekt
from affekt.backbones.attention import ATTENTIONS, split_name
from affekt.backbones.modules import papers_names
from affekt.errors import UsageError

KINDS = sorted(ATTENTIONS)
NETWORKS = {
    "alexnet": 224, "vgg11": 48, "vgg13_bn": 48, "vgg16": 64, "resnet8": 32, "resnet18": 32, "densenet121": 32,
    "mobilenet_v2": 64, "efficientnet_b0": 64, "convnext_tiny": 64, "swin_t": 64, "timm:resnet18": 64,
    "timm:convnext_atto": 64, "shufflenet_v2_x0_5": 64, "mnasnet0_5": 64, "googlenet": 96,
}  # fmt: skip


def images(size, n=2, seed=0):
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(seed))


def randomised(module, seed=0):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return module


@pytest.mark.parametrize("name", NETWORKS)
def test_with_gamma_zero_every_network_gives_what_it_gave_bit_for_bit(name):
    size = NETWORKS[name]
    plain = affekt.create_backbone(name, in_size=size, seed=1).eval()
    attended = affekt.create_backbone(name, in_size=size, seed=1, attention="sagan").eval()
    pictures = images(size)
    with torch.no_grad():
        before = plain(pictures)
        assert torch.equal(attended(pictures), before)
        randomised(attended.attention)
        assert not torch.equal(attended(pictures), before)
    own = set(plain.state_dict())
    assert own < set(attended.state_dict())  # nothing was renamed
    assert set(attended.state_dict()) - own == {
        f"trunk.affekt_attention.0.{n}" for n in attended.attention[0].state_dict()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_starts_as_nothing_and_then_learns(kind):
    plain = affekt.create_backbone("alexnet", in_size=224, seed=1).eval()
    attended = affekt.create_backbone(f"alexnet+{kind}", in_size=224, seed=1).eval()
    pictures = images(224)
    assert torch.equal(attended(pictures), plain(pictures))
    attended(pictures).square().sum().backward()
    assert attended.attention[0].gamma.grad.abs() > 0


def test_fe_alexnet_is_alexnet_with_self_attention_on_conv5():
    network = affekt.create_backbone("fe_alexnet", in_size=224, seed=0)
    assert network.name == "alexnet+sagan"
    (block,) = network.attention
    assert sum(p.numel() for p in block.parameters()) == 82_241
    (look,) = network.eval().attention_maps(images(224))
    assert look.shape == (2, 1, 169, 169)  # 13 x 13 points, before the last pool
    torch.testing.assert_close(look.sum(-1), torch.ones(2, 1, 169))
    assert "fe_alexnet" in affekt.list_backbones("fe_*")


def test_the_control_has_the_same_size_and_looks_nowhere_else():
    sagan, control = (ATTENTIONS[kind](256) for kind in ("sagan", "pointwise"))
    assert [p.shape for p in sagan.parameters()] == [p.shape for p in control.parameters()]
    for block in (sagan, control):
        randomised(block)
    x = torch.randn(1, 256, 5, 5)
    moved = x.clone()
    moved[..., 4, 4] += 1
    assert torch.equal(control(x)[..., :4, :4], control(moved)[..., :4, :4])
    assert not torch.equal(sagan(x)[..., :4, :4], sagan(moved)[..., :4, :4])


@pytest.mark.parametrize(
    ("kind", "parts"), [("sagan", ("query", "key", "value")), ("non-local", ("theta", "phi", "g"))]
)
@pytest.mark.parametrize("heads", [1, 2])
def test_self_attention_by_hand(kind, parts, heads):
    block = randomised(ATTENTIONS[kind](8, reduction=2, heads=heads))
    x = torch.randn(2, 8, 3, 4)
    q, k, v = (getattr(block, part)(x).flatten(2) for part in parts)
    each = []
    for head in range(heads):
        own = [part.chunk(heads, dim=1)[head] for part in (q, k, v)]
        weights = torch.softmax(torch.einsum("bci,bcj->bij", own[0], own[1]), dim=-1)
        torch.testing.assert_close(block.weights(x)[:, head], weights)
        each.append(torch.einsum("bij,bcj->bci", weights, own[2]))
    found = torch.cat(each, dim=1).reshape(2, -1, 3, 4)
    expected = x + block.gamma * (block.out(found) if kind == "non-local" else found)
    torch.testing.assert_close(block(x), expected)


def test_squeeze_excite_by_hand():
    block = randomised(ATTENTIONS["se"](8, reduction=4))
    x = torch.randn(2, 8, 3, 3)
    hidden = torch.relu(x.mean((2, 3)) @ block.reduce.weight.T + block.reduce.bias)
    weights = torch.sigmoid(hidden @ block.expand.weight.T + block.expand.bias)
    torch.testing.assert_close(block.weights(x), weights)
    with torch.no_grad():
        block.gamma.fill_(1.0)
    torch.testing.assert_close(block(x), x * weights[:, :, None, None])


def test_cbam_by_hand():
    block = randomised(ATTENTIONS["cbam"](8, reduction=4))
    x = torch.randn(2, 8, 5, 5)

    def mlp(v):
        return torch.relu(v @ block.reduce.weight.T + block.reduce.bias) @ block.expand.weight.T + block.expand.bias

    channels = x * torch.sigmoid(mlp(x.mean((2, 3))) + mlp(x.amax((2, 3))))[:, :, None, None]
    both = torch.stack([channels.mean(1), channels.amax(1)], dim=1)
    points = torch.sigmoid(torch.nn.functional.conv2d(both, block.spatial.weight, block.spatial.bias, padding=3))
    torch.testing.assert_close(block.weights(x), points)
    with torch.no_grad():
        block.gamma.fill_(1.0)
    torch.testing.assert_close(block(x), channels * points)


@given(st.sampled_from(KINDS), st.integers(1, 3), st.integers(1, 7), st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_any_map_keeps_its_shape(kind, batch, height, width):
    block = randomised(ATTENTIONS[kind](16, reduction=4))
    x = torch.randn(batch, 16, height, width)
    assert block(x).shape == x.shape
    assert bool(torch.isfinite(block(x)).all())


def test_places_heads_blocks_and_reduction_are_settings():
    made = affekt.create_backbone(
        "alexnet", in_size=224, attention={"kind": "sagan", "at": "features.7", "reduction": 4, "heads": 2, "blocks": 3}
    )
    assert made.name == "alexnet+sagan(at=features.7,reduction=4,heads=2,blocks=3)"
    assert [block.channels for block in made.attention] == [384] * 3
    again = affekt.create_backbone(made.name, in_size=224)
    again.load_state_dict(made.state_dict())
    looks = again.eval().attention_maps(images(224))
    assert [look.shape for look in looks] == [(2, 2, 169, 169)] * 3


def test_layers_of_alexnet_have_their_papers_names():
    for number, channels in enumerate((64, 192, 384, 256, 256), start=1):
        made = affekt.create_backbone(f"alexnet+se(at=conv{number})", in_size=64, seed=0)
        assert made.name == f"alexnet+se(at=conv{number})"
        assert [block.channels for block in made.attention] == [channels]
    named = affekt.create_backbone("alexnet+sagan(at=conv5)", in_size=64, seed=0)
    last = affekt.create_backbone("fe_alexnet", in_size=64, seed=0)
    for network in (named, last):
        network.eval().attention[0].gamma.data.fill_(1.0)
    assert torch.equal(named(images(64)), last(images(64)))


@pytest.mark.parametrize(("network", "size"), [("vgg16", 64), ("vgg16_bn", 48), ("vgg16", 224)])
def test_layers_of_vgg_have_their_papers_names(network, size):
    """VGG16 has blocks of 2, 2, 3, 3, 3, whether the pools behind them are left or not."""
    made = affekt.create_backbone(network, in_size=size, width=8, seed=0)
    names = papers_names(made.trunk)
    layers = [f"conv{b}_{n}" for b, depth in enumerate((2, 2, 3, 3, 3), 1) for n in range(1, depth + 1)]
    assert list(names) == [*layers, *(f"conv{b}" for b in range(1, 6))]
    modules = dict(made.trunk.named_modules())
    relus = [name for name, module in modules.items() if name.startswith("features.") and isinstance(module, nn.ReLU)]
    assert [names[layer] for layer in layers] == relus
    assert (names["conv2"], names["conv5"]) == (names["conv2_2"], names["conv5_3"])


def test_attention_behind_a_layer_of_vgg():
    made = affekt.create_backbone("vgg13+se(at=conv4_1)", in_size=64, width=8, seed=0)
    assert [block.channels for block in made.attention] == [64]


@pytest.mark.parametrize("name", ["FE-AlexNet", "fe-alexnet", "FE_ALEXNET", "alexnet+SAGAN", "alexnet+self_attention"])
def test_names_in_other_spellings(name):
    assert split_name(name) == split_name("fe_alexnet")


@pytest.mark.parametrize("kind", ["squeeze-excite", "squeeze_excite", "Squeeze-and-Excitation"])
def test_kinds_have_further_names(kind):
    base, settings_ = split_name(f"alexnet+{kind}(reduction=8)")
    assert settings_.named(base) == "alexnet+se(reduction=8)"
    assert affekt.create_backbone("alexnet", in_size=64, attention=kind).name == "alexnet+se"


def test_names_are_read_back():
    for name in ("alexnet+sagan", "resnet18+cbam(reduction=8,blocks=2)", "timm:resnet18+se(at=layer3)"):
        base, settings_ = split_name(name)
        assert settings_.named(base) == name
    assert split_name("resnet18") == ("resnet18", None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "alexnet+sagn"}, "sagan"),
        ({"name": "alexnet+sagan(reductoin=8)"}, "reduction"),
        ({"name": "alexnet+sagan(reduction=x)"}, "a number"),
        ({"name": "alexnet+"}, "write NETWORK"),
        ({"name": "alexnet", "attention": {"reduction": 8}}, "write its kind"),
        ({"name": "alexnet", "attention": True}, 'attention = True: write its kind, "sagan", or'),
        ({"name": "alexnet", "attention": ["sagan"]}, "write its kind"),
        ({"name": "fe_alexnet", "weights": "DEFAULT"}, "weights = .DEFAULT.: initial weights are asked by initial = "),
        ({"name": "timm:resnet10t", "pretrained": True}, "pretrained = True: initial weights are asked by initial = "),
        ({"name": "alexnet+se", "attention": "se"}, "in its name"),
        ({"name": "alexnet", "attention": {"kind": "sagan", "at": "features.99"}}, "module for attention"),
        ({"name": "alexnet", "attention": {"kind": "sagan", "at": "classifier.1"}}, "gives no feature map"),
        ({"name": "alexnet+sagan(reduction=1000)"}, "leaves nothing of 256 channels"),
        ({"name": "alexnet+sagan(heads=3)"}, "3 heads"),
        ({"name": "alexnet+sagan(heads=0)"}, "heads = 0"),
        ({"name": "alexnet+sagan(blocks=0)"}, "blocks = 0"),
        ({"name": "alexnet+cbam(heads=2)"}, "has no heads"),
        ({"name": "vit_b_16+sagan"}, "transformer"),
        ({"name": "timm:mixer_s32_224+sagan"}, "works on patches in a row, as vision transformers and mixers do"),
        ({"name": "resnet18+se(at=conv3)"}, 'module for attention "conv3": unknown'),
        ({"name": "timm:vit_tiny_patch16_224+sagan"}, "transformer"),
    ],
)
def test_what_cannot_be_is_said(arguments, message):
    with pytest.raises(UsageError, match=message):
        affekt.create_backbone(**arguments)


@pytest.mark.parametrize("copying", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["copy", "pickle"])
def test_a_copy_has_attention_of_its_own(copying):
    network = affekt.create_backbone("resnet8+sagan", in_size=32, seed=0).eval()
    randomised(network.attention)
    copied = copying(network)
    pictures = images(32)
    with torch.no_grad():
        before = network(pictures)
        assert torch.equal(copied(pictures), before)
        for parameter in copied.attention.parameters():
            parameter.add_(1.0)
        assert torch.equal(network(pictures), before)
        assert not torch.equal(copied(pictures), before)


def test_saved_and_loaded_by_name(tmp_path):
    network = affekt.AffectNetwork("resnet8+sagan", heads={"ratings": ["valence"]}, image_size=32, scale=(1, 9)).eval()
    randomised(network.backbone.attention)
    network.save_pretrained(tmp_path / "m")
    again = affekt.load(tmp_path / "m").eval()
    pictures = torch.rand(2, 3, 32, 32)
    assert torch.equal(again(pictures).state, network(pictures).state)


def test_published_weights_fill_the_network_around_it(tmp_path):
    plain = affekt.create_backbone("alexnet", in_size=224, seed=3)
    torch.save(plain.trunk.state_dict(), tmp_path / "w.pth")
    made = affekt.create_backbone("fe_alexnet", initial=tmp_path / "w.pth", in_size=224, seed=4).eval()
    assert made.notes == ()
    assert torch.equal(made(images(224)), plain.eval()(images(224)))


def test_attention_is_a_stage_behind_the_one_that_it_looks_at_and_learns_in_a_frozen_trunk():
    network = affekt.AffectNetwork("alexnet+sagan", heads={"ratings": ["valence"]}, image_size=224, scale=(1, 9))
    stages = network.backbone.stages()
    held = [{id(p) for p in stage.parameters()} for stage in stages]
    own = {id(p) for p in network.backbone.attention.parameters()}
    assert own in held
    assert sum(len(ids) for ids in held) == len(list(network.backbone.parameters()))
    conv5 = {id(p) for p in network.backbone.trunk.features[10].parameters()}
    assert conv5 <= held[held.index(own) - 1]
    from affekt.training.transfer import set_trainable

    set_trainable(network, "head")
    learning = {id(p) for p in network.backbone.parameters() if p.requires_grad}
    assert learning == own


def test_without_attention_there_is_nothing_to_look_at():
    network = affekt.create_backbone("resnet8", in_size=32)
    assert network.attention_maps(images(32)) == []
    assert list(network.attention.parameters()) == []
