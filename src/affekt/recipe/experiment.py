"""Recipe: all sections of an experiment, and which of them belong to pictures and which to clips."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from affekt.errors import RecipeError
from affekt.recipe.clips import ClipAugmentationSettings, ClipSettings, NetworkSettings
from affekt.recipe.settings import (
    AugmentationSettings,
    DataSettings,
    EmotionalSettings,
    ModelSettings,
    RegulationSettings,
    SourceSettings,
    StudySettings,
    TrainingSettings,
    Value,
    WeightingSettings,
    setting,
)

OF_CLIPS = ("clips", "clip_augmentation", "network")
"""Sections of a recipe about clips."""

OF_PICTURES = ("affective", "emotional", "source", "target", "model", "regulation", "augmentation")
"""Sections of a recipe about pictures; those in neither list are of both."""

INSTEAD = {"target": "clips", "affective": "clips", "model": "network", "augmentation": "clip_augmentation"}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """An experiment, on pictures or, where ``[clips]`` names a set, on sound and pictures of clips.

    Sections that are absent have their defaults; ``[conditions.NAME]`` holds keys to change.
    """

    name: str = setting("", "of the experiment")
    about: str = setting("", "one paragraph for people")
    seed: int = setting(0, "of a single run", low=0)
    affective: DataSettings = field(default_factory=DataSettings)
    emotional: EmotionalSettings = field(default_factory=EmotionalSettings)
    source: SourceSettings = field(default_factory=SourceSettings, metadata={"unwritten": True})
    target: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    regulation: RegulationSettings = field(default_factory=RegulationSettings)
    weighting: WeightingSettings = field(default_factory=WeightingSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    clips: ClipSettings = field(default_factory=ClipSettings)
    clip_augmentation: ClipAugmentationSettings = field(default_factory=ClipAugmentationSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    study: StudySettings = field(default_factory=StudySettings)
    conditions: dict[str, dict[str, Value]] = setting({}, 'name -> changed keys, e.g. {"training.epochs" = 30}')

    @property
    def of_clips(self) -> bool:
        """Whether it is about clips."""
        return bool(self.clips.name)


def strange_sections(recipe: Recipe) -> tuple[str, ...]:
    """The sections of the other kind of recipe: they stand at their defaults and are not written."""
    return OF_PICTURES if recipe.of_clips else OF_CLIPS


def check_kind(recipe: Recipe) -> None:
    """
    Raises:
        RecipeError: sections about pictures beside ``[clips]``, or sections about clips without the name of a set.
    """
    usual = {f.name: f.default_factory() for f in fields(Recipe) if callable(f.default_factory)}
    for name in strange_sections(recipe):
        if getattr(recipe, name) == usual[name]:
            continue
        if recipe.of_clips:
            instead = f"; write [{INSTEAD[name]}]" if name in INSTEAD else "; leave it out"
            raise RecipeError(f"[{name}]: is for pictures, and this recipe names clips ([clips] name){instead}")
        raise RecipeError(f"[{name}]: is for clips; name a set of them in [clips] name, see: affekt data list")
