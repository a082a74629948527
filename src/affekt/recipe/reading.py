"""Recipe from TOML and dotted keys, with errors that name the place, the value and the nearest right ones."""

from __future__ import annotations

import re
import tomllib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from affekt.errors import RecipeError, nearest
from affekt.recipe.experiment import Recipe, check_kind
from affekt.recipe.writing import flatten, to_dict, toml_text

T = TypeVar("T")

ATTENTION = 'backbone = "vgg13+sagan"'


def load_recipe(path: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Read a recipe and apply ``key=value`` overrides (``--set``).

    Raises:
        RecipeError: no such file, not TOML, or a wrong key, type or range: place, value and nearest right ones.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"recipe {path}: no such file; ready ones: affekt recipes") from None
    except IsADirectoryError:
        raise RecipeError(f"recipe {path}: a folder; give the .toml file in it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"recipe {path}: not readable as TOML: {error}") from None
    recipe = from_dict(Recipe, document)
    return override(recipe, overrides)


def override(recipe: Recipe, overrides: Iterable[str]) -> Recipe:
    """A recipe with ``a.b=value`` changes; values are TOML, and a bare word is a string.

    Raises:
        RecipeError: no ``=``, or what the changed recipe raises.
    """
    changes: dict[str, Any] = {}
    for item in overrides:
        key, equals, text = item.partition("=")
        if not equals or not key.strip():
            raise RecipeError(f'--set "{item}": write KEY=VALUE, e.g. --set training.epochs=3')
        changes[key.strip()] = _toml_value(text.strip())
    return change(recipe, changes)


def change(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """A recipe with dotted keys changed; ``None`` puts a key back to its default.

    Raises:
        RecipeError: a key that does not exist, a value of another type or out of range.
    """
    document = to_dict(recipe)
    for dotted, value in changes.items():
        _check_key(dotted)
        *parents, last = dotted.split(".")
        table = document
        for part in parents:
            table = table.setdefault(part, {})
        if value is None:
            table.pop(last, None)
        else:
            table[last] = value
    changed = from_dict(Recipe, document)
    check_kind(changed)
    return changed


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _check_key(dotted: str) -> None:
    """Say at once when the first part of a dotted key that is unknown is a misspelling, with the nearest whole keys."""
    known = list(keys())
    free = tuple(f"{key}." for key, hint in _typed_keys() if typing.get_origin(hint) is dict)
    if dotted in known or dotted.startswith(free):
        return
    if any(k.startswith(dotted + ".") for k in known):
        raise RecipeError(f'key "{dotted}" is a section; set one of its keys, e.g. {first_key(dotted)}')
    if dotted.rsplit(".", 1)[-1] == "attention" or dotted.startswith("attention."):
        raise RecipeError(f'key "{dotted}": unknown; attention is part of a backbone\'s name, e.g. {ATTENTION}')
    close = nearest(dotted, known) or [k for k in known if k.endswith("." + dotted.rsplit(".", 1)[-1])][:3]
    raise RecipeError(f'key "{dotted}": unknown.' + (f" Nearest: {', '.join(close)}." if close else ""))


def first_key(section: str) -> str:
    return next(k for k in keys() if k.startswith(section + "."))


def keys(kind: type = Recipe, prefix: str = "") -> Iterator[str]:
    """Every dotted key of a recipe, in order; free tables (options, conditions) count as one key."""
    return (key for key, _ in _typed_keys(kind, prefix))


def _typed_keys(kind: type = Recipe, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """As :func:`keys`, each with its type."""
    hints = typing.get_type_hints(kind)
    for f in fields(kind):
        if is_dataclass(hints[f.name]):
            yield from _typed_keys(cast(type, hints[f.name]), f"{prefix}{f.name}.")
        else:
            yield prefix + f.name, hints[f.name]


def from_dict(kind: type[T], document: Mapping[str, Any], place: str = "") -> T:
    """A settings dataclass from a TOML table; ``place`` is the dotted name of the table, for messages."""
    hints = typing.get_type_hints(kind)
    known = {f.name: f for f in fields(cast(Any, kind))}
    for key in document:
        if key not in known:
            raise RecipeError(_unknown_key(key, place, known))
    values: dict[str, Any] = {}
    for key, value in document.items():
        where = f"{place}.{key}" if place else key
        if is_dataclass(hints[key]):
            if not isinstance(value, Mapping):
                raise RecipeError(f"{_at(where)} = {value!r}: a table [{where}] was expected")
            values[key] = from_dict(cast(type, hints[key]), value, where)
        else:
            values[key] = _checked(value, hints[key], where, known[key].metadata)
    if values.get("fold") and values.get("folds") is None and not values.get("leave_one_out") and "folds" in known:
        raise RecipeError(f"[{place}] fold = {values['fold']}: of how many? set folds too, e.g. folds = 5")
    if values.get("folds") is not None and values.get("leave_one_out"):
        raise RecipeError(
            f"[{place}] folds = {values['folds']}, leave_one_out = true: either so many folds, or one for each that is "
            "left out; leave one of them out"
        )
    return kind(**values)


def _unknown_key(key: str, place: str, known: Iterable[str]) -> str:
    known = list(known)
    close = nearest(key, known)
    elsewhere = [k for k in keys() if k.rsplit(".", 1)[-1] == key]
    hint = f" Nearest: {', '.join(close)}." if close else ""
    hint += f" Did you mean {' or '.join(elsewhere[:4])}?" if elsewhere else ""
    hint += f" Attention is part of a backbone's name, e.g. {ATTENTION}." if key == "attention" else ""
    table = f"[{place}]" if place else "the recipe"
    return f'{table} has no key "{key}".{hint} It has: {", ".join(known)}'


def _at(where: str) -> str:
    table, _, key = where.rpartition(".")
    return f"[{table}] {key}" if table else key


def _checked(value: Any, hint: Any, where: str, metadata: Mapping[str, Any]) -> Any:
    """``value`` as the type ``hint`` asks for, within the range that ``metadata`` states."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType and type(None) in arguments:
        inner = next(a for a in arguments if a is not type(None))
        return None if value is None else _checked(value, inner, where, metadata)
    if origin is Literal:
        if not any(value is argument if isinstance(argument, bool) else value == argument for argument in arguments):
            words = [toml_text(argument).strip('"') for argument in arguments]
            close = nearest(str(value), words, n=1)
            hint_text = f" Nearest: {close[0]}." if close else ""
            raise RecipeError(f"{_at(where)} = {value!r}: no such choice.{hint_text} Choices: {', '.join(words)}")
        return value
    if origin is tuple:
        return _checked_tuple(value, arguments, where, metadata)
    if origin is dict:
        return _checked_table(value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if metadata.get("number_too") and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise RecipeError(f"{_at(where)} = {value!r}: {_TYPE_NAMES[hint]} was expected")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_range(value, where, metadata)
    return value


_TYPE_NAMES = {
    str: "a string", int: "a whole number", float: "a number", bool: "true or false",
}  # fmt: skip


def _check_range(value: float, where: str, metadata: Mapping[str, Any]) -> None:
    low, high = metadata.get("low"), metadata.get("high")
    inside = value == value and (low is None or value >= low) and (high is None or value <= high)  # noqa: PLR0124 - NaN
    if not inside:
        span = (
            f"from {low} to {high}"
            if None not in (low, high)
            else f"{low} or more"
            if high is None
            else f"at most {high}"
        )
        raise RecipeError(f"{_at(where)} = {value!r}: out of range; {span}")


def _checked_tuple(value: Any, arguments: tuple[Any, ...], where: str, metadata: Mapping[str, Any]) -> tuple[Any, ...]:
    if isinstance(value, str) and value.startswith("[") and arguments[0] is str:
        # A shell takes the quotes of a list that stands in none itself.
        words = ", ".join(f'"{word}"' for part in value.strip("[]").split(",") if (word := part.strip(" \"'")))
        raise RecipeError(f"{_at(where)} = {value}: its words have lost their quotes; write --set '{where}=[{words}]'")
    if not isinstance(value, (list, tuple)):
        raise RecipeError(f'{_at(where)} = {value!r}: a list was expected, e.g. ["{value}"]')
    if arguments[-1] is Ellipsis:
        return tuple(_checked(v, arguments[0], where, metadata) for v in value)
    if len(value) != len(arguments):
        raise RecipeError(f"{_at(where)} = {value!r}: {len(arguments)} numbers were expected")
    return tuple(_checked(v, a, where, metadata) for v, a in zip(value, arguments, strict=True))


_CONDITION = re.compile(r"\w[\w.+-]*")
"""Names of conditions become names of folders."""


def _checked_table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise RecipeError(f"{_at(where)} = {value!r}: a table [{where}] was expected")
    if where == "conditions":
        wrong = [name for name in value if not _CONDITION.fullmatch(name)]
        if wrong:
            raise RecipeError(
                f'[conditions."{wrong[0]}"]: a name of letters, digits, "-", "_", "." and "+" was expected'
            )
        return {name: _checked_condition(keys_, f"conditions.{name}") for name, keys_ in value.items()}
    return {k: _plain(v, f"{where}.{k}") for k, v in value.items()}


def _checked_condition(value: Any, where: str) -> dict[str, Any]:
    """A condition's changes as flat dotted keys; TOML's ``a.b = 1`` is a nested table, ``"a.b" = 1`` is flat."""
    if not isinstance(value, Mapping):
        raise RecipeError(f"[{where}] = {value!r}: a table of keys to change was expected")
    flat = {key: _plain(v, f"{where}.{key}") for key, v in flatten(value)}
    for key in flat:
        if key in OF_THE_STUDY or key.partition(".")[0] in OF_THE_STUDY:
            raise RecipeError(f"[{where}] {key}: belongs to the whole study; a condition cannot change it")
        try:
            _check_key(key)
        except RecipeError as error:
            raise RecipeError(f"[{where}] {error}") from None
    return flat


OF_THE_STUDY = ("name", "about", "seed", "study", "conditions")
"""Keys and tables that hold for all conditions."""


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_plain(v, where) for v in value)
    if not isinstance(value, (str, int, float, bool)):
        raise RecipeError(f"{_at(where)} = {value!r}: a string, number, true, false or a list of these was expected")
    return value
