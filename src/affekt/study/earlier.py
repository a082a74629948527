"""Earlier: a run of an earlier emotion-augmented learner, or of a linear head, on frozen features."""

from __future__ import annotations

from pathlib import Path

import torch

from affekt.data.stimuli import Stimuli
from affekt.recipe import Recipe
from affekt.regulation.classification_task import classes_of
from affekt.regulation.earlier import EarlierClassifier
from affekt.study.building import target_data
from affekt.study.folder import RunFolder
from affekt.study.records import write_records
from affekt.study.running import SCORED, RunResult, alone, as_result, claim, done, started, threads
from affekt.training import Evaluation, TrainingResult
from affekt.training.classification import scores
from affekt.training.plain import plain_batches


def earlier_classifier(recipe: Recipe, classes: tuple[str, ...]) -> EarlierClassifier:
    """The network of ``[model]`` with ``kind = "earlier"``."""
    model = recipe.model
    return EarlierClassifier(
        model.backbone,
        model.learner,
        len(classes),
        model.image_size or recipe.target.image_size,
        initial=model.initial,
        width=model.width,
        seed=recipe.seed,
        classes=classes,
    )


def train_earlier(recipe: Recipe, *, out: Path, what: str, data_root: Path | None) -> RunResult:
    """Train and score it; goes on where it was stopped.

    Raises:
        As :func:`affekt.study.train`.
    """
    folder = RunFolder(out)
    if (finished := done(folder, recipe)) is not None:
        return finished
    recipe = started(folder, recipe)
    with alone(folder), threads(recipe.training):
        if (finished := done(folder, recipe)) is not None:  # by another command, a moment ago
            return finished
        data = target_data(recipe, seed=recipe.seed, data_root=data_root)
        train = data.splits["train"]
        model = earlier_classifier(recipe, train.labels.categories)
        claim(folder, recipe)
        epochs = recipe.training.epochs
        validation = data.splits.get("validation")
        fitted = model.fit(
            train, epochs=epochs, seed=recipe.seed, validation=validation, folder=folder.path / "checkpoints"
        )
        best = fitted.best
        write_records(
            folder,
            recipe=recipe,
            what=what,
            model=model,
            data=data,
            fitted=TrainingResult(
                epochs=epochs,
                steps=epochs * len(train),
                best_epoch=fitted.best_epoch,
                best_score=best.get("validation/accuracy"),
                history=[dict(entry) for entry in fitted.history],
                stopped_early=False,
            ),
            evaluations={name: _evaluation(model, data.splits[name]) for name in SCORED if name in data.splits},
        )
    return as_result(folder, folder.result() or {}, seconds=0.0)


@torch.no_grad()
def _evaluation(model: EarlierClassifier, stimuli: Stimuli) -> Evaluation:
    model.eval()
    device = model.mean.device
    logs = torch.cat([model(batch) for batch in plain_batches(stimuli, model.image_size, device=device)]).cpu().numpy()
    return Evaluation(metrics=scores(logs, classes_of(stimuli.labels)), losses={}, outputs={"log_probabilities": logs})
