"""``affekt pretrain``: an affect network from a recipe's affective pictures."""

from __future__ import annotations

import argparse
from typing import Any

from affekt.cli.options import add_json, add_recipe, data_root, only_keys, read_recipe
from affekt.cli.running import out_folder, print_run, progress


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("pretrain", help="train an affect network on affective pictures")
    add_recipe(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    only_keys(args.overrides, "pretrain", ("affective.", "emotional.", "target."))
    recipe, root = read_recipe(args), data_root(args)
    seed = recipe.seed if args.seed is None else args.seed
    from affekt.study.run import pretrain

    out = out_folder(args, recipe, "emotional", seed)
    print_run(pretrain(recipe, seed=seed, out=out, data_root=root, progress=progress()), as_json=args.json)
    return 0
