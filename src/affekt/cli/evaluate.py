"""``affekt evaluate``: the metrics of a saved model on a split of a data set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.options import add_data_root, add_json, add_seed, add_set, data_root, only_keys
from affekt.cli.printing import say, write_json, write_table
from affekt.errors import UsageError

if TYPE_CHECKING:
    from affekt.cli.models import Found
    from affekt.cli.scoring import Scored

SPLITS = ("train", "validation", "test")
ALL = "all"
GIVEN = ("audio", "video")

_ENGINE = ("evaluation_batch_size", "precision", "channels_last", "compile", "device", "threads")
USED = (
    "affective.",
    "target.",
    *(f"{section}.{key}" for section in ("training", "emotional.training") for key in _ENGINE),
)
"""Recipe keys, or beginnings of them, that scoring goes by."""

USED_OF_CLIPS = ("clips.", *(f"training.{key}" for key in _ENGINE))


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "evaluate", help="the metrics of a saved model on a data set, of pictures or of clips"
    )
    parser.add_argument("model", metavar="MODEL", help="a run folder, a model folder, or a hub repository")
    parser.add_argument("--dataset", metavar="NAME", help="another data set than the run's (affekt data list)")
    parser.add_argument("--split", choices=(*SPLITS, ALL), default="test", help="default: test; all: of clips, uncut")
    parser.add_argument("--given", choices=GIVEN, help="of clips that alone, to a network of sound and pictures")
    add_set(parser)
    add_seed(parser)
    add_data_root(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    root = data_root(args)
    only_keys(args.overrides, "evaluate", (*USED, *USED_OF_CLIPS))
    from affekt.cli.models import find_any

    found = find_any(args.model)
    only_keys(args.overrides, "evaluate", USED_OF_CLIPS if found.of_clips else USED)
    return (_of_clips if found.of_clips else _of_pictures)(found, args, root)


def _of_pictures(found: Found, args: argparse.Namespace, root: Path | None) -> int:
    from affekt.cli.scoring import score

    if args.split == ALL:
        raise UsageError(f"--split {ALL}: is for networks of clips; {args.model} looks at pictures")
    if args.given is not None:
        raise UsageError(f"--given {args.given}: is for networks of clips; {args.model} looks at pictures")
    scored = score(found, **_asked(args), data_root=root)
    _notes_or_json(scored, args)
    if not args.json:
        write_table(("metric", f"{scored.dataset} {scored.split}"), [*scored.metrics.items(), ("n", scored.n)])
    return 0


def _of_clips(found: Found, args: argparse.Namespace, root: Path | None) -> int:
    from affekt.cli.evaluate_clips import print_scored
    from affekt.cli.scoring_clips import score_clips

    scored = score_clips(found, **_asked(args), given=args.given, data_root=root)
    _notes_or_json(scored, args)
    if not args.json:
        print_scored(scored)
    return 0


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    return {"dataset": args.dataset, "split": args.split, "overrides": args.overrides, "seed": args.seed}


def _notes_or_json(scored: Scored, args: argparse.Namespace) -> None:
    say(*(f"note: {note}" for note in scored.notes))
    if args.json:
        write_json(scored.to_dict())
