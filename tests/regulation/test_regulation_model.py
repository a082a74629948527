"""Emotional Regulation: the output, the losses, what stays frozen, saving, and anybody's own training loop."""

import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import affekt
from affekt.errors import UsageError
from affekt.regulation.influences import INFLUENCES
from affekt.regulation.mixing import MIXES
from affekt.regulation.regulators import REGULATORS


@pytest.mark.parametrize("influence", INFLUENCES)
@pytest.mark.parametrize("regulator", REGULATORS)
def test_every_pair_predicts_and_learns(influence, regulator, regulated, pictures, labels):
    model = regulated(influence, regulator)
    out = model(pictures())
    assert out.log_probabilities.shape == out.non_emotional.shape == out.influenced.shape == (8, 4)
    assert out.regulation.shape == (8, 4 if regulator == "per_class" else 1)
    assert out.affect.shape == (8, 2)
    torch.testing.assert_close(out.log_probabilities.exp().sum(1), torch.ones(8))
    losses = model.losses(out, labels)
    assert list(losses) == ["regulated", "non_emotional", "influenced"]
    sum(losses.values()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == (parameter.grad is not None), name


@pytest.mark.parametrize("mix", MIXES)
def test_prediction_is_the_mix_of_both_branches_by_r(mix, regulated, pictures):
    out = regulated(regulator="intensity", mix=mix)(pictures())
    expected = MIXES[mix](out.non_emotional, out.influenced, out.regulation)
    torch.testing.assert_close(out.log_probabilities, expected)
    assert out.regulation.std() > 0


def test_affect_is_the_standardised_state_of_the_emotional_encoder(regulated, pictures):
    model = regulated()
    assert torch.equal(model(pictures()).affect, model.emotional.eval()(pictures()).state)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_losses_are_those_of_the_three_predictions(smoothing, regulated, pictures, labels):
    model = regulated()
    out = model(pictures())
    losses = model.losses(out, labels, label_smoothing=smoothing)
    for name, logits in (
        ("regulated", out.log_probabilities),
        ("non_emotional", out.non_emotional),
        ("influenced", out.influenced),
    ):
        torch.testing.assert_close(losses[name], F.cross_entropy(logits, labels, label_smoothing=smoothing))


def test_losses_take_shares_and_leave_out_unknown_labels(regulated, pictures, labels):
    model = regulated()
    out = model(pictures())
    hard, soft = model.losses(out, labels), model.losses(out, F.one_hot(labels, 4).float())
    for name in hard:
        torch.testing.assert_close(hard[name], soft[name])
    unknown = torch.where(torch.arange(8) < 4, labels, -1)
    expected = F.nll_loss(out.log_probabilities[:4], labels[:4])
    torch.testing.assert_close(model.losses(out, unknown)["regulated"], expected)


def test_only_the_regulated_loss_if_asked(regulated, pictures, labels):
    model = regulated(losses="regulated")
    assert list(model.losses(model(pictures()), labels)) == ["regulated"]


def test_everything_that_is_mixed_or_lost_is_float32_under_autocast(regulated, pictures, labels):
    model = regulated("added")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = model(pictures())
        losses = model.losses(out, labels)
    assert out.non_emotional.dtype == torch.bfloat16
    kept = [out.log_probabilities, out.regulation, out.affect, *losses.values()]
    assert {t.dtype for t in kept} == {torch.float32}


@pytest.mark.parametrize("influence", ["initialised", "added", "shared"])
def test_training_leaves_a_frozen_emotional_encoder_untouched(influence, regulated, pictures, labels):
    model = regulated(influence)
    before = {k: v.clone() for k, v in model.emotional.state_dict().items()}
    model.train()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        sum(model.losses(model(pictures()), labels).values()).backward()
        optimiser.step()
    assert all(torch.equal(v, before[k]) for k, v in model.emotional.state_dict().items())
    assert any("running_mean" in k for k in before)
    assert not any(m.training for m in model.emotional.modules())
    assert model.non_emotional.training


@pytest.mark.parametrize("influence", ["initialised", "added", "shared"])
def test_a_fine_tuned_emotional_encoder_learns(influence, regulated, pictures, labels):
    model = regulated(influence, start="random", emotional_mode="fine-tuned")
    before = {k: v.clone() for k, v in model.emotional.state_dict().items()}
    sum(model.losses(model(pictures()), labels).values()).backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    after = model.emotional.state_dict()
    assert not torch.equal(after["backbone.trunk.conv1.weight"], before["backbone.trunk.conv1.weight"])
    assert not torch.equal(after["backbone.trunk.bn1.running_mean"], before["backbone.trunk.bn1.running_mean"])


def test_a_fine_tuned_encoder_is_not_traced_in_evaluation(regulated, pictures):
    model = regulated(emotional_mode="fine-tuned").eval()
    with torch.no_grad():
        assert not model(pictures()).affect.requires_grad


def counted(model):
    calls = []
    model.emotional.register_forward_hook(lambda *_: calls.append(1))
    return calls


@pytest.mark.parametrize("influence", INFLUENCES)
def test_given_state_and_features_are_used_and_the_encoder_is_spared(influence, regulated, pictures):
    model = regulated(influence, "learned", start="random").eval()
    calls = counted(model)
    out = model(pictures())
    features = model.emotional(pictures()).features
    given = model(pictures(), affect=out.affect, emotional_features=features)
    assert len(calls) == 2
    assert torch.equal(given.log_probabilities, out.log_probabilities)


def test_a_given_state_alone_is_used_with_features_of_the_picture(regulated, pictures):
    model = regulated("added", "valence").eval()
    calls = counted(model)
    affect = torch.tensor([[3.0, 0.0]]).expand(8, 2)
    out, plain = model(pictures(), affect=affect), model(pictures())
    assert len(calls) == 2
    torch.testing.assert_close(out.regulation, torch.sigmoid(affect[:, :1]))
    assert torch.equal(out.influenced, plain.influenced)


def test_the_emotional_encoder_resizes_and_normalises_for_itself(affect_network, regulated, pictures):
    emotional = affect_network("resnet14", 40)
    model = regulated("added", emotional=emotional).eval()
    seen = []
    emotional.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape))
    model(pictures())
    assert seen == [(8, 3, 40, 40)]


