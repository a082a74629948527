"""``affekt look``: where a model looks - maps over pictures, or their overlap with people's fixations on a data set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from affekt.cli.data_reading import add_reader
from affekt.cli.face_boxes import add_boxes
from affekt.cli.options import add_json, positive
from affekt.errors import UsageError

METHODS = ("grad-cam", "integrated-gradients", "occlusion", "attention")
PARTS = ("non-emotional", "influenced", "emotional")


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("look", help="where a model looks: maps over pictures, or against fixations")
    parser.add_argument("model", metavar="MODEL", help="a model folder, a run folder, or a hub repository")
    parser.add_argument("images", metavar="IMAGE", nargs="*", help="files, folders, or - for a list on stdin")
    parser.add_argument("--method", choices=METHODS, default="grad-cam", help="default: grad-cam")
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--class", dest="category", metavar="NAME", help="class to explain (default: the likeliest)")
    asked.add_argument("--rating", metavar="NAME", help="rating to explain, of an affect network")
    parser.add_argument("--part", choices=PARTS, help="of a regulated model, whose backbone is looked into")
    parser.add_argument("--window", type=positive, metavar="N", help="side of the occluding window, pixels")
    parser.add_argument("--stride", type=positive, metavar="N", help="pixels that the window moves by")
    parser.add_argument("--steps", type=positive, metavar="N", help="of integrated gradients (default: 64)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the maps of pictures, new or empty")
    parser.add_argument(
        "--regions", choices=("face",), help="the share in eyes and mouth; without --boxes faces fill the pictures"
    )
    add_boxes(parser, ", for --regions")
    parser.add_argument("--recursive", action="store_true", help="look in the folders of a folder too")
    parser.add_argument("--fixations", action="store_true", help="overlap with people's fixations on --dataset")
    parser.add_argument("--dataset", metavar="NAME", help="a set with maps of fixations: emod")
    parser.add_argument(
        "--split", choices=("train", "validation", "test", "all"), default="all", help="of --dataset (default: all)"
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="N pictures of --dataset, drawn stratified")
    add_reader(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the maps of pictures, or print the overlap on a data set."""
    _check(args)
    if args.fixations:
        from affekt.cli.look_fixations import look_at_set

        return look_at_set(args)
    from affekt.cli.look_pictures import look_at_pictures

    return look_at_pictures(args)


def _check(args: argparse.Namespace) -> None:
    """Raises:
    UsageError: pictures and a data set at once, or neither; an option without a use.
    """
    if args.fixations:
        if args.dataset is None:
            raise UsageError("--fixations: on which data set? write --dataset emod")
        unused = {"IMAGE": args.images, "--out": args.out, "--regions": args.regions, "--recursive": args.recursive}
        unused |= {"--boxes": args.boxes}
        where = "--fixations"
    else:
        if not args.images:
            raise UsageError("look: no picture; give files or a folder, or --dataset emod --fixations")
        if args.out is None:
            raise UsageError("--out DIR: the folder for the maps is missing")
        if args.boxes is not None and args.regions is None:
            raise UsageError("--boxes: say where eyes and mouth are; write --regions face too")
        given = {"--dataset": args.dataset, "--limit": args.limit, "--root": args.root, "--option": args.options}
        unused, where = given | {"--split": args.split != "all"}, "pictures without --fixations"
    for name, value in unused.items():
        if value:
            raise UsageError(f"{name}: has no use with {where}; leave it out")
