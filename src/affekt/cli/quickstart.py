"""``affekt quickstart``: the main job, small, on data that pip brings - a study of emotion beside its controls."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from affekt.cli.options import add_json, add_seed, positive
from affekt.cli.printing import say
from affekt.cli.study import conduct

AT_ONCE = 4
"""Runs at once, where there are as many cores: networks as small as these gain little from a second thread."""


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("quickstart", help="a whole study, small, on emoji: minutes on two cores")
    parser.add_argument("--out", type=Path, default=Path("quickstart"), metavar="DIR", help="default: ./quickstart")
    add_seed(parser)
    parser.add_argument("--seeds", type=positive, metavar="N", help="how many (default: 3)")
    parser.add_argument(
        "--workers", type=positive, metavar="N", help=f"runs at once (default: cores, {AT_ONCE} at most)"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Emoji with people's labels -> emotional encoder -> six conditions x three seeds -> tables and a report."""
    from affekt.cli.shipped import find
    from affekt.recipe import load_recipe
    from affekt.study.executors.local import cores

    recipe = load_recipe(find("quickstart"))
    recipe = recipe if args.seed is None else replace(recipe, seed=args.seed)
    say(
        "Emoji and the sentiment that people gave them -> an emotional encoder -> classifiers of the groups that",
        "Unicode puts emoji in, with the emotion and without: does it do anything?",
    )
    workers = args.workers or min(AT_ONCE, cores())
    return conduct(
        recipe, args.out, pictures=None, as_json=args.json, data_root=None, seeds=args.seeds, workers=workers
    )
