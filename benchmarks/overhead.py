"""What a study adds to its trainings, and two runs at once: python benchmarks/overhead.py [--rounds 3] [--epochs 5]

The quickstart's baseline, mixture and learn-e-reg with ResNet-14, two seeds, one run after another in this process:
as a study, from its plan to its report, and as the same jobs done bare, without plan, results, comparison and report.
Then the same study with a run a core and one thread each. All in turn, on data that pip brings; ratios are medians over
rounds. Beside them, where the study's own time goes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from affekt.cli.shipped import find
from affekt.recipe import Recipe, load_recipe, override
from affekt.study import reporting, studying
from affekt.study.executors.local import cores
from affekt.study.planning import plan
from affekt.study.working import work

CONDITIONS = '["baseline", "mixture", "learn-e-reg"]'
PARTS = {"plan": "plan_in", "results": "append", "comparison": "compare_folder"}


@contextmanager
def clocked(spent: dict[str, float]) -> Iterator[None]:
    """Add up the seconds inside the study's own parts."""

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            begun = time.perf_counter()
            try:
                return function(*args, **options)
            finally:
                spent[name] = spent.get(name, 0.0) + time.perf_counter() - begun

        return call

    before = {attribute: getattr(studying, attribute) for attribute in PARTS.values()}
    for name, attribute in PARTS.items():
        setattr(studying, attribute, timed(name, before[attribute]))
    try:
        yield
    finally:
        for attribute, function in before.items():
            setattr(studying, attribute, function)


def as_study(recipe: Recipe, folder: Path, workers: int) -> tuple[float, dict[str, float]]:
    """Seconds of a whole study with so many runs at once, and those of its own parts."""
    spent: dict[str, float] = {}
    begun = time.perf_counter()
    with clocked(spent):
        result = studying.study(recipe, out=folder, workers=workers)
    written = time.perf_counter()
    reporting.report(result.folder, result.frame)
    ended = time.perf_counter()
    return ended - begun, {**spent, "report": ended - written}


def bare(recipe: Recipe, folder: Path) -> float:
    """Seconds of the study's jobs alone."""
    jobs = plan(recipe).jobs
    begun = time.perf_counter()
    for job in jobs:
        outcome = work(folder, job)
        assert outcome.status == "finished", outcome.error
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()
    recipe = override(
        load_recipe(find("quickstart")),
        [
            f"study.conditions={CONDITIONS}",
            'study.chain=["baseline", "mixture", "learn-e-reg"]',
            "study.seeds=2",
            "model.backbone=resnet14",
            "emotional.backbone=resnet14",
            f"training.epochs={args.epochs}",
            f"emotional.training.epochs={args.epochs}",
        ],
    )
    ratios, at_once = [], []
    print("round  bare, s  study, s  ratio  runs at once, s  ratio to one by one  own parts, s")
    for number in range(1, args.rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            alone = bare(recipe, Path(folder) / "bare")
            whole, parts = as_study(recipe, Path(folder) / "study", 1)
            together, _ = as_study(recipe, Path(folder) / "together", cores())
        ratios.append(whole / alone)
        at_once.append(together / whole)
        said = ", ".join(f"{name} {seconds:.1f}" for name, seconds in parts.items())
        row = (
            f"{number:5d}  {alone:7.1f}  {whole:8.1f}  {whole / alone:5.3f}  {together:15.1f}  {together / whole:19.3f}"
        )
        print(f"{row}  {said}", flush=True)
    print(f"median ratios {statistics.median(ratios):.3f}, {statistics.median(at_once):.3f}; {cores()} cores")


if __name__ == "__main__":
    main()
