"""Sizes: what a network sees in training and in evaluation, and which sizes are refused."""

import pytest
import torch
from torch import nn

from affekt.backbones.inputs import as_input
from affekt.backbones.sizes import check_sizes, seen_size, set_training_size
from affekt.errors import UsageError
from affekt.perception import AffectNetwork
from affekt.regulation import Classifier, EmotionalRegulation


def sides(model, images):
    """Side of what each backbone in a model sees."""
    seen = {}
    hooks = [
        part.register_forward_pre_hook(lambda _, inputs, name=name: seen.update({name: inputs[0].shape[-1]}))
        for name, part in model.named_modules()
        if name.endswith("backbone")
    ]
    model(images)
    for hook in hooks:
        hook.remove()
    return seen


def test_smaller_in_training_full_in_evaluation():
    model, images = Classifier("resnet8", 3, 16, width=4), torch.rand(2, 3, 16, 16)
    set_training_size(model, 10)
    assert sides(model.train(), images) == {"backbone": 10} and sides(model.eval(), images) == {"backbone": 16}
    set_training_size(model, None)
    assert sides(model.train(), images) == {"backbone": 16}


def test_what_it_sees_is_the_picture_resized():
    model, images = Classifier("resnet8", 3, 16, width=4).train(), torch.rand(2, 3, 16, 16)
    set_training_size(model, 8)
    seen = []
    model.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model(images)
    assert torch.equal(seen[0], as_input(images, 8, model.mean, model.std))


def test_never_above_its_own_size():
    model = Classifier("resnet8", 3, 16, width=4).train()
    set_training_size(model, 20)
    assert seen_size(model) == 16


@pytest.mark.parametrize("mode", ["frozen", "fine-tuned"])
def test_a_frozen_emotional_encoder_sees_whole_pictures(mode):
    emotional = AffectNetwork("resnet8", {"ratings": ["valence"]}, 24, width=4)
    model = EmotionalRegulation("resnet8", 3, 16, emotional, "added", width=4, emotional_mode=mode).train()
    set_training_size(model, 10)
    assert sides(model, torch.rand(2, 3, 16, 16)) == {
        "emotional.backbone": 24 if mode == "frozen" else 10,
        "non_emotional.backbone": 10,
        "influence.encoder.backbone": 10,
    }


def test_sizes_are_those_of_what_learns():
    frozen, tuned = (
        EmotionalRegulation(
            "resnet8", 3, 16, AffectNetwork("resnet8", {"ratings": ["valence"]}, 12, width=4), "added", width=4,
            emotional_mode=mode,
        )
        for mode in ("frozen", "fine-tuned")
    )  # fmt: skip
    check_sizes(frozen, (14, 16))
    with pytest.raises(UsageError, match="14 px is above image_size = 12"):
        check_sizes(tuned, (14, 16))


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ((8, 24), r"sizes = \[8, 24\]: 24 px is above image_size = 16"),
        ((8, 16), "resnet9-whitened-w4, made for 16 px, cannot read pictures of 8 px"),
    ],
)
def test_sizes_that_make_no_sense(sizes, said):
    with pytest.raises(UsageError, match=said) as caught:
        check_sizes(Classifier("resnet9-whitened-w4", 3, 16), sizes)
    assert "\n" not in str(caught.value)


def test_a_network_of_one_size_and_none_at_all():
    with pytest.raises(UsageError, match="cannot read pictures of 16 px"):
        check_sizes(Classifier("vit_tiny_patch16_224", 3, 32, width=48), (16, 32))
    with pytest.raises(UsageError, match="nothing here learns from pictures"):
        check_sizes(nn.Linear(2, 2), (16,))
    check_sizes(nn.Linear(2, 2), ())
