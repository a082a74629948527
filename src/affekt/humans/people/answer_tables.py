"""Answers of any model: a table of probabilities, responses or ratings, or the predictions of a run of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from affekt.affect import DIMENSIONS, RatingScale, canonical_category, parse_scale
from affekt.data.affective.columns import Columns, read_columns
from affekt.errors import DataError, UsageError, first, unknown
from affekt.humans.agreement import checking
from affekt.humans.people.answers import Answers, NoAnswers
from affekt.humans.people.known import Floats, Options
from affekt.humans.people.naming import IDS, id_column, stimulus_names
from affekt.humans.people.run_predictions import read_predictions

OPTIONS: Options = {
    "id": f'column of the stimuli; default: "{IDS[0]}", "{IDS[1]}" and their like',
    "model": 'column of the model\'s name; default: "model" or "subj"; without one the file\'s name',
    "condition": 'column of the manipulation; default: "condition"',
    "categories": "columns of probabilities, as a list; default: those called p_<category>, else like emotions",
    "response": 'column of one answer a stimulus; default: "response" or "object_response"',
    **{name: f'column of the ratings of {name}; default: "{name}" and its like' for name in DIMENSIONS},
    "scale": 'of the ratings, e.g. "1-7"; default: what a run says, else not known',
    "split": 'of a run\'s predictions; default: "test"',
    "name": "of the model; default: from the table, else from the file's place",
}

_PREFIXES = ("p_", "prob_", "probability_", "p(")
_RESPONSES = ("object_response", "response", "answer", "prediction", "predicted")


def read_answers(path: Path | str, options: Options | None = None) -> dict[str, Answers]:
    """Model -> its answers, from a csv or parquet table, an ``.npz``, or the folder of a run.

    A table has a row a stimulus (and model, where a column names it): an id, and any of columns ``p_<category>`` whose
    rows sum to 1, a ``response``, ratings (``valence``, ``arousal``, ``dominance``); perhaps a ``condition``. Of
    responses alone the probabilities are 1 and 0, and say nothing of confidence. An ``.npz`` is a run's
    ``predictions.npz``, or holds ``ids`` and ``probabilities`` with ``categories``, or ratings by dimension. What has
    other names is named by :data:`OPTIONS`, on the command line by ``--answers``.

    Raises:
        UsageError: an option that does not exist.
        NoAnswers: a file with ids and no answers.
        DataError: no such file, columns missing (named, with those found), probabilities that do not sum to 1, ratings
            outside the scale, a stimulus twice.
    """
    given, path = options or {}, Path(path).expanduser()
    for name in given:
        if name not in OPTIONS:
            raise UsageError(unknown("answers: option", name, OPTIONS))
    if path.is_dir():
        path = path / "predictions.npz"
    if not path.is_file():
        raise DataError(f"{path}: no such file; a table (csv, parquet), an .npz, or the folder of a run is asked")
    if path.suffix.lower() == ".npz":
        answers = read_predictions(path, given)
        return {answers.name: answers}
    return _of_table(read_columns(path), path.stem, given)


def _of_table(columns: Columns, stem: str, options: Options) -> dict[str, Answers]:
    header = columns.require(str(options["model"])) if "model" in options else columns.find("model", "subj")
    names = columns.text(header) if header else [str(options.get("name", stem))] * len(columns)
    if not names:
        raise DataError(f"{columns.name}: no rows under its header")
    models = list(dict.fromkeys(names))
    if "name" in options and len(models) == 1:
        names, models = [str(options["name"])] * len(names), [str(options["name"])]
    rows = {model: [row for row, name in enumerate(names) if name == model] for model in models}
    return {model: _of_model(columns.take(rows[model]), model, options) for model in models}


def _of_model(columns: Columns, name: str, options: Options) -> Answers:
    ids = columns.text(id_column(columns, options))
    where = columns.require(str(options["condition"])) if "condition" in options else columns.find("condition")
    conditions = columns.text(where) if where else [""] * len(ids)
    names, notes = stimulus_names(ids, conditions)
    categories, probabilities, said = _probabilities(columns, name, options)
    scale = parse_scale(str(options["scale"])) if "scale" in options else None
    ratings = _ratings(columns, scale, options)
    if probabilities is None and not ratings:
        raise NoAnswers(
            f"{columns.name}: no column of answers: p_<category> for each category, response, or any of "
            f"{', '.join(DIMENSIONS)}. Found: {columns.headers()}; name yours: --answers response=COLUMN, "
            f"--answers categories=COLUMN,COLUMN or --answers {DIMENSIONS[0]}=COLUMN"
        )
    found = Answers(
        name=name,
        ids=names,
        categories=categories,
        probabilities=probabilities,
        ratings=ratings,
        scale=scale,
        conditions=np.array(conditions, dtype=np.str_) if where else None,
        notes=(*columns.notes, *notes, *said),
    )
    return replace(found, notes=(*found.notes, *found.constant))


def _probabilities(
    columns: Columns, name: str, options: Options
) -> tuple[tuple[str, ...], Floats | None, tuple[str, ...]]:
    """Categories, ``(N, K)`` probabilities (None without) and notes."""
    headers = _category_columns(columns, options)
    if headers:
        values = np.stack([columns.numbers(header) for header in headers.values()], axis=1)
        rows = checking.probabilities(values, f"{columns.name}: {name}", shape=values.shape)
        return tuple(headers), rows, ()
    header = columns.require(str(options["response"])) if "response" in options else columns.find(*_RESPONSES)
    if header is None:
        return (), None, ()
    responses = columns.text(header)
    empty = [line for line, cell in zip(columns.lines, responses, strict=True) if not cell]
    if empty:
        raise DataError(f'{columns.name}: {len(empty)} row(s) of {name} without a "{header}" (line {first(empty)})')
    given = np.array(_canonical(responses))
    categories = np.unique(given)
    said = f"{name}: responses without probabilities; nothing can be said of its confidence"
    return tuple(categories.tolist()), (given[:, None] == categories).astype(np.float64), (said,)


def _category_columns(columns: Columns, options: Options) -> dict[str, str]:
    """Category -> header: those an option lists, else those with a prefix, else two or more called like emotions."""
    asked = options.get("categories", ())
    listed = [columns.require(str(name)) for name in ((asked,) if isinstance(asked, str) else asked)]
    prefixed = [header for header in columns.values if header.lower().startswith(_PREFIXES)]
    headers = listed or prefixed or _emotions(columns)
    found = dict(zip(_canonical([_bare(header) for header in headers]), headers, strict=True))
    if len(found) < len(headers):
        raise DataError(f"{columns.name}: two columns of probabilities for one category: {', '.join(headers)}")
    return found


def _bare(header: str) -> str:
    prefix = next((prefix for prefix in _PREFIXES if header.lower().startswith(prefix)), "")
    return header[len(prefix) :].rstrip(")")


def _emotions(columns: Columns) -> list[str]:
    found = [header for header in columns.values if _is_emotion(header)]
    return found if len(found) > 1 else []


def _is_emotion(word: str) -> bool:
    try:
        return bool(canonical_category(word))
    except UsageError:
        return False


def _canonical(words: Sequence[str]) -> list[str]:
    """Canonical names where every word is an emotion's, else the words as they are."""
    known = {word: _is_emotion(word) for word in set(words)}
    return [canonical_category(word) for word in words] if all(known.values()) else list(words)


def _ratings(columns: Columns, scale: RatingScale | None, options: Options) -> dict[str, Floats]:
    found = {}
    for dimension in DIMENSIONS:
        own = columns.require(str(options[dimension])) if dimension in options else None
        header = own or columns.find(dimension, f"{dimension}_mean", f"mean_{dimension}")
        if header is None:
            continue
        values = columns.numbers(header)
        if not np.isfinite(values).all():
            lines = [line for line, bad in zip(columns.lines, ~np.isfinite(values), strict=True) if bad]
            raise DataError(f'{columns.name}: {len(lines)} row(s) without a number in "{header}" (line {first(lines)})')
        found[dimension] = values if scale is None else scale.check(values, f'{columns.name}: column "{header}"')
    return found
