"""From affective pictures to a regulated model through our trainer, and what that path does not import."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from affekt.affect import RatingScale
from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.perception import AffectNetwork, AffectTask
from affekt.recipe import AugmentationSettings, TrainingSettings
from affekt.regulation import EmotionalRegulation, RegulationTask
from affekt.training import Trainer
from affekt.weighting import create_weighting

SETTINGS = TrainingSettings(epochs=2, batch_size=16, learning_rate=0.02, precision="fp32", device="cpu", threads=1)


def stimuli(n, seed):
    """Pictures whose red says the class, and whose green says the valence."""
    generator = np.random.default_rng(seed)
    category = generator.integers(0, 4, n)
    valence = generator.uniform(1, 7, n).astype(np.float32)
    pixels = generator.integers(0, 60, (n, 3, 16, 16))
    pixels[:, 0] += 50 * category[:, None, None]
    pixels[:, 1] += (25 * valence[:, None, None]).astype(int)
    labels = Labels(categories=tuple("abcd"), category=category, ratings={"valence": valence}, scale=RatingScale(1, 7))
    ids = np.array([f"{seed}-{i}" for i in range(n)])
    pictures = ArrayPictures(torch.as_tensor(pixels, dtype=torch.uint8))
    return Stimuli(name="t", ids=ids, pictures=pictures, labels=labels, groups=ids)


def run(tmp_path, **options):
    splits = {"train": stimuli(64, 0), "validation": stimuli(32, 1), "test": stimuli(32, 2)}
    torch.manual_seed(0)
    network = AffectNetwork("resnet8", {"ratings": ["valence"]}, 16, width=4, scale=(1, 7))
    affect = AffectTask(network, splits["train"].labels)
    Trainer(affect, splits, SETTINGS, workers=0).fit()
    affect.calibrate(splits["train"])
    torch.manual_seed(1)
    model = EmotionalRegulation("resnet8", 4, 16, network, width=4, start="random", classes=tuple("abcd"))
    task = RegulationTask(model, **options)
    trainer = Trainer(
        task,
        {**splits, "held-out": stimuli(24, 3)} if options else splits,
        SETTINGS,
        folder=tmp_path / "run",
        augmentation=AugmentationSettings(mixup=0.4, padding=2),
        weighting=create_weighting("softmax", task.loss_names),
        workers=0,
    )
    result = trainer.fit()
    return result, trainer.evaluate("test"), model


@pytest.mark.parametrize("options", [{}, {"affect_cache": True}], ids=["plain", "cache-and-held-out"])
def test_the_whole_path_is_the_same_twice(tmp_path, options):
    first, second = (run(tmp_path / str(i), **options) for i in range(2))
    assert first[0].steps == 8
    assert np.array_equal(first[1].outputs["log_probabilities"], second[1].outputs["log_probabilities"])
    assert {"accuracy", "nll", "influenced/accuracy", "regulation/mean"} <= first[1].metrics.keys()
    assert first[1].outputs["regulation"].shape == (32, 1)
    weights = second[2].state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in first[2].state_dict().items())


def test_the_path_imports_no_heavy_optional_package():
    code = """
import sys, torch, affekt
from affekt.regulation import RegulationTask
emotional = affekt.AffectNetwork("resnet8", heads={"ratings": ["valence"]}, image_size=16)
model = affekt.EmotionalRegulation("resnet8", 4, 16, emotional)
model.losses(model(torch.rand(2, 3, 16, 16)), torch.tensor([0, 1]))
RegulationTask(model)
heavy = ("torchjd", "tyro", "timm", "torchmetrics", "transformers", "pandas", "matplotlib")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
