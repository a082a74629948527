"""Identity: what makes two trainings the same; a checkpoint of another one is refused with the keys that differ."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import nn

from affekt.data.stimuli import Labels, Strings
from affekt.errors import UsageError, first
from affekt.recipe import TrainingSettings, flatten, to_dict
from affekt.training.logging import plain
from affekt.weighting import WEIGHTINGS, Weighting

OF_THE_MACHINE = ("threads", "keep_checkpoints", "tensorboard", "halve_when_full")
"""Training settings that may change between two calls of one run."""


def identity(
    settings: TrainingSettings,
    *,
    seed: int,
    weighting: nn.Module | None,
    weighting_learning_rate: float | None,
    feed: Mapping[str, Any],
) -> dict[str, Any]:
    """Dotted key -> value, as JSON has it: all that the result depends on, but for code and machine.

    Args:
        feed: what the feed says of its data and their changes.
    """
    training = {k: v for k, v in to_dict(settings).items() if k not in OF_THE_MACHINE}
    table = {
        "training": training,
        "seed": seed,
        "weighting": {**_rule(weighting), "learning_rate": weighting_learning_rate},
        **feed,
    }
    return {key: plain(value) for key, value in flatten(table)}


def _rule(weighting: nn.Module | None) -> dict[str, Any]:
    """Its class and, of one of ours, the settings that are not the usual ones."""
    if not isinstance(weighting, Weighting):
        return {"name": None if weighting is None else type(weighting).__name__}
    own = type(weighting).__name__ if weighting.name in WEIGHTINGS else weighting.name
    return {"name": own, **weighting.settings}


def versions_behind(weighting: nn.Module | None) -> dict[str, str]:
    """Versions of the packages that a weighting of ours stands on, beside affekt and torch."""
    return weighting.versions if isinstance(weighting, Weighting) else {}


def content(ids: Strings, labels: Labels) -> str:
    """Number of items, and a digest of their ids and labels."""
    digest = hashlib.blake2b("\n".join(ids.tolist()).encode(), digest_size=8)
    for name, values in sorted(labels.columns().items()):
        digest.update(name.encode())
        numbers = values.dtype.kind in "iufb"
        digest.update(np.ascontiguousarray(values).tobytes() if numbers else "\n".join(map(str, values)).encode())
    return f"{len(ids)} items {digest.hexdigest()}"


def digest(table: Mapping[str, Any]) -> str:
    """A short name of an :func:`identity`."""
    text = "\n".join(f"{key}={value!r}" for key, value in sorted(table.items()))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def refuse_other(there: Mapping[str, Any], here: Mapping[str, Any], place: str) -> None:
    """
    Raises:
        UsageError: the checkpoint at ``place`` is of another training; the keys that differ are named.
    """
    differing = [k for k in sorted(there.keys() | here.keys()) if there.get(k) != here.get(k)]
    if differing:
        key = differing[0]
        raise UsageError(
            f"{place}: a checkpoint of other settings; keys that differ: {first(differing)} "
            f"({key} is {there.get(key)!r} there, {here.get(key)!r} here). Use the same settings, or another folder"
        )
