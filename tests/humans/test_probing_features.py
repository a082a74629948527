"""Features of a probe: layers against hand-made passes, projection against its matrix, baselines by hand."""

import numpy as np
import pytest
import torch
from torch import nn

import affekt
from affekt.backbones import create_backbone
from affekt.data import ArrayPictures, Labels, Stimuli
from affekt.data.loading import Loader
from affekt.errors import UsageError
from affekt.humans.probing import Layers, ProbeSettings, Projection, by_name, enough_dimensions, saved
from affekt.humans.probing.baselines import low_level, pixels
from affekt.humans.probing.extracting import extract
from affekt.humans.probing.layers import averaged
from affekt.regulation.absent import NoEmotion


@pytest.fixture(scope="module")
def images():
    return torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def resnet():
    return create_backbone("resnet8-w4", in_size=32, seed=0).eval()


class TestLayers:
    def test_stages_are_what_the_next_one_is_given(self, resnet, images):
        trunk = resnet.trunk
        with torch.inference_mode():
            found = Layers(resnet, ["stages", "map"])(images)
            x = torch.relu(trunk.bn1(trunk.conv1(images)))
            expected = {}
            for number, stage in enumerate((trunk.layer1, trunk.layer2, trunk.layer3), 1):
                expected[f"stage-{number}"] = x.mean((2, 3))
                x = stage(x)
        expected["last"] = expected["map"] = x.mean((2, 3))
        assert set(found) == set(expected)
        for layer, value in expected.items():
            torch.testing.assert_close(found[layer], value)

    def test_single_stages_and_modules_by_name(self, resnet, images):
        with torch.inference_mode():
            every = Layers(resnet, ["stages"])(images)
            found = Layers(resnet, ["stage-2", "layer1.0.conv1"])(images)
            first = torch.relu(resnet.trunk.bn1(resnet.trunk.conv1(images)))
            expected = resnet.trunk.layer1[0].conv1(first).mean((2, 3))
        assert list(found) == ["layer1.0.conv1", "stage-2"]
        torch.testing.assert_close(found["stage-2"], every["stage-2"])
        torch.testing.assert_close(found["layer1.0.conv1"], expected)

    def test_what_works_in_place_behind_a_module_does_not_change_what_is_noted(self):
        backbone = create_backbone("alexnet", in_size=64, seed=0).eval()
        with torch.inference_mode():
            found = Layers(backbone, ["features.0"], pool="flat")(torch.randn(1, 3, 64, 64))
        assert found["features.0"].min() < 0

    def test_the_papers_names_of_alexnets_layers(self):
        backbone = create_backbone("alexnet", in_size=64, seed=0).eval()
        with torch.inference_mode():
            found = Layers(backbone, ["conv2", "features.4"])(torch.randn(1, 3, 64, 64))
        assert torch.equal(found["conv2"], found["features.4"]) and found["conv2"].min() >= 0

    @pytest.mark.parametrize("word", ["stage-9", "layer9", "stage-0"])
    def test_layers_that_there_are_not(self, resnet, word):
        with pytest.raises(UsageError, match=f'layer "{word}": unknown'):
            Layers(resnet, [word])

    def test_every_number_of_a_layer(self, resnet, images):
        with torch.inference_mode():
            found = Layers(resnet, ["map", "last"], pool="flat")(images)
            torch.testing.assert_close(found["map"], resnet.feature_map(images).flatten(1))
            torch.testing.assert_close(found["last"], resnet(images))

    def test_long_layers_are_projected_and_short_ones_are_not(self, resnet, images):
        with torch.inference_mode():
            flat = Layers(resnet, ["map", "last"], pool="flat")(images)
            found = Layers(resnet, ["map", "last"], pool="flat", dimensions=50, seed=3)(images)
        assert flat["map"].shape[1] > 50 > flat["last"].shape[1]
        torch.testing.assert_close(found["last"], flat["last"])
        torch.testing.assert_close(found["map"], Projection(flat["map"].shape[1], 50, seed=3)(flat["map"]))

    def test_the_network_is_left_as_it_was(self, resnet, images):
        with torch.inference_mode():
            before = resnet(images)
            layers = Layers(resnet, ["stages"])
            first = layers(images)
            assert torch.equal(resnet(images), before) and torch.equal(layers(images)["stage-1"], first["stage-1"])
        assert not any(m._forward_pre_hooks for m in resnet.modules())

    @pytest.mark.parametrize("name", ["alexnet", "vit_b_32", "swin_t", "densenet121"])
    def test_other_families_have_stages_too(self, name):
        backbone = create_backbone(name, in_size=64, seed=0).eval()
        with torch.inference_mode():
            found = Layers(backbone, ["stages"])(torch.zeros(1, 3, 64, 64))
        assert list(found) == [*(f"stage-{i}" for i in range(1, len(backbone.stages()))), "last"]
        # VGG and AlexNet have a long vector between their convolutions and linear layers; nothing else is flattened.
        assert all(x.ndim == 2 and x.shape[1] <= 4096 for x in found.values())

    def test_channels_are_found_first_or_last_and_tokens_are_averaged(self):
        x = torch.randn(2, 5, 4, 4)
        torch.testing.assert_close(averaged(x), x.mean((2, 3)))
        torch.testing.assert_close(averaged(x.permute(0, 2, 3, 1)), x.mean((2, 3)))
        torch.testing.assert_close(averaged(x.flatten(2).mT), x.mean((2, 3)))
        torch.testing.assert_close(averaged(x[:, :, 0, 0]), x[:, :, 0, 0])

    def test_a_network_without_a_map(self):
        backbone = create_backbone("timm:coat_tiny", in_size=224, seed=0).eval()
        with pytest.raises(UsageError, match="coat_tiny: has no feature map; ask for its other layers: --layers last"):
            Layers(backbone, ["map"])

    def test_a_module_of_somebodys_own(self, images):
        module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        assert Layers(module, ["last"])(images)["last"].shape == (3, 3)
        with pytest.raises(UsageError, match="Sequential: does not say which stages it has"):
            Layers(module, ["stages"])

    def test_an_unknown_word(self, resnet):
        with pytest.raises(UsageError, match=r'layer "mapp": unknown. Nearest: map'):
            Layers(resnet, ["mapp"])


