"""Remaking: the command that makes a damaged pack anew, as far as its ``pack.json`` still says how it was made."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affekt.errors import UsageError

ASKED = "asked"
"""What a pack of clips says of how it was asked for."""


def anew(folder: Path) -> str:
    """``make the pack anew: affekt data pack NAME ... --out DIR (remove DIR first)``, for the end of an error.

    Where the set lies is not in a pack: ``--root DIR`` stands for it where the set has no place of its own.
    """
    try:
        words = [*_made(json.loads((folder / "pack.json").read_text(encoding="utf-8")))]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        words = ["NAME"]
    command = " ".join(["affekt data pack", *words, "--out", shlex.quote(str(folder))])
    return f"make the pack anew: {command} (remove {folder} first)"


def _made(record: Mapping[str, Any]) -> Iterator[str]:
    """The words after ``affekt data pack``."""
    if record.get("of") != "pictures":
        yield _named(record["clips"]["name"])
        yield f"--features {','.join(record['reading']['features'])}"
        asked = record.get(ASKED, {})
        yield from _options({k: v for k, v in asked.get("options", {}).items() if k != "features"})
        yield from _limit(asked)
        return
    yield _named(record["set"]["name"])
    yield f"--as {record['as']}"
    if record["image_size"] is not None:
        yield f"--image-size {record['image_size']:d}"
    if record["fit"] not in (None, "crop"):
        yield f"--fit {record['fit']}"
    yield from _options(record["options"])
    yield from _limit(record)


def _options(options: Mapping[str, Any]) -> Iterator[str]:
    for key, value in options.items():
        written = value if isinstance(value, str) else json.dumps(value)
        yield f"--option {shlex.quote(f'{key}={written}')}"


def _limit(record: Mapping[str, Any]) -> Iterator[str]:
    if record.get("limit") is not None:
        yield f"--limit {record['limit']:d}"


def _named(name: str) -> str:
    """The set, with ``--root DIR`` where it is one of somebody's own; NAME where none is called so."""
    from affekt.data import describe

    try:
        described = describe(name)
    except UsageError:
        return "NAME"
    own = described.needs_folder and described.expected is None
    return f"{described.name} --root DIR" if own else described.name
