"""``affekt study``: all conditions and seeds of a recipe, compared."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.options import add_json, add_recipe, data_root, positive, read_recipe, share
from affekt.cli.printing import say, write, write_json, write_table
from affekt.cli.running import progress, study_folder
from affekt.cli.study_table import create_watch
from affekt.errors import UsageError

if TYPE_CHECKING:
    from affekt.recipe import Recipe

EXECUTORS = ("local", "ray", "slurm")


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "study", help="does the emotion do anything? conditions x seeds, controls, statistics"
    )
    add_recipe(parser, seed=False)
    parser.add_argument("--seeds", type=positive, metavar="N", help="how many, counted up from the recipe's seed")
    parser.add_argument("--executor", choices=EXECUTORS, default="local", help="where runs are done (default: local)")
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="runs at once (default: one a GPU, else one for every two cores)"
    )
    parser.add_argument(
        "--gpus", default="", metavar="LIST", help="numbers of the GPUs to use, e.g. 0,1: a run each (default: all)"
    )
    parser.add_argument(
        "--gpu-share", type=share, default=1.0, metavar="X", help="of a GPU that a run gets, e.g. 0.5: two share one"
    )
    parser.add_argument(
        "--slurm",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="what a slurm job asks for, e.g. partition=gpu, account=NAME, time=04:00:00, cpus=4; repeatable",
    )
    parser.add_argument("--no-pictures", action="store_true", help="the report names test pictures by id only")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    recipe, root = read_recipe(args), data_root(args)
    gpus = tuple(number.strip() for number in args.gpus.split(",") if number.strip())
    place = {"executor": args.executor, "workers": args.workers, "gpus": gpus, "gpu_share": args.gpu_share}
    if options := _slurm(args):
        place["options"] = options
    return conduct(
        recipe,
        study_folder(args, recipe),
        pictures=False if args.no_pictures else None,
        as_json=args.json,
        seeds=args.seeds,
        data_root=root,
        **place,
    )


def _slurm(args: argparse.Namespace) -> dict[str, Any]:
    if not args.slurm:
        return {}
    if args.executor != "slurm":
        raise UsageError(f"--slurm {args.slurm[0]}: is for slurm; write --executor slurm, or leave it out")
    from affekt.study.executors.slurm_options import slurm_parameters

    return {"parameters": slurm_parameters(args.slurm)}


def conduct(
    recipe: Recipe, out: Path, *, pictures: bool | None, as_json: bool, data_root: Path | None, **place: Any
) -> int:
    """Run what is missing of a study, print what came out, write its report; 1 where a run failed."""
    from affekt.study.reporting import report
    from affekt.study.studying import study

    watch = create_watch()
    # The table shows how far each run is; a bar in it would be drawn over it.
    bar = progress() if watch is None else None
    result = study(recipe, out=out, data_root=data_root, progress=bar, say=say, watch=watch, **place)
    files = report(result.folder, result.frame, pictures=pictures, data_root=data_root)
    if as_json:
        write_json({**result.comparison, "report": str(files[0])})
    else:
        print_comparison(result.comparison)
        write(f"\nreport: {files[0]}")
    return 1 if result.failed else 0


def print_comparison(comparison: Mapping[str, Any]) -> None:
    """The verdict, the conditions and the declared comparisons as tables."""
    if comparison.get("kind") == "clips":
        from affekt.cli.study_of_clips import print_clips

        print_clips(comparison)
        return
    from affekt.study.verdict import in_words

    write(f"{in_words(comparison['verdict'])}\n")
    write_table(
        ("condition", "seeds", "accuracy, %", "95 % from", "to", "SD", "parameters, trainable", "all"),
        ([*_condition(found)] for found in comparison["conditions"]),
    )
    made = [c for c in comparison["comparisons"] if "verdict" in c]
    if made:
        write("\nDifferences in absolute percentage points:")
        write_table(
            ("comparison", "seeds", "points", "95 % from", "to", "p (Holm)", "verdict"),
            (
                (
                    c["name"],
                    len(c["seeds"]),
                    *(round(c[k], 2) for k in ("estimate", "low", "high")),
                    c["p_holm"],
                    c["verdict"],
                )
                for c in made
            ),
        )
    _print_attribution(comparison["attribution"])
    write(f"\n{comparison['verdict']['rules']}")
    for note in comparison["notes"]:
        write(f"note: {note}")


def _condition(found: Mapping[str, Any]) -> list[Any]:
    accuracy = found["metrics"]["accuracy"]
    numbers = [None if accuracy[k] is None else round(accuracy[k], 2) for k in ("mean", "low", "high", "sd")]
    parameters = found["parameters"] or {"trainable": None, "total": None}
    return [found["name"], len(found["seeds"]), *numbers, parameters["trainable"], parameters["total"]]


def _print_attribution(attribution: Mapping[str, Any] | None) -> None:
    if attribution is None:
        return
    write("\nAttribution, in this order (another order would share it out otherwise):")
    rows = []
    for link in attribution["links"]:
        d = link["difference"]
        numbers = ["missing", "", ""] if d is None else [round(d[k], 2) for k in ("estimate", "low", "high")]
        rows.append((f"{link['first']} -> {link['second']}", link["adds"], *numbers))
    if (whole := attribution["whole"]) is not None:
        rows.append(("whole", "", *(round(whole[k], 2) for k in ("estimate", "low", "high"))))
    write_table(("link", "adds", "points", "95 % from", "to"), rows)
