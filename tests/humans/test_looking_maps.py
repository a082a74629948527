"""Where a network looks: each kind of map against its formula, by hand, on every layout of a last map."""

import importlib.util
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

import affekt
from affekt.errors import MissingExtra, UsageError
from affekt.humans.looking import METHODS, ask, attention, grad_cam, integrated_gradients, last_map, occlusion
from affekt.humans.looking.asking import still

CLASSES = ("anger", "happiness", "sadness")
SIZE = 16
captum = pytest.mark.skipif(importlib.util.find_spec("captum") is None, reason="captum is not installed")


def pictures(n=2, size=SIZE, seed=0):
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(seed))


def randomised(module, seed=0, size=0.3):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * size)
    return module


def classifier(backbone="resnet8-w4", size=SIZE, **options):
    torch.manual_seed(0)
    model = affekt.Classifier(backbone, 3, size, classes=CLASSES, **options)
    randomised(model.head)
    return model.eval()


def emotional(size=SIZE):
    torch.manual_seed(1)
    heads = {"categories": CLASSES, "ratings": ["valence", "arousal"]}
    network = affekt.AffectNetwork("resnet8-w4", heads=heads, image_size=size, scale=(1, 7))
    network.standardise({"valence": [1.0, 2.0, 6.0], "arousal": [2.0, 3.0, 7.0]})
    randomised(network.heads)
    network.calibrate([pictures(8, seed=9)])
    return network.eval()


def regulated(regulator="learned", influence="added"):
    torch.manual_seed(2)
    model = affekt.EmotionalRegulation(
        "resnet8-w4", 3, SIZE, emotional(), influence, regulator, start="random", classes=CLASSES
    )
    randomised(model.non_emotional.head)
    randomised(model.influenced_head)
    return model.eval()


class Linear(nn.Module):
    """A backbone that is linear in the pixels: the mean of each quarter of the picture, in each colour."""

    num_features = 12
    mean, std = (0.0,) * 3, (0.5,) * 3

    def forward(self, images):
        return F.adaptive_avg_pool2d(images, 2).flatten(1)


def linear_network():
    network = affekt.AffectNetwork(Linear(), heads={"ratings": ["valence"]}, image_size=SIZE)
    network.standardise({"valence": [1.0, 4.0, 7.0]})
    return randomised(network).eval()


def linear_weights(network):
    """``(3, S, S)``: the derivative of the valence with respect to each pixel."""
    image = torch.zeros(1, 3, SIZE, SIZE)
    base = network(image).rating_values.item()
    found = torch.zeros(3, SIZE, SIZE)
    for colour in range(3):
        for row in (0, SIZE // 2):
            for column in (0, SIZE // 2):
                moved = image.clone()
                moved[0, colour, row, column] = 1
                block = network(moved).rating_values.item() - base
                found[colour, row : row + SIZE // 2, column : column + SIZE // 2] = block
    return found


# ------------------------------------------------------------------------------------------------ what is asked


def test_the_answer_of_each_kind_of_model_is_its_own():
    images = pictures()
    with torch.no_grad():
        for model, expected in (
            (classifier(), lambda m: m(images).log_softmax(1)),
            (emotional(), lambda m: m(images).category_logits.log_softmax(1)),
            (regulated(), lambda m: m(images).log_probabilities),
            (regulated("intensity", "shared"), lambda m: m(images).log_probabilities),
            (nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE**2, 4)), lambda m: m(images).log_softmax(1)),
        ):
            numbers = expected(model)
            torch.testing.assert_close(ask(model, images).values, numbers.amax(1))
            torch.testing.assert_close(ask(model, images, category=1).values, numbers[:, 1])
        found = ask(emotional(), images, rating="arousal")
        torch.testing.assert_close(found.values, emotional()(images).rating_values[:, 1])
        assert found.names == ("arousal", "arousal") and found.what == "rating"


def test_classes_by_name_alias_and_number():
    model, images = classifier(), pictures()
    for wanted in ("happiness", "happy", 1):
        assert ask(model, images, category=wanted).columns.tolist() == [1, 1]
    assert ask(model, images).names == tuple(CLASSES[i] for i in model(images).argmax(1).tolist())
    assert ask(nn.Sequential(nn.Flatten(), nn.Linear(768, 4)), images, category=2).names == ("2", "2")


def test_the_only_rating_needs_no_name():
    assert ask(linear_network(), pictures()).names == ("valence", "valence")


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (classifier, {"category": "hapiness"}, 'class "hapiness": unknown. Nearest: happiness'),
        (classifier, {"category": 3}, "class 3: the model has 3, 0 to 2"),
        (classifier, {"rating": "valence"}, "rating valence: Classifier has no ratings; name a class"),
        (regulated, {"rating": "valence"}, "its emotional encoder may have some: ask model.emotional"),
        (emotional, {"rating": "dominance"}, 'rating "dominance": unknown'),
        (emotional, {"rating": "valence", "category": "anger"}, "one of them is asked at a time"),
        (linear_network, {"category": "anger"}, "this network has ratings only: valence; name one"),
    ],
)
def test_what_a_model_cannot_be_asked(make, options, message):
    with pytest.raises(UsageError, match=message):
        ask(make(), pictures(), **options)


