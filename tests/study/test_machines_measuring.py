"""Measuring: which steps are timed, by which clock, and that a machine comes of them; real steps of small networks."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from affekt.errors import UsageError
from affekt.study.machines import measuring, read_machine, speeds, write_machine
from affekt.study.machines.cases import Case, cases, noise, task_of
from affekt.study.machines.stopwatch import Enough, Stopwatch

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves; several threads, so that it is the one on the wall."""
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    return now


def timed(watch, clock, times):
    """How many of the steps that end at these times it wanted to see."""
    for seen, now in enumerate(times, 1):
        clock[0] = now
        try:
            watch.advance(1)
        except Enough:
            return seen
    return None


@pytest.mark.parametrize("device", [CPU, GPU])
def test_every_network_alone_and_regulated_in_two_batches_and_once_in_the_other_precision(device, monkeypatch):
    monkeypatch.setattr("affekt.study.machines.cases.choose_precision", lambda *_: "bf16")
    found = cases(device)
    assert len({*found}) == len(found) == 5 * (2 * 2 + 1)
    for network in {case.network for case in found}:
        own = [case for case in found if case.network == network]
        assert len({case.batch_size for case in own}) == 2
        (other,) = (case for case in own if case.precision == "fp32")
        assert not other.regulated and other.batch_size == min(case.batch_size for case in own)
    assert max(case.batch_size for case in cases(device, quick=True)) < max(case.batch_size for case in found)
    assert len(cases(device, quick=True)) == 5 + 3 + 1
    for case in cases(device, quick=True):
        assert 2 * case.batch_size == min(one.batch_size for one in found if one.network == case.network)


def test_what_is_neither_a_cpu_nor_a_gpu_is_one_line():
    with pytest.raises(UsageError, match='"meta": machines are measured on cuda and cpu'):
        measuring.measure_machine(torch.device("meta"))


def test_on_a_cpu_the_fastest_step_counts_and_the_first_does_not(clock):
    watch = Stopwatch(CPU, 6.0)
    assert timed(watch, clock, [10, 15, 17, 20, 21]) == 3
    assert watch.step == 2.0


def test_two_steps_count_however_long_they_are(clock):
    assert timed(Stopwatch(CPU, 0.0), clock, [10, 90, 170]) == 3


def test_on_a_gpu_the_mean_counts_until_its_queue_is_empty(clock, monkeypatch):
    waited = []

    def synchronize(_device):
        waited.append(clock[0])
        clock[0] += 100

    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    watch = Stopwatch(GPU, 5.0)
    # Four warm it up, after which it is waited for; from 104 on two steps, and the rest of the queue.
    assert timed(watch, clock, [1, 2, 3, 4, 107, 110, 113]) == 6
    assert waited == [4, 110]
    assert watch.step == (210 - 104) / 2


def test_one_thread_is_timed_by_the_seconds_that_it_had_a_core(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    monkeypatch.setattr("time.process_time", lambda: 3.0)
    watch = Stopwatch(CPU, 0.0)
    watch.advance(1)
    assert watch._times == [3.0]


def test_decoded_pictures_a_second_of_one_core(monkeypatch):
    times = [5.0, 1.0]
    monkeypatch.setattr("time.process_time", times.pop)
    assert speeds.decoding_speed(8) == 2.0


def test_written_bytes_a_second_are_those_of_the_faster_checkpoint(monkeypatch):
    class Written:
        def __init__(self, *_, folder, **__):
            self.folder = Path(folder)

        def fit(self):
            (self.folder / "checkpoints" / "step-2").mkdir(parents=True)
            (self.folder / "checkpoints" / "step-2" / "weights").write_bytes(bytes(500))
            kinds = [("train", 1.0), ("checkpoint", 3.0), ("train", 3.5), ("validation", 3.6), ("checkpoint", 4.6)]
            lines = [json.dumps({"kind": kind, "seconds": seconds}) for kind, seconds in kinds]
            (self.folder / "timing.jsonl").write_text("\n".join(lines))

    monkeypatch.setattr(speeds, "Trainer", Written)
    assert speeds.writing_speed(CPU) == pytest.approx(500.0)


def test_noise_shares_its_pictures_and_has_every_class():
    whole = noise(8, 100)
    pixels = whole.pictures.read(np.arange(100))
    assert torch.equal(pixels[0], pixels[64]) and not torch.equal(pixels[0], pixels[1])
    assert {*whole.labels.category.tolist()} == {*range(10)}


def test_real_steps_of_small_networks_make_a_machine_that_can_be_kept(tmp_path):
    said = []
    small = {"image_size": 32, "precision": "fp32"}
    wanted = [
        Case(network="resnet8-w8", batch_size=4, **small),
        Case(network="resnet8-w4", batch_size=8, regulated=True, **small),
        Case(network="resnet8-w8", batch_size=8, **small),
    ]
    found = measuring.measure(wanted, CPU, seconds=0.0, said=said.append)
    assert [text.split(",")[0] for text in said] == ["resnet8-w4 at 32 px", *["resnet8-w8 at 32 px"] * 2]
    assert [(step.network, step.items) for step in found] == [("resnet8-w4", 8), ("resnet8-w8", 4), ("resnet8-w8", 8)]
    assert found[2].work.flops.sum() == pytest.approx(2 * found[1].work.flops.sum())
    assert found[2].work.launches == found[1].work.launches
    machine = measuring.machine_of(found, CPU, name="here")
    write_machine(machine, tmp_path / "here.json")
    again = read_machine(tmp_path / "here.json")
    assert again.name == "here" and [*again.rates] == ["fp32"] and again.memory == 0
    assert [step["seconds"] for step in again.measured] == [step.seconds for step in found]
    assert all(step["left_out"] > 0 for step in again.measured)


def test_a_regulated_case_is_three_networks():
    case = Case(network="resnet8-w4", image_size=32, batch_size=2)
    alone, three = (task_of(one) for one in (case, replace(case, regulated=True)))
    sizes = [sum(p.numel() for p in task.parameters()) for task in (alone, three)]
    assert 2.9 < sizes[1] / sizes[0] < 3.1
