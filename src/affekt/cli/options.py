"""Options that several verbs share, each with one spelling and one meaning."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from affekt.errors import DataError, UsageError

if TYPE_CHECKING:
    from affekt.recipe import Recipe

_Parser = argparse.ArgumentParser


def add_recipe(parser: _Parser, *, seed: bool = True) -> None:
    """RECIPE, --set, --seed (of a single run), --out, --data-root: what a run needs."""
    parser.add_argument("recipe", metavar="RECIPE", help="a .toml file, or a shipped recipe's name (affekt recipes)")
    add_set(parser)
    if seed:
        add_seed(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for it; one that was stopped goes on")
    add_data_root(parser)


def add_set(parser: _Parser) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="change a recipe key; repeatable",
    )


def add_seed(parser: _Parser) -> None:
    parser.add_argument("--seed", type=natural, metavar="N", help="seed of everything random (default: the recipe's)")


def add_data_root(parser: _Parser) -> None:
    parser.add_argument(
        "--data-root",
        type=Path,
        metavar="DIR",
        help="folder of the data sets (default: $AFFEKT_DATA or the user cache)",
    )


def add_json(parser: _Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as JSON instead of a table")


def natural(text: str) -> int:
    """A whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'"{text}": a whole number, 0 or more, was expected')
    return int(text)


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f'"{text}": a whole number, 1 or more, was expected')
    return int(text)


def positives(text: str) -> tuple[int, ...]:
    """Whole numbers from 1, one or with commas between them; one that stands at the end says that more come."""
    return tuple(positive(part.strip()) for part in text.removesuffix(",").split(","))


def share(text: str) -> float:
    """A part of a whole: above 0, at most 1."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= 1:
        raise argparse.ArgumentTypeError(f'"{text}": a number above 0 and up to 1 was expected, e.g. 0.5 for half')
    return found


def seconds(text: str) -> float:
    """A number above 0."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f'"{text}": seconds, a number above 0, were expected')
    return found


def data_root(args: argparse.Namespace) -> Path | None:
    """The folder given with ``--data-root``; None leaves the choice to the library.

    Raises:
        DataError: no such folder.
    """
    root: Path | None = args.data_root
    if root is not None and not root.is_dir():
        raise DataError(f"--data-root {root}: no such folder; each data set is looked for in DIR/<name>")
    return root


def read_recipe(args: argparse.Namespace) -> Recipe:
    """The recipe that a call names, with its ``--set`` changes.

    Raises:
        RecipeError: no such recipe, or a wrong key, type or range.
    """
    from affekt.cli.shipped import find
    from affekt.recipe import load_recipe

    return load_recipe(find(args.recipe), args.overrides)


def only_keys(overrides: Sequence[str], verb: str, used: tuple[str, ...]) -> None:
    """Refuse ``--set`` of keys that do not begin with one of ``used``: they would change nothing without a word.

    Raises:
        RecipeError: the key, and what to write instead where there is such a key.
    """
    from affekt.errors import RecipeError
    from affekt.recipe import keys

    known = list(keys())
    for override in overrides:
        key = override.partition("=")[0].strip()
        if key not in known or key.startswith(used) or "." not in key:
            continue
        there, (section, _, name) = f"emotional.{key}", key.rpartition(".")
        instead = f"; write --set {there}=..." if there in known and there.startswith(used) else ""
        raise RecipeError(f'--set {override}: "affekt {verb}" does not use [{section}] {name}{instead}')


def new_file(path: Path, *, what: str, made: Path | None = None) -> Path:
    """``path`` if nothing stands there; nothing is ever overwritten.

    Args:
        made: a folder that the call makes before the file, with those that it lies in.

    Raises:
        UsageError: the file exists, or its folder does not and is not made.
    """
    if path.exists():
        raise UsageError(f"{what} {path}: exists already and is not overwritten; give another name or remove it")
    folder = made.resolve() if made is not None else None
    comes = folder is not None and path.parent.resolve() in (folder, *folder.parents)
    if not path.parent.is_dir() and not comes:
        raise UsageError(f"{what} {path}: no folder {path.parent}; make it first")
    return path
