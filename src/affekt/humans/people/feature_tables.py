"""Features of any model, for representational similarity: a table of numbers, or arrays by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.data.affective.columns import Columns, parse_number, read_columns
from affekt.errors import DataError, UsageError, first, unknown
from affekt.humans.people.answers import Features, NoFeatures
from affekt.humans.people.known import Options
from affekt.humans.people.naming import IDS, id_column, stimulus_names
from affekt.humans.people.run_predictions import read_arrays, text_ids

OPTIONS: Options = {
    "id": f'column (or array) of the stimuli; default: "{IDS[0]}", "{IDS[1]}" and their like; "ids" in an .npz',
    "columns": "which columns (or arrays) to take, as a list; default: all that hold numbers",
    "name": "of the model; default: the file's name",
}


def read_features(path: Path | str, options: Options | None = None) -> dict[str, Features]:
    """Layer -> features of N stimuli.

    A table (csv, parquet) has a row a stimulus: an id, and a column of numbers a feature; its one layer has the file's
    name. An ``.npz`` holds ``ids`` and an array ``(N, ...)`` for each layer, flattened: the way for many features.

    Raises:
        UsageError: an option that does not exist.
        NoFeatures: no column of numbers, no array of two axes or more.
        DataError: no such file, no ids, numbers that are not finite, arrays of another length.
    """
    given, path = options or {}, Path(path).expanduser()
    for name in given:
        if name not in OPTIONS:
            raise UsageError(unknown("features: option", name, OPTIONS))
    if not path.is_file():
        raise DataError(f"{path}: no such file; a table (csv, parquet) or an .npz is asked")
    name = str(given.get("name", path.stem))
    if path.suffix.lower() == ".npz":
        return _of_arrays(path, name, given)
    found = _of_table(read_columns(path), name, given)
    return {found.name: found}


def _of_table(columns: Columns, name: str, options: Options) -> Features:
    header = id_column(columns, options)
    if not len(columns):
        raise DataError(f"{columns.name}: no rows under its header")
    asked = _listed(options)
    others = [other for other in columns.values if other != header]
    taken = [columns.require(other) for other in asked] or [h for h in others if _numeric(columns.values[h])]
    if not taken:
        raise NoFeatures(f'{columns.name}: no column of numbers beside "{header}". Found: {columns.headers()}')
    left = [other for other in others if other not in taken]
    notes = (f"{columns.name}: columns left out, which are no features: {first(left)}",) if left else ()
    ids, said = stimulus_names(columns.text(header))
    features = np.stack([columns.numbers(other) for other in taken], axis=1)
    return Features(name=name, ids=ids, features=_finite(columns.name, features), notes=(*notes, *said))


def _of_arrays(path: Path, name: str, options: Options) -> dict[str, Features]:
    arrays = read_arrays(path)
    key = str(options.get("id", "ids"))
    if key not in arrays:
        raise DataError(
            f'{path.name}: no array "{key}" of stimuli. Found: {first(arrays) or "nothing"}; --answers id=ARRAY'
        )
    ids, said = stimulus_names(text_ids(path, arrays.pop(key)).tolist())
    layers = {layer: values for layer, values in arrays.items() if values.dtype.kind in "fiu" and values.ndim > 1}
    if absent := [layer for layer in _listed(options) if layer not in layers]:
        raise DataError(f"{path.name}: no layer {first(absent)}. Found: {first(layers) or 'none'}")
    layers = {layer: layers[layer] for layer in _listed(options) or layers}
    if not layers:
        raise NoFeatures(f"{path.name}: no array (N, ...) of numbers beside {key}. Found: {first(arrays) or 'nothing'}")
    wrong = [f"{layer} {values.shape}" for layer, values in layers.items() if len(values) != len(ids)]
    if wrong:
        raise DataError(f"{path.name}: {len(ids)} ids, but {first(wrong)}; the first axis is that of the stimuli")
    several = len(layers) > 1
    return {
        layer: Features(
            name=f"{name} {layer}" if several else name,
            ids=ids,
            features=_finite(f"{path.name}: {layer}", values.reshape(len(ids), -1)),
            notes=said,
        )
        for layer, values in layers.items()
    }


def _listed(options: Options) -> list[str]:
    asked = options.get("columns", ())
    return [asked] if isinstance(asked, str) else list(map(str, asked))


def _numeric(cells: Any) -> bool:
    """Whether every cell is a number or empty, and not all are empty."""
    return any(cells) and all(parse_number(cell) is not None for cell in cells)


def _finite(what: str, features: NDArray[Any]) -> NDArray[Any]:
    """
    Raises:
        DataError: numbers that are missing or not finite: of how many stimuli, and the first.
    """
    wrong = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(wrong):
        raise DataError(
            f"{what}: features that are empty or not finite in {len(wrong)} stimuli (rows {first(wrong + 1)})"
        )
    return features
