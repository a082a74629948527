"""``affekt plan``: what a study would take on machines that were measured before, and, on any, what would halve it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.options import data_root, positives
from affekt.cli.printing import say, write, write_table
from affekt.cli.shipped import folder
from affekt.errors import UsageError, unknown

if TYPE_CHECKING:
    from affekt.recipe import Recipe
    from affekt.study.machines.changes import Change
    from affekt.study.machines.forecasting import Shapes, Sizes
    from affekt.study.machines.machine import Machine
    from affekt.study.machines.plans import MachinePlan
    from affekt.study.study_plan import StudyPlan

GIB = 2**30


def add_machines(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--machine",
        action="append",
        default=[],
        metavar="FILE",
        help="a machine that was measured (affekt doctor --measure FILE), or a shipped one's name; repeatable",
    )
    parser.add_argument(
        "--machines",
        type=positives,
        nargs="+",
        default=[(1,)],
        metavar="N",
        help="how many of them, e.g. 1,8,64 (default: 1)",
    )
    parser.add_argument(
        "--on-paper", action="store_true", help="sizes of the data sets as published; none of them need be here"
    )


def shipped_machines() -> dict[str, Path]:
    """Name -> file of every shipped machine."""
    return {path.stem: path for path in sorted(folder("machines").glob("*.json"))}


def machine_file(name: str) -> Path:
    """The file of a machine given as a path or as the name of a shipped one; a file of that name comes first.

    Raises:
        UsageError: neither is there.
    """
    path, known = Path(name), shipped_machines()
    if path.is_file() or path.suffix == ".json":
        return path
    if name not in known:
        raise UsageError(f"{unknown('machine', name, known)}; or give a file: affekt doctor --measure FILE writes one")
    return known[name]


def read_machines(args: argparse.Namespace, recipe: Recipe) -> list[Machine]:
    """The machines that a call names.

    Raises:
        DataError, UsageError: a file that is none, options that mean nothing together, a recipe about clips.
    """
    from affekt.study.machines.machine import read_machine

    if not args.machine:
        if args.machines != [(1,)]:
            raise UsageError("--machines: of which machine? Name one: --machine FILE")
        if args.on_paper and not args.no_probe:
            raise UsageError("--on-paper: no step can be timed without data; add --machine FILE, or --no-probe")
        return []
    if recipe.of_clips:
        raise UsageError("--machine: is for recipes about pictures; leave it out, and steps of clips are timed here")
    return [read_machine(machine_file(name)) for name in args.machine]


def plans(args: argparse.Namespace, planned: StudyPlan, machines: Sequence[Machine]) -> list[dict[str, Any]]:
    """For each machine its plan and the changes that would save something."""
    from affekt.study.machines.changes import changes
    from affekt.study.machines.forecasting import Forecast
    from affekt.study.machines.plans import plan_on

    sizes, shapes = _sizes(args), _shapes()
    counts = sorted({count for written in args.machines for count in written})
    found = []
    for machine in machines:
        forecast = Forecast(machine=machine, facts=planned.facts, sizes=sizes, shapes=shapes)
        found.append({"plan": plan_on(planned, forecast, counts), "changes": changes(planned, forecast)})
    return found


def changes_anywhere(args: argparse.Namespace, planned: StudyPlan) -> list[Change]:
    """What would save a part of the FLOPs, where no machine is named; nothing is counted so of a study of clips."""
    from affekt.study.machines.counting import changes_by_flops

    if planned.recipe.of_clips:
        return []
    return changes_by_flops(planned, sizes=_sizes(args), shapes=_shapes())


def _sizes(args: argparse.Namespace) -> Sizes:
    from affekt.study.machines.forecasting import sizes_of_data
    from affekt.study.paper import sizes_on_paper

    return sizes_on_paper if args.on_paper else sizes_of_data(data_root(args))


def _shapes() -> Shapes:
    from affekt.study.machines.forecasting import Shapes

    return Shapes(said=lambda name: say(f"counting {name}"))


def print_machines(found: Sequence[dict[str, Any]]) -> None:
    """A table of trainings, one of numbers of machines, and one of changes, for each machine."""
    for one in found:
        _print_plan(one["plan"])
        print_changes(one["changes"], of="time")


def record(one: dict[str, Any]) -> dict[str, Any]:
    """The JSON of a machine's plan."""
    plan: MachinePlan = one["plan"]
    return {
        "machine": plan.machine.name,
        "error": plan.machine.error,
        "trainings": [vars(e) for e in plan.estimates],
        "seconds": plan.work,
        "disk": plan.disk,
        "machines": [
            {"machines": count, "seconds": packing.seconds, "busy": packing.busy}
            for count, packing in plan.packings.items()
        ],
        "changes": [asdict(change) for change in one["changes"]],
    }


def _print_plan(plan: MachinePlan) -> None:
    from affekt.study.timetable import duration

    write(f"\nOn {plan.machine.name}, predicted ({_how_far(plan.machine)}):")
    write_table(
        ("training", "times", "seconds a step", "hours each", "MiB on disk each"),
        ((e.name, e.jobs, e.step, e.seconds / 3600, round(e.disk / 2**20, 1)) for e in plan.estimates),
    )
    write("")
    write_table(
        ("machines", "until the end", "hours", "in use, %"),
        (
            (count, duration(packing.seconds), packing.seconds / 3600, round(100 * packing.busy, 1))
            for count, packing in plan.packings.items()
        ),
    )
    # Hours add up over the machines; fewer than a tenth of one are said in words.
    hours = f"{plan.work / 3600:,.1f} machine-hours" if plan.work > 360 else f"{duration(plan.work)} of a machine"
    write(f"\n{hours}, {plan.disk / GIB:.1f} GiB on disk at the end, when it is most")


def _how_far(machine: Machine) -> str:
    if not machine.error:
        return "how far off was not measured"
    return f"a network that had no part in its measuring was typically {100 * machine.error:.0f} % off"


def print_changes(found: Sequence[Change], *, of: str) -> None:
    """Changes with what each leaves of ``of``, the time or the FLOPs, and whether one of them halves it."""
    write("\nWith one thing changed:")
    write_table(
        (f"of the {of}", "--set", "what is asked then"),
        ((round(change.factor, 2), " --set ".join(change.overrides), change.asks or "the same") for change in found),
    )
    same = [change for change in found if not change.asks and change.factor <= 0.5]
    halving = [change for change in found if change.factor <= 0.5]
    if not halving:
        write("none of them halves it")
    elif not same:
        write("none that halves it leaves the question as it is")
