"""Small people and models, made in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from affekt.affect import RatingScale
from affekt.humans.comparison import Model
from affekt.humans.people import Answers, Features, Ratings, TrialRows, Trials, Votes

SEVEN = RatingScale(1, 7)


def names(n: int, stem: str = "picture") -> np.ndarray:
    return np.array([f"{stem} {i}" for i in range(n)])


def ratings(means: Sequence[float], **more: object) -> Ratings:
    n = len(means)
    given = {"name": "people", "ids": names(n), "groups": names(n), "scale": SEVEN}
    return Ratings(**{**given, "means": {"valence": np.asarray(means, dtype=float)}, **more})


def votes(counts: Sequence[Sequence[int]], categories: Sequence[str], **more: object) -> Votes:
    n = len(counts)
    given = {"name": "people", "ids": names(n), "groups": names(n), "categories": tuple(categories)}
    return Votes(**{**given, "votes": np.asarray(counts, dtype=np.int64), **more})


def trials(responses: Mapping[str, Sequence[str]], truth: Sequence[str], conditions: Sequence[str] = ()) -> Trials:
    n = len(truth)
    rows = [(who, i, answer) for who, answers in responses.items() for i, answer in enumerate(answers)]
    subject, stimulus, response = zip(*rows, strict=True)
    empty = np.array([""] * len(rows))
    return Trials(
        name="people",
        ids=names(n),
        groups=names(n),
        conditions=np.array(conditions or [""] * n),
        truth=np.array(truth),
        trials=TrialRows(
            subject=np.array(subject),
            stimulus=np.array(stimulus),
            response=np.array(response),
            rt=np.full(len(rows), np.nan),
            session=empty,
            trial=empty,
        ),
    )


def rating_model(name: str, values: Sequence[float], scale: RatingScale | None = SEVEN) -> Model:
    own = {"valence": np.asarray(values, dtype=float)}
    return Model(name=name, answers=Answers(name=name, ids=names(len(values)), ratings=own, scale=scale))


def choosing_model(name: str, categories: Sequence[str], probabilities: Sequence[Sequence[float]]) -> Model:
    table = np.asarray(probabilities, dtype=float)
    answers = Answers(name=name, ids=names(len(table)), categories=tuple(categories), probabilities=table)
    return Model(name=name, answers=answers)


def feature_model(name: str, features: np.ndarray) -> Model:
    return Model(name=name, features=Features(name=name, ids=names(len(features)), features=features))


def sure(answers: Sequence[str], categories: Sequence[str], certainty: float = 0.9) -> np.ndarray:
    """Rows with one large probability."""
    table = np.full((len(answers), len(categories)), (1 - certainty) / (len(categories) - 1))
    table[np.arange(len(answers)), [list(categories).index(a) for a in answers]] = certainty
    return table


def part_of(found, start: str):
    """The part whose id begins so."""
    return next(part for part in found.parts if part.id.startswith(start))


def measure_of(part, name: str):
    return next(measure for measure in part.measures if measure.name == name)
