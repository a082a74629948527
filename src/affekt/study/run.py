"""Run: one condition with one seed, from a recipe to a folder with weights, log and result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from affekt.data import dataset
from affekt.errors import RecipeError
from affekt.perception import AffectNetwork
from affekt.recipe import DataSettings, Recipe, TrainingSettings, to_toml
from affekt.saving import ModelCard, PretrainedModel, load
from affekt.study.building import Data, affect_task, affective_data, target_data, target_task
from affekt.study.conditions import apply_condition
from affekt.study.folder import RunFolder, with_threads
from affekt.training import Evaluation, Trainer
from affekt.training.distributed import is_main
from affekt.training.task import Task
from affekt.weighting import create_weighting

SCORED = ("validation", "test")


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A finished run.

    Attributes:
        folder: of the run.
        model: folder that ``affekt.load`` takes.
        metrics: split -> metric -> value; test was scored once, with the weights that validation selected.
        seconds: of this call; a run that was finished before takes none.
        notes: what a reader of the result should know.
    """

    folder: Path
    model: Path
    metrics: Mapping[str, Mapping[str, float | None]]
    seconds: float
    notes: tuple[str, ...] = ()


def pretrain(
    recipe: Recipe,
    *,
    out: Path | str,
    seed: int | None = None,
    data_root: Path | None = None,
    progress: Any = None,
) -> RunResult:
    """Train the affect network of ``[emotional]`` on the stimuli of ``[affective]``; goes on where it was stopped.

    Raises:
        RecipeError: the folder holds another recipe, or the recipe asks for what is not there.
        DataError: the data set is missing or damaged.
        TrainingError: a loss became NaN or infinite, or the disk is full.
    """
    seed = recipe.seed if seed is None else seed
    recipe = _own_part(replace(recipe, seed=seed, conditions={}))
    return _run(recipe, RunFolder(Path(out)), "pretrain", data_root=data_root, progress=progress)


def train(
    recipe: Recipe,
    *,
    out: Path | str,
    condition: str | None = None,
    seed: int | None = None,
    data_root: Path | None = None,
    emotional: Path | str | None = None,
    progress: Any = None,
) -> RunResult:
    """Train one condition on the target; goes on where it was stopped.

    Args:
        emotional: folder of a trained affect network; else ``[emotional] model``; else one is pre-trained in
            ``out/emotional``.

    Raises:
        As :func:`pretrain`, and RecipeError for an unknown condition.
    """
    seed = recipe.seed if seed is None else seed
    recipe = apply_condition(replace(recipe, seed=seed), condition)
    if emotional is not None:
        recipe = replace(recipe, emotional=replace(recipe.emotional, model=str(emotional)))
    return _run(recipe, RunFolder(Path(out)), condition or "train", data_root=data_root, progress=progress)


def _own_part(recipe: Recipe) -> Recipe:
    """A pre-training's recipe without what it does not depend on, so that other targets may share its folder."""
    default = Recipe()
    target = recipe.target if recipe.affective.exclude_target else default.target
    return replace(
        recipe,
        target=target,
        model=default.model,
        regulation=default.regulation,
        weighting=default.weighting,
        augmentation=default.augmentation,
        training=default.training,
        emotional=replace(recipe.emotional, model=""),
    )


def _run(recipe: Recipe, folder: RunFolder, what: str, *, data_root: Path | None, progress: Any) -> RunResult:
    """Check, build, claim, train, score, write: nothing is written before the recipe is known to work."""
    begun = time.monotonic()
    held = folder.held(recipe)
    done = folder.result()
    if held is not None and done is not None:
        return _finished(folder, done, seconds=0.0)
    recipe = held or with_threads(recipe, torch.get_num_threads())
    engine = recipe.emotional.training if what == "pretrain" else recipe.training
    torch.set_num_threads(engine.threads or torch.get_num_threads())
    if what == "pretrain":
        data = affective_data(recipe, seed=recipe.seed, data_root=data_root)
        task = affect_task(recipe, data.splits["train"].labels, seed=recipe.seed)
        folder.claim(recipe)
    else:
        data = target_data(recipe, seed=recipe.seed, data_root=data_root)
        task = _target_task(recipe, folder, data, data_root=data_root, progress=progress)
    trainer = _trainer(recipe, what, task, data, folder, engine, progress)
    fitted = trainer.fit()
    if what == "pretrain":
        task.calibrate(data.splits["train"])
    evaluations = {split: trainer.evaluate(split) for split in SCORED if split in data.splits}
    if is_main():
        folder.write_predictions(_predictions(data, evaluations))
        _save_model(task.model, recipe, what, evaluations, folder)
        record = {
            "name": recipe.name,
            "condition": what,
            "seed": recipe.seed,
            "metrics": {split: _plain(e.metrics) for split, e in evaluations.items()},
            "losses": {split: _plain(e.losses) for split, e in evaluations.items()},
            "n": data.sizes,
            "missing": data.missing,
            "epochs": fitted.epochs,
            "steps": fitted.steps,
            "best_epoch": fitted.best_epoch,
            "parameters": _parameters(task.model),
            "notes": list(data.notes),
        }
        folder.write_result(record)
    done = folder.result()
    assert done is not None
    return _finished(folder, done, seconds=time.monotonic() - begun)


