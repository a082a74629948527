"""Measuring: steps of some networks by our own trainer, on pictures of noise, and the machine that they tell of."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image

from affekt.data.decoding import default_workers
from affekt.data.pictures import ArrayPictures, FilePictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import UsageError
from affekt.perception import AffectNetwork
from affekt.recipe import AugmentationSettings, TrainingSettings
from affekt.regulation import ClassificationTask, Classifier, EmotionalRegulation, RegulationTask
from affekt.saving.environment import environment
from affekt.study.machines.machine import Machine
from affekt.study.machines.predicting import Measured, fit, left_out, predicted, typical_error
from affekt.study.machines.work import training_work
from affekt.training import Trainer
from affekt.training.precision import choose_precision
from affekt.training.progress import NoProgress
from affekt.training.task import Task

CLASSES = 10
WARM = {"cpu": 1, "cuda": 4}
"""Steps before the first that counts: they allocate and choose kernels."""

FEWEST, MOST = 2, 60
"""Steps that count."""

POOL = 64
"""Different pictures; what they show does not change what a step costs."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network whose steps are timed: alone, or as Emotional Regulation with two more of its kind."""

    network: str
    image_size: int
    batch_size: int
    regulated: bool = False
    precision: str = "auto"

    @property
    def label(self) -> str:
        """``resnet50 at 224 px, regulated, batch 32``."""
        kind = ", regulated" if self.regulated else ""
        return f"{self.network} at {self.image_size} px{kind}, batch {self.batch_size}"


BATCHES = {
    "cuda": {
        ("resnet8", 32): (128, 1024),
        ("resnet18", 32): (128, 1024),
        ("mobilenet_v2", 96): (64, 512),
        ("resnet50", 224): (32, 128),
        ("vit_b_16", 224): (32, 96),
    },
    "cpu": {
        ("resnet8", 32): (32, 128),
        ("resnet18", 32): (16, 64),
        ("mobilenet_v2", 96): (16, 64),
        ("resnet50", 224): (4, 16),
        ("vit_b_16", 224): (2, 8),
    },
}
QUICK = ("resnet8", "resnet18", "resnet50")
"""Networks that are timed as Emotional Regulation too when it has to be quick."""

"""Device -> (network, side of its pictures) -> batch sizes: from what waits for launches to what computes."""


