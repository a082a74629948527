"""Checkpoint: all that a training needs to go on, as a folder of safetensors and JSON that is whole or absent.

``checkpoints/step-N/`` holds ``state.json``, one safetensors file for each group of tensors (``model``, ``optimiser``,
``average``, ``best``) and ``manifest.json`` with the SHA-256 of each, written last. Nothing is pickled.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from affekt.errors import CheckpointError, first
from affekt.saving import verify_manifest, write_folder
from affekt.saving.claims import refuse_if_taken
from affekt.training.distributed import Processes, from_main
from affekt.training.logging import messages

FORMAT = 1
_NAME = re.compile(r"step-(\d+)")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What is kept of a training.

    Attributes:
        step: optimiser steps made.
        state: everything that is no tensor, as JSON has it.
        tensors: group -> name -> tensor, on the CPU after reading.
    """

    step: int
    state: Mapping[str, Any]
    tensors: Mapping[str, Mapping[str, Tensor]]


class Checkpoints:
    """The checkpoints of one run folder, newest last."""

    def __init__(self, folder: Path, *, keep: int = 2) -> None:
        self.folder = folder
        self.keep = keep

    def steps(self) -> list[int]:
        """The steps at which there is a checkpoint, damaged or not, ascending."""
        if not self.folder.is_dir():
            return []
        found = (_NAME.fullmatch(path.name) for path in self.folder.iterdir() if path.is_dir())
        return sorted(int(match[1]) for match in found if match)

    def path(self, step: int) -> Path:
        return self.folder / f"step-{step}"

    def write(self, checkpoint: Checkpoint) -> None:
        """Add a checkpoint and drop the oldest beyond ``keep``, and those of later steps that could not be used.

        Raises:
            CheckpointError: no space, no right to write. Those before it are intact.
            Busy: another process has taken the run over.
        """
        refuse_if_taken(self.folder)
        try:
            # A checkpoint of this step can stand there only if it was damaged and the one before it was used.
            write_folder(self.path(checkpoint.step), lambda folder: _fill(folder, checkpoint), replace=True)
        except CheckpointError as error:
            intact = [step for step in self.steps() if step < checkpoint.step]
            rest = f"; {self.path(intact[-1])} is intact, the same call goes on from there" if intact else ""
            raise CheckpointError(f"{error}{rest}") from None
        self._prune(checkpoint.step)

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint that is whole; None where there is none at all. Each damaged one is named in a warning.

        Raises:
            CheckpointError: there are checkpoints, and all are damaged.
        """
        steps = self.steps()
        for step in reversed(steps):
            try:
                return self.read(step)
            except CheckpointError as error:
                older = any(s < step for s in steps)
                messages.warning("%s%s", error, ": the checkpoint before it is used" if older else "")
        if steps:
            names = first([f"step-{step}" for step in reversed(steps)])
            raise CheckpointError(
                f"{self.folder}: all {len(steps)} checkpoints are damaged ({names}); "
                "restore one from a copy, or delete them to begin again"
            )
        return None

    def read(self, step: int) -> Checkpoint:
        """One checkpoint, checked against its manifest.

        Raises:
            CheckpointError: missing, truncated, altered, or of another version of affekt.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folder = self.path(step)
        verify_manifest(folder)
        try:
            state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
            if state.pop("format", None) != FORMAT:
                raise CheckpointError(f"{folder}: written by another version of affekt; use that one to go on")
            tensors = {path.stem: load_file(path) for path in sorted(folder.glob("*.safetensors"))}
        except (OSError, ValueError, AttributeError, SafetensorError) as error:
            raise CheckpointError(f"{folder}: cannot be read: {error}") from None
        return Checkpoint(step=step, state=state, tensors=tensors)

    def clean(self) -> None:
        """Remove what a write or a removal that was killed has left behind."""
        for path in self.folder.glob(".step-*"):
            shutil.rmtree(path, ignore_errors=True)

    def _prune(self, newest: int) -> None:
        steps = self.steps()
        kept = [s for s in steps if s <= newest][-self.keep :]
        for step in set(steps) - set(kept):
            # Out of sight first: half a folder must not look like a damaged checkpoint.
            aside = self.folder / f".step-{step}-old"
            try:
                self.path(step).rename(aside)
            except OSError as error:
                messages.warning("%s: cannot be removed: %s", self.path(step), error.strerror)
            shutil.rmtree(aside, ignore_errors=True)


def newest(checkpoints: Checkpoints, processes: Processes) -> Checkpoint | None:
    """The checkpoint to go on from, the same for all processes: process 0 says which.

    Raises:
        CheckpointError: all are damaged, or a process cannot see the folder.
    """
    found = checkpoints.latest() if processes.main else None
    step = from_main(None if found is None else found.step)
    if step is None or found is not None:
        return found
    return checkpoints.read(step)


def _fill(folder: Path, checkpoint: Checkpoint) -> None:
    state = {"format": FORMAT, **checkpoint.state}
    (folder / "state.json").write_text(json.dumps(state, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    for group, tensors in checkpoint.tensors.items():
        _save(folder / f"{group}.safetensors", tensors)


def _save(path: Path, tensors: Mapping[str, Tensor]) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    # Clones: safetensors refuses tensors that share memory (tied weights).
    own = {name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
    try:
        save_file(own, path)
    except SafetensorError as error:
        raise _as_os_error(error) from None


def _as_os_error(error: Exception) -> OSError:
    """The operating system's error inside a message of safetensors, e.g. "... (os error 28)"."""
    number = re.search(r"os error (\d+)", str(error))
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else OSError(str(error))
