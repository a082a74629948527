"""Run folder: one condition with one seed - whose it is, where it ran, what came out. Nothing is overwritten."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from affekt.errors import AffektError, RecipeError, first
from affekt.recipe import Recipe, TrainingSettings, change, differing_keys, load_recipe, to_toml
from affekt.saving.claims import CLAIM, claimed, refuse_if_taken
from affekt.saving.environment import environment
from affekt.saving.whole import Busy, locked, write_bytes, write_first, write_text

__all__ = ["ERROR", "OF_THE_MACHINE", "PREDICTIONS", "Busy", "RunFolder", "environment", "with_threads", "write_text"]

OF_THE_MACHINE = ("training.threads", "emotional.training.threads", "source.training.threads")
"""Keys that a recipe may leave to the machine: the folder states what was used, and a resume uses that."""


OF_THE_CALL = tuple(f"{table}training.halve_when_full" for table in ("", "emotional.", "source."))
"""Keys that do not make another recipe: the folder's recipe is followed, with these as they are asked for now."""

FOR_PEOPLE = ("about",)
"""Keys that may be worded anew without being another recipe; the folder keeps its own words."""

ERROR = "error.json"
"""Of a run that failed: why. It may lie in a folder that is otherwise free."""


PREDICTIONS = "predictions.npz"
"""What a finished run says of every item of the splits that it scored."""


def _of_a_claim(name: str) -> bool:
    """Whether a file may lie in a folder without a recipe: a command is about to claim it, or was killed there."""
    return name == CLAIM or name.startswith((ERROR, "environment.json", "recipe.toml.", f"{CLAIM}."))


@dataclass(frozen=True)
class RunFolder:
    """The files of one run; see the design of the folder in the docs."""

    path: Path

    @property
    def model(self) -> Path:
        return self.path / "model"

    @property
    def predictions(self) -> Path:
        return self.path / PREDICTIONS

    @contextmanager
    def locked(self) -> Iterator[None]:
        """A block in which no other process works in this folder, of this machine or of another that shares it.

        The lock of the machine ends with its process at once; the claim is seen from everywhere.

        Raises:
            Busy: another process is at work here.
            AffektError: the folder cannot be written.
        """
        with locked(self.path), claimed(self.path):
            yield

    def held(self, recipe: Recipe) -> Recipe | None:
        """The recipe that this folder already follows; None where the folder is free. Writes nothing.

        Raises:
            RecipeError: the folder holds another recipe (the keys that differ), or other files.
        """
        # Before the recipe is looked for: a command that claims the folder meanwhile writes that first.
        free = not self.path.exists() or (self.path.is_dir() and all(_of_a_claim(p.name) for p in self.path.iterdir()))
        held = self.path / "recipe.toml"
        if held.exists():
            return self._same(load_recipe(held), recipe)
        if not free:
            raise RecipeError(f"{self.path}: not empty and not a run of affekt; give another folder with --out")
        return None

    def claim(self, recipe: Recipe) -> None:
        """Make the folder this recipe's; nothing happens where it already is.

        Raises:
            AffektError: the folder cannot be written.
            RecipeError: another command has claimed it for another recipe since it was looked at.
        """
        held = self.path / "recipe.toml"
        if not held.exists():
            write_text(self.path / "environment.json", json.dumps(environment(), indent=2) + "\n")
            if write_first(held, to_toml(recipe)):
                return
        self._same(load_recipe(held), recipe)

    def _same(self, held: Recipe, asked: Recipe) -> Recipe:
        left = [k for k in OF_THE_MACHINE if _get(asked, k) is None]
        keys = [k for k in differing_keys(held, asked) if k not in (*left, *FOR_PEOPLE, *OF_THE_CALL)]
        if keys:
            key = keys[0]
            detail = f"{key} is {_get(held, key)!r} there, {_get(asked, key)!r} here"
            kind = "study" if (self.path / "runs").is_dir() else "run"
            raise RecipeError(
                f"{self.path}: holds a {kind} of another recipe; keys that differ: {first(keys)} ({detail}). "
                "Give another folder with --out, or the same recipe"
            )
        asked_now = {k: _get(asked, k) for k in OF_THE_CALL if _get(asked, k) != _get(held, k)}
        return change(held, asked_now) if asked_now else held

    def result(self) -> dict[str, Any] | None:
        """The finished run's result; None while it is not finished.

        Raises:
            AffektError: the file is damaged.
        """
        path = self.path / "result.json"
        if not path.exists():
            return None
        try:
            return cast(dict[str, Any], json.loads(path.read_text(encoding="utf-8")))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise AffektError(f"{path}: damaged ({error}); delete it and run again to score the run anew") from None

    def write_predictions(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Into ``predictions.npz``: ids, labels and outputs of the scored splits; no object arrays, so no pickle.

        Raises:
            Busy: another process has taken this run over.
            AffektError: the folder cannot be written.
        """
        refuse_if_taken(self.path)
        held = io.BytesIO()
        np.savez(held, allow_pickle=False, **cast(Any, dict(arrays)))
        write_bytes(self.predictions, held.getvalue())

    def write_result(self, result: Mapping[str, Any]) -> None:
        """``result.json``, written last and at once: its presence says that the run is finished.

        Raises:
            As :meth:`write_predictions`.
        """
        refuse_if_taken(self.path)
        write_text(self.path / "result.json", json.dumps(result, indent=2, allow_nan=False) + "\n")


def _get(recipe: Recipe, dotted: str) -> Any:
    value: Any = recipe
    for part in dotted.split("."):
        value = value.get(part) if isinstance(value, Mapping) else getattr(value, part, None)
    return value


def with_threads(recipe: Recipe, threads: int) -> Recipe:
    """The recipe with the machine's number of threads where it leaves that open."""

    def given(engine: TrainingSettings) -> TrainingSettings:
        return replace(engine, threads=engine.threads or threads)

    if recipe.of_clips:
        return replace(recipe, training=given(recipe.training))
    emotional = replace(recipe.emotional, training=given(recipe.emotional.training))
    # Where there is no source, its section stays as by default, and so unwritten.
    source = replace(recipe.source, training=given(recipe.source.training)) if recipe.source.name else recipe.source
    return replace(recipe, training=given(recipe.training), emotional=emotional, source=source)
