"""Records: what a finished run leaves in its folder - predictions, the model with its card, the result."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from affekt.data import behind
from affekt.recipe import DataSettings, Recipe, load_recipe, to_toml
from affekt.saving import ModelCard, PretrainedModel
from affekt.study.building import Data
from affekt.study.folder import RunFolder
from affekt.training import Evaluation, TrainingResult


def write_records(
    folder: RunFolder,
    *,
    recipe: Recipe,
    what: str,
    model: torch.nn.Module,
    data: Data,
    fitted: TrainingResult,
    evaluations: Mapping[str, Evaluation],
    learned: Mapping[str, float] | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Predictions, model and, last, the result: nothing in them depends on the clock.

    ``learned``: metrics on the training pictures. ``notes``: of the trainer.
    """
    folder.write_predictions(predictions(data, evaluations))
    save_model(model, recipe, what, evaluations, folder)
    measured = {"train": learned} if learned is not None else {}
    measured |= {split: e.metrics for split, e in evaluations.items()}
    folder.write_result(
        {
            "name": recipe.name,
            "condition": what,
            "seed": recipe.seed,
            "metrics": {split: plain(metrics) for split, metrics in measured.items()},
            "losses": {split: plain(e.losses) for split, e in evaluations.items()},
            "n": data.sizes,
            "missing": data.missing,
            "epochs": fitted.epochs,
            "steps": fitted.steps,
            "best_epoch": fitted.best_epoch,
            "stopped_early": fitted.stopped_early,
            "parameters": parameters(model),
            "notes": [*data.notes, *notes, *hopeless(evaluations)],
        }
    )


HOPELESS = 2.0
"""An RMSE so many times that of the mean predictor is no weak network but a training that went wrong."""


def hopeless(evaluations: Mapping[str, Evaluation]) -> list[str]:
    """A note for each rating that is answered far worse than by its mean."""
    found = []
    for split, evaluation in evaluations.items():
        for name, mean in evaluation.metrics.items():
            key = name.removesuffix("_of_mean")
            if name.endswith("/rmse_of_mean") and evaluation.metrics[key] > HOPELESS * mean:
                found.append(
                    f"{split}: {key} {evaluation.metrics[key]:.3g}, where the mean of the ratings has {mean:.3g}: this "
                    "training went wrong; lower [emotional.training] learning_rate, or set clip = 1.0"
                )
    return found


def predictions(data: Data, evaluations: Mapping[str, Evaluation]) -> dict[str, np.ndarray]:
    """Ids, labels and outputs of the scored splits, as ``split/name`` arrays."""
    arrays: dict[str, np.ndarray] = {}
    for split, evaluation in evaluations.items():
        stimuli = data.splits[split]
        arrays |= {f"{split}/ids": stimuli.ids, f"{split}/groups": stimuli.groups}
        columns = stimuli.labels.columns()
        arrays |= {f"{split}/label/{name}": values for name, values in columns.items() if values.dtype != object}
        arrays |= {f"{split}/{name}": values for name, values in evaluation.outputs.items()}
    return arrays


def save_model(model: Any, recipe: Recipe, what: str, evaluations: Mapping[str, Evaluation], folder: RunFolder) -> None:
    assert isinstance(model, PretrainedModel)
    metrics = {f"{split} {k}": v for split, e in evaluations.items() for k, v in e.metrics.items()}
    datasets = provenance(recipe, what, folder.path)
    model.save_pretrained(folder.model, card=card_of(model, recipe, what, metrics=metrics, datasets=datasets))


def card_of(
    model: PretrainedModel, recipe: Recipe, what: str, *, metrics: Mapping[str, float], datasets: list[dict[str, str]]
) -> ModelCard:
    """The card of a run's model; metrics that are undefined are left out."""
    return ModelCard(
        title=f"{recipe.name or 'affekt'}: {what}",
        summary=recipe.about or f"{type(model).__name__} trained with affekt, seed {recipe.seed}.",
        datasets=datasets,
        metrics={k: v for k, v in plain(metrics).items() if v is not None},
        recipe=to_toml(recipe),
        pipeline=model.pipelines[0],
        tags=model.pipelines[1:],
    )


def provenance(recipe: Recipe, what: str, folder: Path | None = None) -> list[dict[str, str]]:
    """Licence and citation of every data set behind the weights: target, source, affective stimuli, initial weights.

    ``folder``: of the run, from which a relative path of its emotional encoder is meant.
    """
    model = recipe.model
    regulated = model.kind == "regulated" and recipe.regulation.emotional != "none"
    emotional = what != "pretrain" and (regulated or model.initial == "emotional")
    if what == "source":
        return _described(recipe.source, "random")
    initial = "random" if model.initial in ("emotional", "source") else model.initial
    found = [] if what == "pretrain" else [_described(recipe.target, initial)]
    if what != "pretrain" and model.initial == "source":
        found.append(_described(recipe.source, "random"))
    if what == "pretrain" or (emotional and not recipe.emotional.model):
        found.append(_described(recipe.affective, recipe.emotional.initial))
    elif emotional:
        found.append(_behind(located(recipe.emotional.model, folder)))
    return list({entry["name"]: entry for entries in found for entry in entries}.values())


def located(model: str, folder: Path | None) -> Path:
    """A model folder as a recipe writes it; a relative one is looked for from the run's own folder first, so that a
    study can be moved as a whole."""
    # Normalised as text: the run's folder need not be there yet.
    beside = None if folder is None else Path(os.path.normpath(folder / model))
    return beside if beside is not None and not Path(model).is_absolute() and beside.exists() else Path(model)


def _described(settings: DataSettings, initial: str) -> list[dict[str, str]]:
    entries = []
    if settings.name:
        known = behind(settings)
        entries.append({"name": known.title, "licence": known.licence, "citation": known.citation})
    if initial != "random":
        name = f"initial weights: {Path(initial).name}"
        entries.append({"name": name, "licence": "that of the weights and of their pictures", "citation": "see there"})
    return entries


def _behind(model: Path) -> list[dict[str, str]]:
    """What a given emotional encoder learned from, by the recipe of its run; said so where that is not at hand."""
    held = model.parent / "recipe.toml"
    if held.exists():
        recipe = load_recipe(held)
        return _described(recipe.affective, recipe.emotional.initial)
    return [{"name": "data of the emotional encoder", "licence": "see the card of that model", "citation": "unknown"}]


def parameters(model: torch.nn.Module) -> dict[str, int]:
    """Numbers of parameters: those that learn, and all; some models learn by rules of their own, without gradients."""
    learned = getattr(model, "num_learned", None)
    if learned is not None:
        return {"trainable": int(learned), "total": sum(p.numel() for p in model.parameters())}
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return {"trainable": sum(n for n, learns in sizes if learns), "total": sum(n for n, _ in sizes)}


def plain(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """Metrics as JSON has them: what is undefined (a correlation with a constant) is null, never NaN."""
    return {k: float(v) if np.isfinite(v) else None for k, v in metrics.items()}