@pytest.mark.parametrize("regulator", ["learned", "random", "intensity", "per_class"])
def test_a_picture_has_the_same_answer_alone_and_among_others(regulator, regulated, pictures):
    model = regulated("added", regulator, start="random").eval()
    whole = model(pictures())
    for index in (0, 5):
        alone = model(pictures()[index : index + 1])
        for name in ("log_probabilities", "regulation", "affect"):
            torch.testing.assert_close(
                getattr(alone, name)[0], getattr(whole, name)[index], rtol=1e-4, atol=1e-5, msg=name
            )


@pytest.mark.parametrize("influence", INFLUENCES)
@pytest.mark.parametrize("regulator", ["learned", "scalar", "per_class"])
def test_saved_and_loaded_it_says_the_same_bit_for_bit(influence, regulator, regulated, pictures, tmp_path):
    model = regulated(influence, regulator, start="random", classes=tuple("abcd"), dropout=0.1).eval()
    model.save_pretrained(tmp_path / "model")
    loaded = affekt.load(tmp_path / "model")
    assert loaded.config() == model.config()
    first, second = model(pictures()), loaded(pictures())
    assert all(torch.equal(value, getattr(second, name)) for name, value in vars(first).items())
    assert loaded.classes == ("a", "b", "c", "d")
    assert loaded.train().emotional.training is False


def test_its_configuration_is_json_and_holds_the_emotional_network(regulated, affect_network):
    model = regulated("added", emotional=affect_network("resnet14", 24))
    config = json.loads(json.dumps(model.config()))
    assert config["emotional"]["class"] == "AffectNetwork"
    assert config["emotional"]["config"]["image_size"] == 24
    assert config == model.config()


