"""``affekt train``: one condition of a recipe with one seed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from affekt.cli.options import add_json, add_recipe, data_root, read_recipe
from affekt.cli.running import out_folder, print_run, progress


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("train", help="train a classifier, plain or regulated, as a recipe says")
    add_recipe(parser)
    parser.add_argument("--condition", metavar="NAME", help="a variation of the recipe, e.g. baseline")
    parser.add_argument(
        "--emotional", type=Path, metavar="MODEL", help="a trained affect network instead of pre-training"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    recipe, root = read_recipe(args), data_root(args)
    seed = recipe.seed if args.seed is None else args.seed
    from affekt.study.run import train

    result = train(
        recipe,
        condition=args.condition,
        seed=seed,
        out=out_folder(args, recipe, args.condition or "plain", seed),
        data_root=root,
        emotional=args.emotional,
        progress=progress(),
    )
    print_run(result, as_json=args.json)
    return 0
