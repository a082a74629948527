"""How fast the engine trains, as ratios of things timed in turn in one process: python benchmarks/training.py
[--quick]

Contenders, all on one network and the same 32-pixel pictures, 128 a step:

ordinary        the loop of a tutorial: fp32, torchvision data set and transforms, DataLoader with two workers
ours            affekt's trainer as it comes: bf16 where the device has it natively, channels-last, data in memory
ours fp32       the same with precision = "fp32": equal precision with `ordinary`
bare            the same model, precision and layout as `ours` on a batch that never changes: no data, no augmentation,
                no log, no checkpoint

Below it the shares of the trainer's time by torch's profiler. Second table: a step of Emotional Regulation
(learn-e-reg, three losses) against the baseline's step and against the sum of its three encoders' steps. Third:
memory. A round lets each contender work once; the tables show medians over rounds of the *ratios within a round*,
because the clock of a shared machine drifts. Nothing here is a test.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from peer_data import in_memory
from peer_job import Pictures, augmented
from torch import nn
from torch.utils.data import DataLoader

from affekt import AffectNetwork, Classifier, EmotionalRegulation, Trainer
from affekt.data.loading import Loader
from affekt.data.stimuli import Labels, Stimuli
from affekt.recipe import AugmentationSettings, TrainingSettings
from affekt.regulation import ClassificationTask, RegulationTask
from affekt.training.batches import Batcher
from affekt.training.engine import Engine
from affekt.training.fitting import Fitting
from affekt.training.precision import autocast, choose_device, choose_precision
from affekt.training.task import Batch, Task

BATCH = 128
EPOCH = 50_000  # pictures of CIFAR-10's training set
CLASSES = 10
DEVICE = choose_device("auto")


def pictures(n: int) -> tuple[torch.Tensor, np.ndarray]:
    """Random pictures: what they show does not change what a step costs."""
    draw = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8, generator=draw), np.arange(n) % CLASSES


def stimuli(n: int) -> Stimuli:
    images, labels = pictures(n)
    classes = tuple(f"class {k}" for k in range(CLASSES))
    return in_memory(images, Labels(categories=classes, category=labels.astype(np.int64)))


def classifier(name: str) -> Classifier:
    return Classifier(name, CLASSES, 32)


def ordinary(name: str, n: int) -> float:
    """images/s of the tutorial's loop, one epoch of n pictures; the start of the workers is not counted."""
    model = classifier(name).to(DEVICE)
    net = nn.Sequential(model.backbone, model.head).to(DEVICE).train()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    criterion = nn.CrossEntropyLoss()
    loader = DataLoader(Pictures(stimuli(n + BATCH), augmented()), BATCH, shuffle=True, num_workers=2, drop_last=True)
    begun = 0.0
    for step, (images, labels) in enumerate(loader):
        if step == 1:
            begun = time.perf_counter()
        loss = criterion(net(images.to(DEVICE)), labels.to(DEVICE))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        loss.item()
    return n / (time.perf_counter() - begun)


def epoch_rate(timing: Path) -> float:
    """images/s over an epoch of CIFAR-10's size: the measured time of a step, and one measured checkpoint an epoch.

    The first step is not counted (as it is not for the other contenders).
    """
    lines = [json.loads(line) for line in timing.read_text().splitlines()]
    steps = [line for line in lines if line["kind"] == "train"]
    checkpoint = next(line for line in lines if line["kind"] == "checkpoint")
    a_step = (steps[-1]["seconds"] - steps[0]["seconds"]) / (len(steps) - 1)
    return EPOCH / (EPOCH / BATCH * a_step + checkpoint["seconds"] - steps[-1]["seconds"])


def ours(name: str, n: int, precision: str) -> float:
    """images/s of the trainer: data, augmentation, a log line a step and a checkpoint an epoch included."""
    with tempfile.TemporaryDirectory() as folder:
        trainer(name, n, precision, folder).fit()
        return epoch_rate(Path(folder) / "timing.jsonl")


def trainer(name: str, n: int, precision: str, folder: str) -> Trainer:
    settings = TrainingSettings(epochs=1, batch_size=BATCH, precision=precision, log_every=1, select="last")  # type: ignore[arg-type]
    data = {"train": stimuli(n + BATCH)}
    task = ClassificationTask(classifier(name))
    return Trainer(task, data, settings, folder=folder, augmentation=AugmentationSettings())


def shares(name: str, n: int) -> None:
    """Where the time of the trainer's steps goes, by torch's profiler: shares of everything but validation."""
    scopes = {
        "data": (Loader, "load"),
        "augmentation": (Batcher, "augmented"),
        "forward, backward, optimiser": (Engine, "step"),
        "log": (Fitting, "_log_window"),
        "checkpoint": (Fitting, "_write_checkpoint"),
    }
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        for label, (owner, method) in scopes.items():
            stack.enter_context(patch.object(owner, method, recorded(getattr(owner, method), label)))
        made = trainer(name, n, "auto", folder)
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
            made.fit()
    spent = {e.key: e.cpu_time_total for e in profiler.key_averages() if e.key in scopes}
    steps = (n + BATCH) // BATCH
    # A checkpoint is written once an epoch: its share is that of one in an epoch of CIFAR-10's size.
    spent["checkpoint"] *= steps / (EPOCH / BATCH)
    whole = sum(spent[label] for label in scopes)
    print(f"  profiler, {steps} steps: " + ", ".join(f"{k} {spent[k] / whole:.2%}" for k in scopes))


