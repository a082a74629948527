"""Logging: log.jsonl (what happened, no clock in it), timing.jsonl (how fast), TensorBoard if asked."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch

from affekt.errors import MissingExtra, TrainingError

messages = logging.getLogger("affekt.training")
"""Warnings of the engine; Python prints them on stderr unless told otherwise."""


class JsonLines:
    """A file of one JSON object a line that can be cut back to where it was at a checkpoint."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            TrainingError: the file cannot be written.
        """
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = path.open("ab", buffering=0)
        except OSError as error:
            raise self._failed(error) from None

    def write(self, record: Mapping[str, Any]) -> None:
        """Append a line; numbers that are none (NaN, infinite) become null.

        Raises:
            TrainingError: the disk is full.
        """
        line = memoryview((json.dumps(plain(record), allow_nan=False) + "\n").encode())
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError as error:
            raise self._failed(error) from None

    def sync(self) -> int:
        """Bring all lines to the disk; the length in bytes."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failed(error) from None
        return self._file.seek(0, os.SEEK_END)

    def cut(self, length: int) -> None:
        """Drop what was written after ``length`` bytes, e.g. by steps that a crash undid."""
        found = self._file.seek(0, os.SEEK_END)
        if found < length:
            messages.warning("%s: %d bytes, %d at the checkpoint: earlier lines are lost", self.path, found, length)
            return
        try:
            self._file.truncate(length)
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        self._file.close()

    def _failed(self, error: OSError) -> TrainingError:
        reason = error.strerror or str(error)
        return TrainingError(
            f"{self.path}: cannot be written: {reason}; free some space or choose another folder, "
            "then run the same again: it goes on from its last checkpoint"
        )


class RunLog:
    """The log files of one run folder; process 0 has one."""

    def __init__(self, folder: Path, *, tensorboard: bool) -> None:
        self.lines = JsonLines(folder / "log.jsonl")
        self._timing = JsonLines(folder / "timing.jsonl")
        self._folder, self._tensorboard = folder, tensorboard
        self._board: Any = None
        self._begun = time.monotonic()

    def resume(self, step: int, length: int) -> None:
        """Go on after ``step`` steps, where the log had ``length`` bytes."""
        self.lines.cut(length)
        if self._tensorboard:
            self._board = _board(self._folder / "tensorboard", step)

    def train(self, record: Mapping[str, Any]) -> None:
        """A line about some training steps."""
        self.lines.write({"kind": "train", **record})
        weights = {f"weight of {name}": weight for name, weight in record.get("weights", {}).items()}
        self._show(record["step"], "train", {"learning_rate": record["learning_rate"], **record["losses"], **weights})

    def collapse(self, record: Mapping[str, Any]) -> None:
        """A line about a task that has lost its weight."""
        self.lines.write({"kind": "collapse", **record})

    def validation(self, record: Mapping[str, Any]) -> None:
        """A line about a validation."""
        self.lines.write({"kind": "validation", **record})
        losses = {f"loss {k}": v for k, v in record["losses"].items()}
        self._show(record["step"], "validation", {**record["metrics"], **losses})

    def cosines(self, record: Mapping[str, Any]) -> None:
        """A line about the gradients of the tasks, where nothing is validated."""
        self.lines.write({"kind": "cosine", **record})

    def timing(self, kind: str, **record: Any) -> None:
        """What depends on the clock and the machine: seconds since this process began, memory."""
        seconds = round(time.monotonic() - self._begun, 3)
        self._timing.write({"kind": kind, "seconds": seconds, **memory(), **record})

    def close(self) -> None:
        self.lines.close()
        self._timing.close()
        if self._board is not None:
            self._board.close()

    def _show(self, step: int, group: str, values: Mapping[str, float | None]) -> None:
        if self._board is not None:
            for name, value in values.items():
                if value is not None:
                    self._board.add_scalar(f"{group}/{name}", value, step)


def _board(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtra("tensorboard", "tensorboard") from None
    return SummaryWriter(str(folder), purge_step=step + 1)


def memory() -> dict[str, int]:
    """Peak bytes so far: of this process, and of its GPU."""
    found: dict[str, int] = {}
    try:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found["memory_bytes"] = peak if sys.platform == "darwin" else peak * 1024
    except ImportError:  # Windows has no such module
        pass
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        found["gpu_memory_bytes"] = torch.cuda.max_memory_allocated()
    return found


def plain(value: Any) -> Any:
    """JSON's own types: numbers that are none become None, tuples lists."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
