"""convert: a foreign .pt or .pth file to safetensors; nothing in it is run, and what is left out is listed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file

from affekt.backbones.reading import read_tensors
from affekt.errors import CheckpointError, UsageError, first


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was converted: ``str(report)`` is one line.

    Attributes:
        source, destination: the two files.
        tensors: how many were written.
        values: how many numbers they hold.
        dropped: entries of the source that are no weights, as ``name (type)``.
    """

    source: Path
    destination: Path
    tensors: int
    values: int
    dropped: tuple[str, ...]

    def __str__(self) -> str:
        left = f"; left out: {first(self.dropped)}" if self.dropped else ""
        return f"{self.destination}: {self.tensors} tensors, {self.values:,} values{left}"


def convert(source: Path, destination: Path) -> Report:
    """Write the state dict in ``source`` as safetensors, whole or not at all.

    Nested checkpoints are opened, prefixes of parallel and compiled models go, tensors that share memory get their own.

    Raises:
        UsageError: no such source; the destination exists.
        CheckpointError: a source that is unreadable, would run code, or holds no state dict; a full disk.
    """
    source, destination = Path(source), Path(destination)
    if destination.exists():
        raise UsageError(f"{destination}: exists already and is not overwritten; name another file")
    found = read_tensors(source)
    tensors = {name: tensor.clone().contiguous() for name, tensor in found.tensors.items()}
    beside = destination.parent / f".{destination.name}-{uuid.uuid4().hex[:12]}"
    try:
        beside.touch()
        mode = beside.stat().st_mode  # safetensors makes files for their owner alone
        save_file(tensors, beside, metadata={"format": "pt"})
        beside.chmod(mode)
        beside.replace(destination)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{destination}: cannot be written: {' '.join(str(error).split())}") from error
    finally:
        beside.unlink(missing_ok=True)
    values = sum(tensor.numel() for tensor in tensors.values())
    return Report(source=source, destination=destination, tensors=len(tensors), values=values, dropped=found.dropped)
