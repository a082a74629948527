"""Kill harness: run a command, end it with SIGKILL at random moments, start it again until it ends by itself.

    undisturbed = run_to_end(command(tmp / "whole"))
    survival = survive(command, tmp / "runs", kills=20, seconds=undisturbed, seed=0)
    for folder in survival.folders:
        assert differing_files(tmp / "whole", folder) == []

``command`` makes the words of the command for an output folder; the command must go on where it was when it is called
again for the same folder.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Command = Callable[[Path], Sequence[str]]

CLOCK = ("timing.jsonl", "environment.json")
"""Files that depend on the clock or the machine and are not compared."""


@dataclass(frozen=True)
class Survival:
    """Folders of runs that were killed ``kills`` times in all and ended at last."""

    folders: list[Path]
    kills: int


def _environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def run_to_end(words: Sequence[str], *, timeout: float = 600) -> float:
    """Run without disturbance; the seconds it took.

    Raises:
        AssertionError: it failed; with what it said.
    """
    begun = time.monotonic()
    done = subprocess.run(words, env=_environment(), capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"exit {done.returncode}: {done.stdout}{done.stderr}"
    return time.monotonic() - begun


def survive(
    command: Command, place: Path, *, kills: int, seconds: float, seed: int, earliest: float = 0.0, per_run: int = 7
) -> Survival:
    """Kill runs ``kills`` times in all, each at most ``per_run`` times, and let each come to its end.

    Args:
        place: parent of the runs' folders.
        seconds: what an undisturbed run takes.
        seed: of the moments.
        earliest: seconds after the start before which no kill falls: kills are for the training, not for imports.
    """
    draw = random.Random(seed)
    folders: list[Path] = []
    done = 0
    while done < kills:
        folder = place / f"run-{len(folders)}"
        folders.append(folder)
        here = 0
        allowed = min(per_run, kills - done)
        while not _ends(command(folder), draw.uniform(earliest, seconds) if here < allowed else None):
            here += 1
        done += here
    return Survival(folders, done)


def _ends(words: Sequence[str], patience: float | None) -> bool:
    """Whether the command ends by itself within ``patience`` seconds; it is killed otherwise.

    Raises:
        AssertionError: it ended with an error.
    """
    process = subprocess.Popen(words, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return False
    assert process.returncode == 0, f"exit {process.returncode}: {said}"
    return True


def differing_files(one: Path, other: Path, ignored: Sequence[str] = CLOCK) -> list[str]:
    """Files below the folders that only one has, or that differ in a byte; leftovers of a kill count too."""
    names = {p.relative_to(root).as_posix() for root in (one, other) for p in root.rglob("*") if p.is_file()}
    compared = sorted(n for n in names if Path(n).name not in ignored)
    return [n for n in compared if _bytes(one / n) != _bytes(other / n)]


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
