"""Calling the command in this process, and small inputs for it."""

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from affekt.cli import main


@dataclass(frozen=True)
class Answer:
    """What a call gave back."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of error; fails if there is more than one, or a traceback."""
        lines = [line for line in self.err.splitlines() if line.startswith("affekt: error: ")]
        assert len(lines) == 1 and "Traceback" not in self.err, self.err
        return lines[0].removeprefix("affekt: error: ")


@pytest.fixture
def call(capsys, monkeypatch):
    """``call("train", ...)`` -> :class:`Answer`, in this process."""
    monkeypatch.delenv("AFFEKT_DEBUG", raising=False)

    def run(*words) -> Answer:
        capsys.readouterr()
        code = main([str(w) for w in words])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run


@pytest.fixture
def spawn():
    """``spawn("train", ..., stdin="")`` -> :class:`Answer` of a process of its own."""

    def run(*words, stdin: str = "", **environment) -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", "affekt.cli", *map(str, words)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return run
