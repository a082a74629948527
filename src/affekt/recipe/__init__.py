"""Recipe: one TOML file that says everything about an experiment.

    >>> from affekt.recipe import load_recipe, override
    >>> recipe = override(load_recipe("recipes/quickstart.toml"), ["training.epochs=3"])

Nothing here imports torch.
"""

from affekt.recipe.clips import ClipAugmentationSettings, ClipSettings, NetworkSettings
from affekt.recipe.experiment import Recipe
from affekt.recipe.reading import change, from_dict, keys, load_recipe, override
from affekt.recipe.settings import (
    AugmentationSettings,
    DataSettings,
    EmotionalSettings,
    ModelSettings,
    RegulationSettings,
    SourceSettings,
    StudySettings,
    TrainingSettings,
    WeightingSettings,
)
from affekt.recipe.writing import differing_keys, flatten, to_dict, to_toml

__all__ = [
    "AugmentationSettings",
    "ClipAugmentationSettings",
    "ClipSettings",
    "DataSettings",
    "EmotionalSettings",
    "ModelSettings",
    "NetworkSettings",
    "Recipe",
    "RegulationSettings",
    "SourceSettings",
    "StudySettings",
    "TrainingSettings",
    "WeightingSettings",
    "change",
    "differing_keys",
    "flatten",
    "from_dict",
    "keys",
    "load_recipe",
    "override",
    "to_dict",
    "to_toml",
]
