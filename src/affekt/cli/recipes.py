"""``affekt recipes``: the recipes that come with affekt; list them, print one, copy one."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import Any

from affekt.cli.options import add_json, new_file
from affekt.cli.printing import say, write, write_json, write_table
from affekt.cli.shipped import about, shipped, shipped_file
from affekt.errors import UsageError


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("recipes", help="list the shipped recipes, print or copy one")
    parser.add_argument("name", nargs="?", metavar="NAME", help="a shipped recipe; absent: list them all")
    parser.add_argument("--out", type=Path, metavar="FILE", help="copy it to this file, to change it")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.name is None:
        if args.out is not None:
            raise UsageError("--out: name the recipe to copy, e.g. affekt recipes quickstart --out mine.toml")
        return _list(args.json)
    text = shipped_file(args.name).read_text(encoding="utf-8")
    if args.out is None:
        write_json(tomllib.loads(text)) if args.json else write(text.rstrip("\n"))
        return 0
    new_file(args.out, what="--out").write_text(text, encoding="utf-8")
    say(f"{args.out} written; run it with: affekt train {args.out}")
    return 0


def _list(as_json: bool) -> int:
    rows = [(name, about(path)) for name, path in shipped().items()]
    write_json([{"name": n, "about": a} for n, a in rows]) if as_json else write_table(("recipe", "about"), rows)
    return 0
