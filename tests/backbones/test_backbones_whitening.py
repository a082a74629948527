"""Whitening: what comes out of a filled layer, and that filling it depends on pictures alone."""

import pytest
import torch
from torch.nn import functional as F

from affekt.backbones import create_backbone, whiten
from affekt.backbones.whitening import EPSILON, Whitening, directions
from affekt.perception import AffectNetwork
from affekt.regulation import Classifier, EmotionalRegulation
from affekt.saving import load

NAME = "resnet9-whitened-w4"


def pictures(n=24, *, size=12, seed=0, grey=False):
    """Smooth coloured noise, so that neighbouring pixels are alike."""
    made = torch.rand(n, 1 if grey else 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    smooth = F.interpolate(made, (size, size), mode="bilinear").expand(-1, 3, -1, -1)
    return smooth.mul(255).byte().contiguous()


def classifier(**options):
    torch.manual_seed(0)
    return Classifier(NAME, 3, 12, **options)


def layer_of(model):
    (found,) = (m for m in model.modules() if isinstance(m, Whitening))
    return found


def test_what_comes_out_is_white():
    """Variance v / (v + epsilon) along each direction, no correlation between two, and the same with the other sign."""
    model, images = classifier(), pictures()
    assert whiten(model, [images]) == 1
    normalised = (images.float() / 255 - 0.5) / 0.25
    seen = F.conv2d(normalised, layer_of(model).weight).double().transpose(0, 1).flatten(1)
    covariance = torch.cov(seen, correction=0)
    patches = F.unfold(normalised.double(), 2).transpose(0, 1).flatten(1)
    variances = torch.linalg.eigvalsh(torch.cov(patches, correction=0)).flip(0)
    assert torch.allclose(covariance[:12, :12], torch.diag(variances / (variances + EPSILON)), atol=1e-4)
    assert torch.equal(layer_of(model).weight[12:], -layer_of(model).weight[:12])


def test_the_normalisation_is_that_of_the_network():
    other = classifier()
    other.std.copy_(torch.tensor([0.1, 0.2, 0.4]).view(1, 3, 1, 1))
    images = pictures()
    whiten(other, [images])
    seen = F.conv2d((images.float() / 255 - other.mean) / other.std, layer_of(other).weight)
    assert torch.allclose(seen.transpose(0, 1).flatten(1).var(1)[:4], torch.ones(4), atol=0.01)


def test_batches_kind_of_numbers_and_threads_do_not_matter():
    images = pictures()
    one, many, floats = classifier(), classifier(), classifier()
    whiten(one, [images])
    whiten(many, images.flip(0).split(5))
    whiten(floats, [images.float() / 255 + 1e-3])  # a quarter of a grey value off, as a resize may leave it
    assert torch.equal(layer_of(one).weight, layer_of(many).weight)
    assert torch.equal(layer_of(one).weight, layer_of(floats).weight)


def test_filled_once_and_learned_by_nobody():
    model = classifier()
    assert not layer_of(model).filled and layer_of(model).weight.any()
    whiten(model, [pictures()])
    before = layer_of(model).weight.clone()
    assert whiten(model, iter([])) == 0, "nothing to fill looks at no picture"
    assert whiten(model, [pictures(seed=1)]) == 0 and torch.equal(layer_of(model).weight, before)
    model.requires_grad_(True)
    assert "weight" not in dict(layer_of(model).named_parameters())


def test_signs_are_settled():
    covariance = torch.cov(torch.rand(5, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    found = directions(covariance)
    assert (found.gather(1, found.abs().argmax(1, keepdim=True)) > 0).all()
    lengths = found.norm(dim=1)
    assert (lengths.diff() > 0).all(), "the direction of the largest variance first"


def test_colour_that_grey_pictures_do_not_have_is_not_made_loud():
    model = classifier()
    whiten(model, [pictures(grey=True)])
    assert (layer_of(model).weight.flatten(1).norm(dim=1) > 0).sum() == 8, "4 of 12 directions, both signs"


def test_saved_with_the_model(tmp_path):
    model = classifier()
    whiten(model, [pictures()])
    model.save_pretrained(tmp_path / "model")
    again = load(tmp_path / "model")
    assert torch.equal(layer_of(again).weight, layer_of(model).weight) and layer_of(again).filled
    started = create_backbone(NAME, in_size=12, initial=tmp_path / "model")
    assert torch.equal(layer_of(started).weight, layer_of(model).weight) and layer_of(started).filled


@pytest.mark.parametrize(("influence", "filled"), [("added", 2), ("initialised", 1)])
def test_both_branches_of_a_regulated_model_have_one(influence, filled):
    """Those of an emotional encoder, and of a branch that starts from it, stay as its own pictures made them."""
    torch.manual_seed(0)
    emotional = AffectNetwork(NAME, {"ratings": ["valence"]}, 12)
    whiten(emotional, [pictures(seed=1)])
    of_faces = layer_of(emotional).weight.clone()
    model = EmotionalRegulation(NAME, 3, 12, emotional, influence)
    assert whiten(model, [pictures()]) == filled
    alone = classifier()
    whiten(alone, [pictures()])
    assert torch.equal(layer_of(model.emotional).weight, of_faces)
    assert torch.equal(layer_of(model.non_emotional).weight, layer_of(alone).weight)
    expected = of_faces if influence == "initialised" else layer_of(alone).weight
    assert torch.equal(layer_of(model.influence).weight, expected)
    assert torch.isfinite(model(pictures(4)).log_probabilities).all()
