"""Keeping: features and held-out predictions in files named by what they follow from, whole or absent."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from affekt.humans.probing.extracting import Arrays
from affekt.saving.whole import write_bytes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Held-out predictions of N pictures in R repeats, T targets, K outer folds.

    Attributes:
        predicted: ``(R, N, T)``, NaN where a target has no rating.
        outer: ``(R, N)`` the fold that each picture was held out in.
        penalty, error: ``(R, K, T)`` the penalty chosen by the inner folds, and their mean squared error with it.
    """

    predicted: Floats
    outer: Ints
    penalty: Floats
    error: Floats


def key_of(*facts: Any) -> str:
    """32 hexadecimal digits of all that something follows from, which JSON can hold."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def in_order(layers: list[str]) -> list[str]:
    """Layers from input to output: stages by number, then the map and the others, the last one, the chosen one."""

    def place(layer: str) -> tuple[int, int, str]:
        stage = re.fullmatch(r"stage-(\d+)", layer)
        return (0, int(stage[1]), "") if stage else ({"last": 2, "chosen": 3}.get(layer, 1), 0, layer)

    return sorted(layers, key=place)


def read_features(path: Path, pictures: int) -> Arrays | None:
    """What :func:`write_features` wrote; None where it is absent, damaged or of other pictures."""
    try:
        found: Arrays = safetensors.numpy.load(path.read_bytes())
    except (OSError, SafetensorError):
        return None
    whole = found and all(x.ndim == 2 and len(x) == pictures for x in found.values())
    return {layer: found[layer] for layer in in_order(list(found))} if whole else None


def write_features(path: Path, features: Arrays) -> None:
    """
    Raises:
        AffektError: the folder cannot be written, or the disk is full.
    """
    write_bytes(path, safetensors.numpy.save(dict(features)))


def read_predictions(path: Path, ids: list[str]) -> Predictions | None:
    """What :func:`write_predictions` wrote; None where it is absent, damaged or of other pictures."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            if stored["ids"].tolist() != ids:
                return None
            return Predictions(**{name: stored[name] for name in Predictions.__dataclass_fields__})
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        return None


def write_predictions(path: Path, found: Predictions, *, ids: list[str], columns: Mapping[str, list[str]]) -> None:
    """``.npz`` without object arrays: ids, the fields of :class:`Predictions`, and names of columns.

    Raises:
        AffektError: the folder cannot be written, or the disk is full.
    """
    buffer = io.BytesIO()
    names: dict[str, Any] = {"ids": np.array(ids), **{key: np.array(values) for key, values in columns.items()}}
    np.savez(buffer, allow_pickle=False, **names, **vars(found))
    write_bytes(path, buffer.getvalue())
