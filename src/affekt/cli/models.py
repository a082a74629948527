"""Models named on the command line: a model folder, a run folder, or a hub repository, with the recipe beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from affekt.errors import CheckpointError, UsageError

if TYPE_CHECKING:
    from affekt.recipe import DataSettings, Recipe


@dataclass(frozen=True, kw_only=True)
class Found:
    """A loaded model and, where it came out of a run, that run's recipe."""

    name: str
    model: Any
    recipe: Recipe | None

    @property
    def of_clips(self) -> bool:
        """Whether it hears and sees clips; all others are shown pictures."""
        return type(self.model).__name__ == "AudioVisualNetwork"

    @property
    def affective(self) -> bool:
        """Whether it answers with affect alone; a classifier answers with classes."""
        return type(self.model).__name__ == "AffectNetwork"

    @property
    def settings(self) -> DataSettings | None:
        """How the run read the pictures that this model was trained on."""
        if self.recipe is None:
            return None
        return self.recipe.affective if self.affective else self.recipe.target

    @property
    def image_size(self) -> int:
        """Side at which pictures are read: as in training, else the model's own."""
        return self.settings.image_size if self.settings else int(self.model.image_size)

    @property
    def fit(self) -> Literal["crop", "squash"]:
        return self.settings.fit if self.settings else "crop"


def find_model(name: str) -> Found:
    """Load a model that is shown pictures, in evaluation mode.

    Raises:
        CheckpointError: no such folder, an unfinished run, or a damaged model.
        UsageError: a model that does not answer to pictures alone.
    """
    found = find_any(name)
    if found.of_clips:
        raise UsageError(f"{name}: a network of sound and pictures of clips; affekt predict shows files of them to it")
    return found


def find_any(name: str) -> Found:
    """Load a model of pictures or of clips, in evaluation mode.

    Raises:
        CheckpointError: no such folder, an unfinished run, or a damaged model.
    """
    path = Path(name)
    folder = path / "model" if (path / "model").is_dir() else path
    if path.is_file():
        raise CheckpointError(f"{path}: a file; give the model folder that holds it (config.json, model.safetensors)")
    if (path / "folds").is_dir() and folder == path:
        one = next(iter(sorted((path / "folds").glob("*/model"))), path / "folds" / "fold-0")
        raise CheckpointError(f"{path}: this run has a model for each fold; name one of them, e.g. {one}")
    if (path / "recipe.toml").exists() and folder == path:
        raise CheckpointError(f"{path}: this run has no model yet; run the same affekt train command to finish it")
    from affekt.saving import load

    model = load(str(folder) if path.exists() else name)
    return Found(name=name, model=model.eval(), recipe=_recipe_of(folder))


def _recipe_of(folder: Path) -> Recipe | None:
    """The recipe of the run that a model folder stands in."""
    beside = folder.parent / "recipe.toml"
    if folder.name != "model" or not beside.is_file():
        return None
    from affekt.recipe import load_recipe

    return load_recipe(beside)