class TestProjection:
    def test_cells_are_nought_or_one_of_two_numbers(self):
        matrix = Projection(400, 300, seed=1)(torch.eye(400)).T
        size = (400**0.5 / 300) ** 0.5
        values = matrix.unique()
        torch.testing.assert_close(values, torch.tensor([-size, 0.0, size]))
        share = (matrix != 0).double().mean().item()
        assert share == pytest.approx(1 / 20, rel=0.05)
        assert (matrix > 0).double().mean().item() == pytest.approx(share / 2, rel=0.05)

    def test_distances_are_kept(self):
        x = torch.randn(12, 5000, generator=torch.Generator().manual_seed(0))
        projected = Projection(5000, 2000, seed=0)(x)
        ratio = (torch.pdist(projected) / torch.pdist(x)) ** 2
        assert ratio.min() > 0.85 and ratio.max() < 1.15

    def test_it_is_a_function_of_the_seed(self):
        x = torch.randn(2, 100)
        one, two, three = (Projection(100, 20, seed=seed)(x) for seed in (0, 0, 1))
        assert torch.equal(one, two) and not torch.equal(one, three)

    def test_enough_dimensions(self):
        assert enough_dimensions(900) == 5831  # 4 ln 900 / (0.005 - 0.001 / 3) = 5830.6
        assert enough_dimensions(900, 0.5) == 327


class TestBaselines:
    def test_pixels(self):
        images = torch.arange(2 * 3 * 64 * 64).reshape(2, 3, 64, 64).remainder(256).byte()
        found = pixels(images)
        assert found.shape == (2, 3072)
        assert found[1, 33].item() == pytest.approx(images[1, 0, 2:4, 2:4].double().mean().item() / 255)

    def test_low_level(self):
        image = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
        image[0, 0] = torch.tensor([[255, 0], [255, 0]])
        image[0, 1] = 51
        found = low_level(image)[0].tolist()
        # red 1 or 0, green 0.2: luminance is 0.2126 apart from left to right, saturation 1 or 0.2.
        assert found == pytest.approx([0.5, 0.2, 0, 0.5, 0, 0, 0.1063, 0.6, 0.2126], abs=1e-6)


def stimuli(n=70, side=40):
    rng = np.random.default_rng(0)
    pictures = torch.from_numpy(rng.integers(256, size=(n, 3, side, side), dtype=np.uint8))
    ids = np.array([f"p{i}" for i in range(n)])
    return Stimuli(name="set", ids=ids, pictures=ArrayPictures(pictures), labels=Labels(), groups=ids)