def test_several_ratings_want_a_name():
    network = affekt.AffectNetwork("resnet8-w4", heads={"ratings": ["valence", "arousal"]}, image_size=SIZE)
    with pytest.raises(UsageError, match="name one of valence, arousal"):
        ask(network, pictures())


@pytest.mark.parametrize("images", [torch.rand(3, 8, 8), torch.rand(1, 1, 8, 8), torch.rand(0, 3, 8, 8), [1]])
def test_pictures_that_are_none(images):
    with pytest.raises(UsageError, match=r"give a tensor \(B, 3, H, W\)"):
        ask(classifier(), images)


# ------------------------------------------------------------------------------------------------ Grad-CAM


@captum
def test_grad_cam_by_hand():
    """A mean over points and a linear head: d log p_c / d map = (w_c - sum of p w) / (H W) at every point."""
    model, images = classifier(), pictures(3, 20)
    with torch.no_grad():
        normalised = (F.interpolate(images, (SIZE, SIZE), mode="bilinear", antialias=True) - model.mean) / model.std
        maps = model.backbone.feature_map(normalised)
        probabilities = model(images).softmax(1)
        points = maps.shape[2] * maps.shape[3]
        slopes = (model.head.weight[1] - probabilities @ model.head.weight) / points
        expected = F.interpolate(
            torch.einsum("bc,bchw->bhw", slopes, maps)[:, None], (20, 20), mode="bilinear", align_corners=False
        )[:, 0]
    found = grad_cam(model, images, category="happiness")
    assert found.shape == (3, 20, 20) and (found < 0).any() and (found > 0).any()
    torch.testing.assert_close(found, expected)


class Layouts(nn.Module):
    """A small backbone whose last map comes in one of the layouts that networks have."""

    num_features = 6

    def __init__(self, order):
        super().__init__()
        self.order = order
        self.conv = nn.Conv2d(3, 6, 4, stride=4)
        self.act = nn.ReLU()
        self.again = nn.Conv2d(6, 6, 1)
        self.pool = nn.MaxPool2d(2)
        self.norm = nn.LayerNorm(6)
        self.token = nn.Parameter(torch.zeros(1, 1, 6))
        self.mix = nn.Linear(6, 6)
        self.last = nn.LayerNorm(6)

    def tokens(self, x):
        return torch.cat([self.token.expand(len(x), -1, -1), x.flatten(2).transpose(1, 2)], dim=1)

    def forward_features(self, images):
        if self.order == "in place":
            return F.relu_(self.conv(images))
        x = self.act(self.conv(images))
        if self.order == "one activation twice":
            return self.act(self.again(x))
        if self.order == "pooled":
            return self.pool(x)
        if self.order == "channels last":
            return self.last(self.norm(x.permute(0, 2, 3, 1)))
        if self.order == "class token":
            x = self.norm(self.tokens(x))
            mixed = x + self.mix(x.mean(1, keepdim=True))
            return self.last(mixed)
        return x

    def forward(self, images):
        x = self.forward_features(images)
        if self.order == "class token":
            return x[:, 0]
        return x.mean((1, 2) if self.order == "channels last" else (2, 3))

    def feature_map(self, images):
        x = self.forward_features(images)
        if self.order == "channels last":
            return x.permute(0, 3, 1, 2)
        if self.order == "class token":
            return x[:, 1:].transpose(1, 2).reshape(len(x), 6, 4, 4)
        return x


