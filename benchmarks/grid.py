"""What the whole grid would cost: python benchmarks/grid.py --machine FILE [--machines 1 8 64] [--seeds 5] [--quick]

The paper's backbones, affective sets and targets (arXiv:2606.13081), each combination a study of 16 conditions at 224
pixels, five seeds: 2 x 4 x 2 x 16 x 5 runs, with their emotional encoders and the members of their ensembles. Epochs,
batches and optimisers are those of our recipes, since the paper's could not be read; sizes are the published ones.
Seconds by `affekt.study.machines`, on a machine that benchmarks/scale.py measured. Nothing is trained, no data needed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace

from affekt.cli.plan_machines import machine_file
from affekt.cli.shipped import find
from affekt.recipe import Recipe, load_recipe
from affekt.study.conditions import apply_condition
from affekt.study.machines.forecasting import Forecast, Shapes
from affekt.study.machines.machine import Machine, read_machine
from affekt.study.machines.packing import pack
from affekt.study.machines.plans import timed_jobs
from affekt.study.paper import facts_on_paper, sizes_on_paper
from affekt.study.study_plan import StudyPlan

BACKBONES = {"resnet50": "resnet50", "vit_b_16": "vit-b16"}
AFFECTIVE = ("emoset", "emod", "diffused-emod", "abstract")
TARGETS = ("cifar10", "cifar100")
ALIKE = ("baseline", "baseline-pretrained", "longer", "ensemble-2", "mixture", "scalar-gate", "feature-gate")
"""Conditions that no affective picture reaches: the same for every affective set."""

CONDITIONS = (
    *ALIKE,
    "transfer",
    "random-emotion",
    "untrained-emotion",
    "shuffled-emotion",
    "permuted-affect",
    "influenced-only",
    "rand-learn-e-reg",
    "e-reg",
    "learn-e-reg",
)


def recipe_of(backbone: str, affective: str, target: str) -> Recipe:
    """The shipped recipe of backbone and target, with the affect network of the shipped recipe of the affective set."""
    recipe = load_recipe(find(f"{BACKBONES[backbone]}-{target}"))
    if affective == recipe.affective.name:
        return recipe
    own = load_recipe(find(affective))
    return replace(recipe, affective=own.affective, emotional=replace(own.emotional, backbone=backbone))


def moved(resolved: Recipe, recipe: Recipe) -> Recipe:
    """A condition that was resolved for another affective set or target, for those of ``recipe``."""
    labels, initial = resolved.affective.labels, resolved.emotional.initial
    return replace(
        resolved,
        target=recipe.target,
        affective=replace(recipe.affective, labels=labels),
        emotional=replace(recipe.emotional, initial=initial),
    )


def studies(seeds: int, quick: bool) -> Iterator[tuple[str, StudyPlan]]:
    """Name and plan of each study. What `longer` costs follows from the backbone, and is looked up once for each."""
    for backbone in [*BACKBONES][: 1 if quick else None]:
        conditions: dict[str, Recipe] = {}
        for affective in AFFECTIVE:
            for target in TARGETS:
                recipe = recipe_of(backbone, affective, target)
                facts = facts_on_paper(recipe)
                conditions = conditions or {
                    name: apply_condition(recipe, name, facts=facts)
                    for name in CONDITIONS
                    if not quick or name != "longer"
                }
                yield (
                    f"{backbone}, {affective}, {target}",
                    StudyPlan(
                        recipe=recipe,
                        conditions={name: moved(one, recipe) for name, one in conditions.items()},
                        costs={},
                        inapplicable={},
                        seeds=tuple(range(seeds)),
                        declared=tuple(range(seeds)),
                        facts=facts,
                    ),
                )


def report(machine: Machine, seeds: int, machines: list[int], quick: bool) -> None:
    """A row a study, then one a number of machines."""
    shapes = Shapes(said=lambda name: print(f"counting {name}", file=sys.stderr, flush=True))
    seconds: dict[str, float] = {}
    needs: dict[str, tuple[str, ...]] = {}
    runs = again = 0
    disk = 0.0
    print(f"{machine.name}, `auto` is {machine.precision}; typically {100 * machine.error:.0f} % off\n")
    print("| study | runs | machine-hours | the longest run, h | GiB |\n| --- | ---: | ---: | ---: | ---: |")
    for name, planned in studies(seeds, quick):
        forecast = Forecast(machine=machine, facts=planned.facts, sizes=sizes_on_paper, shapes=shapes)
        took, waits = timed_jobs(planned, forecast)
        space = sum(e.jobs * e.disk for e in forecast.estimates(planned)) / 2**30
        count = sum(job.is_run for job in planned.jobs)
        print(
            f"| {name} | {count} | {hours(sum(took.values()))} | {hours(max(took.values()))} | {space:.0f} |",
            flush=True,
        )
        seconds |= {f"{name}/{job}": took[job] for job in took}
        needs |= {f"{name}/{job}": tuple(f"{name}/{need}" for need in waits[job]) for job in took}
        alike = sum(took[job.folder] for job in planned.jobs if job.is_run and job.name in ALIKE)
        again += 0 if AFFECTIVE[0] in name else alike
        runs, disk = runs + count, disk + space
    work = sum(seconds.values())
    print(f"| all | {runs} | {hours(work)} | {hours(max(seconds.values()))} | {disk:.0f} |\n")
    print("| machines | days until the end | in use |\n| ---: | ---: | ---: |")
    for count in machines:
        packing = pack(seconds, needs, count)
        print(f"| {count} | {packing.seconds / 86400:.2f} | {100 * packing.busy:.0f} % |", flush=True)
    print(
        f"\nOf the machine-hours {hours(again)} ({100 * again / work:.0f} %) train anew, for the second to fourth "
        "affective set, what no affective picture reaches."
    )


def hours(seconds: float) -> str:
    return f"{seconds / 3600:,.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machine", required=True, help="a file, or the name of a shipped machine")
    parser.add_argument("--machines", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one backbone, without `longer`")
    args = parser.parse_args()
    report(read_machine(machine_file(args.machine)), args.seeds, args.machines, args.quick)


if __name__ == "__main__":
    main()
