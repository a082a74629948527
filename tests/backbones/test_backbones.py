"""What every family promises, in one inherited class: a new family costs ten lines below it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from affekt.backbones import Backbone, create_backbone

SIZE = 32


def batch(backbone: Backbone, n: int = 4, seed: int = 0) -> Tensor:
    shape = (n, backbone.in_channels, backbone.in_size, backbone.in_size)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def assert_same(found: Tensor, expected: Tensor) -> None:
    """Equal up to rounding, measured against the largest feature."""
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4 * expected.detach().abs().max().item())


class BackboneContract:
    """The promises; a family gives a name and says whether its features are the mean of its map."""

    name: str
    options: ClassVar[dict[str, Any]] = {}
    mean_of_map = True
    features: int
    map_side = SIZE // 8

    @pytest.fixture(scope="class")
    def made(self) -> Backbone:
        return create_backbone(self.name, in_size=SIZE, seed=0, **self.options)

    @pytest.fixture(scope="class")
    def settled(self, made: Backbone) -> Backbone:
        """With statistics in its batch norms: without any, some families' features vanish (1e-9)."""
        backbone = copy.deepcopy(made).train()
        for module in backbone.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
        with torch.no_grad():
            backbone(batch(backbone, 8, seed=1))
        return backbone.eval()

    @pytest.fixture
    def backbone(self, settled: Backbone) -> Backbone:
        return copy.deepcopy(settled)

    def test_forward(self, backbone: Backbone) -> None:
        images = batch(backbone)
        features = backbone(images)
        assert features.shape == (4, self.features) == (4, backbone.num_features)
        assert torch.isfinite(features).all()
        assert (features[0] - features[1]).abs().max() > 1e-3 * features.abs().max(), "two pictures, one vector"

    def test_feature_map(self, backbone: Backbone) -> None:
        images = batch(backbone)
        found = backbone.feature_map(images)
        assert found is not None
        assert found.shape[0] == 4 and found.shape[2:] == (self.map_side, self.map_side)
        if self.mean_of_map:
            assert_same(found.mean((2, 3)), backbone(images))

    def test_stages_hold_every_parameter_once(self, backbone: Backbone) -> None:
        stages = backbone.stages()
        held = [id(p) for stage in stages for p in stage.parameters()]
        assert len(stages) >= 3
        assert len(held) == len(set(held))
        assert set(held) == {id(p) for p in backbone.parameters()}
        assert all(any(p.ndim > 1 for p in stage.parameters()) for stage in stages)

    def test_stages_run_from_input_to_output(self, backbone: Backbone) -> None:
        first = next(m for m in backbone.modules() if isinstance(m, nn.Conv2d))
        stages = backbone.stages()
        assert any(p is first.weight for p in stages[0].parameters())
        stages[-1].requires_grad_(False)
        assert first.weight.requires_grad
        assert not all(p.requires_grad for p in backbone.parameters())

    def test_train_step(self, backbone: Backbone) -> None:
        images, targets = batch(backbone, 8), torch.arange(8) % 2
        torch.manual_seed(0)
        model = nn.Sequential(backbone, nn.Linear(backbone.num_features, 2))
        optimiser = torch.optim.SGD(model.parameters(), lr=0.002)
        before = loss = nn.functional.cross_entropy(model.train()(images), targets)
        for _ in range(3):
            optimiser.zero_grad()
            loss.backward()
            assert all(p.grad is not None for p in model.parameters()), "a parameter that nothing depends on"
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            loss = nn.functional.cross_entropy(model(images), targets)
        assert loss.item() < before.item()

    def test_save_and_load(self, backbone: Backbone, tmp_path: Path) -> None:
        images = batch(backbone)
        save_file({k: v.clone() for k, v in backbone.state_dict().items()}, tmp_path / "weights.safetensors")
        other = create_backbone(self.name, in_size=SIZE, seed=1, **self.options).eval()
        expected = backbone(images)
        assert not torch.equal(other(images), expected)
        other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
        assert torch.equal(other(images), expected)

    def test_initial_from_its_own_file(self, backbone: Backbone, tmp_path: Path) -> None:
        save_file({k: v.clone() for k, v in backbone.state_dict().items()}, tmp_path / "weights.safetensors")
        path = tmp_path / "weights.safetensors"
        other = create_backbone(self.name, in_size=SIZE, seed=1, initial=path, **self.options).eval()
        assert torch.equal(other(batch(backbone)), backbone(batch(backbone)))

    def test_random_weights_are_a_function_of_the_seed(self, made: Backbone) -> None:
        state = torch.get_rng_state()
        again = create_backbone(self.name, in_size=SIZE, seed=0, **self.options)
        assert torch.equal(torch.get_rng_state(), state)
        assert all(torch.equal(a, b) for a, b in zip(made.parameters(), again.parameters(), strict=True))

    def test_compile(self, backbone: Backbone) -> None:
        torch.compiler.reset()
        images = batch(backbone)
        compiled = torch.compile(backbone, backend="aot_eager")
        assert_same(compiled(images), backbone(images))

    def test_export(self, backbone: Backbone) -> None:
        images = batch(backbone)
        program = torch.export.export(backbone, (images,))
        assert_same(program.module()(images), backbone(images))