LAYOUTS = {
    "plain": ("act", "channels first"),
    "pooled": ("act", "channels first"),
    "in place": ("conv", "channels first"),
    "one activation twice": ("again", "channels first"),
    "channels last": ("last", "channels last"),
    "class token": ("norm", "tokens"),
}


class Opposed(Layouts):
    """Features whose sum is 0, whatever the picture."""

    num_features = 12

    def forward(self, images):
        x = super().forward(images)
        return torch.cat([x, -x], dim=1)


def test_features_of_a_constant_sum_are_heard_all_the_same():
    assert last_map(randomised(Opposed("class token")), SIZE).name == "norm"


@captum
@pytest.mark.parametrize("order", LAYOUTS)
def test_grad_cam_on_every_layout(order):
    """Against autograd on the output of the module that should be found."""
    model = affekt.Classifier(randomised(Layouts(order)), 3, SIZE).eval()
    layer = last_map(model.backbone, SIZE)
    assert (layer.name, layer.layout.order) == LAYOUTS[order]
    images, kept = pictures(), []

    def keep(module, inputs, output):
        kept.append(output)
        return output.clone()

    handle = layer.module.register_forward_hook(keep)
    chosen = model(images).log_softmax(1)[:, 2].sum()
    handle.remove()
    (slope,) = torch.autograd.grad(chosen, kept[0])

    def as_map(x):
        if order == "class token":
            return x[:, 1:].transpose(1, 2).reshape(2, 6, 4, 4)
        return x.permute(0, 3, 1, 2) if order == "channels last" else x

    weights = as_map(slope).mean((2, 3), keepdim=True)
    small = (weights * as_map(kept[0])).sum(1, keepdim=True)
    expected = F.interpolate(small, (SIZE, SIZE), mode="bilinear", align_corners=False)[:, 0]
    assert expected.any()
    torch.testing.assert_close(grad_cam(model, images, category=2), expected.detach())


NETWORKS = {
    ("alexnet", 64): ("trunk.features.11", "channels first"),  # before the pool, as the attention of FE-AlexNet
    ("timm:vit_tiny_patch16_224", 32): ("trunk.blocks.11.norm1", "tokens"),
    ("timm:mixer_s32_224", 64): ("trunk.norm", "tokens"),
    ("timm:convnext_atto", 32): ("trunk.norm_pre", "channels first"),
    ("shufflenet_v2_x0_5", 32): ("trunk.conv5", "channels first"),
}


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network[0])
def test_the_last_map_of_real_networks(network):
    backbone = affekt.create_backbone(network[0], in_size=network[1], seed=0).eval()
    layer = last_map(backbone, network[1])
    assert (layer.name, layer.layout.order) == NETWORKS[network]


def test_behind_attention():
    backbone = affekt.create_backbone("resnet8-w4+sagan", in_size=SIZE, seed=0).eval()
    randomised(backbone.attention)
    layer, seen = last_map(backbone, SIZE), []
    with layer.through() as gate:
        gate.register_forward_hook(lambda m, i, output: seen.append(output))
        backbone(pictures())
    torch.testing.assert_close(seen[0], backbone.feature_map(pictures()))


