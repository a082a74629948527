"""Choosing: a part by name, with options that only it has."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from affekt.errors import UsageError, unknown


def chosen(what: str, name: str, known: Mapping[str, type]) -> Any:
    """The class of that name.

    Raises:
        UsageError: no such name; the nearest are named.
    """
    if name not in known:
        raise UsageError(unknown(what, str(name), known))
    return known[name]


def options_of(kind: type) -> list[str]:
    """What the constructor of ``kind`` takes by keyword."""
    parameters = inspect.signature(kind).parameters.values()
    return [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]


def check_options(what: str, kind: type, options: Mapping[str, Any]) -> None:
    """
    Raises:
        UsageError: an option that the constructor of ``kind`` does not take by keyword.
    """
    known = options_of(kind)
    for name in options:
        if name not in known:
            raise UsageError(unknown(f"{what} option", str(name), known))
