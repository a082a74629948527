"""Classifier: the baseline, from scratch or from somebody's trained network with its head."""

import pytest
import timm
import torch
import torchvision
from torch import nn

import affekt
from affekt.errors import UsageError
from affekt.regulation import Classifier, EmotionalRegulation


def classifier(**options):
    torch.manual_seed(0)
    return Classifier("resnet8", options.pop("num_classes", 4), 16, **options)


def test_logits_of_any_size_and_type(pictures):
    model = classifier().eval()
    assert model(pictures(8, 40)).shape == (8, 4)
    pixels = (pictures() * 255).round().to(torch.uint8)
    torch.testing.assert_close(model(pixels), model(pictures()))


def test_logits_are_the_head_on_the_features(pictures):
    model = classifier().eval()
    assert torch.equal(model(pictures()), model.head(model.features(pictures())))


def test_dropout_in_training_only(pictures):
    model = classifier(dropout=0.5).eval()
    assert torch.equal(model(pictures()), model(pictures()))
    model.dropout.train()
    assert not torch.equal(model(pictures()), model(pictures()))


def test_saved_and_loaded_it_says_the_same_bit_for_bit(tmp_path, pictures):
    model = classifier(width=4, classes=("a", "b", "c", "d"), dropout=0.2).eval()
    model.save_pretrained(tmp_path / "model")
    loaded = affekt.load(tmp_path / "model")
    assert loaded.config() == model.config()
    assert loaded.classes == ("a", "b", "c", "d")
    assert torch.equal(loaded(pictures()), model(pictures()))


def test_a_trained_classifier_comes_with_its_head(tmp_path, pictures):
    trained = classifier().eval()
    trained.save_pretrained(tmp_path / "model")
    again = Classifier("resnet8", 4, 16, initial=str(tmp_path / "model")).eval()
    assert torch.equal(again(pictures()), trained(pictures()))
    other = Classifier("resnet8", 3, 16, initial=str(tmp_path / "model")).eval()
    assert torch.equal(other.features(pictures()), trained.features(pictures()))
    assert other(pictures()).shape == (8, 3)


def test_somebodys_state_dict_comes_with_its_head(tmp_path):
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18(num_classes=5).eval()
    torch.save(theirs.state_dict(), tmp_path / "theirs.pth")
    model = Classifier("resnet18", 5, 64, initial=str(tmp_path / "theirs.pth")).eval()
    images = torch.rand(2, 3, 64, 64)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normalised = (images - mean[:, None, None]) / std[:, None, None]
    torch.testing.assert_close(model(images), theirs(normalised), rtol=1e-4, atol=1e-5)


def test_it_is_the_first_branch_of_a_regulated_model(tmp_path, regulated, pictures):
    model = regulated().eval()
    assert isinstance(model.non_emotional, Classifier)
    model.non_emotional.save_pretrained(tmp_path / "branch")
    assert torch.equal(affekt.load(tmp_path / "branch")(pictures()), model(pictures()).non_emotional)


def test_a_module_can_be_the_backbone():
    class Flat(nn.Flatten):
        num_features = 3 * 16 * 16

    model = Classifier(Flat(), 2, 16)
    assert model(torch.rand(2, 3, 16, 16)).shape == (2, 2)
    with pytest.raises(UsageError, match="give it by name to save"):
        model.config()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_classes": 1}, "num_classes = 1: a classifier needs two classes or more"),
        ({"classes": ("a",)}, "classes: 1 names for 4 classes"),
        ({"initial": "no/such/file"}, "no such file or folder"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(UsageError, match=message):
        classifier(**options)


@pytest.mark.parametrize("name", ["torchvision", "timm"])
def test_a_pretrained_classifier_of_224_pixels_is_backbone_and_baseline(name, tmp_path, affect_network):
    """A state dict of another library, whole: the classifier and the first branch give its logits before any step."""
    torch.manual_seed(0)
    if name == "torchvision":
        theirs, backbone = torchvision.models.resnet18(num_classes=5), "resnet18"
    else:
        theirs, backbone = timm.create_model("vit_tiny_patch16_224", num_classes=5), "timm:vit_tiny_patch16_224"
    theirs.eval()
    torch.save({"state_dict": {f"module.{k}": v for k, v in theirs.state_dict().items()}}, tmp_path / "theirs.pth")
    images = torch.rand(2, 3, 224, 224)
    baseline = Classifier(backbone, 5, 224, initial=str(tmp_path / "theirs.pth")).eval()
    with torch.no_grad():
        expected = theirs((images - baseline.mean) / baseline.std)
        model = EmotionalRegulation(
            backbone, 5, 224, affect_network(), "concatenated", initial=str(tmp_path / "theirs.pth")
        ).eval()
        logits = baseline(images)
        torch.testing.assert_close(model(images).non_emotional, logits)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)


class Promising(nn.Module):
    """Says that it gives 5 features."""

    num_features = 5

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, images):
        return self.inner(images)


@pytest.mark.parametrize(("inner", "shape"), [(nn.Conv2d(3, 5, 3), r"\(8, 5, 14, 14\)"), (nn.Flatten(), r"\(8, 768\)")])
def test_a_module_that_breaks_its_promise_is_named(inner, shape, pictures):
    with pytest.raises(UsageError, match=f"backbone Promising: gives {shape} for a batch.*\\(B, 5\\)"):
        Classifier(Promising(inner), 3, 16)(pictures())


def test_transforms_of_torch_func_work(pictures):
    model = classifier().eval()
    one_by_one = torch.func.vmap(lambda image: model(image[None])[0])(pictures())
    torch.testing.assert_close(one_by_one, model(pictures()), rtol=1e-4, atol=1e-5)