@captum
@pytest.mark.parametrize("part", ["non-emotional", "influenced", "emotional"])
def test_grad_cam_of_each_part_of_a_regulated_model(part):
    """The answer is the whole model's; moving the map of the part along its own gradient moves the answer so."""
    model, images = regulated(), pictures(1).requires_grad_()
    inside = {
        "non-emotional": model.non_emotional,
        "influenced": model.influence.encoder,
        "emotional": model.emotional,
    }[part]
    kept = []
    handle = inside.backbone.trunk.layer3.register_forward_hook(lambda m, i, output: kept.append(output))
    felt = model.emotional(images)
    out = model(images, affect=felt.state, emotional_features=felt.features)
    handle.remove()
    maps = kept[0]
    (slope,) = torch.autograd.grad(out.log_probabilities[:, 0].sum(), maps)
    small = (slope.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True)
    expected = F.interpolate(small, (SIZE, SIZE), mode="bilinear", align_corners=False)[:, 0].detach()
    assert expected.any()
    torch.testing.assert_close(grad_cam(model, images, category=0, part=part), expected)


@captum
def test_a_part_on_which_nothing_depends():
    model = regulated("scalar", "initialised")
    with pytest.raises(UsageError, match="the answer does not depend on the part that is looked into"):
        grad_cam(model, pictures(), part="emotional")


@pytest.mark.parametrize(
    ("make", "part", "message"),
    [
        (regulated, "emotion", 'part "emotion": unknown. Nearest: emotional'),
        (lambda: regulated(influence="shared"), "influenced", 'influence = "shared"'),
        (classifier, "emotional", "Classifier has no parts; leave it out"),
        (lambda: nn.Linear(3, 2), None, "Linear: has no backbone to look into"),
    ],
)
@captum
def test_parts_that_are_not_there(make, part, message):
    for look in (grad_cam, attention):
        with pytest.raises(UsageError, match=message):
            look(make(), pictures(), part=part)


@captum
def test_a_backbone_without_a_feature_map():
    model = affekt.Classifier(Linear(), 3, SIZE)
    with pytest.raises(UsageError, match="Linear: has no feature map for Grad-CAM; integrated gradients and occlusion"):
        grad_cam(model, pictures())
    with pytest.raises(UsageError, match="Linear: has no attention to look at; a backbone with a map can have it"):
        attention(model, pictures())


# ------------------------------------------------------------------------------------------------ integrated gradients


@captum
def test_integrated_gradients_of_a_linear_network_are_weight_times_pixel():
    network, images = linear_network(), pictures(3)
    weights = linear_weights(network)
    torch.testing.assert_close(
        integrated_gradients(network, images, steps=1), (weights * images).sum(1), atol=1e-5, rtol=1e-4
    )
    torch.testing.assert_close(
        integrated_gradients(network, images, baseline=0.5), (weights * (images - 0.5)).sum(1), atol=1e-5, rtol=1e-4
    )


@captum
@settings(max_examples=8)
@given(st.floats(0, 1), st.sampled_from(["anger", "happiness", None]), st.integers(0, 50))
def test_they_sum_to_the_answer_less_that_of_the_baseline(baseline, category, seed):
    model, images = CLASSIFIER, pictures(2, seed=seed)
    found = integrated_gradients(model, images, category=category, baseline=baseline, steps=200)
    asked = ask(model, images, category=category)
    with torch.no_grad():
        start = asked.answer(torch.full_like(images, baseline)).gather(1, asked.columns[:, None])[:, 0]
    torch.testing.assert_close(found.sum((1, 2)), asked.values - start, atol=0.03, rtol=0.03)


CLASSIFIER = classifier()


