"""Two processes with gloo train as one with the same global batch; also when they are interrupted."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ddp_run import main
from safetensors.torch import load_file
from tiny import data, task, trainer

from affekt.errors import UsageError
from affekt.training.distributed import Processes, dealt, from_main, gather, is_main, processes

TOLERANCE = 2e-5
"""Of losses and weights: float32 sums in another order, over 16 steps."""


def torchrun(folder: Path, *arguments: str, crashes: bool = False, processes: int = 2) -> None:
    script = str(Path(__file__).with_name("ddp_run.py"))
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    words = [sys.executable, *launcher, script, str(folder), *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode != 0) == crashes, done.stderr


def lines(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def numbers(record):
    if isinstance(record, dict):
        return [n for value in record.values() for n in numbers(value)]
    if isinstance(record, list):
        return [n for value in record for n in numbers(value)]
    return [float(record)] if isinstance(record, int | float) else []


def assert_same_run(one, other):
    assert len(lines(one)) == len(lines(other))
    for a, b in zip(lines(one), lines(other), strict=True):
        assert (a["kind"], a["step"], list(a)) == (b["kind"], b["step"], list(b))
        assert numbers(a) == pytest.approx(numbers(b), abs=TOLERANCE, rel=TOLERANCE)
    a, b = load_file(one / "weights.safetensors"), load_file(other / "weights.safetensors")
    assert all(torch.allclose(a[k], b[k], atol=TOLERANCE) for k in a)
    results = [json.loads((folder / "result.json").read_text()) for folder in (one, other)]
    assert results[0]["n"] == results[1]["n"] == 20
    assert numbers(results[0]) == pytest.approx(numbers(results[1]), abs=TOLERANCE)


def test_two_processes_are_one(tmp_path):
    main(tmp_path / "one", None)
    torchrun(tmp_path / "two")
    assert_same_run(tmp_path / "one", tmp_path / "two")
    kinds = [json.loads(x)["kind"] for x in (tmp_path / "two" / "timing.jsonl").read_text().splitlines()]
    assert kinds.count("start") == 1
    # Crashed after step 7, so that steps 7 to 9 are made twice.
    torchrun(tmp_path / "resumed", "7", crashes=True)
    assert sorted(p.name for p in (tmp_path / "resumed" / "checkpoints").iterdir()) == ["step-3", "step-6"]
    torchrun(tmp_path / "resumed")
    assert (tmp_path / "resumed" / "log.jsonl").read_bytes() == (tmp_path / "two" / "log.jsonl").read_bytes()
    assert_same_run(tmp_path / "two", tmp_path / "resumed")


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (2, 3), (3, 2)])
def test_another_number_of_processes_goes_on_with_the_same_batches(tmp_path, before, after):
    main(tmp_path / "one", None)
    torchrun(tmp_path / "moved", "7", crashes=True, processes=before)
    assert sorted(p.name for p in (tmp_path / "moved" / "checkpoints").iterdir()) == ["step-3", "step-6"]
    torchrun(tmp_path / "moved", processes=after)
    assert_same_run(tmp_path / "one", tmp_path / "moved")
    timing = [json.loads(x) for x in (tmp_path / "moved" / "timing.jsonl").read_text().splitlines()]
    assert [(x["step"], x["processes"]) for x in timing if x["kind"] == "start"] == [(0, before), (6, after)]


@pytest.mark.slow
def test_two_machines_are_one(tmp_path):
    """Each of two torchruns has one process, as on two machines that share a folder."""
    script = str(Path(__file__).with_name("ddp_run.py"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"]
    launcher += ["--master-addr=127.0.0.1", f"--master-port={port}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [*launcher, f"--node-rank={rank}", script, str(tmp_path / "two")],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=300)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    main(tmp_path / "one", None)
    assert_same_run(tmp_path / "one", tmp_path / "two")


def test_more_processes_than_items_are_refused(tmp_path):
    run = trainer(tmp_path, of=task("layer"), batch_size=8)
    run.processes = Processes(0, 9)
    told = (
        r"training\.batch_size = 8: too few items for 9 processes, .* --set training\.batch_size=9 or more, or start 8 "
    )
    with pytest.raises(UsageError, match=told + r"\(torchrun --nproc-per-node\)"):
        run.fit()
    few = trainer(tmp_path, of=task("layer"), data=data(3), batch_size=8)
    few.processes = Processes(0, 4)
    with pytest.raises(UsageError, match=r"3 items to learn from, too few for 4 processes .* start 3 "):
        few.fit()


@pytest.mark.parametrize("rule", ["gradvac", "dwa"])
def test_rules_on_gradients_and_with_a_memory_see_the_whole_batch(tmp_path, rule):
    pytest.importorskip("torchjd")
    main(tmp_path / "one", None, rule)
    torchrun(tmp_path / "two", "7", rule, crashes=True)
    torchrun(tmp_path / "two", "-1", rule)
    assert_same_run(tmp_path / "one", tmp_path / "two")


def test_one_process_without_torchrun(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert processes() == Processes(0, 1, 0)
    assert is_main()
    assert gather("a") == ["a"]
    assert from_main("a") == "a"


def test_who_is_read_from_the_environment(monkeypatch):
    for name, value in {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    assert processes() == Processes(3, 4, 1)
    assert not is_main()


@pytest.mark.parametrize(("rank", "world"), [("2", "2"), ("-1", "2"), ("x", "2")])
def test_an_environment_that_contradicts_itself_is_said(monkeypatch, rank, world):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", world)
    with pytest.raises(UsageError, match="start with torchrun, or unset"):
        processes()


def test_batches_are_dealt_without_doubles():
    hands = [dealt("abcde", Processes(rank, 3)) for rank in range(3)]
    assert hands == [[(0, "a"), (3, "d")], [(1, "b"), (4, "e")], [(2, "c")]]
