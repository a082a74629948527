"""``affekt evaluate``: the metrics of a saved model on a split of a data set."""

from __future__ import annotations

import argparse
from typing import Any

from affekt.cli.options import add_data_root, add_json, add_seed, add_set, data_root, only_keys
from affekt.cli.printing import say, write_json, write_table

_ENGINE = ("evaluation_batch_size", "precision", "channels_last", "compile", "device", "threads")
USED = (
    "affective.",
    "target.",
    *(f"{section}.{key}" for section in ("training", "emotional.training") for key in _ENGINE),
)
"""Recipe keys, or beginnings of them, that scoring goes by."""


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("evaluate", help="the metrics of a saved model on a data set")
    parser.add_argument("model", metavar="MODEL", help="a run folder, a model folder, or a hub repository")
    parser.add_argument("--dataset", metavar="NAME", help="another data set than the run's (affekt data list)")
    parser.add_argument("--split", choices=("train", "validation", "test"), default="test", help="default: test")
    add_set(parser)
    add_seed(parser)
    add_data_root(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    root = data_root(args)
    only_keys(args.overrides, "evaluate", USED)
    from affekt.cli.models import find_model
    from affekt.cli.scoring import score

    found = find_model(args.model)
    scored = score(
        found, dataset=args.dataset, split=args.split, overrides=args.overrides, seed=args.seed, data_root=root
    )
    say(*(f"note: {note}" for note in scored.notes))
    if args.json:
        write_json(scored.to_dict())
        return 0
    write_table(("metric", f"{scored.dataset} {scored.split}"), [*scored.metrics.items(), ("n", scored.n)])
    return 0
