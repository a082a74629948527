"""Measuring: steps of some networks by our own trainer, on pictures of noise, and the machine that they tell of."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import groupby

import torch

from affekt.data.decoding import default_workers
from affekt.recipe import AugmentationSettings, TrainingSettings
from affekt.saving.environment import environment
from affekt.study.machines.cases import Case, cases, noise, task_of
from affekt.study.machines.machine import Machine
from affekt.study.machines.predicting import Measured, fit, left_out, predicted, typical_error
from affekt.study.machines.speeds import decoding_speed, writing_speed
from affekt.study.machines.stopwatch import MOST, Enough, Stopwatch
from affekt.study.machines.work import training_work
from affekt.training import Trainer
from affekt.training.precision import choose_precision
from affekt.training.task import Task

SECONDS = {"cpu": 5.0, "cuda": 0.5}
"""Of timed steps, a case."""


def measure_machine(
    device: torch.device, *, name: str = "", quick: bool = False, said: Callable[[str], None] = lambda _: None
) -> Machine:
    """Time the steps of some networks here, and fit the machine that they tell of.

    Args:
        name: of the machine; empty: what it says of itself.
        quick: few steps of few networks.
        said: called with what is timed, before it is.

    Raises:
        UsageError: a device that is neither a CPU nor a GPU of CUDA.
    """
    wanted = cases(device, quick=quick)
    seconds = 0.5 if quick else SECONDS[device.type]
    return machine_of(measure(wanted, device, seconds=seconds, said=said), device, name=name)


def measure(
    wanted: Sequence[Case], device: torch.device, *, seconds: float, said: Callable[[str], None] = lambda _: None
) -> list[Measured]:
    """Time each case, networks one after the other.

    Args:
        seconds: that the timed steps of a case take, about; two count in any case.
        said: called with the label of each case before it.
    """
    found = []
    for (_, regulated), some in groupby(sorted(wanted, key=_network), _network):
        task: Task | None = None
        for case in some:
            said(f"{case.label}, {case.precision}")
            task = task or task_of(case)
            found.append(_measured(case, task, device, seconds))
        del task, regulated
        if device.type == "cuda":
            torch.cuda.empty_cache()
    return found


def machine_of(steps: Sequence[Measured], device: torch.device, *, name: str = "") -> Machine:
    """The machine that timed steps tell of."""
    constants = fit(steps, device.type)
    others = left_out(steps, device.type)
    here = environment()
    chip = torch.cuda.get_device_name(device) if device.type == "cuda" else here["processor"]
    threads = torch.get_num_threads()
    return Machine(
        name=name or (chip if device.type == "cuda" else f"{chip}, {threads} thread{'s' * (threads > 1)}"),
        device=device.type,
        threads=threads,
        precision=choose_precision("auto", device),
        overhead=constants.overhead,
        launch=constants.launch,
        bandwidth=constants.bandwidth,
        rates=constants.rates,
        decoding=decoding_speed(),
        writing=writing_speed(device),
        cores=default_workers(),
        memory=int(torch.cuda.get_device_properties(device).total_memory) if device.type == "cuda" else 0,
        error=typical_error(steps, others),
        measured=tuple(
            {
                "label": step.label,
                "precision": step.precision,
                "launches": step.work.launches,
                "flops": float(step.work.flops.sum()),
                "bytes": float(step.work.moved.sum()),
                "seconds": step.seconds,
                "fitted": predicted(step, constants),
                "left_out": None if math.isnan(other) else other,
            }
            for step, other in zip(steps, others, strict=True)
        ),
        versions={key: here["versions"][key] for key in ("affekt", "torch", "python")},
    )


def _network(case: Case) -> tuple[str, bool]:
    return case.network, case.regulated


def _measured(case: Case, task: Task, device: torch.device, seconds: float) -> Measured:
    settings = TrainingSettings(
        epochs=MOST,
        batch_size=case.batch_size,
        learning_rate=1e-6,
        precision=case.precision,  # type: ignore[arg-type]
        device=str(device),
    )
    # As one that was just made: the case before has trained it, in another layout.
    task.to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    work = training_work(
        task,
        batch_size=case.batch_size,
        stored_size=case.image_size,
        image_size=case.image_size,
        augmentation=AugmentationSettings(),
        precision=case.precision,
        optimiser=settings.optimiser,
    )
    data = {"train": noise(case.image_size, 8 * case.batch_size)}
    watch = Stopwatch(device, seconds)
    with suppress(Enough):
        Trainer(task, data, settings, augmentation=AugmentationSettings(), progress=watch).fit()
    return Measured(
        network=case.network,
        label=case.label,
        precision=case.precision,
        items=case.batch_size,
        work=work,
        seconds=watch.step,
    )
