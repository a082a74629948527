"""Predicting: the time of a step by hand, what holds for any work, and constants that are found again."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_machine import CORE as CPU

from affekt.errors import DataError, UsageError
from affekt.study.machines.machine import read_machine, write_machine
from affekt.study.machines.predicting import Measured, fit, left_out, predicted, step_seconds, typical_error
from affekt.study.machines.work import Work

GPU = replace(CPU, name="a GPU", device="cuda")
TWO = Work(flops=np.array([1e9, 0.0]), moved=np.array([1e7, 4e7]))


def work(flops, moved):
    return Work(flops=np.array(flops), moved=np.array(moved))


def test_by_hand_where_operations_are_waited_for_and_where_they_queue():
    # The first operation computes (10 ms, and 1 ms of bytes), the second fetches (4 ms).
    assert step_seconds(TWO, CPU) == pytest.approx(1e-3 + 2e-5 + 14e-3)
    assert step_seconds(TWO, GPU) == pytest.approx(1e-3 + 14e-3)
    assert step_seconds(TWO, CPU, "bf16") == pytest.approx(1e-3 + 2e-5 + 9e-3)
    idle = work([0.0] * 3000, [10.0] * 3000)
    assert step_seconds(idle, GPU) == pytest.approx(1e-3 + 3000e-5)


numbers = st.lists(st.tuples(st.floats(0, 1e12), st.floats(0, 1e10)), min_size=1, max_size=6)


@given(numbers, st.floats(0, 1e12), st.floats(0, 1e10), st.sampled_from([CPU, GPU]))
def test_more_of_anything_is_never_cheaper(entries, flops, moved, machine):
    before = work(*zip(*entries, strict=True))
    seconds = step_seconds(before, machine)
    assert step_seconds(replace(before, flops=before.flops + flops), machine) >= seconds
    assert step_seconds(replace(before, moved=before.moved + moved), machine) >= seconds
    assert step_seconds(before + work([flops], [moved]), machine) >= seconds
    assert step_seconds(before, replace(machine, bandwidth=2e10, rates={"fp32": 2e11})) <= seconds


@given(numbers, st.integers(1, 5))
def test_work_adds_up(entries, times):
    one = work(*zip(*entries, strict=True))
    many = one * times
    assert many.launches == times * one.launches
    assert many.flops.sum() == pytest.approx(times * one.flops.sum())
    assert (one + one).moved.sum() == pytest.approx(2 * one.moved.sum())


def steps_of(machine, noise=0.0):
    """Steps of five networks that are bound by different things, as the machine would take them."""
    draw = np.random.default_rng(0)
    found = []
    for name, launches, flops, moved in (
        ("small", 200, 1e4, 1e3),
        ("long", 3000, 1e4, 1e3),
        ("wide", 100, 5e9, 1e7),
        ("thin", 500, 1e7, 5e7),
        ("deep", 900, 1e9, 4e6),
    ):
        for items in (1, 4):
            done = work([items * flops] * launches, [items * moved] * launches)
            for precision in machine.rates:
                seconds = step_seconds(done, machine, precision) * np.exp(noise * draw.normal())
                found.append(
                    Measured(
                        network=name, label=name, precision=precision, items=items, work=done, seconds=float(seconds)
                    )
                )
    return found


@pytest.mark.parametrize("machine", [CPU, GPU])
def test_the_constants_that_made_the_steps_are_found_again(machine):
    found = fit(steps_of(machine), machine.device)
    assert found.bandwidth == pytest.approx(machine.bandwidth, rel=0.05)
    assert found.rates["fp32"] == pytest.approx(1e11, rel=0.05)
    assert found.rates["bf16"] == pytest.approx(2e11, rel=0.05)
    assert found.launch == pytest.approx(machine.launch, rel=0.2)


def test_a_network_is_predicted_by_the_others_and_not_by_itself():
    steps = steps_of(CPU)
    assert typical_error(steps, left_out(steps, "cpu")) < 0.05
    # One network that keeps to no rule: its own steps are missed by what the others say, and cannot pull them over.
    odd = [replace(s, seconds=10 * s.seconds) if s.network == "wide" else s for s in steps]
    said = dict(zip(map(id, odd), left_out(odd, "cpu"), strict=True))
    wide = [said[id(s)] / s.seconds for s in odd if s.network == "wide"]
    assert all(0.05 < ratio < 0.2 for ratio in wide)
    fitted = fit(odd, "cpu")
    assert max(predicted(s, fitted) / s.seconds for s in odd if s.network == "wide") > max(wide)


def test_a_precision_that_no_other_network_has_is_not_predicted():
    steps = [s for s in steps_of(CPU) if s.precision == "fp32" or s.network == "wide"]
    missing = [np.isnan(p) for s, p in zip(steps, left_out(steps, "cpu"), strict=True) if s.precision == "bf16"]
    assert missing and all(missing)
    assert not any(np.isnan(p) for s, p in zip(steps, left_out(steps, "cpu"), strict=True) if s.precision == "fp32")


def test_a_machine_comes_back_from_its_file(tmp_path):
    path = tmp_path / "core.json"
    write_machine(CPU, path)
    assert read_machine(path) == replace(CPU, measured=[])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "affekt machine 0"}, "format 'affekt machine 0', where \"affekt machine 1\" is read"),
        ({"bandwidth": -1.0}, "bandwidth = -1.0: a number above 0"),
        ({"rates": {}}, "rates = None"),
        ({"rates": {"fp32": "fast"}}, "rates.fp32 = 'fast'"),
        ({"precision": "fp8"}, "precision 'fp8' has no rate"),
        ({"colour": "red"}, "colour: no key of a machine"),
    ],
)
def test_a_file_that_is_no_machine_is_one_line(tmp_path, change, said):
    path = tmp_path / "core.json"
    write_machine(CPU, path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError) as error:
        read_machine(path)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_file_that_is_missing_cut_or_incomplete_is_one_line(tmp_path):
    path = tmp_path / "core.json"
    with pytest.raises(DataError, match="affekt doctor --measure"):
        read_machine(path)
    path.write_text('{"format": ')
    with pytest.raises(DataError, match="no JSON"):
        read_machine(path)
    path.write_text("[1]")
    with pytest.raises(DataError, match="format 'list'"):
        read_machine(path)
    path.write_text(json.dumps({"format": "affekt machine 1", "name": "half"}))
    with pytest.raises(DataError, match="missing"):
        read_machine(path)


def test_a_precision_that_was_not_measured_names_those_that_were():
    only = replace(CPU, rates={"fp32": 1e11})
    with pytest.raises(UsageError, match=r'measured in fp32, not in "bf16".*--set training.precision=fp32'):
        step_seconds(TWO, only, "bf16")
