"""``affekt recipes``: the recipes that come with affekt; list them, print one, copy one."""

from __future__ import annotations

import argparse
import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

from affekt.cli.options import add_json, new_file
from affekt.cli.printing import say, write, write_json, write_table
from affekt.errors import RecipeError, UsageError, unknown


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
    text = _shipped(args.name).read_text(encoding="utf-8")
    if args.out is None:
        write_json(tomllib.loads(text)) if args.json else write(text.rstrip("\n"))
        return 0
    new_file(args.out, what="--out").write_text(text, encoding="utf-8")
    say(f"{args.out} written; run it with: affekt train {args.out}")
    return 0


def _list(as_json: bool) -> int:
    rows = [(name, _about(path)) for name, path in shipped().items()]
    write_json([{"name": n, "about": a} for n, a in rows]) if as_json else write_table(("recipe", "about"), rows)
    return 0


def _about(path: Path) -> str:
    """The first sentence of a recipe's ``about``, else of the comment it begins with."""
    text = path.read_text(encoding="utf-8")
    comment = (line[1:] for line in itertools.takewhile(lambda line: line.startswith("#"), text.splitlines()))
    about = str(tomllib.loads(text).get("about") or " ".join(comment))
    return re.split(r"[.:](?:\s|$)", " ".join(about.split()), maxsplit=1)[0]


def folder() -> Path:
    """Where the shipped recipes lie: inside the installed package, or beside ``src`` in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "recipes"
    return inside if inside.is_dir() else package.parents[1] / "recipes"


def shipped() -> dict[str, Path]:
    """Name -> file of every shipped recipe; a recipe in a sub-folder is named ``folder/name``."""
    root = folder()
    return {p.relative_to(root).with_suffix("").as_posix(): p for p in sorted(root.rglob("*.toml"))}


def _shipped(name: str) -> Path:
    known = shipped()
    if name not in known:
        message = unknown("recipe", name, known, everything="affekt recipes")
        raise RecipeError(f"{message}; or give the path of a .toml file")
    return known[name]


def find(name: str) -> Path:
    """The file of a recipe given as a path or as the name of a shipped one; a file of that name comes first.

    Raises:
        RecipeError: neither is there.
    """
    path = Path(name)
    if path.is_file() or path.suffix == ".toml":
        return path
    if name not in shipped() and path.is_dir():
        return path
    return _shipped(name)