def cases(device: torch.device, *, quick: bool = False) -> list[Case]:
    """What tells most of a machine: networks alone and regulated, and in the other precision once each.

    Args:
        quick: one small batch of each network, few of them regulated.

    Raises:
        UsageError: a device that is neither a CPU nor a GPU of CUDA.
    """
    if device.type not in BATCHES:
        raise UsageError(f'"{device}": machines are measured on {" and ".join(BATCHES)}')
    auto = choose_precision("auto", device)
    other = "fp32" if auto == "bf16" else "bf16"
    found = []
    for (network, size), batches in BATCHES[device.type].items():
        small = Case(network=network, image_size=size, batch_size=batches[0] // (2 if quick else 1), precision=auto)
        for one in [small] if quick else [replace(small, batch_size=batch) for batch in batches]:
            found += [one, replace(one, regulated=True)] if not quick or network in QUICK else [one]
        if not quick or network == "resnet18":
            found.append(replace(small, precision=other))
    return found


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
    """
    seconds = 0.5 if quick else SECONDS[device.type]
    return machine_of(measure(cases(device, quick=quick), device, seconds=seconds, said=said), device, name=name)


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
            task = task or _task(case)
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


def _task(case: Case) -> Task:
    if not case.regulated:
        return ClassificationTask(Classifier(case.network, CLASSES, case.image_size))
    emotional = AffectNetwork(case.network, {"ratings": ("valence", "arousal")}, case.image_size)
    return RegulationTask(EmotionalRegulation(case.network, CLASSES, case.image_size, emotional))


def _measured(case: Case, task: Task, device: torch.device, seconds: float) -> Measured:
    settings = TrainingSettings(
        epochs=MOST,
        batch_size=case.batch_size,
        learning_rate=1e-6,
        precision=case.precision,  # type: ignore[arg-type]
        device=str(device),
    )
    task.to("cpu")
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
    with suppress(_Enough):
        Trainer(task, data, settings, augmentation=AugmentationSettings(), progress=watch).fit()
    return Measured(
        network=case.network,
        label=case.label,
        precision=case.precision,
        items=case.batch_size,
        work=work,
        seconds=watch.step,
    )


def noise(size: int, items: int) -> Stimuli:
    """Pictures of noise in ten classes."""
    draw = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (min(items, POOL), 3, size, size), dtype=torch.uint8, generator=draw)
    rows = np.arange(items)
    names = np.array([f"{row:06d}" for row in rows])
    return Stimuli(
        name="noise",
        ids=names,
        pictures=ArrayPictures(pixels, rows % len(pixels)),
        labels=Labels(categories=tuple(map(str, range(CLASSES))), category=(rows % CLASSES).astype(np.int64)),
        groups=names,
    )


def decoding_speed(pictures: int = 48) -> float:
    """Pictures a second that a core decodes: JPEG of 640 x 480 to squares of 256 pixels."""
    draw = np.random.default_rng(0)
    # Smooth, as photographs are: noise is several times as large a file.
    coarse = draw.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "picture.jpg"
        Image.fromarray(coarse).resize((640, 480), Image.Resampling.BICUBIC).save(path, quality=90)
        files = FilePictures([path] * pictures, image_size=256)
        files.read_array(np.arange(2))
        begun = time.process_time()
        files.read_array(np.arange(pictures))
        return pictures / (time.process_time() - begun)


def writing_speed(device: torch.device) -> float:
    """Bytes a second of a checkpoint as a training writes it."""
    settings = TrainingSettings(epochs=2, batch_size=8, learning_rate=1e-6, device=str(device), precision="fp32")
    task = ClassificationTask(Classifier("resnet18", CLASSES, 32))
    with TemporaryDirectory() as folder:
        Trainer(task, {"train": noise(32, 8)}, settings, folder=folder).fit()
        lines = [json.loads(line) for line in (Path(folder) / "timing.jsonl").read_text().splitlines()]
        last = max(Path(folder).glob("checkpoints/step-*"), key=lambda path: path.stat().st_mtime)
        size = sum(file.stat().st_size for file in last.iterdir())
    took = [end["seconds"] - begun["seconds"] for begun, end in pairwise(lines) if end["kind"] == "checkpoint"]
    return size / max(float(min(took)), 1e-3)


class _Enough(Exception):  # noqa: N818 - not an error: the way out of a training that was timed
    pass


class Stopwatch(NoProgress):
    """Times the steps of a training after the first few, and ends it when it has seen enough.

    On a CPU, whose steps end when they say so, the fastest counts: whatever else the machine does makes them longer;
    that of one thread by the seconds that it had a core, for the same reason. On a GPU, which is still at work when the
    CPU goes on, it is the mean of all, until the queue is empty.
    """

    def __init__(self, device: torch.device, seconds: float) -> None:
        self._device, self._seconds = device, seconds
        self._warm = WARM[device.type]
        self._clock = time.process_time if device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
        self._steps = 0
        self._times: list[float] = []

    def advance(self, _items: int) -> None:
        """
        Raises:
            _Enough: the time is up.
        """
        self._steps += 1
        if self._steps == self._warm:
            self._wait()
        if self._steps < self._warm:
            return
        self._times.append(self._clock())
        counted = len(self._times) - 1
        if counted >= MOST or (counted >= FEWEST and self._times[-1] - self._times[0] > self._seconds):
            self._wait()
            self._times.append(self._clock())
            raise _Enough

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)

    @property
    def step(self) -> float:
        """Seconds of a step."""
        *steps, end = self._times
        if self._device.type == "cuda":
            return (end - steps[0]) / (len(steps) - 1)
        return float(np.diff(steps).min())