def test_a_module_can_be_the_backbone_of_both_branches(affect_network, pictures):
    class Mean(nn.Module):
        num_features = 3

        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))

        def forward(self, images):
            return images.mean(dim=(2, 3)) * self.scale

    model = affekt.EmotionalRegulation(Mean(), 4, 16, affect_network(), "added")
    assert model(pictures()).influenced.shape == (8, 4)
    assert model.influence.encoder.backbone is not model.non_emotional.backbone
    with pytest.raises(UsageError, match="give it by name to save"):
        model.config()


def test_deepcopy_and_state_dict_travel(regulated, pictures):
    import copy

    model = regulated("added").eval()
    other = regulated("added", emotional=copy.deepcopy(model.emotional)).eval()
    other.load_state_dict(model.state_dict())
    assert torch.equal(copy.deepcopy(model)(pictures()).log_probabilities, other(pictures()).log_probabilities)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mix": "probabilities"}, 'mix "probabilities": unknown. Nearest: probability'),
        ({"losses": "both"}, 'losses "both": unknown'),
        ({"emotional_mode": "finetuned"}, 'emotional_mode "finetuned": unknown. Nearest: fine-tuned'),
        ({"emotional": nn.Linear(2, 2)}, "emotional = Linear: has no backbone, image_size, mean"),
        ({"classes": ("a", "b")}, "2 names for 4 classes"),
    ],
)
def test_mistakes_are_named(options, message, regulated):
    with pytest.raises(UsageError, match=message):
        regulated(**options)


def test_one_class_is_refused(affect_network):
    with pytest.raises(UsageError, match="num_classes = 1: a classifier needs two classes or more"):
        affekt.EmotionalRegulation("resnet8", 1, 16, affect_network())


def test_the_face_in_anybodys_own_loop():
    """The names of this test are a promise to users: it may grow, and must not change."""
    torch.manual_seed(0)
    emotional = affekt.AffectNetwork("resnet14", heads={"ratings": ["valence", "arousal"]}, image_size=24)
    model = affekt.EmotionalRegulation(
        "resnet8", num_classes=4, image_size=16, emotional=emotional, influence="added", regulator="learned",
        mix="probability",
    )  # fmt: skip
    images, labels = torch.rand(16, 3, 16, 16), torch.arange(16) % 4
    out = model(images)
    losses = model.losses(out, labels)
    weighting = affekt.create_weighting("softmax", tasks=list(losses))
    optimiser = torch.optim.Adam([*model.parameters(), *weighting.parameters()], lr=0.01)
    values = []
    for _ in range(12):
        optimiser.zero_grad()
        out = model(images)
        loss = weighting(model.losses(out, labels))
        loss.backward()
        optimiser.step()
        values.append(loss.item())
    assert values[-1] < 0.7 * values[0]
    assert out.log_probabilities.shape == out.non_emotional.shape == out.influenced.shape == (16, 4)
    assert out.regulation.shape == (16, 1)
    assert out.affect.shape == (16, 2)
    assert set(weighting.weights(losses)) == {"regulated", "non_emotional", "influenced"}


@pytest.mark.parametrize("influence", INFLUENCES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_model_of_another_type_answers_the_same_within_its_precision(dtype, influence, regulated, pictures):
    model = regulated(influence).eval()
    expected = model(pictures())
    out = model.to(dtype)(pictures())
    close = {"atol": 1e-4, "rtol": 1e-4} if dtype == torch.float64 else {"atol": 0.15, "rtol": 0.1}
    torch.testing.assert_close(out.log_probabilities.float(), expected.log_probabilities, **close)


@pytest.mark.parametrize("influence", ["initialised", "added"])
def test_the_whole_model_can_be_exported(influence, regulated, pictures):
    model = regulated(influence).eval()
    exported = torch.export.export(model, (pictures(),)).module()
    expected, out = model(pictures(seed=1)), exported(pictures(seed=1))
    assert type(out) is type(expected)
    for name in ("log_probabilities", "regulation", "affect"):
        torch.testing.assert_close(getattr(out, name), getattr(expected, name))


@pytest.mark.parametrize("classes", ["10", 3.0, True])
def test_a_number_of_classes_is_a_whole_number(classes, affect_network):
    with pytest.raises(UsageError, match="whole number"):
        affekt.EmotionalRegulation("resnet8", classes, 16, affect_network())
