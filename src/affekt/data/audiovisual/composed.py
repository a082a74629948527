"""Composed clips: how a folder says that its films are composed, and what is said of them wherever they appear."""

from __future__ import annotations

import json
from pathlib import Path

RECORD = "composed.json"
"""Beside the films: how they were made."""


def made_of(folder: Path) -> str:
    """``emodb and ferplus``: the sets whose sound and faces the films of a folder are of; ``""``: it has no such films.

    A record that cannot be read says no less that they are.
    """
    path = folder / RECORD
    if not path.is_file():
        return ""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = {"composed": True}
    if not isinstance(record, dict) or record.get("composed") is not True:
        return ""
    return f"{record.get('sound', 'one set')} and {record.get('faces', 'another')}"


def meaning(sets: str) -> str:
    """What composed clips are, and what they are not.

    Args:
        sets: of :func:`made_of`.
    """
    return (
        f"composed of {sets}: the voice of one, and standing still the face of the other, of two people who never met; "
        "a check of the path from a file to an answer, from which nothing follows about the world"
    )
