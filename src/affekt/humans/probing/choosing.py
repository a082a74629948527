"""Choosing: the layer of a network, in each outer fold that which the inner folds of its training pictures prefer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from affekt.humans.probing.keeping import Predictions

CHOSEN = "chosen"
"""The name of the line. The layer with the best *held-out* score would be chosen by what it is then scored on."""


def choose(layers: Sequence[Predictions]) -> Predictions:
    """Predictions of the layer with the smallest inner error, for each repeat, outer fold and target.

    Args:
        layers: of the same pictures, folds and targets.
    """
    errors = np.stack([found.error for found in layers])
    best = np.where(np.isnan(errors), np.inf, errors).argmin(axis=0)
    repeat, target = np.arange(best.shape[0])[:, None, None], np.arange(best.shape[2])
    outer = layers[0].outer
    of_picture = best[repeat, outer[:, :, None], target]
    predicted = np.stack([found.predicted for found in layers])
    rows = np.arange(outer.shape[1])[:, None]
    fold = np.arange(best.shape[1])[:, None]
    return Predictions(
        predicted=predicted[of_picture, repeat, rows, target],
        outer=outer,
        penalty=np.stack([found.penalty for found in layers])[best, repeat, fold, target],
        error=errors[best, repeat, fold, target],
    )
