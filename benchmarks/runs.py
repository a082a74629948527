"""Runs as predicted and as they were: python benchmarks/runs.py --machine FILE STUDY...

For each condition of a study that was run, the seconds of a step and of the whole training (steps, validations,
checkpoints; what is scored at the end left out), by the clock of its runs and by `affekt.study.machines` on a machine
that benchmarks/scale.py measured. Medians over seeds; runs that were interrupted do not count. The machine must be like
the one that the study was run on, and as busy: two runs at once share caches and memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from affekt.cli.plan_machines import machine_file
from affekt.recipe import load_recipe
from affekt.study.jobs import Job
from affekt.study.machines.forecasting import Forecast, Shapes
from affekt.study.machines.machine import read_machine
from affekt.study.paper import facts_on_paper, sizes_on_paper


def clock(run: Path) -> tuple[float, float] | None:
    """Seconds of a step, and from the first to the last line of a run's ``timing.jsonl``; None: not in one go."""
    file = run / "timing.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    if not (run / "result.json").exists() or sum(line["kind"] == "start" for line in lines) != 1:
        return None
    rates = [
        (after["seconds"] - before["seconds"]) / (after["step"] - before["step"])
        for before, after in pairwise(lines)
        if before["kind"] == after["kind"] == "train" and after["step"] > before["step"]
    ]
    return statistics.median(rates), lines[-1]["seconds"] - lines[0]["seconds"]


def conditions(study: Path) -> Iterator[tuple[Job, float, float]]:
    """A job of each condition, and the medians of what its runs took."""
    for folder in sorted((study / "runs").iterdir()):
        taken = {run: found for run in sorted(folder.glob("seed-*")) if (found := clock(run)) is not None}
        if taken:
            run = next(iter(taken))
            recipe = load_recipe(run / "recipe.toml")
            name = folder.name
            job = Job(kind="train", folder=f"runs/{name}/{run.name}", recipe=recipe, name=name, seed=recipe.seed)
            yield job, *(statistics.median(column) for column in zip(*taken.values(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", type=Path, nargs="+")
    parser.add_argument("--machine", required=True, help="a file, or the name of a shipped machine")
    args = parser.parse_args()
    machine, shapes = read_machine(machine_file(args.machine)), Shapes()
    print(f"{machine.name}\n\n| study | condition | ms a step | predicted | | minutes | predicted | |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    off = []
    for study in args.studies:
        facts = facts_on_paper(load_recipe(study / "recipe.toml"))
        forecast = Forecast(machine=machine, facts=facts, sizes=sizes_on_paper, shapes=shapes)
        for job, step, whole in conditions(study):
            said = forecast.estimate(job.name, [job]).step, forecast.fitting(job)
            off.append(said[1] / whole)
            print(
                f"| {study.name} | {job.name} | {1000 * step:.1f} | {1000 * said[0]:.1f} | {said[0] / step - 1:+.0%} "
                f"| {whole / 60:.1f} | {said[1] / 60:.1f} | {said[1] / whole - 1:+.0%} |",
                flush=True,
            )
    if off:
        print(f"\npredicted / measured: median {statistics.median(off):.2f}, {min(off):.2f} to {max(off):.2f}")


if __name__ == "__main__":
    main()
