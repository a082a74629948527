"""Tiny tasks and stimuli: what the tests of the engine train, in milliseconds."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softmax

from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.randomness import generator, torch_seed
from affekt.recipe import AugmentationSettings, TrainingSettings
from affekt.training import Batch, Task, Trainer

CLASSES = ("red", "green", "blue")


def stimuli(n: int = 40, *, seed: int = 0, size: int = 8, name: str = "tiny") -> Stimuli:
    """``n`` pictures of noise whose colour tells their class."""
    rng = generator("tiny", name, seed)
    category = rng.integers(0, len(CLASSES), n)
    pixels = rng.integers(0, 180, (n, 3, size, size), dtype=np.uint8)
    pixels[np.arange(n), category] += 40
    return Stimuli(
        name=name,
        ids=np.array([f"{name}-{i:03d}" for i in range(n)]),
        pictures=ArrayPictures(torch.from_numpy(pixels)),
        labels=Labels(categories=CLASSES, category=category.astype(np.int64)),
        groups=np.array([str(i) for i in range(n)]),
    )


class TinyTask(Task):
    """Classes by a small network, with two named losses."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    @property
    def loss_names(self) -> tuple[str, ...]:
        return ("class", "size")

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        scores = self.model(batch.images).float()
        return {"class": cross_entropy(scores, batch.labels["category"]), "size": 0.01 * scores.square().mean()}

    def outputs(self, batch: Batch) -> dict[str, Tensor]:
        return {"probabilities": softmax(self.model(batch.images).float(), dim=1)}

    def metrics(self, outputs: Any, labels: Labels) -> dict[str, float]:
        assert labels.category is not None
        return {"accuracy": float((outputs["probabilities"].argmax(1) == labels.category).mean())}


class Norm(nn.Module):
    """LayerNorm over the channels of a picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, images: Tensor) -> Tensor:
        normed: Tensor = self.norm(images.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return normed


def network(norm: str = "batch", dropout: float = 0.0, width: int = 4) -> nn.Module:
    """Two convolutions and a head."""
    between = nn.BatchNorm2d(width) if norm == "batch" else Norm(width)
    return nn.Sequential(
        nn.Conv2d(3, width, 3, stride=2),
        between,
        nn.ReLU(),
        nn.Conv2d(width, width, 2),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(4 * width, len(CLASSES)),
    )


def task(norm: str = "batch", dropout: float = 0.0, *, seed: int = 0) -> TinyTask:
    with torch_seed("tiny", seed):
        return TinyTask(network(norm, dropout))


def settings(**keys: Any) -> TrainingSettings:
    """Settings for the tiny task; float32, so that what is compared does not depend on the machine's precision."""
    defaults = {
        "epochs": 3,
        "batch_size": 8,
        "learning_rate": 0.02,
        "log_every": 2,
        "precision": "fp32",
        "device": "cpu",
    }
    return TrainingSettings(**(defaults | keys))


def data(n: int = 40, held_out: int = 0) -> dict[str, Stimuli]:
    """Train and validation, and a held-out companion where asked for."""
    splits = {"train": stimuli(n), "validation": stimuli(20, name="other")}
    return splits | ({"held-out": stimuli(held_out, name="held")} if held_out else {})


def trainer(folder: Any = None, *, of: TinyTask | None = None, **keys: Any) -> Trainer:
    """A trainer of the tiny task with light augmentation; ``keys`` are of the Trainer or of its settings."""
    own = {"augmentation", "weighting", "weighting_learning_rate", "gradient_cosine", "seed", "progress", "recipe_hint"}
    own |= {"image_size"}
    mine = {k: keys.pop(k) for k in list(keys) if k in own}
    splits = keys.pop("data", None) or data()
    mine.setdefault("augmentation", AugmentationSettings(padding=1))
    return Trainer(of or task(), splits, settings(**keys), folder=folder, **mine)


def weights(task: Task) -> dict[str, Tensor]:
    """A copy of all its tensors."""
    return {name: tensor.clone() for name, tensor in task.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Equal to the bit."""
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)
