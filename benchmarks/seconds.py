"""Where the seconds of a training go: python benchmarks/seconds.py [--job regulated affect clips] [--device cuda]

Three jobs, each through the trainer, on made-up pictures and clips (what they show does not change what a step costs):

regulated   learn-e-reg on 32-pixel pictures: two ResNet-14 that learn, a frozen MobileNetV2 that looks at each
affect      an affect network, MobileNetV2 at 224 px
clips       the published network of sound and pictures, on clips of 2 s

First table: shares of the training's time, opening of the data included. "waiting for data" is what is left: reading,
augmenting, and the loop itself. Second: what torch did in the steps, by kind of operation: time of the processor's
threads, on a GPU of its kernels. Under the profiler steps take longer; only shares are shown.
"""

from __future__ import annotations

import argparse
import functools
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from affekt import AffectNetwork, AudioVisualNetwork, EmotionalRegulation, Trainer
from affekt.data.audiovisual import Clips, open_pack, pack_clips
from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Labels, RatingScale, Stimuli
from affekt.multimodal import AudioVisualTask
from affekt.multimodal.feed import ClipFeed
from affekt.perception import AffectTask
from affekt.recipe import AugmentationSettings, TrainingSettings
from affekt.regulation import RegulationTask
from affekt.training.descent import ByScalar
from affekt.training.engine import Engine
from affekt.training.fitting import Fitting
from affekt.training.objective import Objective
from affekt.training.precision import choose_device, choose_precision

CLASSES = 10
VALIDATION = 64
KINDS = {
    "convolution": ("conv", "cudnn", "implicit_gemm", "xmma", "wgrad", "dgrad"),
    "matrix product": ("mm", "linear", "matmul", "gemm", "lstm", "rnn", "mkldnn_rnn"),
    "normalisation": ("norm", "bn_"),
    "activation": ("relu", "gelu", "hardtanh", "sigmoid", "clamp", "dropout"),
    "pooling": ("pool",),
    "update": ("_fused_sgd", "_fused_adam", "foreach", "multi_tensor"),
    "copies, layout": ("copy", "contiguous", "clone", "to_copy", "cat", "index", "memcpy", "memset", "fill", "zero"),
}
"""Kind -> parts of the names of operations and kernels, the first that fits."""
EXCLUSIVE = {
    "opening data": (Trainer, "_open_split"),
    "forward": (Objective, "forward"),
    "backward": (ByScalar, "step"),
    "update": (Engine, "step"),
    "log": (Fitting, "_log_window"),
    "validation": (Fitting, "_validate"),
    "checkpoint": (Fitting, "_write_checkpoint"),
}
"""Part -> what does it. A part inside another counts alone: `backward` is a step of the descent less forward."""


