"""Scoring a saved network of sound and pictures on clips: each task, and each for every speaker and group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.scoring import Scored, learned_from, refuse_learned
from affekt.errors import DataError, UsageError, first

if TYPE_CHECKING:
    from affekt.cli.models import Found
    from affekt.data.audiovisual import Clips
    from affekt.data.stimuli import Strings
    from affekt.multimodal import AudioVisualNetwork
    from affekt.recipe import ClipSettings, Recipe
    from affekt.study.clips.scores import ClipScores
    from affekt.study.statistics.by_group import ByGroup

ALL = "all"
"""Beside the splits: the whole set, uncut. Of what is given of a clip: all that the network reads."""

OfSpeaker = Mapping[str, float]
"""``n``, ``accuracy``, ``balanced_accuracy`` of one speaker's clips."""


@dataclass(frozen=True, kw_only=True)
class ScoredClips(Scored):
    """Metrics of ``n`` clips of a split, those of :func:`~affekt.multimodal.metrics.task_metrics`.

    Attributes:
        speakers: task -> speaker -> scores; empty with fewer than two speakers.
        groups: task -> label -> scores of the clips of each class of another label, and their differences.
        given: what the network was given of each clip: ``"all"`` that it reads, ``"audio"`` or ``"video"``.
    """

    speakers: Mapping[str, Mapping[str, OfSpeaker]]
    groups: Mapping[str, Mapping[str, ByGroup]]
    given: str

    def to_dict(self) -> dict[str, Any]:
        groups = {task: {label: by.to_dict() for label, by in of.items()} for task, of in self.groups.items()}
        return {**super().to_dict(), "given": self.given, "speakers": self.speakers, "groups": groups}


def score_clips(
    found: Found,
    *,
    dataset: str | None,
    split: str,
    overrides: Sequence[str],
    seed: int | None,
    data_root: Path | None,
    given: str | None = None,
) -> ScoredClips:
    """Score a network; see :func:`~affekt.cli.scoring.score`.

    Clips of a class that the network does not know are left out and counted, as are tasks that the set does not label.

    Args:
        split: of the set, or ``"all"`` of it.
        given: ``"audio"`` or ``"video"``, that alone of each clip, and of another set nothing else is read, so that
            it need not be there; None: what the network reads.

    Raises:
        UsageError: no data set named, or a wrong name or key; a network that does not read what is given.
        DataError: no clip with an answer of the network's, clips that it learned from, or what the reader finds wrong.
    """
    from affekt.study.clips.opening import open_set

    recipe = _alone(found.model, _recipe(found, dataset, overrides), given, own=dataset is None)
    whole = open_set(recipe, data_root=data_root)
    part, notes = _part(whole.clips, recipe, split, seed)
    _refuse_learned(found, recipe, seed, split, part, data_root)
    part, said = _matched(part, found.model)
    scores, unread = _scores(found.model, recipe, part, split, given)
    return ScoredClips(
        model=found.name,
        dataset=recipe.clips.name,
        split=split,
        n=len(scores.ids),
        metrics=_metrics(scores),
        notes=(*_composed(found.model, whole.clips), *notes, *whole.notes, *said, *unread),
        speakers=_speakers(scores),
        groups=_groups(scores, recipe.study.draws),
        given=given or ALL,
    )


def _alone(model: AudioVisualNetwork, recipe: Recipe, given: str | None, *, own: bool) -> Recipe:
    """The recipe with nothing to be read but what is given; of the run's own set all is read, as in its test: clips
    are as long as their sound.

    Raises:
        UsageError: the network does not read it.
    """
    from affekt.study.clips.absent import NOTHING, unmeant

    if given is None:
        return recipe
    part, other = (model.hearing, "video") if given == "audio" else (model.seeing, "audio")
    if part is None:
        raise UsageError(f"--given {given}: this network reads {other} alone; leave it out")
    if own:
        return recipe
    from affekt.recipe import change

    gone = {f"network.{other}": NOTHING}
    return change(recipe, {**unmeant(gone), **gone})


