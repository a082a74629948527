"""Run folder: one condition with one seed - whose it is, where it ran, what came out. Nothing is overwritten."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from affekt import __version__
from affekt.errors import AffektError, RecipeError, first
from affekt.recipe import Recipe, differing_keys, load_recipe, to_toml

OF_THE_MACHINE = ("training.threads", "emotional.training.threads")
"""Keys that a recipe may leave to the machine: the folder states what was used, and a resume uses that."""


ERROR = "error.json"
"""Of a run that failed: why. It may lie in a folder that is otherwise free."""


class Busy(AffektError):  # noqa: N818 - reads as what it is
    """Another process is at work in a folder."""


def _of_a_claim(name: str) -> bool:
    """Whether a file may lie in a folder without a recipe: a command is about to claim it, or was killed there."""
    return name == ERROR or name.startswith(("environment.json", "recipe.toml."))


@dataclass(frozen=True)
class RunFolder:
    """The files of one run; see the design of the folder in the docs."""

    path: Path

    @property
    def model(self) -> Path:
        return self.path / "model"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """A block in which no other process of this machine works in this folder; also ``kill -9`` ends it.

        The lock lies in the system's folder for temporary files, named after this one, so that a folder that is refused
        stays as it was. Systems without ``fcntl`` do without.

        Raises:
            Busy: another process is at work here.
        """
        try:
            import fcntl
        except ImportError:
            yield
            return
        digest = hashlib.sha256(f"{os.getuid()} {self.path.resolve()}".encode()).hexdigest()[:24]
        with (Path(tempfile.gettempdir()) / f"affekt-{digest}.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Busy(
                    f"{self.path}: another affekt is at work in this folder; wait for it, or give another with --out"
                ) from None
            yield

    def held(self, recipe: Recipe) -> Recipe | None:
        """The recipe that this folder already follows; None where the folder is free. Writes nothing.

        Raises:
            RecipeError: the folder holds another recipe (the keys that differ), or other files.
        """
        held = self.path / "recipe.toml"
        if held.exists():
            return self._same(load_recipe(held), recipe)
        if self.path.exists() and (not self.path.is_dir() or not all(_of_a_claim(p.name) for p in self.path.iterdir())):
            raise RecipeError(f"{self.path}: not empty and not a run of affekt; give another folder with --out")
        return None

    def claim(self, recipe: Recipe) -> None:
        """Make the folder this recipe's; nothing happens where it already is.

        Raises:
            AffektError: the folder cannot be written.
        """
        if not (self.path / "recipe.toml").exists():
            write_text(self.path / "environment.json", json.dumps(environment(), indent=2) + "\n")
            write_text(self.path / "recipe.toml", to_toml(recipe))

    def _same(self, held: Recipe, asked: Recipe) -> Recipe:
        keys = [k for k in differing_keys(held, asked) if not (k in OF_THE_MACHINE and _get(asked, k) is None)]
        if keys:
            key = keys[0]
            detail = f"{key} is {_get(held, key)!r} there, {_get(asked, key)!r} here"
            raise RecipeError(
                f"{self.path}: holds a run of another recipe; keys that differ: {first(keys)} ({detail}). "
                "Give another folder with --out, or the same recipe"
            )
        return held

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
        """``predictions.npz``: ids, labels and outputs of the scored splits; no object arrays, so no pickle."""
        self.path.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self.path, suffix=".tmp")
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, allow_pickle=False, **cast(Any, dict(arrays)))
        Path(name).replace(self.path / "predictions.npz")

    def write_result(self, result: Mapping[str, Any]) -> None:
        """``result.json``, written last and at once: its presence says that the run is finished."""
        write_text(self.path / "result.json", json.dumps(result, indent=2, allow_nan=False) + "\n")


def _get(recipe: Recipe, dotted: str) -> Any:
    value: Any = recipe
    for part in dotted.split("."):
        value = value.get(part) if isinstance(value, Mapping) else getattr(value, part, None)
    return value


def with_threads(recipe: Recipe, threads: int) -> Recipe:
    """The recipe with the machine's number of threads where it leaves that open."""
    training = replace(recipe.training, threads=recipe.training.threads or threads)
    emotional = replace(recipe.emotional.training, threads=recipe.emotional.training.threads or threads)
    return replace(recipe, training=training, emotional=replace(recipe.emotional, training=emotional))


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        AffektError: the folder cannot be written, or the disk is full.
    """
    # Of this process alone: two commands may begin one study at the same moment.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise AffektError(f"cannot write {path}: {error.strerror}") from None


def environment() -> dict[str, Any]:
    """Versions and machine: what a reader of the result needs to know, and nothing that names a person or a path."""
    from importlib.metadata import PackageNotFoundError, version

    import torch

    versions = {"affekt": __version__, "python": platform.python_version()}
    for package in ("torch", "torchvision", "timm", "numpy", "scipy", "pillow", "safetensors"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    gpus = (
        [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    )
    return {
        "versions": versions,
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "gpus": gpus,
    }


def _processor() -> str:
    """The processor's name; Linux keeps it in a file, others tell ``platform``."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