@captum
@pytest.mark.parametrize("regulator", ["learned", "intensity", "per_class"])
def test_they_go_through_a_frozen_emotional_encoder_too(regulator):
    """Complete, though the model itself cuts the gradient there; and without that way they would not be."""
    model, images = regulated(regulator), pictures()
    found = integrated_gradients(model, images, category=0, steps=200).sum((1, 2))
    with torch.no_grad():
        change = (model(images).log_probabilities - model(torch.zeros_like(images)).log_probabilities)[:, 0]
    torch.testing.assert_close(found, change, atol=0.03, rtol=0.03)

    def cut(x):
        return model(x, affect=model.emotional(x).state.detach()).log_probabilities

    from captum.attr import IntegratedGradients

    without = IntegratedGradients(cut).attribute(images, target=0, n_steps=200).sum((1, 2, 3)).float()
    assert ((without - change).abs() > 0.1).any()


@captum
def test_a_baseline_may_be_a_picture():
    model, images = classifier(), pictures()
    found = integrated_gradients(model, images, baseline=images[1])
    assert not found[1].any() and found[0].any()


@captum
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": -1.0}, "baseline = -1.0: a level of grey from 0"),
        ({"baseline": torch.rand(3, 5, 5)}, r"baseline of shape \(3, 5, 5\)"),
        ({"steps": 0}, "steps = 0: a whole number of 1 or more"),
    ],
)
def test_baselines_and_steps_that_cannot_be(options, message):
    with pytest.raises(UsageError, match=message):
        integrated_gradients(classifier(), pictures(), **options)


class NoGradient(nn.Module):
    def forward(self, images):
        return torch.stack([images.detach().mean((1, 2, 3)), images.detach().amax((1, 2, 3))], dim=1)


@captum
def test_an_answer_without_gradient_is_said_and_occlusion_goes():
    with pytest.raises(UsageError, match="this model's answer has no gradient; occlusion needs none"):
        integrated_gradients(NoGradient(), pictures())
    assert occlusion(NoGradient(), pictures()).any()


# ------------------------------------------------------------------------------------------------ occlusion


def covered(model, images, column, window, stride, fill):
    """By definition: every window, cut off at the far edges, until the whole picture is covered."""
    total, count = torch.zeros(len(images), *images.shape[2:]), torch.zeros(images.shape[2:])
    with torch.no_grad():
        before = model(images).log_softmax(1)[:, column]
        starts = [range(0, max(1, -(-(n - window) // stride) * stride + 1), stride) for n in images.shape[2:]]
        for row in starts[0]:
            for left in starts[1]:
                place = (..., slice(row, row + window), slice(left, left + window))
                hidden = images.clone()
                hidden[place] = fill
                total[place] += (before - model(hidden).log_softmax(1)[:, column])[:, None, None]
                count[place] += 1
    return total / count


@captum
@pytest.mark.parametrize(("window", "stride", "fill"), [(4, 4, 0.5), (5, 2, 0.0), (3, 3, 0.5), (16, 1, 0.2)])
def test_occlusion_by_definition(window, stride, fill):
    model, images = classifier(), torch.rand(2, 3, 16, 20, generator=torch.Generator().manual_seed(4))
    found = occlusion(model, images, category=1, window=window, stride=stride, fill=fill)
    torch.testing.assert_close(found, covered(model, images, 1, window, stride, fill), atol=1e-5, rtol=1e-4)


@captum
def test_occlusion_of_a_linear_network_is_what_the_window_held():
    network, images = linear_network(), pictures()
    held = (linear_weights(network) * (images - 0.5)).sum(1)
    windows = F.avg_pool2d(held[:, None], 4) * 16
    expected = windows.repeat_interleave(4, 2).repeat_interleave(4, 3)[:, 0]
    torch.testing.assert_close(occlusion(network, images, window=4, stride=4), expected, atol=1e-5, rtol=1e-4)


@captum
def test_the_window_is_a_seventh_where_none_is_given():
    model, images = classifier(), pictures(1, 28)
    assert torch.equal(occlusion(model, images), occlusion(model, images, window=4, stride=2))


@captum
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 17}, "window = 17: 1 to 16 pixels, the picture's shorter side"),
        ({"window": 0}, "window = 0"),
        ({"window": 4, "stride": 5}, "stride = 5: 1 to 4 pixels are asked, since a wider one would leave gaps"),
        ({"stride": 0}, "stride = 0"),
        ({"fill": 2.0}, "fill = 2.0: a level of grey"),
    ],
)
def test_windows_that_cannot_be(options, message):
    with pytest.raises(UsageError, match=message):
        occlusion(classifier(), pictures(), **options)