def _composed(model: AudioVisualNetwork, clips: Clips) -> tuple[str, ...]:
    """What clips the network learned from, where those that are scored do not say so themselves."""
    from affekt.multimodal.predicting import learned_from as taught_by

    return () if clips.composed else taught_by(model)


def _recipe(found: Found, dataset: str | None, overrides: Sequence[str]) -> Recipe:
    """The run's recipe with ``overrides``, or one of another set, read as the network's own clips were."""
    from affekt.recipe import Recipe, override
    from affekt.study.clips.absent import NOTHING

    recipe = found.recipe
    if dataset is not None and (recipe is None or dataset != recipe.clips.name):
        bare, parts = Recipe(), found.model.config()
        network = replace(bare.network, audio=parts["audio"] or NOTHING, video=parts["video"] or NOTHING)
        recipe = replace(bare, clips=_read_alike(found.model, dataset), network=network)
    if recipe is None:
        raise UsageError(f"{found.name}: stands in no run folder, so say what to score it on: --dataset NAME")
    return override(recipe, overrides)


def _read_alike(model: AudioVisualNetwork, dataset: str) -> ClipSettings:
    """Another set, read at the rates and sizes that the network learned from; its faces where they are in that set.

    Raises:
        UsageError: no such set of clips.
        DataError: it labels none of the network's tasks.
    """
    from affekt.data.audiovisual import clip_dataset
    from affekt.recipe import ClipSettings

    known = clip_dataset(dataset).tasks
    tasks = tuple(task for task in model.tasks if task in known or not known)
    if not tasks:
        raise DataError(f"{dataset}: labels {', '.join(known)}; this network answers {', '.join(model.tasks)}")
    mels = model.config()["audio_options"].get("mels")
    given = {"size": model.video_size} | ({} if mels is None else {"mels": mels})
    kept = ("size", "mels", "face", "window", "longer", "hop")
    given |= {key: value for key, value in model.reading.items() if key in kept and value != "boxes"}
    return ClipSettings(name=dataset, tasks=tasks, rate=model.rate, fps=model.fps, **given)


def _part(clips: Clips, recipe: Recipe, split: str, seed: int | None) -> tuple[Clips, tuple[str, ...]]:
    """The clips of a split, and what is to be said of how they were read and cut."""
    from affekt.data.audiovisual import split_clips

    if split == ALL:
        return clips, clips.notes
    splits = split_clips(clips, recipe.clips, recipe.seed if seed is None else seed)
    return splits[split], splits.notes


def _refuse_learned(
    found: Found, recipe: Recipe, seed: int | None, split: str, part: Clips, data_root: Path | None
) -> None:
    """Refuse to score clips as not heard before that the network learned from, or was selected by.

    Raises:
        DataError: the run's own set, cut otherwise than the run cut it, with clips of another of the run's splits.
    """
    from affekt.data.audiovisual import split_clips
    from affekt.study.clips.opening import open_set

    run = found.recipe
    if run is None or split == "train":
        return
    then, now = run.clips, recipe.clips
    same_set = (then.name, then.root, then.options) == (now.name, now.root, now.options)
    if not same_set or (then == now and seed in (None, run.seed) and split != ALL):
        return
    own = split_clips(open_set(run, data_root=data_root).clips, then, run.seed).parts
    before = {name: _recordings(clips) for name, clips in learned_from(own, split).items()}
    if split == ALL:
        advice = "write --split test for those that it has not learned from"
        refuse_learned(f"{now.name}: its {len(part)} clips", _recordings(part), before, noun=part.noun, advice=advice)
    refuse_learned(f"{now.name}: cut so, its {len(part)} {split} clips", _recordings(part), before, noun=part.noun)


def _recordings(clips: Clips) -> Strings:
    """``(N,)`` what each is a piece of, however it was cut into windows."""
    return clips.columns["clip"].astype(str) if "clip" in clips.columns else clips.ids