def recorded(method: Callable[..., Any], label: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        with torch.profiler.record_function(label):
            return method(*args, **kwargs)

    return call


def step_of(task: Task, batch: Batch) -> Callable[[], None]:
    """One bare training step on a batch that never changes, in the trainer's precision and layout."""
    task = task.to(DEVICE, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    groups = task.parameter_groups(0.01, 5e-4)
    optimiser = torch.optim.SGD(groups, lr=0.01, momentum=0.9, nesterov=True, fused=True)
    precision = choose_precision("auto", DEVICE)

    def step() -> None:
        with autocast(DEVICE, precision):
            loss = sum(task(batch).values())
        assert isinstance(loss, torch.Tensor)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step


def fixed_batch(n: int = BATCH) -> Batch:
    images, labels = pictures(n)
    return Batch(
        images=(images.float() / 255).to(DEVICE, memory_format=torch.channels_last),
        labels={"category": torch.as_tensor(labels, device=DEVICE)},
        items=torch.arange(n, device=DEVICE),
    )


def seconds(step: Callable[[], None], repeats: int) -> float:
    def now() -> float:
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    step()
    begun = now()
    for _ in range(repeats):
        step()
    return (now() - begun) / repeats


def bare(name: str, n: int) -> float:
    return BATCH / seconds(step_of(ClassificationTask(classifier(name)), fixed_batch()), n // BATCH)


def rounds(contenders: Mapping[str, Callable[[], float]], count: int) -> list[dict[str, float]]:
    found = []
    for index in range(count):
        # Every other round goes backwards, so that a drift of the clock favours nobody.
        order = list(contenders) if index % 2 == 0 else list(reversed(contenders))
        found.append({name: contenders[name]() for name in order})
        print(f"  round {index + 1}: " + ", ".join(f"{k} {v:.4g}" for k, v in found[-1].items()), flush=True)
    return found


def ratio(found: list[dict[str, float]], over: str, under: str) -> str:
    values = [r[over] / r[under] for r in found]
    return f"{statistics.median(values):.2f} ({min(values):.2f} .. {max(values):.2f})"


def engine(name: str, n: int, count: int) -> None:
    print(f"\n{name}, {n} pictures a contender and round, images/s")
    found = rounds(
        {
            "ordinary": lambda: ordinary(name, n),
            "ours": lambda: ours(name, n, "auto"),
            "ours fp32": lambda: ours(name, n, "fp32"),
            "bare": lambda: bare(name, n),
        },
        count,
    )
    print(f"  ours / ordinary, each by default   {ratio(found, 'ours', 'ordinary')}")
    print(f"  ours / ordinary, both fp32         {ratio(found, 'ours fp32', 'ordinary')}")
    print(f"  ours / bare step, same precision   {ratio(found, 'ours', 'bare')}")
    shares(name, n)


def regulated(name: str, repeats: int, count: int) -> None:
    """A step of learn-e-reg with the affect state computed and cached, the baseline's, and the emotional encoder's."""
    batch = fixed_batch()
    emotional = (
        AffectNetwork(name, {"ratings": ("valence", "arousal")}, 32)
        .to(DEVICE, memory_format=torch.channels_last)
        .eval()
    )  # type: ignore[call-overload]

    def task(*, cached: bool) -> RegulationTask:
        model = EmotionalRegulation(name, CLASSES, 32, emotional, influence="initialised", regulator="learned")
        made = RegulationTask(model, affect_cache=cached)
        if cached:
            made.prepare("train", stimuli(BATCH))
        return made

    precision = choose_precision("auto", DEVICE)

    def look() -> None:
        with torch.inference_mode(), autocast(DEVICE, precision):
            emotional(batch.images)

    steps = {
        "baseline": step_of(ClassificationTask(classifier(name)), batch),
        "learn-e-reg": step_of(task(cached=False), batch),
        "learn-e-reg cached": step_of(task(cached=True), batch),
        "emotional": look,
    }
    print(f"\n{name}: seconds a step of {BATCH} pictures")
    found = rounds({k: (lambda s=s: seconds(s, repeats)) for k, s in steps.items()}, count)  # type: ignore[misc]
    for r in found:
        r["parts"] = 2 * r["baseline"] + r["emotional"]
    print(f"  with the affect cache / baseline          {ratio(found, 'learn-e-reg cached', 'baseline')}")
    print(f"  without / sum of its three encoders       {ratio(found, 'learn-e-reg', 'parts')}")


def resident() -> float:
    """MiB of this process's memory, Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def memory() -> None:
    """CIFAR-10's 50,000 pictures of 32 px are 146.5 MiB as uint8: they are there once, whoever asks."""
    before = resident()
    whole = stimuli(50_000)
    held = resident()
    loaders = [Loader(whole, device=DEVICE, memory_gib=4.0, workers=w) for w in (0, 2, 8)]
    for loader in loaders:
        for _ in loader.batches([np.arange(i, i + BATCH) for i in range(0, 50_000 - BATCH, BATCH)]):
            pass
    after = resident()
    pixels = 50_000 * 3 * 32 * 32 / 2**20
    print(f"\nmemory: pictures {pixels:.0f} MiB; stimuli +{held - before:.0f} MiB", end="; ")
    print(f"three loaders (0, 2, 8 workers) and a pass each +{after - held:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few pictures, two rounds: to see that it runs")
    parser.add_argument("--only", help="resnet18, timm:vit_tiny_patch16_224 or regulated")
    args = parser.parse_args()
    n, count, repeats = (512, 2, 2) if args.quick else (1280, 5, 10)
    print(f"torch {torch.__version__}, {DEVICE}, {torch.get_num_threads()} threads, {choose_precision('auto', DEVICE)}")
    if args.only is None:
        memory()
    for name in ("resnet18", "timm:vit_tiny_patch16_224"):
        if args.only in (None, name):
            engine(name, n, count)
    if args.only in (None, "regulated"):
        regulated("resnet18", repeats if DEVICE.type == "cpu" else 10 * repeats, count)


if __name__ == "__main__":
    main()
