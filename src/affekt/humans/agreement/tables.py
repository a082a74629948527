"""Long tables: one row for each response, as programs for mixed models (lme4, statsmodels) read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from affekt.errors import UsageError

Row = dict[str, object]
T = TypeVar("T")

TRIAL_COLUMNS = ("stimulus", "kind", "observer", "category", "response", "correct")
RATING_COLUMNS = ("stimulus", "kind", "observer", "rating")


def trial_rows(
    stimuli: Sequence[str],
    categories: Sequence[str],
    *,
    people: Mapping[str, Sequence[str | None]],
    models: Mapping[str, Sequence[str | None]],
    facts: Mapping[str, Sequence[object]] | None = None,
) -> Iterator[Row]:
    """A row for each response: :data:`TRIAL_COLUMNS`, then those of ``facts``.

    ``kind`` is ``person`` or ``model``, ``observer`` the name, ``correct`` 1 or 0.

    Args:
        stimuli: N names.
        categories: ``(N,)`` the right answer.
        people, models: name -> ``(N,)`` responses; None where there was none, which makes no row.
        facts: column -> ``(N,)`` what else is known of a stimulus (condition, strength, group).

    Raises:
        UsageError: columns of other lengths, facts named as a column is, one name for a person and a model; before the
            first row.
    """
    known = _facts(facts, stimuli, TRIAL_COLUMNS, {"categories": categories})
    observers = _observers(people, models, stimuli)

    def rows() -> Iterator[Row]:
        for kind, observer, responses in observers:
            for i, response in enumerate(responses):
                if response is not None:
                    row = (stimuli[i], kind, observer, categories[i], response, int(response == categories[i]))
                    yield {**dict(zip(TRIAL_COLUMNS, row, strict=True)), **{k: v[i] for k, v in known.items()}}

    return rows()


def rating_rows(
    stimuli: Sequence[str],
    *,
    people: Mapping[str, ArrayLike],
    models: Mapping[str, ArrayLike],
    facts: Mapping[str, Sequence[object]] | None = None,
) -> Iterator[Row]:
    """A row for each rating: :data:`RATING_COLUMNS`, then those of ``facts``.

    Args:
        stimuli: N names.
        people, models: name -> ``(N,)`` ratings; NaN where there was none, which makes no row.
        facts: as of :func:`trial_rows`.

    Raises:
        UsageError: as :func:`trial_rows`.
    """
    known = _facts(facts, stimuli, RATING_COLUMNS, {})
    observers = _observers(_listed(people), _listed(models), stimuli)

    def rows() -> Iterator[Row]:
        for kind, observer, ratings in observers:
            for i, rating in enumerate(ratings):
                if not np.isnan(rating):
                    row = (stimuli[i], kind, observer, rating)
                    yield {**dict(zip(RATING_COLUMNS, row, strict=True)), **{k: v[i] for k, v in known.items()}}

    return rows()


def _listed(ratings: Mapping[str, ArrayLike]) -> dict[str, list[float]]:
    return {name: np.asarray(values, dtype=np.float64).tolist() for name, values in ratings.items()}


def _facts(
    facts: Mapping[str, Sequence[object]] | None,
    stimuli: Sequence[str],
    columns: Sequence[str],
    more: Mapping[str, Sequence[object]],
) -> Mapping[str, Sequence[object]]:
    facts = facts or {}
    taken = [name for name in facts if name in columns]
    if taken:
        raise UsageError(f'facts: "{taken[0]}" is a column already; name it otherwise. Columns: {", ".join(columns)}')
    for name, values in {**facts, **more}.items():
        _length(name, values, stimuli)
    return facts


def _observers(
    people: Mapping[str, Sequence[T]], models: Mapping[str, Sequence[T]], stimuli: Sequence[str]
) -> list[tuple[str, str, Sequence[T]]]:
    both = [name for name in people if name in models]
    if both:
        raise UsageError(f'"{both[0]}" is the name of a person and of a model; a mixed model needs one name for each')
    found = [("person", name, values) for name, values in people.items()]
    found += [("model", name, values) for name, values in models.items()]
    for kind, name, values in found:
        _length(f"{kind} {name}", values, stimuli)
    return found


def _length(name: str, values: Sequence[object], stimuli: Sequence[str]) -> None:
    if len(values) != len(stimuli):
        raise UsageError(f"{name}: {len(values)} values for {len(stimuli)} stimuli; one for each is asked")
