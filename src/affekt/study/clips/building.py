"""Building: the network, the task and the feed that a recipe about clips describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from affekt.data.audiovisual import ClassLabels, ClipAugmentation, Clips
from affekt.errors import RecipeError
from affekt.multimodal import AudioVisualNetwork, AudioVisualTask, ClipFeed
from affekt.randomness import torch_seed
from affekt.recipe import Recipe, TrainingSettings
from affekt.study.clips.absent import NOTHING
from affekt.study.clips.opening import learned_tasks, needs


def network_of(recipe: Recipe, clips: Clips, *, seed: int) -> AudioVisualNetwork:
    """The network of ``[network]``, its random parts fixed by ``seed``; classes are those of the clips.

    Raises:
        RecipeError: a log-mel front end of other bands than those that are read.
        UsageError: what :class:`AudioVisualNetwork` refuses.
    """
    settings = recipe.network
    tasks = {task: clips.task(task).classes for task in learned_tasks(recipe)}
    with torch_seed("audio-visual network", seed):
        return AudioVisualNetwork(
            {task: len(classes) for task, classes in tasks.items()},
            audio=_named(settings.audio),
            video=_named(settings.video),
            video_size=settings.video_size,
            recurrent=settings.recurrent,
            hidden=settings.hidden,
            layers=settings.layers,
            fusion=settings.fusion,
            dropout=settings.dropout,
            modality_dropout=settings.modality_dropout,
            classes=tasks,
            rate=recipe.clips.rate,
            fps=recipe.clips.fps,
            audio_options=_audio_options(recipe),
            initial=settings.initial,
            width=settings.width,
            reading=_reading(recipe, clips),
        )


def _named(part: str) -> str | None:
    return None if part == NOTHING else part


def _audio_options(recipe: Recipe) -> dict[str, Any]:
    options: dict[str, Any] = dict(recipe.network.audio_options)
    if recipe.network.audio == "log-mel" and options.setdefault("mels", recipe.clips.mels) != recipe.clips.mels:
        raise RecipeError(
            f"[network] audio_options.mels = {options['mels']}, but [clips] mels = {recipe.clips.mels}; write the "
            "latter"
        )
    return options


def _reading(recipe: Recipe, clips: Clips) -> dict[str, Any]:
    """How clips must be read to be shown to the network."""
    return {
        **clips.media.reading.to_json(),
        "features": list(needs(recipe)),
        "longer": recipe.clips.longer,
        "hop": recipe.clips.hop,
        **({"composed": clips.composed} if clips.composed else {}),
    }


def task_of(recipe: Recipe, clips: Clips, train: Clips, *, seed: int) -> AudioVisualTask:
    """What the trainer trains, on ``train`` of ``clips``."""
    network = network_of(recipe, clips, seed=seed)
    shares = {task: _shares(train.task(task)) for task in network.tasks} if recipe.network.balanced else None
    return AudioVisualTask(network, label_smoothing=recipe.training.label_smoothing, shares=shares, seed=seed)


def _shares(labels: ClassLabels) -> list[float]:
    """Of the clips whose class is known; each class has one at least, or the split would have been refused."""
    counts = labels.counts()
    return [counts[name] / sum(counts.values()) for name in labels.classes]


def feed_of(recipe: Recipe, parts: Mapping[str, Clips], *, seed: int) -> ClipFeed:
    """The batches of these splits."""
    given = needs(recipe)
    hears: Literal["audio", "log-mel"] | None = (
        "log-mel" if "log-mel" in given else "audio" if "audio" in given else None
    )
    return ClipFeed(
        parts,
        hears=hears,
        sees="faces" in given,
        augmentation=ClipAugmentation(recipe.clip_augmentation, rate=recipe.clips.rate, fps=recipe.clips.fps),
        seed=seed,
        workers=recipe.clips.workers,
    )


MOST_AT_ONCE = 32
"""Clips of samples or faces in one step of evaluation: of 500 clips of 6 s the published network's first convolution
alone makes 8 GB."""


def engine_of(recipe: Recipe) -> TrainingSettings:
    """``[training]``, with smaller steps of evaluation for a network that reads more than spectrograms."""
    size = recipe.training.evaluation_batch_size
    small = size if needs(recipe) == ("log-mel",) else min(size, MOST_AT_ONCE)
    return replace(recipe.training, evaluation_batch_size=small)
