"""affekt beside what people use: python benchmarks/peers.py [--network resnet18] [--accuracy 0.6] [--quick]

Needs `pip install timm transformers accelerate lightning`, for this table only, and CIFAR-10 in the folder of the data
sets. The same network, weights at the start, pictures, batch, optimiser and schedule in five training loops (see
peer_loops.py), once as each comes and once with everybody in float32 and channels-last. Ratios within a round, in which
each trains once; every other round goes backwards. Time to an accuracy: training alone, up to the end of the first
epoch whose test pictures reach it (for the table; nothing is chosen by it).
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import torch
from peer_job import Epoch, Job
from peer_loops import LOOPS

from affekt.data import open_stimuli
from affekt.data.stimuli import Stimuli
from affekt.recipe import DataSettings
from affekt.study.executors.local import cores

PACKAGES = ("torch", "timm", "transformers", "accelerate", "lightning")


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


def some(stimuli: Stimuli, n: int) -> Stimuli:
    """The same n for all, drawn once."""
    drawn = np.random.default_rng(0).permutation(len(stimuli))[:n]
    return stimuli.take(np.sort(drawn))


def compete(job: Job, count: int) -> list[Mapping[str, Trained]]:
    found = []
    for index in range(count):
        order = list(LOOPS) if index % 2 == 0 else list(reversed(LOOPS))
        done = {}
        for name in order:
            begun = time.perf_counter()
            done[name] = Trained((len(job.train) // job.batch) * job.batch, list(LOOPS[name](job)))
            last = done[name].epochs[-1]
            print(
                f"  round {index + 1}, {name}: {done[name].rate:.0f} pictures/s, {last[1]:.3f} right after "
                f"{last[0]:.1f} s of training ({time.perf_counter() - begun:.1f} s in all)",
                flush=True,
            )
        found.append(done)
    return found


def table(found: list[Mapping[str, Trained]], accuracy: float) -> None:
    print(f"\n| loop | pictures/s | affekt's speed over it | right at the end | seconds to {accuracy:.0%} |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name in LOOPS:
        rates = [done[name].rate for done in found]
        ratios = [done["affekt"].rate / done[name].rate for done in found]
        ends = [done[name].epochs[-1][1] for done in found]
        reached = [done[name].seconds_to(accuracy) for done in found]
        seconds = [s for s in reached if s is not None]
        said = f"{statistics.median(seconds):.1f}" if len(seconds) == len(reached) else f"not in {len(reached)}"
        print(
            f"| {name} | {statistics.median(rates):.0f} | {statistics.median(ratios):.2f} ({min(ratios):.2f} .. "
            f"{max(ratios):.2f}) | {100 * statistics.median(ends):.1f} % | {said} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="resnet8")
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--accuracy", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="few pictures, one round: to see that it runs")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    n, count = (1000, 1) if args.quick else (args.pictures, args.rounds)
    data = open_stimuli(DataSettings(name="cifar10", image_size=32))
    train, test = (some(data[split], size) for split, size in (("train", n), ("test", 5000)))
    print(f"{cores()} cores, {', '.join(f'{name} {version(name)}' for name in PACKAGES)}")
    for equal, title in ((False, "each as it comes"), (True, "all in float32 and channels-last")):
        print(f"\n{title}: {args.network}, {n} pictures, {args.epochs} epochs, batch {args.batch}", flush=True)
        job = Job(
            network=args.network,
            epochs=args.epochs,
            batch=args.batch,
            learning_rate=args.learning_rate,
            equal=equal,
            train=train,
            test=test,
        )
        table(compete(job, count), args.accuracy)


if __name__ == "__main__":
    torch.set_num_threads(cores())
    main()