class TestExtracting:
    settings = ProbeSettings(image_size=32)

    def test_a_network_sees_pictures_in_its_size_and_normalisation(self):
        people = stimuli()
        told = []
        found = extract(
            by_name("resnet8-w4", "random", self.settings).open(["last"]), Loader(people), advance=told.append
        )
        backbone = create_backbone("resnet8-w4", in_size=32, seed=0).eval()
        x = nn.functional.interpolate(people.images(np.arange(70)) / 255, (32, 32), mode="bilinear", antialias=True)
        with torch.inference_mode():
            expected = backbone((x - 0.5) / 0.25)
        assert sum(told) == 70 and found["last"].dtype == np.float32
        np.testing.assert_allclose(found["last"], expected, atol=1e-5)

    def test_saved_models(self):
        people = stimuli(n=5)
        network = affekt.AffectNetwork("resnet8-w4", {"ratings": ["valence"]}, 32).eval()
        network.mean.fill_(0.3)
        regulated = affekt.EmotionalRegulation("resnet8-w4", 3, 32, emotional=network, influence="added").eval()
        images = people.images(np.arange(5))
        with torch.inference_mode():
            expected = network(images).features
            own = regulated.non_emotional.features(images)
        opened = saved("mine", network, self.settings, image_size=32, fit="crop").open(["last", "stages"])
        found = extract(opened, Loader(people))
        np.testing.assert_allclose(found["last"], expected, atol=1e-6)
        assert "stage-3" in found
        parts = extract(saved("r", regulated, self.settings, image_size=32, fit="crop").open(["last"]), Loader(people))
        assert list(parts) == ["non-emotional", "influenced", "emotional"]
        np.testing.assert_allclose(parts["emotional"], expected, atol=1e-6)
        np.testing.assert_allclose(parts["non-emotional"], own, atol=1e-6)

    def test_layers_of_a_regulated_models_encoders(self):
        people = stimuli(n=5)
        network = affekt.AffectNetwork("resnet8-w6", {"ratings": ["valence"]}, 32).eval()
        network.mean.fill_(0.3)
        regulated = affekt.EmotionalRegulation("resnet14-w4", 3, 32, emotional=network, influence="added").eval()
        subject = saved("r", regulated, self.settings, image_size=32, fit="crop")
        found = extract(subject.open(["stages", "layer1.1"]), Loader(people))
        stages = [f"{part}/stage-{k}" for part in ("non-emotional", "emotional") for k in (1, 2, 3)]
        assert set(found) == {*stages, "non-emotional/layer1.1", "non-emotional", "influenced", "emotional"}
        own = extract(saved("e", network, self.settings, image_size=32, fit="crop").open(["stages"]), Loader(people))
        for stage in (1, 2, 3):
            np.testing.assert_allclose(found[f"emotional/stage-{stage}"], own[f"stage-{stage}"], atol=1e-6)
        np.testing.assert_allclose(found["emotional"], own["last"], atol=1e-6)
        assert list(extract(subject.open(["layer1.1"]), Loader(people))) == ["non-emotional/layer1.1"]
        with pytest.raises(UsageError, match='layer "layer9": unknown'):
            subject.open(["layer9"])

    def test_a_model_without_a_backbone_is_refused(self):
        with pytest.raises(UsageError, match=r"^mine: a Linear, which has no backbone; give an affect network"):
            saved("mine", nn.Linear(2, 2), self.settings, image_size=32, fit="crop")

    def test_layers_where_no_third_network_looks_on(self):
        emotional = NoEmotion()
        mixture = affekt.EmotionalRegulation("resnet8-w4", 3, 32, emotional, "independent", "constant").eval()
        subject = saved("m", mixture, self.settings, image_size=32, fit="crop")
        found = extract(subject.open(["stage-1", "last"]), Loader(stimuli(n=5)))
        assert list(found) == ["non-emotional/stage-1", "non-emotional", "influenced"]

    def test_the_twin_of_a_saved_model_has_its_shape_and_other_weights(self):
        network = affekt.AffectNetwork("resnet8-w4", {"ratings": ["valence"]}, 32).eval()
        subject = saved("mine", network, self.settings, image_size=32, fit="crop")
        one, two = subject.twin(), subject.twin()
        assert one.name == "mine (random)" and one.control
        assert one.identity == two.identity and one.identity["weights"] != subject.identity["weights"]
