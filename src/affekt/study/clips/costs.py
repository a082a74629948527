"""Costs: parameters and operations of training of what a recipe about clips describes; counted, not typed in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from affekt.data.audiovisual import Clips
from affekt.data.audiovisual.spectrogram import COLUMNS
from affekt.data.audiovisual.timeline import samples_per_frame
from affekt.errors import RecipeError, UsageError
from affekt.multimodal import AudioVisualTask
from affekt.multimodal.batch import AudioVisualBatch
from affekt.recipe import ClipSettings, Recipe
from affekt.study.clips.building import network_of
from affekt.study.clips.opening import listed, needs
from affekt.study.costs import PROBED, Cost, items_seen
from affekt.study.records import parameters

COUNTED = 1.0
"""Seconds of the clips on which operations are counted; a longer clip has as many times more."""

NOMINAL = 6.0
"""Seconds of a clip, where the recipe cuts none: the published window."""


def costs_of(
    conditions: Mapping[str, Recipe], trained: Mapping[str, Sequence[int]], *, data_root: Path | None
) -> dict[str, Cost]:
    """The cost of one run of each condition: its network made with random weights, operations counted on two clips.

    Args:
        conditions: name -> resolved recipe.
        trained: condition -> number of training clips of each fold.

    Raises:
        RecipeError: a network that cannot be made, with its condition.
        UsageError, DataError: as the reader of the set.
    """
    made: dict[str, Cost] = {}
    found = {}
    for name, resolved in conditions.items():
        # Conditions that differ by weighting or split alone have one network.
        key = repr((resolved.network, _read(resolved.clips)))
        if key not in made:
            made[key] = _cost(name, resolved, listed(resolved, data_root=data_root))
        seen = sum(items_seen(resolved.training, items) for items in trained[name])
        found[name] = replace(made[key], training=made[key].step * seen)
    return found


def counted_seconds(settings: ClipSettings) -> float:
    """Seconds of the clips that a plan's operations are of."""
    return settings.window or NOMINAL


def remarks(conditions: Mapping[str, Recipe]) -> list[str]:
    """What to know of the operations."""
    seconds = sorted({counted_seconds(resolved.clips) for resolved in conditions.values()})
    text = f"operations are counted on clips of {' or '.join(f'{s:g}' for s in seconds)} s; shorter ones take less"
    by_fft = any(r.network.audio == "raw" and _fft(r) for r in conditions.values())
    more = "of the convolution by FFT the transforms are not counted, and a complex product as a real one"
    return [text, more] if by_fft else [text]


def _fft(resolved: Recipe) -> bool:
    return resolved.network.audio_options.get("convolution", "fft") == "fft"


def _read(settings: ClipSettings) -> tuple[object, ...]:
    return settings.rate, settings.fps, settings.mels, settings.size, settings.window, settings.hop, settings.longer


def _cost(name: str, resolved: Recipe, clips: Clips) -> Cost:
    """Of a network; the training's operations are not known here."""
    plain = replace(resolved, network=replace(resolved.network, initial="random"))
    with torch.random.fork_rng(devices=[]):
        try:
            task = AudioVisualTask(network_of(plain, clips, seed=resolved.seed))
        except UsageError as error:
            raise RecipeError(f"[conditions.{name}]: {error}") from None
        step = counted(task, _batch(resolved)) * counted_seconds(resolved.clips) / COUNTED
    sizes = parameters(task.model)
    return Cost(trainable=sizes["trainable"], total=sizes["total"], step=step, training=0.0, pretraining=0.0)


def _batch(resolved: Recipe) -> AudioVisualBatch:
    """Noise, as the network reads it."""
    settings, given = resolved.clips, needs(resolved)
    frames = max(1, round(COUNTED * settings.fps))
    side = settings.size
    sound = {
        "log-mel": (PROBED, COLUMNS * frames, settings.mels),
        "audio": (PROBED, frames * samples_per_frame(settings.rate, settings.fps)),
    }
    heard = next((torch.rand(shape) for name, shape in sound.items() if name in given), None)
    seen = (frames, 3, side, side) if "faces" in given else (0, 3, 1, 1)
    return AudioVisualBatch(
        images=torch.rand(PROBED, *seen),
        audio=heard,
        labels={task: torch.zeros(PROBED, dtype=torch.int64) for task in settings.tasks},
        items=torch.arange(PROBED),
        epoch=0,
        step=0,
    )


def counted(task: AudioVisualTask, batch: AudioVisualBatch) -> float:
    """Operations of a forward and a backward pass of a task's losses, an item of the batch."""
    task.train()
    with FlopCounterMode(display=False, custom_mapping=LSTM) as counter:
        total = torch.stack(list(task.losses(batch).values())).sum()
        torch.autograd.backward(total)
    task.zero_grad(set_to_none=True)
    return float(counter.get_total_flops()) / len(batch.items)


def _lstm(steps: Sequence[int], inputs: Sequence[int], states: Sequence[int], *_: Any, **__: Any) -> int:
    """Operations of a layer, by the shapes of what goes in and of the weights that it is multiplied by."""
    return 2 * math.prod(steps[:-1]) * (math.prod(inputs) + math.prod(states))


def _lstm_backward(*shapes: Any, **_: Any) -> int:
    return 2 * _lstm(*shapes)


LSTM = {
    torch.ops.aten.mkldnn_rnn_layer: _lstm,
    torch.ops.aten.mkldnn_rnn_layer_backward: _lstm_backward,
}
"""oneDNN's LSTM, which a CPU runs as one operation, and which torch's counter does not know."""