def _matched(part: Clips, model: AudioVisualNetwork) -> tuple[Clips, tuple[str, ...]]:
    """Clips with an answer, labels as numbers of the network's classes; and what was left out.

    Raises:
        DataError: no clip has one.
    """
    import numpy as np

    from affekt.data.audiovisual import ClassLabels

    labels, notes = dict(part.labels), []
    for task, names in model.class_names.items():
        if task not in part.labels:
            labels[task] = ClassLabels(classes=names, index=np.full(len(part), -1, dtype=np.int64))
            notes.append(f"{part.name}: {task} is not scored: no labels of it were read ([clips] tasks)")
            continue
        given = part.labels[task]
        strange = [f"{n} {word}" for word, n in given.counts().items() if n and word not in names]
        if strange:
            notes.append(f"{part.name}: {task}: left out, since the network knows no such class: {first(strange)}")
        number = [names.index(word) if word in names else -1 for word in given.classes]
        labels[task] = ClassLabels(classes=names, index=np.array([*number, -1], dtype=np.int64)[given.index])
    rows = np.flatnonzero(np.any([labels[task].index >= 0 for task in model.tasks], axis=0))
    if not len(rows):
        answers = "; ".join(f"{task}: {', '.join(names)}" for task, names in model.class_names.items())
        raise DataError(f"{part.name}: no clip has a label among the network's answers ({answers})")
    return replace(part, labels=labels).take(rows), tuple(notes)


def _scores(
    model: AudioVisualNetwork, recipe: Recipe, part: Clips, split: str, given: str | None
) -> tuple[ClipScores, tuple[str, ...]]:
    """What the network says of the clips that can be read, and a line for each other."""
    import numpy as np

    from affekt.multimodal import AudioVisualTask
    from affekt.study.clips.building import engine_of, feed_of
    from affekt.study.clips.records import LOGS
    from affekt.study.clips.scores import ClipScores
    from affekt.training import Trainer

    feed = feed_of(recipe, {split: part}, seed=recipe.seed)
    evaluation = Trainer(AudioVisualTask(model, given=given or ALL), feed, engine_of(recipe)).evaluate(split)
    if evaluation.rows is not None:
        part = part.take(np.asarray(evaluation.rows))
    logs = {task: evaluation.outputs[f"{task}{LOGS}"].astype(np.float64) for task in model.tasks}
    scores = ClipScores(
        ids=part.ids,
        speakers=part.groups,
        labels={task: found.index for task, found in part.labels.items()},
        classes={task: list(found.classes) for task, found in part.labels.items()},
        runs={"": {0: {task: of for task, of in logs.items() if (part.labels[task].index >= 0).any()}}},
    )
    return scores, tuple(feed.problems)


def _said(scores: ClipScores) -> dict[str, Any]:
    """Task -> ``(N, K)`` log-probabilities, of the tasks with labels."""
    return scores.runs[""][0]


def _metrics(scores: ClipScores) -> dict[str, float]:
    from affekt.multimodal.metrics import task_metrics

    said = _said(scores)
    return task_metrics(said, {task: scores.labels[task] for task in said}, scores.classes)


def _speakers(scores: ClipScores) -> dict[str, dict[str, OfSpeaker]]:
    import numpy as np

    from affekt.training.classification import accuracy, balanced_accuracy

    people = np.unique(scores.speakers)
    found: dict[str, dict[str, OfSpeaker]] = {}
    for task, logs in _said(scores).items() if len(people) > 1 else ():
        labels, said = scores.labels[task], logs.argmax(axis=1)
        for who in people:
            own = (scores.speakers == who) & (labels >= 0)
            if own.any():
                found.setdefault(task, {})[str(who)] = {
                    "n": int(own.sum()),
                    "accuracy": accuracy(said[own], labels[own]),
                    "balanced_accuracy": balanced_accuracy(said[own], labels[own]),
                }
    return found


def _groups(scores: ClipScores, draws: int) -> dict[str, dict[str, ByGroup]]:
    from affekt.study.clips.groups import compared

    found = {
        task: compared(scores, task, [logs[scores.labels[task] >= 0]], draws) for task, logs in _said(scores).items()
    }
    return {task: groups for task, groups in found.items() if groups}
