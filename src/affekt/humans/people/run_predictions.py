"""Predictions in ``.npz``: those that a run of ours leaves, and plain arrays by name."""

from __future__ import annotations

import json
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.affect import DIMENSIONS, RatingScale, parse_scale
from affekt.data import behind
from affekt.errors import DataError, UsageError, first
from affekt.humans.agreement import checking
from affekt.humans.people.answers import Answers, NoAnswers
from affekt.humans.people.known import Floats, Options
from affekt.humans.people.naming import stimulus_names
from affekt.recipe import DataSettings

Arrays = dict[str, NDArray[Any]]


def read_predictions(path: Path, options: Options) -> Answers:
    """A model's answers to the stimuli of one split of a run (``test``), or to those of plain arrays.

    The names of a run's categories and ratings stand in ``model/config.json`` beside its predictions; a run without a
    model of its own (an ensemble) has them by the target in its recipe; option ``categories`` names them otherwise.

    Raises:
        NoAnswers: plain arrays with ids and no answers.
        DataError: not readable, no ids, names that are not known or do not fit.
    """
    arrays = read_arrays(path)
    names = sorted({name.split("/")[0] for name in arrays if name.endswith("/ids")})
    if names:
        split = str(options.get("split", "test"))
        if split not in names:
            raise DataError(f"{path}: no predictions of {split}; it holds {', '.join(names)}: --answers split=NAME")
        return _of_run(path, {k.removeprefix(f"{split}/"): v for k, v in arrays.items()}, options)
    return _plain(path, arrays, options)


def read_arrays(path: Path) -> Arrays:
    """The arrays of an ``.npz`` without objects, which would need pickle.

    Raises:
        DataError: it is none, or is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise ValueError("one array, not several by name")
            return {name: found[name] for name in found.files}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not readable as .npz ({' '.join(str(error).split())[:90]})") from None


def text_ids(path: Path, ids: NDArray[Any]) -> NDArray[np.str_]:
    """``(N,)`` ids as text.

    Raises:
        DataError: another shape.
    """
    if ids.ndim != 1:
        raise DataError(f"{path}: ids of shape {ids.shape}; (N,) names are asked")
    return ids.astype(np.str_)


def _of_run(path: Path, arrays: Arrays, options: Options) -> Answers:
    known = _config(path.parent)
    heads = known.get("heads", {})
    logs = arrays.get("log_probabilities")
    probabilities = arrays.get("category_probabilities") if logs is None else np.exp(logs.astype(np.float64))
    categories: tuple[str, ...] = ()
    if probabilities is not None:
        given = options.get("categories") or known.get("classes") or heads.get("categories") or _target(path.parent)
        categories = _fitting(path, tuple(map(str, given)), probabilities)
    values, dimensions = arrays.get("ratings"), heads.get("ratings", ())
    if values is not None and values.shape[1] != len(dimensions):
        raise DataError(f"{path}: {values.shape[1]} ratings, and no {path.parent / 'model/config.json'} to name them")
    ratings = {} if values is None else {name: values[:, k].astype(np.float64) for k, name in enumerate(dimensions)}
    scale = RatingScale(*known["scale"]) if known.get("scale") else _stated(options)
    return _answers(path, arrays["ids"], options, categories, probabilities, ratings, scale)


def _plain(path: Path, arrays: Arrays, options: Options) -> Answers:
    ids = str(options.get("id", "ids"))
    if ids not in arrays:
        raise DataError(f'{path}: no array "{ids}". Found: {first(arrays) or "nothing"}; name it: --answers id=ARRAY')
    probabilities = arrays.get("probabilities")
    categories: tuple[str, ...] = ()
    if probabilities is not None:
        given = options.get("categories") or arrays.get("categories", np.array([], dtype=np.str_)).tolist()
        categories = _fitting(path, tuple(map(str, given)), probabilities)
    ratings = _ratings(path, arrays, options)
    if probabilities is None and not ratings:
        raise NoAnswers(
            f"{path}: no answers: probabilities (with categories), or any of {', '.join(DIMENSIONS)}. Found: "
            f"{', '.join(arrays)}"
        )
    scale = _stated(options)
    if scale is not None:
        ratings = {name: scale.check(values, f"{path}: {name}") for name, values in ratings.items()}
    conditions = arrays.get(str(options.get("condition", "conditions")))
    return _answers(path, arrays[ids], options, categories, probabilities, ratings, scale, conditions)


def _stated(options: Options) -> RatingScale | None:
    return parse_scale(str(options["scale"])) if "scale" in options else None


def _ratings(path: Path, arrays: Arrays, options: Options) -> dict[str, Floats]:
    """Of the arrays that are called like dimensions, or that options name."""
    named = {dimension: str(options[dimension]) for dimension in DIMENSIONS if dimension in options}
    if absent := [name for name in named.values() if name not in arrays]:
        raise DataError(f"{path}: no array {first(absent)}. Found: {first(arrays)}")
    found = {dimension: named.get(dimension, dimension) for dimension in DIMENSIONS}
    return {dimension: arrays[name].astype(np.float64) for dimension, name in found.items() if name in arrays}


def _answers(
    path: Path,
    ids: NDArray[Any],
    options: Options,
    categories: tuple[str, ...],
    probabilities: NDArray[Any] | None,
    ratings: Mapping[str, Floats],
    scale: RatingScale | None,
    conditions: NDArray[Any] | None = None,
) -> Answers:
    name = str(options.get("name", "")) or _name(path)
    if probabilities is not None:
        shape = (len(ids), len(categories))
        probabilities = checking.probabilities(probabilities, f"{path}: probabilities", shape=shape)
    where = None if conditions is None else conditions.astype(np.str_)
    names, notes = stimulus_names(text_ids(path, ids).tolist(), where)
    for dimension, values in ratings.items():
        checking.numbers(values, f"{path}: {dimension}", stimuli=len(ids))
    found = Answers(
        name=name,
        ids=names,
        categories=categories,
        probabilities=probabilities,
        ratings=ratings,
        scale=scale,
        conditions=where,
        notes=notes,
    )
    return replace(found, notes=(*found.notes, *found.constant))


def _fitting(path: Path, categories: tuple[str, ...], probabilities: NDArray[Any]) -> tuple[str, ...]:
    if probabilities.ndim != 2 or probabilities.shape[1] != len(categories):
        named = f"{len(categories)} names ({', '.join(categories)})" if categories else "no names"
        raise DataError(
            f"{path}: probabilities of shape {probabilities.shape} and {named} of categories; name them in order: "
            "--answers categories=NAME,NAME"
        )
    return categories


def _name(path: Path) -> str:
    """``learn-e-reg/seed-0`` of a study's run, else the run's folder, else the file's own name."""
    if path.stem != "predictions":
        return path.stem
    folder = path.resolve().parent
    return f"{folder.parent.name}/{folder.name}" if folder.name.startswith("seed-") else folder.name


def _config(folder: Path) -> dict[str, Any]:
    """What the model beside the predictions was built from; empty without one."""
    place = folder / "model" / "config.json"
    try:
        return dict(json.loads(place.read_text(encoding="utf-8"))["config"])
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError):
        raise DataError(f"{place}: damaged; name the categories: --answers categories=NAME,NAME") from None


def _target(folder: Path) -> tuple[str, ...]:
    """The classes of the target in the run's recipe; none where that is not known."""
    try:
        recipe = tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8"))
        target = recipe["target"]
        return behind(DataSettings(name=str(target["name"]), root=str(target.get("root", "")))).categories
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, UsageError):
        return ()
