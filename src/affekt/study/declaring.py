"""Declaring: the comparisons of a study as its recipe writes them."""

from __future__ import annotations

from collections.abc import Sequence

from affekt.errors import RecipeError, unknown


def read_comparisons(texts: Sequence[str], known: Sequence[str]) -> list[tuple[str, str]]:
    """``(first, second)`` of each ``"first - second"``.

    Args:
        texts: of ``[study] comparisons``.
        known: names of conditions.

    Raises:
        RecipeError: not written so, an unknown condition, one with itself, or a comparison that stands there twice.
    """
    found: list[tuple[str, str]] = []
    for text in texts:
        first, minus, second = (part.strip() for part in text.partition(" - "))
        if not minus:
            example = f"{known[0]} - {known[1]}" if len(known) > 1 else "first - second"
            raise RecipeError(f'[study] comparisons: "{text}": write "first - second", e.g. "{example}"')
        for name in (first, second):
            if name not in known:
                raise RecipeError(f'[study] comparisons: "{text}": {unknown("condition", name, known)}')
        if first == second:
            raise RecipeError(f'[study] comparisons: "{text}": compares a condition with itself')
        if {first, second} in [{*pair} for pair in found]:
            raise RecipeError(f'[study] comparisons: "{text}": is declared twice; each counts in the adjustment of all')
        found.append((first, second))
    return found
