"""Recipe to TOML and to plain tables; the complete recipe stands in every run folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from affekt.recipe.experiment import Recipe, strange_sections


def to_dict(settings: Any) -> dict[str, Any]:
    """The complete table of a settings dataclass, defaults included; keys that are None are left out, and so are those
    marked ``unwritten`` where they are as by default."""
    table: dict[str, Any] = {}
    for f in fields(settings):
        value = getattr(settings, f.name)
        if f.metadata.get("unwritten") and value == _default(f):
            continue
        if is_dataclass(value):
            table[f.name] = to_dict(value)
        elif isinstance(value, Mapping):
            table[f.name] = {k: dict(v) if isinstance(v, Mapping) else v for k, v in value.items()}
        elif value is not None:
            table[f.name] = value
    return table


def _default(key: Field[Any]) -> Any:
    return key.default_factory() if key.default_factory is not MISSING else key.default


def to_toml(recipe: Recipe) -> str:
    """The complete recipe as TOML; ``from_dict(Recipe, tomllib.loads(text))`` gives the same recipe back.

    Sections of the other kind (those of pictures in a recipe about clips, and the other way round) are not in it.
    """
    table = {key: value for key, value in to_dict(recipe).items() if key not in strange_sections(recipe)}
    return "\n".join(_toml_lines(table, "")).strip() + "\n"


def _toml_lines(table: Mapping[str, Any], name: str) -> Iterator[str]:
    scalars = {k: v for k, v in table.items() if not isinstance(v, Mapping)}
    if name and (scalars or not table):
        yield f"\n[{name}]"
    for key, value in scalars.items():
        yield f"{_toml_key(key)} = {toml_text(value)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _toml_lines(value, f"{name}.{_toml_key(key)}" if name else _toml_key(key))


def _toml_key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else _toml_string(key)


def _toml_string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def toml_text(value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _toml_string(value)
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(toml_text(v) for v in value) + "]"
    return repr(value)


def differing_keys(one: Recipe, other: Recipe) -> list[str]:
    """Dotted keys in which two recipes differ: what is printed when a folder holds another recipe."""
    a, b = dict(flatten(to_dict(one))), dict(flatten(to_dict(other)))
    return [k for k in sorted(a.keys() | b.keys()) if a.get(k) != b.get(k)]


def flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested tables as (dotted key, value) pairs."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