def _target_task(recipe: Recipe, folder: RunFolder, data: Data, *, data_root: Path | None, progress: Any) -> Task:
    """The task on the target; a regulated one with its emotional encoder, pre-trained here if need be."""
    train_split = data.splits["train"]
    if recipe.model.kind == "classifier":
        task = target_task(recipe, train_split, None, seed=recipe.seed)
        folder.claim(recipe)
        return task
    settings = recipe.emotional
    if settings.model:
        emotional = load(settings.model)
        if not isinstance(emotional, AffectNetwork):
            raise RecipeError(
                f"[emotional] model = {settings.model!r}: a {type(emotional).__name__}, not an affect network"
            )
        task = target_task(recipe, train_split, emotional, seed=recipe.seed)
        folder.claim(recipe)
        return task
    affective = affective_data(recipe, seed=recipe.seed, data_root=data_root).splits["train"]
    untrained = affect_task(recipe, affective.labels, seed=recipe.seed)
    # Built once before the pre-training, so that an influence or backbone that cannot work is refused at once.
    task = target_task(recipe, train_split, untrained.model, seed=recipe.seed)
    folder.claim(recipe)
    if not recipe.regulation.pretrained:
        untrained.calibrate(affective)
        return target_task(recipe, train_split, untrained.model, seed=recipe.seed)
    pretrained = pretrain(recipe, out=folder.path / "emotional", data_root=data_root, progress=progress)
    return target_task(recipe, train_split, load(pretrained.model), seed=recipe.seed)


def _trainer(
    recipe: Recipe, what: str, task: Task, data: Data, folder: RunFolder, engine: TrainingSettings, progress: Any
) -> Trainer:
    affective = what == "pretrain"
    source = recipe.affective if affective else recipe.target
    own_size = recipe.emotional.image_size if affective else recipe.model.image_size
    weighting = create_weighting("sum" if affective else recipe.weighting.name, tasks=task.loss_names)
    return Trainer(
        task,
        data.splits,
        engine,
        folder=folder.path,
        augmentation=recipe.emotional.augmentation if affective else recipe.augmentation,
        # Crops are cut from the pictures as read: a smaller network gets smaller crops, a larger one scales them up.
        image_size=min(source.image_size, own_size or source.image_size),
        weighting=weighting,
        weighting_learning_rate=recipe.weighting.learning_rate,
        seed=recipe.seed,
        memory_gib=source.memory,
        workers=source.workers,
        progress=progress,
        recipe_hint="[emotional.training] learning_rate" if affective else "[training] learning_rate",
    )


def _predictions(data: Data, evaluations: Mapping[str, Evaluation]) -> dict[str, np.ndarray]:
    """Ids, labels and outputs of the scored splits, as ``split/name`` arrays."""
    arrays: dict[str, np.ndarray] = {}
    for split, evaluation in evaluations.items():
        stimuli = data.splits[split]
        arrays |= {f"{split}/ids": stimuli.ids, f"{split}/groups": stimuli.groups}
        columns = stimuli.labels.columns()
        arrays |= {f"{split}/label/{name}": values for name, values in columns.items() if values.dtype != object}
        arrays |= {f"{split}/{name}": values for name, values in evaluation.outputs.items()}
    return arrays


def _save_model(
    model: Any, recipe: Recipe, what: str, evaluations: Mapping[str, Evaluation], folder: RunFolder
) -> None:
    assert isinstance(model, PretrainedModel)
    metrics = {f"{split} {k}": v for split, e in evaluations.items() for k, v in _plain(e.metrics).items()}
    card = ModelCard(
        title=f"{recipe.name or 'affekt'}: {what}",
        summary=recipe.about or f"{type(model).__name__} trained with affekt, seed {recipe.seed}.",
        datasets=_provenance(recipe, what),
        metrics={k: v for k, v in metrics.items() if v is not None},
        recipe=to_toml(recipe),
    )
    model.save_pretrained(folder.model, card=card)


def _provenance(recipe: Recipe, what: str) -> list[dict[str, str]]:
    """Licence and citation of every data set behind the weights."""
    used: list[DataSettings] = [] if what == "pretrain" else [recipe.target]
    if what == "pretrain" or recipe.model.kind == "regulated":
        used.append(recipe.affective)
    described = [dataset(s.name) for s in used if s.name]
    return [{"name": d.title, "licence": d.licence, "citation": d.citation} for d in described]


def _parameters(model: torch.nn.Module) -> dict[str, int]:
    """Numbers of parameters: those that learn, and all."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return {"trainable": sum(n for n, learns in sizes if learns), "total": sum(n for n, _ in sizes)}


def _plain(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """Metrics as JSON has them: what is undefined (a correlation with a constant) is null, never NaN."""
    return {k: float(v) if np.isfinite(v) else None for k, v in metrics.items()}


def _finished(folder: RunFolder, record: Mapping[str, Any], *, seconds: float) -> RunResult:
    notes = tuple(record["notes"])
    return RunResult(folder=folder.path, model=folder.model, metrics=record["metrics"], seconds=seconds, notes=notes)
