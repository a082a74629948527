"""Time left: by hand, for jobs whose seconds are known."""

import json

import pytest

from affekt.recipe import Recipe
from affekt.study.costs import Cost
from affekt.study.jobs import Job
from affekt.study.timetable import Said, Timetable, duration, last_epoch
from affekt.study.working import Outcome


def cost(training, pretraining=0.0):
    return Cost(trainable=1, total=1, step=1.0, training=training, pretraining=pretraining)


def job(name, seed=0, kind="train", needs=()):
    folder = f"runs/{name}/seed-{seed}" if kind != "pretrain" else f"shared/{name}-{seed}"
    return Job(kind=kind, folder=folder, recipe=Recipe(), name=name, seed=seed, needs=needs)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


ENCODER = job("encoder", kind="pretrain")
JOBS = (job("baseline"), job("baseline", 1), ENCODER, job("method", needs=(ENCODER.folder,)))
COSTS = {"baseline": cost(10.0), "method": cost(40.0, pretraining=5.0)}


def timetable(tmp_path, slots=1, todo=None):
    folders = frozenset(j.folder for j in JOBS) if todo is None else todo
    return Timetable(study=tmp_path, jobs=JOBS, todo=folders, costs=COSTS, slots=slots, clock=Clock())


def finished(seconds):
    return Outcome(status="finished", seconds=seconds)


def test_nothing_is_said_before_a_job_has_ended(tmp_path):
    table = timetable(tmp_path)
    table.start(JOBS[0])
    assert table.left() is None


def test_by_flops_where_nothing_alike_has_ended_else_by_what_it_took(tmp_path):
    table = timetable(tmp_path)
    table.start(JOBS[0])
    table.end(JOBS[0], finished(20.0))
    # Another baseline like the first, the encoder 5 of 10 of its FLOPs, the method 40 of 10.
    assert table.left() == pytest.approx(20 + 10 + 80)
    table.end(JOBS[2], finished(4.0))
    # Seconds a FLOP are now 24 / 15.
    assert table.left() == pytest.approx(20 + 40 * 24 / 15)


def test_shared_out_over_the_slots_but_never_less_than_the_longest(tmp_path):
    table = timetable(tmp_path, slots=2)
    table.end(JOBS[0], finished(20.0))
    assert table.left() == pytest.approx(80.0)
    wide = timetable(tmp_path, slots=2, todo=frozenset(j.folder for j in JOBS[:3]))
    wide.end(JOBS[0], finished(20.0))
    assert wide.left() == pytest.approx(20.0)


def test_a_running_job_counts_by_the_epochs_in_its_log_or_by_the_clock(tmp_path):
    table = timetable(tmp_path, todo=frozenset(j.folder for j in JOBS[:2]))
    table.end(JOBS[0], finished(20.0))
    table.start(JOBS[1])
    table.clock.now = 5.0
    assert table.left() == pytest.approx(15.0)
    table.clock.now = 50.0
    assert table.left() == 0.0
    log = tmp_path / JOBS[1].folder / "log.jsonl"
    log.parent.mkdir(parents=True)
    epochs = JOBS[1].recipe.training.epochs
    log.write_text(json.dumps({"kind": "validation", "epoch": epochs // 2}) + "\n")
    assert table.part(JOBS[1]) == pytest.approx((epochs // 2) / epochs)
    assert table.left() == pytest.approx(20 * (1 - (epochs // 2) / epochs))


def test_epochs_behind_a_run(tmp_path):
    log = tmp_path / "log.jsonl"
    assert last_epoch(log) is None
    log.write_text('{"kind": "train", "epoch": 3}\n{"kind": "validat')
    assert last_epoch(log) == 2
    log.write_text('{"kind": "train", "epoch": 3}\n' + json.dumps({"kind": "validation", "epoch": 3}) + "\n")
    assert last_epoch(log) == 3
    log.write_text("x" * 10_000)
    assert last_epoch(log) is None


def test_what_was_done_before_is_neither_counted_nor_waited_for(tmp_path):
    table = timetable(tmp_path, todo=frozenset([JOBS[3].folder]))
    assert table.counts == (0, 1)
    said = []
    lines = Said(said.append)
    lines.begin(table)
    table.end(JOBS[3], Outcome(status="failed", error="no memory"))
    lines.ended(JOBS[3], Outcome(status="failed", error="no memory"))
    assert said == ["1 of 1: method, seed 0 failed: no memory"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "under 1 s"),
        (0.99, "under 1 s"),
        (1, "about 1 s"),
        (40, "about 40 s"),
        (720, "about 12 min"),
        (12_600, "about 3.5 h"),
    ],
)
def test_durations_for_people(seconds, words):
    assert duration(seconds) == words
