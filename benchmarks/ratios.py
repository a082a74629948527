"""The trainer's speed over that of bare loops, today and at each release: python benchmarks/ratios.py

    python benchmarks/ratios.py --write 0.1.0        # keep today's as those of a release

ResNet-8 on made-up pictures, one thread of the CPU: affekt's trainer against its own step on a batch that never
changes, and against the loop of a tutorial, both in the same precision and layout (see peers.py). Ratios within a
round, medians over rounds with their range; about half a minute. Other machines and other work beside it give other
ratios: they are printed beside those in ratios.json, and nothing is judged.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peer_data import made_up
from peer_job import Job
from peers import Round, compete, one_round

from affekt.saving.environment import environment
from affekt.study.executors.local import cores

KEPT = Path(__file__).with_name("ratios.json")
LOOPS = ("bare step", "ordinary loop")
"""What affekt is held against."""


def measure(job: Job, rounds: int, seconds: float) -> list[Round]:
    """Rounds, after one that warms up."""
    names = ["affekt", *LOOPS]
    one_round(job, names)
    return compete({"today": job}, names, rounds, seconds)["today"]


def ratios(found: Sequence[Round]) -> dict[str, list[float]]:
    """Loop -> median, least and largest of affekt's speed over it."""
    said = {}
    for name in LOOPS:
        values = [done["affekt"].rate / done[name].rate for done in found]
        said[name] = [round(value, 3) for value in (statistics.median(values), min(values), max(values))]
    return said


def read(path: Path) -> list[dict[str, Any]]:
    """An entry a release and machine, in the order in which they were written."""
    entries: list[dict[str, Any]] = json.loads(path.read_text()) if path.is_file() else []
    return entries


def write(path: Path, entry: Mapping[str, Any]) -> None:
    """Add an entry, in place of one of the same release and machine."""
    same = ("release", "machine")
    others = [kept for kept in read(path) if any(kept[key] != entry[key] for key in same)]
    lines = ",\n".join(json.dumps(kept) for kept in [*others, entry])
    path.write_text(f"[\n{lines}\n]\n")


def table(entries: Sequence[Mapping[str, Any]]) -> str:
    heads = ["release", *(f"affekt / {name}" for name in LOOPS), "torch", "machine"]
    rows = [heads, ["---"] * len(heads), *([*_cells(entry)] for entry in entries)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _cells(entry: Mapping[str, Any]) -> list[str]:
    found = [entry["ratios"].get(name) for name in LOOPS]
    said = ["" if one is None else f"{one[0]:.2f} ({one[1]:.2f} .. {one[2]:.2f})" for one in found]
    return [entry["release"], *said, entry["torch"], entry["machine"]]


def machine() -> str:
    """Cores, and the processor as it names itself."""
    return f"{cores()} cores, {environment()['processor']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", metavar="RELEASE", help="keep today's in ratios.json")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=30.0, help="about how long the rounds may take")
    args = parser.parse_args()
    torch.set_num_threads(1)
    job = Job(
        network="resnet8",
        epochs=2,
        batch=64,
        learning_rate=0.01,
        equal=True,
        train=made_up(512, seed=1),
        test=made_up(64, seed=2),
        device=torch.device("cpu"),
    )
    found = ratios(measure(job, args.rounds, args.seconds))
    today = {"release": "today", "machine": machine(), "torch": str(torch.__version__), "ratios": found}
    print(f"\n{table([*read(KEPT), today])}")
    if args.write:
        write(KEPT, {**today, "release": args.write})


if __name__ == "__main__":
    main()
