"""Ensemble: the averaged probabilities of independently trained networks, as a run of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.errors import AffektError
from affekt.recipe import Recipe
from affekt.study.folder import RunFolder
from affekt.study.records import plain
from affekt.study.running import SCORED
from affekt.training.classification import scores

Arrays = Mapping[str, NDArray[np.generic]]


def average(recipe: Recipe, out: Path, members: Sequence[Path], *, what: str) -> dict[str, Any]:
    """Average finished runs: ``p = mean_m p_m`` (Lakshminarayanan et al. 2017, NeurIPS, eq. 2); returns the result.

    Raises:
        AffektError: a member that is not finished, or of other pictures.
    """
    folder = RunFolder(out)
    held = folder.held(recipe)
    if held is not None and (done := folder.result()) is not None:
        return done
    with folder.locked():
        if (done := folder.result()) is not None:  # by another command, a moment ago
            return done
        results = [_result(member) for member in members]
        arrays = [_predictions(member) for member in members]
        combined: dict[str, NDArray[np.generic]] = {}
        metrics: dict[str, Mapping[str, float | None]] = {}
        for split in (name for name in results[0]["metrics"] if name in SCORED):
            mean = _mean(arrays, split, members)
            combined |= {k: v for k, v in arrays[0].items() if k.startswith((f"{split}/ids", f"{split}/groups"))}
            combined |= {f"{split}/label/category": arrays[0][f"{split}/label/category"]}
            combined |= {f"{split}/log_probabilities": mean.astype(np.float32)}
            metrics[split] = plain(scores(mean, arrays[0][f"{split}/label/category"]))
        folder.claim(recipe)
        folder.write_predictions(combined)
        result = {
            **results[0],
            "condition": what,
            "seed": recipe.seed,
            "metrics": metrics,
            "losses": {},
            "parameters": {k: sum(r["parameters"][k] for r in results) for k in ("trainable", "total")},
            "members": [f"{member.parent.name}/{member.name}" for member in members],
        }
        folder.write_result(result)
    return result


def _mean(arrays: Sequence[Arrays], split: str, members: Sequence[Path]) -> NDArray[np.float64]:
    """``(N, K)`` log of the mean probabilities."""
    for found, member in zip(arrays, members, strict=True):
        if not np.array_equal(found[f"{split}/ids"], arrays[0][f"{split}/ids"]):
            raise AffektError(f"{member}: was scored on other {split} pictures than {members[0]}")
    logs = np.stack([found[f"{split}/log_probabilities"].astype(np.float64) for found in arrays])
    mean: NDArray[np.float64] = np.logaddexp.reduce(logs, axis=0) - np.log(len(logs))
    return mean


def _result(member: Path) -> dict[str, Any]:
    found = RunFolder(member).result()
    if found is None:
        raise AffektError(f"{member}: is not finished; an ensemble needs all its members")
    return found


def _predictions(member: Path) -> dict[str, NDArray[np.generic]]:
    with np.load(member / "predictions.npz", allow_pickle=False) as found:
        return {name: found[name] for name in found.files}
