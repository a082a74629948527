"""The recipes that come with affekt: where they lie, and a recipe by path or by name."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path

from affekt.errors import RecipeError, unknown


def about(path: Path) -> str:
    """The first sentence of a recipe's ``about``, else of the comment it begins with."""
    text = path.read_text(encoding="utf-8")
    comment = (line[1:] for line in itertools.takewhile(lambda line: line.startswith("#"), text.splitlines()))
    about = str(tomllib.loads(text).get("about") or " ".join(comment))
    return re.split(r"[.:](?:\s|$)", " ".join(about.split()), maxsplit=1)[0]


def folder(name: str = "recipes") -> Path:
    """Where the shipped recipes lie, or the ``"machines"``: inside the installed package, or beside ``src`` in a
    checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / name
    return inside if inside.is_dir() else package.parents[1] / name


def shipped() -> dict[str, Path]:
    """Name -> file of every shipped recipe; a recipe in a sub-folder is named ``folder/name``."""
    root = folder()
    return {p.relative_to(root).with_suffix("").as_posix(): p for p in sorted(root.rglob("*.toml"))}


def shipped_file(name: str) -> Path:
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
    return shipped_file(name)
