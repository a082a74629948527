"""``affekt quickstart``: the main job, small, on data that pip brings."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from affekt.cli.options import add_json, add_seed


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("quickstart", help="the main job, small, on emoji: minutes on two cores")
    parser.add_argument("--out", type=Path, default=Path("quickstart"), metavar="DIR", help="default: ./quickstart")
    add_seed(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    raise NotImplementedError
