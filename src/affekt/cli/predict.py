"""``affekt predict``: what a model says of pictures, or of sound and films - in words or one JSON object a line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from affekt.cli.face_boxes import add_boxes
from affekt.cli.options import positive, seconds
from affekt.cli.printing import say, write, write_json
from affekt.errors import UsageError

if TYPE_CHECKING:
    from affekt.cli.models import Found

BATCH = 32
"""Pictures at a time: enough to keep two cores busy, few enough that the first answer comes at once."""

OF_CLIPS = ("window", "hop", "face", "boxes")
"""Options that pictures have no use for."""


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "predict", help="what a model says of pictures (class, affect state, r) or of sound and films"
    )
    parser.add_argument("model", metavar="MODEL", help="a model folder, a run folder, or a hub repository")
    parser.add_argument("files", metavar="FILE", nargs="+", help="files, folders, or - for a list on stdin")
    parser.add_argument("--recursive", action="store_true", help="look in the folders of a folder too")
    parser.add_argument("--top", type=positive, default=1, metavar="K", help="name the K likeliest (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line and file")
    clips = parser.add_argument_group("sound and films")
    clips.add_argument("--window", type=seconds, metavar="S", help="seconds looked at as one (default: as in training)")
    clips.add_argument("--hop", type=seconds, metavar="S", help="seconds from a window to the next (default: a window)")
    clips.add_argument(
        "--face",
        choices=("centre", "whole", "detector"),
        help="which square of a picture is looked at (default: as in training)",
    )
    add_boxes(clips, ", perhaps time")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the answers as they come; 1 if any file could not be read, after all others."""
    from affekt.cli.models import find_any

    found = find_any(args.model)
    if found.of_clips:
        from affekt.cli.predict_clips import predict

        return predict(found.model, args)
    for name in OF_CLIPS:
        if getattr(args, name) is not None:
            raise UsageError(f"--{name}: is for networks of sound and films; {args.model} looks at pictures")
    return _pictures(found, args)


def _pictures(found: Found, args: argparse.Namespace) -> int:
    """Each picture as its batch is done."""
    from affekt.cli.describing import describe
    from affekt.cli.pictures import batches, named

    failed = 0
    items = named(args.files, recursive=args.recursive)
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
