"""How fast the recipe of few epochs is, and how good: python benchmarks/fast.py [--seeds 2] [--quick]

    python benchmarks/fast.py --data-root DATA                  # CIFAR-10 in DATA/cifar10; for a GPU
    python benchmarks/fast.py --random --quick                  # random pictures, a few steps: only that it works

By affekt's trainer, all on the same pictures, which are decoded once: recipes/cifar10-fast.toml on the whole training
split, with each seed - seconds of training, images/s, test accuracy -; the same without small pictures first, one seed;
and one epoch, less its first steps, of an ordinary ResNet-18 (batch 128, no label smoothing) for its images/s alone.
The second table says what a step of `cifar10-fast` waits for: its seconds at each size, and those of a batch's
augmentation, alone and for some steps at once.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from affekt import Trainer
from affekt.data.augmentation import Augmentation
from affekt.data.loading import Loader
from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.recipe import Recipe, load_recipe, override
from affekt.study.building import target_data, target_task
from affekt.training.batches import AHEAD, Batcher, ahead
from affekt.training.precision import choose_device
from affekt.training.sizes import size_in

RECIPE = Path(__file__).parents[1] / "recipes" / "cifar10-fast.toml"
ORDINARY = [
    "model.backbone=resnet18",
    "training.epochs=1",
    "training.sizes=[]",
    "training.batch_size=128",
    "training.learning_rate=0.1",
    "training.schedule=cosine",
    "training.warmup=0",
    "training.label_smoothing=0",
    "augmentation.cutout=0",
]
QUICK = ["training.epochs=5", "training.batch_size=16", "training.warmup=1", "model.backbone=resnet9-whitened-w4"]
QUICK_ORDINARY = ["model.backbone=resnet8", "training.batch_size=16"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One training."""

    name: str
    seed: int
    epochs: int
    seconds: float
    rate: float
    accuracy: float


def decoded(stimuli: Stimuli) -> Stimuli:
    """The same, with its pixels in memory."""
    if isinstance(stimuli.pictures, ArrayPictures):
        return stimuli
    with Loader(stimuli) as loader:
        pixels = loader.load(np.arange(len(stimuli)))[1]
    return replace(stimuli, pictures=ArrayPictures(pixels))


def random_splits() -> dict[str, Stimuli]:
    return {name: random_pictures(n, name) for name, n in (("train", 320), ("validation", 32), ("test", 32))}


def random_pictures(n: int, name: str) -> Stimuli:
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (n, 3, 32, 32), dtype=np.uint8)
    ids = np.array([f"{name}-{i}" for i in range(n)])
    labels = Labels(categories=tuple("abcdefghij"), category=np.arange(n) % 10)
    return Stimuli(name=name, ids=ids, pictures=ArrayPictures(torch.from_numpy(pixels)), labels=labels, groups=ids)


def trained(name: str, recipe: Recipe, splits: Mapping[str, Stimuli], seed: int) -> Row:
    """A whole training, and its test accuracy."""
    classes = splits["train"].labels.categories
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            target_task(recipe, classes, None, seed=seed),
            dict(splits),
            recipe.training,
            folder=folder,
            augmentation=recipe.augmentation,
            image_size=recipe.target.image_size,
            seed=seed,
        )
        begun = time.perf_counter()
        fitted = trainer.fit()
        seconds = time.perf_counter() - begun
        rate = speed(Path(folder) / "timing.jsonl")
        accuracy = trainer.evaluate("test").metrics["accuracy"]
    return Row(name=name, seed=seed, epochs=fitted.epochs, seconds=seconds, rate=rate, accuracy=accuracy)


def speed(timing: Path) -> float:
    """Images/s from the first log line on: without the search for kernels, and without validation and checkpoint."""
    steps = [line for line in map(json.loads, timing.read_text().splitlines()) if line["kind"] == "train"]
    return sum(line["items"] for line in steps[1:]) / (steps[-1]["seconds"] - steps[0]["seconds"])


def timed(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Seconds of one call, the median of three rounds."""
    rounds = []
    for _ in range(4):
        begun = time.perf_counter()
        for _ in range(repeats):
            work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        rounds.append((time.perf_counter() - begun) / repeats)
    return statistics.median(rounds[1:])


def steps(recipe: Recipe, splits: Mapping[str, Stimuli], repeats: int) -> list[tuple[str, float]]:
    """What a step consists of, in seconds."""
    device, size = choose_device("auto"), recipe.training.batch_size
    loader = Loader(splits["train"], device=device)
    batcher = Batcher(
        augmentation=Augmentation(recipe.augmentation, recipe.target.image_size),
        seed=0,
        channels_last=True,
        categories=10,
    )
    together = max(1, AHEAD // size)
    shares = [np.arange(size)] * together
    found = []
    for number in (1, together):
        run = lambda number=number: list(ahead(loader, shares, batcher, draw=0, together=number))  # noqa: E731
        found.append((f"augmentation, {number} at once", timed(run, device, max(1, repeats // together)) / together))
    for side in sorted({size_in(recipe.training, epoch) or 0 for epoch in range(recipe.training.epochs)}):
        found.append((f"whole step, {side} px", _step(recipe, splits, side)))
    return found


def _step(recipe: Recipe, splits: Mapping[str, Stimuli], side: int) -> float:
    """Seconds of a step in a training of one epoch at one size."""
    engine = replace(recipe.training, epochs=1, sizes=(side,), warmup=0.0, log_every=5)
    row = trained("", replace(recipe, training=engine), {"train": splits["train"], "test": splits["validation"]}, 0)
    return recipe.training.batch_size / row.rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, help="holds cifar10; absent: AFFEKT_DATA")
    parser.add_argument("--random", action="store_true", help="random pictures instead")
    parser.add_argument("--quick", action="store_true", help="small networks")
    parser.add_argument("--seeds", type=int, default=2)
    args = parser.parse_args()

    recipe = override(load_recipe(RECIPE), [*(QUICK if args.quick else []), "training.log_every=5"])
    ordinary = override(recipe, [*ORDINARY, *(QUICK_ORDINARY if args.quick else [])])
    begun = time.perf_counter()
    splits = random_splits() if args.random else target_data(recipe, seed=0, data_root=args.data_root).splits
    splits = {name: decoded(part) for name, part in splits.items()}
    device = choose_device("auto")
    name = torch.cuda.get_device_name() if device.type == "cuda" else str(device)
    count = len(splits["train"])
    print(f"{name}, torch {torch.__version__}; {count} pictures decoded in {time.perf_counter() - begun:.1f} s\n")

    print(f"{'training':<34}{'seed':>6}{'epochs':>8}{'seconds':>9}{'images/s':>10}{'test':>8}", flush=True)
    full = override(recipe, ["training.sizes=[]"])
    cases = [("cifar10-fast", recipe, seed) for seed in range(args.seeds)]
    cases += [("cifar10-fast, full size throughout", full, 0), ("ResNet-18, batch 128", ordinary, 0)]
    for label, chosen, seed in cases:
        row = trained(label, chosen, splits, seed)
        print(
            f"{row.name:<34}{row.seed:>6}{row.epochs:>8}{row.seconds:>9.1f}{row.rate:>10.0f}{row.accuracy:>8.2%}",
            flush=True,
        )
    print(f"\nof a step of {recipe.training.batch_size} pictures")
    for label, seconds in steps(recipe, splits, 2 if args.quick else 32):
        print(f"  {label:<32}{1000 * seconds:>9.2f} ms", flush=True)


if __name__ == "__main__":
    main()
