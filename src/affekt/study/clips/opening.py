"""Opening: the clips of a recipe with the features that its network reads, decoded once where they fit in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from affekt.data import dataset_folder
from affekt.data.audiovisual import Clips, clip_dataset
from affekt.data.audiovisual.memory import in_memory, most_gib
from affekt.errors import RecipeError, first, unknown
from affekt.recipe import ClipSettings, Recipe
from affekt.study.clips.absent import NOTHING


@dataclass(frozen=True, kw_only=True)
class ClipSet:
    """A whole set, before it is split.

    Attributes:
        clips: those that can be read, as far as that is known before they are.
        unreadable: a line for each that cannot.
        dropped: why -> how many were not asked for.
    """

    clips: Clips
    unreadable: tuple[str, ...] = ()
    dropped: Mapping[str, int]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a result says of them."""
        if not self.unreadable:
            return ()
        return (f"{self.clips.name}: {len(self.unreadable)} clips cannot be read, left out: {first(self.unreadable)}",)


def open_set(recipe: Recipe, *, data_root: Path | None) -> ClipSet:
    """The clips that ``[clips]`` describes.

    Raises:
        RecipeError: features that the network needs and the recipe leaves out, tasks that are not read.
        UsageError, DataError: as the readers.
    """
    learned_tasks(recipe)  # refuses tasks that are not read
    clips, unreadable = held(listed(recipe, data_root=data_root), recipe.clips)
    return ClipSet(clips=clips, unreadable=unreadable, dropped=clips.dropped)


def listed(recipe: Recipe, *, data_root: Path | None) -> Clips:
    """The clips of ``[clips]`` to be read as the network needs them; nothing is decoded.

    Raises:
        RecipeError: as :func:`features_of`.
        UsageError, DataError: as the readers.
    """
    settings = replace(recipe.clips, features=features_of(recipe))
    return clip_dataset(settings.name).clips(dataset_folder(settings, data_root), settings)


def held(clips: Clips, settings: ClipSettings) -> tuple[Clips, tuple[str, ...]]:
    """Clips in a pack or in memory, or as they are where they are too many; and those that cannot be read."""
    if settings.pack:
        from affekt.data.audiovisual.pack import with_pack

        packed = with_pack(clips, Path(settings.pack).expanduser())
        lost = clips.ids[~np.isin(clips.ids, packed.ids)].tolist()
        return packed, tuple(f"{name}: could not be read when it was packed" for name in lost)
    if not fits(clips, settings):
        return clips, ()
    return in_memory(clips, workers=settings.workers)


def fits(clips: Clips, settings: ClipSettings) -> bool:
    """Whether these clips may be kept in memory, decoded."""
    return most_gib(len(clips), clips.media.reading) <= settings.memory


def learned_tasks(recipe: Recipe) -> tuple[str, ...]:
    """The tasks that the network learns.

    Raises:
        RecipeError: one that is not among the labels that are read.
    """
    read = recipe.clips.tasks
    for task in recipe.network.tasks:
        if task not in read:
            raise RecipeError(
                f"{unknown('[network] tasks', task, read)}; labels of the set are read by [clips] tasks, "
                f"see: affekt data info {recipe.clips.name}"
            )
    return recipe.network.tasks or read


def needs(recipe: Recipe) -> tuple[str, ...]:
    """The features that the network is given."""
    hears, sees = recipe.network.audio, recipe.network.video
    found = () if hears == NOTHING else ("log-mel",) if hears == "log-mel" else ("audio",)
    return found if sees == NOTHING else (*found, "faces")


def features_of(recipe: Recipe) -> tuple[str, ...]:
    """What is read of each clip: what the network is given, and sound where training changes it.

    Raises:
        RecipeError: the recipe names features without one of these; or changes what nobody hears or sees.
    """
    wanted = needs(recipe)
    changes = recipe.clip_augmentation
    if changes.changes_sound and "audio" not in wanted and recipe.network.audio != NOTHING:
        wanted = ("audio", *wanted)
    if (changes.time_masks or changes.frequency_masks) and "log-mel" not in wanted:
        raise RecipeError(
            f"[clip_augmentation] time_masks, frequency_masks: mask a spectrogram, and [network] audio = "
            f'"{recipe.network.audio}" sees none; write audio = "log-mel", or leave them out'
        )
    if changes.frame_drop and "faces" not in wanted:
        raise RecipeError(
            f"[clip_augmentation] frame_drop = {changes.frame_drop:g}: loses pictures, and [network] video = "
            '"none" sees none; leave it out'
        )
    if (changes.reverberation or changes.noise or any(changes.gain)) and recipe.network.audio == NOTHING:
        raise RecipeError(
            '[clip_augmentation] reverberation, noise, gain: change sound, and [network] audio = "none" hears none; '
            "leave them out"
        )
    asked = recipe.clips.features
    lacking = [name for name in wanted if name not in asked]
    if asked and lacking:
        raise RecipeError(
            f"[clips] features = {list(asked)}: without {', '.join(lacking)}, which this recipe needs; leave it out"
        )
    return asked or wanted
