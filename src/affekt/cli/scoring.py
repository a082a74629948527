"""Scoring a saved model on a split of a data set: the run's own, cut as the run cut it, or another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.errors import DataError, UsageError

if TYPE_CHECKING:
    from affekt.cli.models import Found
    from affekt.data.stimuli import Labels, Stimuli, Strings
    from affekt.recipe import DataSettings, Recipe
    from affekt.training.task import Task


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Metrics of ``n`` pictures or clips of a split."""

    model: str
    dataset: str
    split: str
    n: int
    metrics: Mapping[str, float]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "dataset": self.dataset,
            "split": self.split,
            "n": self.n,
            "metrics": dict(self.metrics),
            "notes": list(self.notes),
        }


def score(
    found: Found, *, dataset: str | None, split: str, overrides: Sequence[str], seed: int | None, data_root: Path | None
) -> Scored:
    """Score a model.

    Args:
        dataset: another set than the run's; needed for a model that stands in no run folder.
        overrides: recipe keys to change, e.g. ``target.root=PICTURES``.
        seed: of the split; None: the run's.

    Raises:
        UsageError: no data set named, or a wrong name or key.
        DataError: the set lacks what the model answers, or what its reader finds wrong.
    """
    from affekt.study.building import affective_data, target_data
    from affekt.training import Trainer

    recipe = _recipe(found, dataset, overrides)
    section = _section(found, recipe)
    read = affective_data if found.affective else target_data
    data = read(recipe, seed=recipe.seed if seed is None else seed, data_root=data_root)
    if split not in data.splits:
        raise DataError(f"{section.name}: has no {split} split; it has {', '.join(data.splits)}")
    stimuli, notes = data.splits[split], list(data.notes)
    if not len(stimuli):
        raise DataError(f"{section.name}: its {split} split is empty; choose another --split")
    train = data.splits["train"]
    _refuse_learned(found, recipe, seed, split, stimuli, data_root)
    if found.affective:
        stimuli, notes = _on_scale(stimuli, found.model, notes)
        train = _on_scale(train, found.model, [])[0]
    else:
        stimuli = _with_classes(stimuli, found.model)
    task = _task(found, recipe, train.labels)
    size = min(section.image_size, int(found.model.image_size))
    engine = recipe.emotional.training if found.affective else recipe.training
    trainer = Trainer(
        task, {split: stimuli}, engine, image_size=size, memory_gib=section.memory, workers=section.workers
    )
    metrics = trainer.evaluate(split).metrics
    return Scored(
        model=found.name, dataset=section.name, split=split, n=len(stimuli), metrics=metrics, notes=tuple(notes)
    )


def _refuse_learned(
    found: Found, recipe: Recipe, seed: int | None, split: str, stimuli: Stimuli, data_root: Path | None
) -> None:
    """Refuse to call pictures a test that the model learned from, or was selected by.

    Raises:
        DataError: the run's own set, cut otherwise than the run cut it, with pictures of another of the run's splits.
    """
    from affekt.study.building import affective_data, target_data

    run = found.recipe
    if run is None or split == "train":
        return
    then, now = _section(found, run), _section(found, recipe)
    same_set = (then.name, then.root, then.options) == (now.name, now.root, now.options)
    if not same_set or (then == now and seed in (None, run.seed) and recipe.target == run.target):
        return
    read = affective_data if found.affective else target_data
    own = read(run, seed=run.seed, data_root=data_root).splits
    before = {name: part.ids for name, part in learned_from(own, split).items()}
    refuse_learned(f"{now.name}: cut so, its {len(stimuli)} {split} pictures", stimuli.ids, before)


SEEN_BEFORE = "leave out --seed and the keys of the split to score it on {noun}s that it has not seen"