class TestOurs(BackboneContract):
    name, features, map_side = "resnet8", 64, SIZE // 4

    @pytest.mark.slow
    def test_inductor(self, backbone: Backbone) -> None:
        torch.compiler.reset()
        images = batch(backbone)
        compiled = torch.compile(backbone)
        assert_same(compiled(images), backbone(images))


class TestOursOfWidth(BackboneContract):
    name, features, map_side = "resnet8-w8", 32, SIZE // 4


class TestTorchvisionResNet(BackboneContract):
    name, features, options = "resnet18", 128, {"width": 16}


class TestSqueezeNet(BackboneContract):
    name, features, options = "squeezenet1_1", 512, {"dropout": 0.0}


class TestMobileNet(BackboneContract):
    name, features = "mobilenet_v2", 1280


class TestTimmVisionTransformer(BackboneContract):
    name, features, mean_of_map, map_side = "vit_tiny_patch16_224", 48, False, 8
    options: ClassVar[dict[str, Any]] = {"width": 48, "depth": 3}


class TestTimmConvNeXt(BackboneContract):
    name, features, mean_of_map = "timm:convnext_atto", 160, False
    options: ClassVar[dict[str, Any]] = {"depths": (1, 1, 2, 1), "dims": (20, 40, 80, 160)}


class TestTimmResNet(BackboneContract):
    name, features, options = "timm:resnet10t", 512, {}


@pytest.mark.slow
class TestTorchvisionResNet18(BackboneContract):
    name, features = "resnet18", 512


@pytest.mark.slow
class TestTimmResNet18(BackboneContract):
    name, features = "timm:resnet18", 512


@pytest.mark.slow
class TestVgg(BackboneContract):
    name, features, mean_of_map, options = "vgg11", 512, False, {"dropout": 0.0}


@pytest.mark.slow
class TestAlexNet(BackboneContract):
    name, features, mean_of_map, map_side = "alexnet", 512, False, 3
    options: ClassVar[dict[str, Any]] = {"dropout": 0.0}


@pytest.mark.slow
class TestEfficientNet(BackboneContract):
    name, features = "efficientnet_b0", 1280


@pytest.mark.slow
class TestTorchvisionVisionTransformer(BackboneContract):
    name, features, mean_of_map, map_side = "vit_b_16", 768, False, 8


@pytest.mark.slow
class TestConvNeXt(BackboneContract):
    name, features, mean_of_map = "convnext_tiny", 768, False


@pytest.mark.slow
class TestDenseNet(BackboneContract):
    name, features = "densenet121", 1024


@pytest.mark.slow
class TestTorchvisionSwin(BackboneContract):
    name, features = "swin_t", 768


@pytest.mark.slow
class TestTimmSwin(BackboneContract):
    name, features = "timm:swin_tiny_patch4_window7_224", 768


@pytest.mark.slow
class TestRegNet(BackboneContract):
    name, features = "regnet_y_400mf", 440


@pytest.mark.slow
class TestShuffleNet(BackboneContract):
    name, features = "shufflenet_v2_x0_5", 1024


@pytest.mark.slow
class TestMnasNet(BackboneContract):
    name, features = "mnasnet0_5", 1280


@pytest.mark.slow
class TestGoogLeNet(BackboneContract):
    name, features = "googlenet", 1024
