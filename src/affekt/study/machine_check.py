"""Machine check: the folders that jobs read, and which of them this machine lacks before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from affekt.data import dataset_folder, describe
from affekt.errors import DataError, first
from affekt.recipe import ClipSettings, DataSettings, Recipe
from affekt.study.jobs import Job
from affekt.study.preparing import needs_emotional
from affekt.study.source import avoids_target

Read = DataSettings | ClipSettings


def read_by(jobs: Iterable[Job]) -> list[Read]:
    """The data sets that jobs read, each once."""
    found: list[Read] = []
    for job in jobs:
        found += [settings for settings in _read(job) if settings.name and settings not in found]
    return found


def _read(job: Job) -> list[Read]:
    recipe = job.recipe
    if job.kind == "ensemble":  # the predictions of its members
        return []
    if recipe.of_clips:
        return [recipe.clips]
    if job.kind == "pretrain":
        return [recipe.affective, *([recipe.target] if recipe.affective.exclude_target else [])]
    if job.kind == "source":
        return [recipe.source, *([recipe.target] if avoids_target(recipe) else [])]
    return [recipe.target, *([recipe.affective] if _looks_at_affective(recipe) else [])]


def _looks_at_affective(recipe: Recipe) -> bool:
    """Whether a training on the target opens the affective set, too: for the shape of a network that nobody gave it."""
    gated = recipe.model.kind == "regulated" and recipe.regulation.regulator == "features"
    return not recipe.emotional.model and (needs_emotional(recipe) or gated)


def lacking(study: Path, read: Iterable[Read], data_root: Path | None) -> list[str]:
    """What this machine has not: data sets with their folders, packs of clips, the folder of the study."""
    found = [] if (study / "recipe.toml").is_file() else [f"the study's own folder {study}"]
    for settings in read:
        folder = dataset_folder(settings, data_root).absolute()
        if describe(settings.name).needs_folder and not folder.exists():
            found.append(f"{settings.name} ({folder})")
        pack = settings.pack if isinstance(settings, ClipSettings) else ""
        if pack and not Path(pack).expanduser().exists():
            found.append(f"the pack {Path(pack).expanduser().absolute()}")
    return found


def refuse(lacks: Mapping[str, Sequence[str]]) -> None:
    """Say which machines lack what; nothing where none does.

    Args:
        lacks: machine -> what it lacks.

    Raises:
        DataError: one does.
    """
    wrong = {machine: things for machine, things in lacks.items() if things}
    if not wrong:
        return
    where = first((f"{machine} has no {first(things)}" for machine, things in wrong.items()), n=3)
    raise DataError(
        f"{where}: nothing was trained; folders must be the same on every machine: put them there, or say where they "
        "are, by `root` in the recipe, --data-root or AFFEKT_DATA"
    )