# ------------------------------------------------------------------------------------------------ attention


def attending(kind, settings=""):
    model = classifier(f"resnet8-w4+{kind}{settings}")
    randomised(model.backbone.attention, size=1.0)
    return model


@pytest.mark.parametrize("kind", ["sagan", "non-local"])
def test_self_attention_is_what_a_point_receives(kind):
    model, images = attending(kind, "(reduction=4,heads=2)"), pictures()
    (look,) = model.backbone.attention_maps((images - model.mean) / model.std)  # (B, heads, looks, is looked at)
    (received,) = model.backbone.attended((images - model.mean) / model.std)
    expected = torch.zeros(2, 16)
    for head in range(2):
        for looks in range(16):
            expected += look[:, head, looks] / 32
    torch.testing.assert_close(received, expected.reshape(2, 4, 4))
    torch.testing.assert_close(received.sum((1, 2)), torch.ones(2))
    found = attention(model, images)
    assert found.shape == (2, SIZE, SIZE) and (found >= 0).all()
    torch.testing.assert_close(
        found, F.interpolate(received[:, None], (SIZE, SIZE), mode="bilinear", align_corners=False)[:, 0]
    )


@pytest.mark.parametrize("kind", ["pointwise", "cbam"])
def test_weights_of_points(kind):
    model, images = attending(kind, "(reduction=4)"), pictures()
    (weights,) = model.backbone.attention_maps((images - model.mean) / model.std)
    (found,) = model.backbone.attended((images - model.mean) / model.std)
    torch.testing.assert_close(found, weights.mean(1))


def test_weights_of_channels_are_no_place():
    with pytest.raises(UsageError, match=r"resnet8-w4\+se.*: its attention weighs channels and no places"):
        attention(attending("se", "(reduction=4)"), pictures())


def test_one_of_several_blocks():
    model, images = attending("sagan", "(reduction=4,blocks=2)"), pictures()
    one, two = (attention(model, images, block=block) for block in (0, 1))
    assert not torch.equal(one, two) and torch.equal(attention(model, images), two)
    with pytest.raises(UsageError, match=r"block = 2: .* has 2 blocks of attention"):
        attention(model, images, block=2)


# ------------------------------------------------------------------------------------------------ all of them


@captum
@pytest.mark.parametrize("name", METHODS)
def test_maps_are_functions_of_the_picture_at_its_size(name):
    model = attending("sagan", "(reduction=4)")
    model.dropout.p = 0.5
    look = METHODS[name].look
    images = torch.randint(256, (2, 3, 20, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    expected = look(model, images)
    assert expected.shape == (2, 20, 24) and expected.dtype == torch.float32 and not expected.requires_grad
    model.train()
    model.head.eval()
    modes = [m.training for m in model.modules()]
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with torch.inference_mode():
        again = look(model, images.float() / 255)
    torch.testing.assert_close(again, expected, atol=1e-6, rtol=1e-4)
    assert [m.training for m in model.modules()] == modes
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert not any(m._forward_hooks for n, m in model.named_modules() if n != "backbone.trunk.layer3")
    assert torch.equal(look(model, images), expected)


def test_modes_come_back_after_an_error():
    model = classifier().train()
    with pytest.raises(ZeroDivisionError), still(model):
        assert not model.training
        raise ZeroDivisionError
    assert all(m.training for m in model.modules())


@pytest.mark.parametrize("look", [grad_cam, integrated_gradients, occlusion])
def test_without_captum(look, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(MissingExtra, match=r'captum is not installed; get it with: pip install "affekt\[humans\]"'):
        look(classifier(), pictures())
