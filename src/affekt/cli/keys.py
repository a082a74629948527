"""Recipe keys with type, default, range and purpose, read from the settings: for completion, tests and docs."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, Literal

from affekt.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Key:
    """A recipe key.

    Attributes:
        name: dotted, e.g. ``"training.epochs"``.
        kind: its type in words.
        default: as written in TOML; empty where the key is absent by default.
        choices: the words allowed, for keys that have few.
        span: its range in words, empty where there is none.
        about: one line.
    """

    name: str
    kind: str
    default: str
    choices: tuple[str, ...]
    span: str
    about: str


def recipe_keys(settings: type = Recipe, prefix: str = "") -> Iterator[Key]:
    """Every key of a recipe in the order in which it is written."""
    hints = typing.get_type_hints(settings)
    for f in fields(settings):
        hint = hints[f.name]
        if is_dataclass(hint):
            yield from recipe_keys(typing.cast(type, hint), f"{prefix}{f.name}.")
            continue
        yield Key(
            name=prefix + f.name,
            kind=_kind(hint),
            default=_default(f.default_factory() if f.default_factory is not MISSING else f.default),
            choices=_choices(hint),
            span=_span(f.metadata["low"], f.metadata["high"]),
            about=f.metadata["about"],
        )


def _inner(hint: Any) -> Any:
    """``X`` of ``X | None``."""
    if isinstance(hint, types.UnionType):
        return next(a for a in typing.get_args(hint) if a is not type(None))
    return hint


def _choices(hint: Any) -> tuple[str, ...]:
    hint = _inner(hint)
    if hint is bool:
        return ("true", "false")
    if typing.get_origin(hint) is not Literal:
        return ()
    return tuple(str(word).lower() if isinstance(word, bool) else word for word in typing.get_args(hint))


def _kind(hint: Any) -> str:
    hint = _inner(hint)
    match typing.get_origin(hint) or hint:
        case typing.Literal:
            return "one of"
        case builtin if builtin is tuple:
            arguments = typing.get_args(hint)
            return f"list of {_kind(arguments[0])}s" if arguments[-1] is Ellipsis else f"{len(arguments)} numbers"
        case builtin if builtin is dict:
            return "table"
    return {str: "string", int: "whole number", float: "number", bool: "true or false"}[hint]


def _default(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return "{}" if value == {} else str(list(value)) if isinstance(value, tuple) else repr(value)


def _span(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return f"{low:g} or more" if high is None else f"at most {high:g}" if low is None else f"{low:g} to {high:g}"
