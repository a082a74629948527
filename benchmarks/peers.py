"""affekt beside what people use: python benchmarks/peers.py [--device cuda] [--network resnet18] [--accuracy 0.6]

    python benchmarks/peers.py --quick                  # to see that it runs

Needs `pip install timm transformers accelerate lightning`, for this table only; a package that is missing is a missing
row. The same network, weights at the start, pictures (CIFAR-10 in the folder of the data sets, else made-up ones),
batch, optimiser, schedule and seeds in five training loops (see peer_loops.py), and affekt's bare step on a batch that
never changes.

each as it comes
    affekt: bfloat16 where the device has it (a GPU, a CPU with AMX), channels-last, pictures in memory. The others: in
    float32, torch's own layout, pictures of a DataLoader with the workers of a tutorial (2), of timm's script (4), of
    TrainingArguments (0), or as many as Lightning suggests; pinned where they pin by themselves.
all equal
    Everybody in the same precision (--precision) and channels-last, with as many workers (--workers), pinned memory, a
    search for fast kernels, the same augmentation, no clipping.

To the others' good: their workers stay from epoch to epoch (by default only timm's do; the epochs here are short), and
the clock starts with the first batch, not with the construction of a trainer. Rates leave out the first epoch. Each
trains once a round, in one process; every other round goes backwards; ratios are within a round, medians over rounds.
Time to an accuracy: training alone, up to the end of the first epoch whose test pictures reach it (for the table;
nothing is chosen by it). A round, of both columns, that --seconds has no room for is not begun.
"""

from __future__ import annotations

import argparse
import gc
import math
import statistics
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import torch
from peer_data import pictures
from peer_job import Epoch, Job
from peer_loops import LOOPS

from affekt.study.executors.local import cores
from affekt.training.precision import choose_device, choose_precision

PACKAGES = {"timm": ("timm",), "transformers": ("transformers", "accelerate"), "lightning": ("lightning",)}
"""What a loop needs beside torch."""


@dataclass(frozen=True)
class Trained:
    """One training by one loop."""

    pictures: int
    epochs: Sequence[Epoch]

    @property
    def rate(self) -> float:
        """Pictures a second from the end of the first epoch to that of the last."""
        return self.pictures * (len(self.epochs) - 1) / (self.epochs[-1][0] - self.epochs[0][0])

    def seconds_to(self, accuracy: float) -> float | None:
        return next((seconds for seconds, right in self.epochs if right >= accuracy), None)


Round = Mapping[str, Trained]


def loops_here() -> list[str]:
    """The loops whose packages are there."""
    return [name for name in LOOPS if all(find_spec(package) for package in PACKAGES.get(name, ()))]


def train(name: str, job: Job) -> Trained:
    """By one loop; settings of torch that it changes are put back."""
    tuned = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = job.equal
    try:
        return Trained((len(job.train) // job.batch) * job.batch, list(LOOPS[name](job)))
    finally:
        torch.backends.cudnn.benchmark = tuned
        gc.collect()  # trainers in a circle of references keep their workers


def compete(columns: Mapping[str, Job], names: Sequence[str], count: int, seconds: float) -> dict[str, list[Round]]:
    """Up to ``count`` rounds of each column, with a seed a round, in about so many seconds; at least one."""
    found: dict[str, list[Round]] = {title: [] for title in columns}
    begun = time.perf_counter()
    for index in range(count):
        spent = time.perf_counter() - begun
        if index and spent * (index + 1) / index > seconds:
            break
        for title, job in columns.items():
            print(f"round {index + 1}, {title}", flush=True)
            found[title].append(one_round(replace(job, seed=index), names if index % 2 == 0 else names[::-1]))
    return found


def one_round(job: Job, names: Sequence[str]) -> Round:
    """Each loop once, in this order."""
    done = {}
    for name in names:
        begun = time.perf_counter()
        done[name] = train(name, job)
        say(name, done[name], time.perf_counter() - begun)
    return done


def say(name: str, trained: Trained, whole: float) -> None:
    seconds, right = trained.epochs[-1]
    learned = "" if math.isnan(right) else f", {right:.3f} right after {seconds:.1f} s of training"
    print(f"  {name}: {trained.rate:.0f} pictures/s{learned} ({whole:.1f} s in all)", flush=True)


def table(found: Sequence[Round], accuracy: float) -> None:
    print(f"\n| loop | pictures/s | affekt's speed over it | right at the end | seconds to {accuracy:.0%} |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name in found[0]:
        rate = statistics.median(done[name].rate for done in found)
        cells = [f"{rate:.0f}", over(found, name), *learning([done[name] for done in found], accuracy)]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"Medians over {len(found)} round{'s' * (len(found) > 1)}.", flush=True)


def over(found: Sequence[Round], name: str) -> str:
    """affekt's speed over that of a loop, the range behind it."""
    ratios = [done["affekt"].rate / done[name].rate for done in found]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} .. {max(ratios):.2f})"


def learning(trained: Sequence[Trained], accuracy: float) -> tuple[str, str]:
    """Share right at the end, and seconds to an accuracy; a loop that learns nothing has neither."""
    ends = [one.epochs[-1][1] for one in trained]
    if any(map(math.isnan, ends)):
        return "", ""
    reached = [s for one in trained if (s := one.seconds_to(accuracy)) is not None]
    said = f"{statistics.median(reached):.1f}" if len(reached) == len(trained) else f"{len(reached)} of {len(trained)}"
    return f"{100 * statistics.median(ends):.1f} %", said


def machine(device: torch.device) -> str:
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    found = []
    for name in ("torch", *(package for needed in PACKAGES.values() for package in needed)):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return f"{where}, {cores()} cores, {', '.join(found)}; auto is {choose_precision('auto', device)} here"


def main() -> None:
    args = parsed()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(args.threads or cores())
    device = choose_device(args.device)
    n, count = (512, 1) if args.quick else (args.pictures, args.rounds)
    training, test, what = pictures(n, args.test)
    print(f"{machine(device)}\n{args.network}, {n} {what}, {args.epochs} epochs, batch {args.batch}")
    job = Job(
        network=args.network,
        epochs=args.epochs,
        batch=args.batch,
        learning_rate=args.learning_rate,
        equal=False,
        train=training,
        test=test,
        device=device,
        precision=args.precision,
        workers=args.workers or min(8, cores()),
    )
    columns = {
        "each as it comes": job,
        f"all equal ({job.precision}, channels-last, {job.workers} workers)": replace(job, equal=True),
    }
    train("bare step", job)  # the device's own first step is nobody's
    for title, found in compete(columns, loops_here(), count, args.seconds).items():
        print(f"\n{title}")
        table(found, args.accuracy)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--network", default="resnet8")
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--test", type=int, default=2000, help="pictures that are scored after each epoch")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--accuracy", type=float, default=0.5)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="of all, where all are equal")
    parser.add_argument("--workers", type=int, help="of all, where all are equal; absent: 8, or the cores")
    parser.add_argument("--threads", type=int, help="of each on the CPU; absent: the cores")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3600.0, help="about how long it may take")
    parser.add_argument("--quick", action="store_true", help="few pictures, one round: to see that it runs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
