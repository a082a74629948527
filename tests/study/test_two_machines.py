"""Two commands on one folder that see nothing of each other but that folder, as on two machines: each with a folder for
temporary files of its own, so that no lock of the machine is shared."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import small_recipe

from affekt.recipe import load_recipe, override, to_toml
from affekt.saving.claims import CLAIM, STALE, Owner
from affekt.study import scheduling
from affekt.study.folder import RunFolder
from affekt.study.studying import study

ELSEWHERE = Owner(host="node17", pid=4711, started=5, system="00000000", token="0123456789ab")

COMMAND = """
import os, sys, time
from pathlib import Path
from affekt.cli import main
from affekt.training import Trainer

starts, commands, fit = Path(sys.argv.pop(1)), int(sys.argv.pop(1)), Trainer.fit

def noted(self):
    with starts.open("a") as file:
        file.write(f"{os.getpid()} {self.folder}\\n")
    deadline = time.monotonic() + 200
    while len({line.split()[0] for line in starts.read_text().splitlines()}) < commands and time.monotonic() < deadline:
        time.sleep(0.01)
    return fit(self)

Trainer.fit = noted
sys.exit(main())
"""
"""The command, which notes what it begins to train, and begins when so many commands are at something."""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    changes = ['study.conditions=["baseline","learn-e-reg"]', "study.seeds=2", "study.draws=200"]
    changes += ["training.checkpoint_every=2", *small_recipe.ONE_THREAD]
    return override(load_recipe(small_recipe.write(root, epochs=1, contrast=6)), changes)


def command(recipe, root: Path, name: str, *, commands: int) -> subprocess.Popen:
    (root / name).mkdir()
    (root / "r.toml").write_text(to_toml(recipe))
    words = [sys.executable, "-c", COMMAND, str(root / "starts.txt"), str(commands)]
    words += ["study", "r.toml", "--out", "st", "--workers", "1", "--no-pictures"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(root / name)}
    return subprocess.Popen(words, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def starts(root: Path) -> list[tuple[str, str]]:
    """Process and folder of each training that was begun."""
    path = root / "starts.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(line.split()[0], Path(line.split(maxsplit=1)[1]).relative_to("st").as_posix()) for line in lines]


def test_two_machines_that_share_a_folder_do_every_run_once(recipe, tmp_path):
    both = [command(recipe, tmp_path, name, commands=2) for name in ("a", "b")]
    for process in both:
        _, errors = process.communicate(timeout=500)
        assert process.returncode == 0, errors
    folders = [folder for _, folder in starts(tmp_path)]
    assert sorted(folders) == sorted({*folders})
    assert len(folders) == 6  # two emotional encoders, four runs
    assert {process for process, _ in starts(tmp_path)} == {str(process.pid) for process in both}
    lines = [json.loads(line)["folder"] for line in (tmp_path / "st/results.jsonl").read_text().splitlines()]
    assert {*lines} == {folder for folder in folders if folder.startswith("runs/")}
    assert json.loads((tmp_path / "st/comparison.json").read_text())["runs"] == {"finished": 4, "declared": 4}
    assert [path for path in (tmp_path / "st").rglob("*") if path.name.startswith(CLAIM) or path.suffix == ".tmp"] == []


def test_what_a_killed_command_was_at_is_gone_on_with_and_nothing_else_is_done_again(recipe, tmp_path, monkeypatch):
    killed = command(recipe, tmp_path, "a", commands=2)  # waits, in its first training, for another
    deadline = time.monotonic() + 500
    while not starts(tmp_path) and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    [(_, first)] = starts(tmp_path)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert any((tmp_path / "st" / first / CLAIM).iterdir())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "b"))
    (tmp_path / "b").mkdir()
    result = study(recipe, out=tmp_path / "st", workers=1)
    assert result.failed == {}
    assert result.comparison["runs"] == {"finished": 4, "declared": 4}


def beat(study_folder: Path, age: float) -> None:
    """The claim of another machine on the first run, whose heart beat so many seconds ago."""
    file = study_folder / "runs/baseline/seed-0" / CLAIM / ELSEWHERE.name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    os.utime(file)
    now = file.stat().st_mtime
    os.utime(file, (now - age, now - age))


class Watch:
    """Notes the runs that end. Another machine is at the first run; when the others are done, its heart stops."""

    def __init__(self, study_folder: Path) -> None:
        self.folder, self.ends = study_folder, []

    def begin(self, timetable):
        beat(self.folder, 0)

    def ended(self, job, outcome):
        self.ends.append((job.folder, outcome.status))
        if len(self.ends) == 5:
            beat(self.folder, STALE + 5)

    def stop(self):
        pass


def test_a_run_of_another_machine_is_passed_over_and_taken_when_its_heart_stops(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(scheduling, "BUSY_WAIT", 0.01)
    watch = Watch(tmp_path / "st")
    result = study(recipe, out=tmp_path / "st", workers=1, watch=watch)
    assert result.failed == {}
    assert watch.ends[-1] == ("runs/baseline/seed-0", "finished")
    assert len(watch.ends) == 6
    found = {c["name"]: c["metrics"]["accuracy"] for c in result.comparison["conditions"]}

    beat(tmp_path / "st", 0)  # left in a finished run by one that was killed at its end
    again = study(recipe, out=tmp_path / "st", workers=1, watch=(silent := Watch(tmp_path / "st")))
    assert {c["name"]: c["metrics"]["accuracy"] for c in again.comparison["conditions"]} == found
    assert silent.ends == []


def test_a_line_that_two_machines_wrote_over_each_other_is_written_again(recipe, tmp_path):
    lines = tmp_path / "st/results.jsonl"

    class Lossy(Watch):
        def begin(self, timetable):
            pass

        def ended(self, job, outcome):
            self.ends.append(job.folder)
            if len(self.ends) == 4:
                lines.write_text("".join(lines.read_text().splitlines(keepends=True)[1:]))

    result = study(recipe, out=tmp_path / "st", workers=1, watch=Lossy(tmp_path / "st"))
    assert result.comparison["runs"] == {"finished": 4, "declared": 4}


def test_of_two_recipes_that_begin_a_folder_at_once_one_is_refused(recipe, tmp_path, monkeypatch):
    from affekt.errors import RecipeError
    from affekt.study import studying

    planned, folder = studying.plan_in, RunFolder(tmp_path / "st")
    other = override(recipe, ["training.epochs=3"])

    def plan_in(*arguments, **named):
        found = planned(*arguments, **named)
        folder.claim(other)  # by another command, while this one read its data
        return found

    monkeypatch.setattr(studying, "plan_in", plan_in)
    with pytest.raises(RecipeError, match=r"holds a .* of another recipe; keys that differ: .*training\.epochs"):
        study(recipe, out=tmp_path / "st", workers=1)
    assert load_recipe(tmp_path / "st/recipe.toml").training.epochs == 3
