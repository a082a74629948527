"""What is known of people: their ratings, their votes, their single trials, and observers simulated from votes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from affekt.affect import RatingScale, majority
from affekt.errors import DataError, first

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Strings = NDArray[np.str_]
Options = Mapping[str, Any]
"""Of a reader, by name."""


@dataclass(frozen=True, kw_only=True)
class People:
    """What every set of people's answers has.

    Attributes:
        name: of the set, for messages.
        ids: ``(N,)`` unique: the stimuli, by the ids that the set's reader in ``affekt.data`` gives them.
        groups: ``(N,)`` stimuli of one theme, actor or source picture share a group: the unit that is resampled.
        licence: of the answers; may be empty.
        notes: what was left out or guessed, in sentences.
        advice: what to look at where no model's ids are among these.
        facts: name -> ``(N,)`` what else is known of each stimulus (an actor's sex, a theme's category), for long
            tables.
    """

    name: str
    ids: Strings
    groups: Strings
    licence: str = ""
    notes: tuple[str, ...] = ()
    advice: str = ""
    facts: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_ids(self.name, self.ids, self._lengths())

    def __len__(self) -> int:
        return len(self.ids)

    def with_notes(self, *notes: str) -> Self:
        """The same with further notes."""
        return replace(self, notes=(*self.notes, *notes))

    def _lengths(self) -> Iterator[tuple[str, int]]:
        """Each column with its length, which must be N."""
        yield "groups", len(self.groups)
        yield from ((f"{name} in the facts", len(values)) for name, values in self.facts.items())


@dataclass(frozen=True, kw_only=True)
class Ratings(People):
    """Mean ratings, and single ones where they are known; NaN where a stimulus was not rated.

    Attributes:
        scale: that the ratings were given on.
        means: dimension -> ``(N,)``.
        sds: dimension -> ``(N,)`` standard deviation over raters, with n - 1; empty where it is not known.
        counts: dimension -> ``(N,)`` raters; empty where it is not known.
        raters: dimension -> ``(R, N)`` single ratings; empty where they are not known.
        rater_names: of the R raters.
    """

    scale: RatingScale
    means: Mapping[str, Floats]
    sds: Mapping[str, Floats] = field(default_factory=dict)
    counts: Mapping[str, Floats] = field(default_factory=dict)
    raters: Mapping[str, Floats] = field(default_factory=dict)
    rater_names: tuple[str, ...] = ()

    def _lengths(self) -> Iterator[tuple[str, int]]:
        yield from super()._lengths()
        for what, group in (("means", self.means), ("sds", self.sds), ("counts", self.counts)):
            yield from ((f"{what} of {name}", len(values)) for name, values in group.items())
        yield from ((f"ratings of {name} by a rater", values.shape[-1]) for name, values in self.raters.items())


@dataclass(frozen=True, kw_only=True)
class Votes(People):
    """How many people chose each category.

    Attributes:
        categories: K names.
        votes: ``(N, K)`` int64, at least one for each stimulus.
        modality: of CREMA-D ``"voice"``, ``"face"`` or ``"both"``; else ``""``.
        truth: ``(N,)`` int64 index of what was intended (an actor's emotion); None where only people say what is right.
    """

    categories: tuple[str, ...]
    votes: Ints
    modality: str = ""
    truth: Ints | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.votes.shape[1] != len(self.categories):
            raise DataError(f"{self.name}: {self.votes.shape[1]} votes a row for {len(self.categories)} categories")
        if (self.votes < 0).any() or not self.votes.any(axis=1).all():
            raise DataError(f"{self.name}: votes below 0, or stimuli without one; leave these out")

    @property
    def right(self) -> Strings:
        """``(N,)`` the intended category, else the one with most votes; ``""`` for a tie."""
        index = majority(self.votes) if self.truth is None else self.truth
        return np.array([*self.categories, ""])[index]

    @property
    def accuracy(self) -> float | None:
        """Share of all votes, of all stimuli together, that are for the intended category; None without one."""
        if self.truth is None:
            return None
        known = self.truth >= 0
        return float(self.votes[known, self.truth[known]].sum() / self.votes[known].sum())

    def _lengths(self) -> Iterator[tuple[str, int]]:
        yield from super()._lengths()
        yield "rows of votes", len(self.votes)
        if self.truth is not None:
            yield "intended categories", len(self.truth)


@dataclass(frozen=True, kw_only=True)
class TrialRows:
    """T single trials, column by column.

    Attributes:
        subject: ``(T,)`` str.
        stimulus: ``(T,)`` int64, index into the ids.
        response: ``(T,)`` str, ``""`` where there was no answer.
        rt: ``(T,)`` float64, seconds, NaN where it is not known.
        session, trial: ``(T,)`` str as the table has them, ``""`` where it has none.
    """

    subject: Strings
    stimulus: Ints
    response: Strings
    rt: Floats
    session: Strings
    trial: Strings

    def __len__(self) -> int:
        return len(self.subject)


@dataclass(frozen=True, kw_only=True)
class Trials(People):
    """Single trials of people, on stimuli that may be manipulated.

    Attributes:
        conditions: ``(N,)`` the manipulation of each stimulus; ``""`` where there is one condition without a name.
        truth: ``(N,)`` the right answer of each stimulus; ``""`` where there is none.
        trials: a row each.
    """

    conditions: Strings
    truth: Strings
    trials: TrialRows

    def _lengths(self) -> Iterator[tuple[str, int]]:
        yield from super()._lengths()
        yield "conditions", len(self.conditions)
        yield "right answers", len(self.truth)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names, sorted."""
        return tuple(np.unique(self.trials.subject).tolist())

    def responses(self) -> dict[str, Strings]:
        """Subject -> ``(N,)`` response to each stimulus, ``""`` where there was none; of several answers of a subject
        to one stimulus the first that is not empty."""
        rows = self.trials
        subjects, which = np.unique(rows.subject, return_inverse=True)
        table = np.full((len(subjects), len(self)), "", dtype=rows.response.dtype)
        given = np.flatnonzero(rows.response != "")[::-1]  # backwards, so that the first of several is written last
        table[which[given], rows.stimulus[given]] = rows.response[given]
        return dict(zip(subjects.tolist(), table, strict=True))


@dataclass(frozen=True, kw_only=True)
class Observers(People):
    """Observers drawn from votes where there are no single trials. They share nothing but an item's difficulty: how
    alike they err says nothing of how alike people err, and no human ceiling follows from them.

    Attributes:
        responses: observer -> ``(N,)`` category, ``""`` where the votes ran out.
        truth: ``(N,)`` the category with most votes in the half that no observer is drawn from; ``""`` for a tie.
        said: one sentence that says so, for reports.
    """

    responses: Mapping[str, Strings]
    truth: Strings
    said: str

    def _lengths(self) -> Iterator[tuple[str, int]]:
        yield from super()._lengths()
        yield "right answers", len(self.truth)
        yield from ((f"responses of {name}", len(values)) for name, values in self.responses.items())


def check_ids(name: str, ids: Strings, lengths: Iterable[tuple[str, int]]) -> None:
    """
    Raises:
        DataError: no ids, one that stands twice, columns of another length.
    """
    if not len(ids):
        raise DataError(f"{name}: no stimulus in it")
    found, times = np.unique(ids, return_counts=True)
    if len(found) < len(ids):
        raise DataError(f"{name}: {int((times > 1).sum())} ids stand twice: {first(found[times > 1])}; keep each once")
    wrong = [f"{length} {what}" for what, length in lengths if length != len(ids)]
    if wrong:
        raise DataError(f"{name}: {len(ids)} ids, but {', '.join(wrong)}")
