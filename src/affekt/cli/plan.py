"""``affekt plan``: what a study will cost, before it starts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.options import add_json, add_recipe, data_root, positive, read_recipe
from affekt.cli.plan_machines import add_machines, changes_anywhere, plans, print_changes, print_machines, read_machines
from affekt.cli.plan_machines import record as machine_record
from affekt.cli.printing import say, write, write_json, write_table
from affekt.cli.running import study_folder

if TYPE_CHECKING:
    from affekt.recipe import Recipe
    from affekt.study.estimating import Estimate
    from affekt.study.machines.changes import Change
    from affekt.study.study_plan import StudyPlan

GIB = 2**30


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("plan", help="what a study will cost: parameters, operations, memory, disk, time")
    add_recipe(parser, seed=False)
    parser.add_argument("--seeds", type=positive, metavar="N", help="how many, counted up from the recipe's seed")
    parser.add_argument(
        "--no-probe", action="store_true", help="count only; do without the 20 timed steps of each training"
    )
    add_machines(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    recipe, root = read_recipe(args), data_root(args)
    from affekt.study.probing import probe

    machines = read_machines(args, recipe)
    planned = _planned(args, recipe, root)
    here = not args.no_probe and not machines
    estimates = probe(planned, data_root=root, said=lambda name: say(f"20 steps of {name}")) if here else []
    elsewhere = plans(args, planned, machines)
    changes = [] if machines else changes_anywhere(args, planned)
    if args.json:
        whole = total(estimates)
        write_json(
            {
                "conditions": _costs(planned),
                "inapplicable": dict(planned.inapplicable),
                "remarks": planned.remarks,
                "seeds": list(planned.seeds),
                "trainings": [vars(e) for e in estimates],
                **vars(whole),
                "machines": [machine_record(one) for one in elsewhere],
                "changes": [asdict(change) for change in changes],
            }
        )
    else:
        print_plan(planned, estimates)
        print_machines(elsewhere)
        _print_anywhere(changes)
    return 0


def _costs(planned: StudyPlan) -> list[dict[str, Any]]:
    """The JSON of what one run of each condition costs."""
    return [
        {
            "condition": name,
            "trainable": cost.trainable,
            "total": cost.total,
            "training_flops": cost.training,
            "pretraining_flops": cost.pretraining,
        }
        for name, cost in planned.costs.items()
    ]


def _planned(args: argparse.Namespace, recipe: Recipe, root: Path | None) -> StudyPlan:
    from affekt.study.folder import RunFolder
    from affekt.study.planning import plan, plan_in

    if args.on_paper:
        from affekt.study.paper import facts_on_paper

        return plan(recipe, seeds=args.seeds, facts=facts_on_paper(recipe))
    return plan_in(recipe, RunFolder(study_folder(args, recipe)), seeds=args.seeds, data_root=root)


def print_plan(planned: StudyPlan, estimates: Sequence[Estimate]) -> None:
    """What each condition has and costs, and where it was tried, how long it all takes on this machine."""
    from affekt.study.timetable import duration

    write_table(
        ("condition", "parameters, trainable", "all", "training FLOPs", "pre-training FLOPs"),
        (
            (name, cost.trainable, cost.total, f"{cost.training:.3g}", f"{cost.pretraining:.3g}")
            for name, cost in planned.costs.items()
        ),
    )
    for name, reason in planned.inapplicable.items():
        write(f"does not apply: {name}: {reason}")
    for text in planned.remarks:
        write(f"note: {text}")
    if not estimates:
        return
    write("\nOn this machine, by 20 steps of each:")
    write_table(
        ("training", "times", "seconds a step", "minutes each", "MiB on disk each"),
        (
            (e.name, _times(e), e.step, round(e.seconds / 60, 1 if e.seconds > 600 else 2), round(e.disk / 2**20, 1))
            for e in estimates
        ),
    )
    whole = total(estimates)
    write(
        f"\n{duration(whole.seconds)} one after another, {whole.disk / GIB:.2f} GiB on disk, "
        f"{whole.memory / GIB:.1f} GiB of memory"
    )


def _print_anywhere(changes: Sequence[Change]) -> None:
    if changes:
        print_changes(changes, of="FLOPs")
        write("What computes the same sooner (bfloat16, a larger batch) shows in the time of a machine: --machine NAME")


def _times(found: Estimate) -> str:
    """``3``, or of runs over folds ``3 x 8 folds``."""
    return f"{found.jobs} x {found.folds} folds" if found.folds > 1 else str(found.jobs)


@dataclass(frozen=True, kw_only=True)
class Total:
    """Seconds, and at most bytes on disk and of memory, of all jobs one after another."""

    seconds: float
    disk: int
    memory: int


def total(estimates: Sequence[Estimate]) -> Total:
    from affekt.study.probing import peak_memory

    return Total(
        seconds=sum(e.jobs * e.seconds for e in estimates),
        disk=sum(e.jobs * e.disk for e in estimates) + max((e.passing for e in estimates), default=0),
        memory=peak_memory() + max((e.memory for e in estimates), default=0),
    )