class Clock:
    """Seconds by part; a part inside another stops the other's clock."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.spent: dict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = 0.0

    def now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        self._turn(name)
        try:
            yield
        finally:
            self._turn(None)

    def _turn(self, to: str | None) -> None:
        now = self.now()
        if self._open:
            self.spent[self._open[-1]] += now - self._since
        self._since = now
        if to is None:
            self._open.pop()
        else:
            self._open.append(to)

    def watched(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.part(name):
                return method(*args, **kwargs)

        return call


def pictures(n: int, side: int) -> Stimuli:
    draw = torch.Generator().manual_seed(0)
    names = np.array([f"{i:06d}" for i in range(n)])
    values = np.random.default_rng(0).uniform(1, 7, n).astype(np.float32)
    return Stimuli(
        name="random",
        ids=names,
        pictures=ArrayPictures(torch.randint(0, 256, (n, 3, side, side), dtype=torch.uint8, generator=draw)),
        labels=Labels(
            categories=tuple(f"class {k}" for k in range(CLASSES)),
            category=np.arange(n) % CLASSES,
            ratings={"valence": values, "arousal": values[::-1].copy()},
            scale=RatingScale(1.0, 7.0),
        ),
        groups=names,
    )


def settings(batch: int, precision: str, device: str, epochs: int = 1) -> TrainingSettings:
    return TrainingSettings(  # a rate at which nothing becomes infinite on labels without meaning
        epochs=epochs,
        batch_size=batch,
        precision=precision,
        device=device,
        learning_rate=1e-4,  # type: ignore[arg-type]
    )


def regulated(steps: int, folder: Path, device: str) -> Trainer:
    emotional = AffectNetwork("mobilenet_v2", {"ratings": ("valence", "arousal")}, 96)
    model = EmotionalRegulation("resnet14", CLASSES, 32, emotional, influence="added", regulator="learned")
    data = {"train": pictures(128 * steps, 32), "validation": pictures(VALIDATION, 32)}
    made = settings(128, "auto", device)
    return Trainer(RegulationTask(model), data, made, folder=folder, augmentation=AugmentationSettings())


def affect(steps: int, folder: Path, device: str) -> Trainer:
    network = AffectNetwork("mobilenet_v2", {"ratings": ("valence", "arousal")}, 224)
    data = {"train": pictures(32 * steps, 256), "validation": pictures(VALIDATION, 256)}
    augmentation = AugmentationSettings(crop="random-resized")
    task = AffectTask(network, data["train"].labels)
    made = settings(32, "auto", device)
    return Trainer(task, data, made, folder=folder, augmentation=augmentation, image_size=224)


def clips(steps: int, folder: Path, device: str) -> Trainer:
    from audiovisual_parts import clips_of, film

    film(folder / "a.mp4", 4.0, (160, 120), 25, 16_000)
    pack_clips(clips_of(folder / "a.mp4", 2 * steps, 2.0), folder / "pack")
    packed = open_pack(folder / "pack")
    network = AudioVisualNetwork({"emotion": 2})
    feed = ClipFeed({"train": packed, "validation": first(packed, 2)}, hears="audio", sees=True)
    return Trainer(AudioVisualTask(network), feed, settings(2, "auto", device), folder=folder / "run")


def first(packed: Clips, n: int) -> Clips:
    return packed.take(np.arange(n))


JOBS = {"regulated": (regulated, 40), "affect": (affect, 12), "clips": (clips, 3)}


def whole(make: Callable[..., Trainer], steps: int, device: torch.device) -> dict[str, float]:
    """Part -> seconds of a training, the first of its kind in this process being left out."""
    clock = Clock(device)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        made = make(steps, Path(folder), str(device))
        for name, (owner, method) in EXCLUSIVE.items():
            stack.enter_context(patch.object(owner, method, clock.watched(getattr(owner, method), name)))
        with clock.part("waiting for data"):
            made.fit()
    return clock.spent


def kinds(make: Callable[..., Trainer], steps: int, device: torch.device) -> dict[str, float]:
    """Kind of operation -> seconds."""
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device.type == "cuda" else [])]
    with tempfile.TemporaryDirectory() as folder:
        made = make(steps, Path(folder), str(device))
        with profile(activities=activities) as profiler:
            made.fit()
    spent: dict[str, float] = defaultdict(float)
    for event in profiler.key_averages():
        on_gpu = float(getattr(event, "self_device_time_total", 0.0))
        microseconds = on_gpu if device.type == "cuda" else float(event.self_cpu_time_total)
        name = event.key.lower()
        kind = next((k for k, parts in KINDS.items() if any(part in name for part in parts)), "other")
        spent[kind] += microseconds / 1e6
    return spent


def table(title: str, spent: dict[str, float]) -> None:
    total = sum(spent.values())
    print(f"\n| {title} | share |\n| --- | ---: |")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        if seconds >= 0.001 * total:
            print(f"| {name} | {seconds / total:.1%} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--job", nargs="+", choices=JOBS, default=[*JOBS])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--quick", action="store_true", help="two steps a job: to see that it runs")
    args = parser.parse_args()
    device = choose_device(args.device)
    where = f"{torch.get_num_threads()} threads" if device.type == "cpu" else torch.cuda.get_device_name(device)
    print(f"torch {torch.__version__}, {where}, {choose_precision('auto', device)}")
    for name in args.job:
        make, steps = JOBS[name]
        steps = 2 if args.quick else steps * (1 if device.type == "cpu" else 5)
        whole(make, 1, device)  # warms up
        spent = whole(make, steps, device)
        table(f"{name}, {steps} steps, {sum(spent.values()):.1f} s", spent)
        table(f"{name}, by kind of operation", kinds(make, steps, device))


if __name__ == "__main__":
    main()
