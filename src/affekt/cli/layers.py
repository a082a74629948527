"""``--layers``: which layers of a network, as ``affekt probe`` and ``affekt compare-humans`` ask for them."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from affekt.errors import unknown

LAYERS = ("last", "map", "stages")


def names(text: str) -> tuple[str, ...]:
    """Words with commas between them, each once."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def words(known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    """A type: words of ``known`` with commas between them."""

    def parse(text: str) -> tuple[str, ...]:
        found = names(text)
        wrong = next((word for word in found if word not in known), None)
        if wrong is not None or not found:
            raise argparse.ArgumentTypeError(unknown("word", wrong or "", known))
        return found

    return parse


def layers(text: str) -> tuple[str, ...]:
    """A type: words of :data:`LAYERS`, ``stage-1`` and the like, or modules; which there are, the network says."""
    found = names(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{', '.join(LAYERS)}, stage-1 ... or a module's dotted name were expected")
    return found