def refuse_learned(
    what: str, ids: Strings, own: Mapping[str, Strings], *, noun: str = "picture", advice: str = SEEN_BEFORE
) -> None:
    """
    Args:
        what: is to be scored, in words: ``oasis: cut so, its 12 test pictures``.
        ids: ``(N,)`` of it.
        own: split of the model's run -> the ids in it, of those splits that must have none of it.

    Raises:
        DataError: some of it stands there.
    """
    import numpy as np

    before = {part: int(np.isin(ids, there).sum()) for part, there in own.items()}
    counts = " and ".join(f"{n} of its {part}" for part, n in before.items() if n)
    if counts:
        raise DataError(f"{what} hold {counts} {noun}s of the model's run; {advice.format(noun=noun)}")


def learned_from(own: Mapping[str, Any], split: str) -> dict[str, Any]:
    """The parts of a run's splits that nothing may be in that is scored as ``split``."""
    return {name: part for name, part in own.items() if name not in (split, "test")}


def _section(found: Found, recipe: Recipe) -> DataSettings:
    return recipe.affective if found.affective else recipe.target


def _recipe(found: Found, dataset: str | None, overrides: Sequence[str]) -> Recipe:
    """The run's recipe, or an empty one, with another data set put in and ``overrides`` applied."""
    from affekt.recipe import DataSettings, Recipe, override

    recipe = found.recipe or Recipe()
    name = "affective" if found.affective else "target"
    if dataset is not None and dataset != _section(found, recipe).name:
        # A set of its own: nothing of how the run read its own set applies, but for the size of the pictures.
        fresh = DataSettings(name=dataset, image_size=found.image_size, fit=found.fit)
        recipe = replace(recipe, **{name: fresh})  # type: ignore[arg-type]
    recipe = override(recipe, overrides)
    if not _section(found, recipe).name:
        raise UsageError(f"{found.name}: stands in no run folder, so say what to score it on: --dataset NAME")
    return recipe


def _on_scale(stimuli: Stimuli, model: Any, notes: list[str]) -> tuple[Stimuli, list[str]]:
    """Ratings on the scale that the network answers on."""
    labels = stimuli.labels
    if labels.scale is None or model.scale is None or labels.scale == model.scale or not labels.ratings:
        return stimuli, notes
    import numpy as np

    convert = labels.scale.convert
    ratings = {k: convert(v, model.scale).astype(np.float32) for k, v in labels.ratings.items()}
    span = [f"{s.low:g}..{s.high:g}" for s in (labels.scale, model.scale)]
    notes = [*notes, f"ratings of {stimuli.name} converted from {span[0]} to the network's {span[1]}"]
    return replace(stimuli, labels=replace(labels, ratings=ratings, scale=model.scale)), notes


def _with_classes(stimuli: Stimuli, model: Any) -> Stimuli:
    """Labels as numbers of the model's classes, matched by name.

    Raises:
        DataError: the set has a class that the model does not know.
    """
    import numpy as np

    labels: Labels = stimuli.labels
    classes = tuple(model.classes or labels.categories)
    strange = [name for name in labels.categories if name not in classes]
    if strange:
        raise DataError(f"{stimuli.name}: class {strange[0]} is none of the model's: {', '.join(classes[:10])}")
    if len(classes) != model.num_classes or labels.category is None:
        raise DataError(f"{stimuli.name}: has {len(labels.categories)} classes, the model {model.num_classes}")
    number = np.array([classes.index(name) for name in labels.categories] + [-1], dtype=np.int64)
    return replace(stimuli, labels=replace(labels, categories=classes, category=number[labels.category]))


def _task(found: Found, recipe: Recipe, train: Labels) -> Task:
    """The task around the loaded model; scoring changes nothing of it."""
    if found.affective:
        from affekt.perception import AffectTask

        kept = {name: getattr(found.model, name).clone() for name in ("rating_mean", "rating_std")}
        task = AffectTask(found.model, train, categories=recipe.emotional.categories)
        # The task takes these from the labels it is given, which may be those of another set.
        for name, values in kept.items():
            getattr(found.model, name).copy_(values)
        return task
    from affekt.regulation import ClassificationTask, RegulationTask

    kind = RegulationTask if type(found.model).__name__ == "EmotionalRegulation" else ClassificationTask
    return kind(found.model)
