"""``affekt predict``: what a model says of pictures - class, probability, affect state and regulation weight r."""

from __future__ import annotations

import argparse
from typing import Any

from affekt.cli.options import positive
from affekt.cli.printing import say, write, write_json

BATCH = 32
"""Pictures at a time: enough to keep two cores busy, few enough that the first answer comes at once."""


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("predict", help="class, probability, affect state and r of pictures")
    parser.add_argument("model", metavar="MODEL", help="a model folder, a run folder, or a hub repository")
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="files, folders, or - for a list on stdin")
    parser.add_argument("--recursive", action="store_true", help="look in the folders of a folder too")
    parser.add_argument("--top", type=positive, default=1, metavar="K", help="name the K likeliest (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line and picture")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print each picture as its batch is done; 1 if any could not be read, after all others."""
    from affekt.cli.describing import describe
    from affekt.cli.models import find_model
    from affekt.cli.pictures import batches, named

    found = find_model(args.model)
    failed = 0
    items = named(args.images, recursive=args.recursive)
    for batch in batches(items, image_size=found.image_size, fit=found.fit, size=BATCH):
        good = [p.pixels for p in batch if p.pixels is not None]
        answers = iter(describe(found.model, good, top=args.top) if good else [])
        for picture in batch:
            if picture.pixels is None:
                failed += 1
                say(f"affekt: error: {picture.error}")
                if args.json:
                    write_json({"image": picture.path, "error": picture.error}, indent=None)
            elif args.json:
                write_json({"image": picture.path} | next(answers).to_dict(), indent=None)
            else:
                write(f"{picture.path}: {next(answers).in_words()}")
    if failed:
        say(f"affekt: {failed} of the pictures could not be read; the others are done")
    return 1 if failed else 0
