"""kill -9 at random moments ends, byte for byte, as the run that nobody disturbed."""

import os
import sys
from pathlib import Path

import pytest
from kill_harness import differing_files, run_to_end, survive

KILLS = int(os.environ.get("AFFEKT_KILLS", "24"))
"""Of the slow test."""


def kill_and_compare(place: Path, *, kills: int, epochs: int, seed: int) -> None:
    def command(folder: Path) -> list[str]:
        return [sys.executable, str(Path(__file__).with_name("tiny_run.py")), str(folder), str(epochs)]

    begin = run_to_end([sys.executable, "-c", "import affekt.training"])
    seconds = run_to_end(command(place / "whole"))
    survival = survive(command, place, kills=kills, seconds=seconds, seed=seed, earliest=0.7 * begin)
    assert survival.kills == kills
    for folder in survival.folders:
        assert differing_files(place / "whole", folder) == []


def test_killed_run_ends_like_the_undisturbed_one(tmp_path):
    kill_and_compare(tmp_path, kills=2, epochs=10, seed=0)


@pytest.mark.slow
def test_many_kills(tmp_path):
    kill_and_compare(tmp_path, kills=KILLS, epochs=40, seed=1)
