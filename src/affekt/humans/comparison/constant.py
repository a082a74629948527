"""Constant: who gives one answer to everything, so that kappa would be a number about the right answers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.errors import first
from affekt.humans.comparison.chosen import Chosen
from affekt.report.numbers import counted

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Constant:
    """Observers with one answer to two stimuli or more, and no other: name -> the answer, in words.

    Attributes:
        models, people: of each side.
        stimuli: M, that were compared.
        total: people with an answer, these or others.
        simulated: whether people are simulated from votes.
    """

    models: Mapping[str, str]
    people: Mapping[str, str]
    stimuli: int
    total: int
    simulated: bool

    @property
    def everybody(self) -> bool:
        """Whether no person gives more than one answer."""
        return len(self.people) == self.total

    def reason(self, model: str) -> str:
        """Why a model has no kappa; empty where it is not for this."""
        if model in self.models:
            return f"{model} answers “{self.models[model]}” to all {self.stimuli:,} stimuli: {_KAPPA}"
        return self.of_people if self.everybody else ""

    @property
    def of_people(self) -> str:
        """Who of people answers what to everything, as the reason of a kappa that is undefined."""
        return f"one answer to everything from {self._who} ({self._words}): {_KAPPA}"

    @property
    def notes(self) -> list[str]:
        """Who is left out of kappa, where others are left."""
        if not self.people or self.everybody:
            return []
        return [f"Left out of kappa: {self._who} with one answer to everything ({self._words})."]

    @property
    def _who(self) -> str:
        who = ("simulated observer", "simulated observers") if self.simulated else ("person", "people")
        return f"{len(self.people)} of {counted(self.total, *who)}"

    @property
    def _words(self) -> str:
        return first(f"{name}: “{word}”" for name, word in self.people.items())


_KAPPA = "such errors follow from what is right alone, and kappa is undefined"


def constant(chosen: Chosen, responses: Mapping[str, Ints]) -> Constant:
    """
    Args:
        chosen: M stimuli.
        responses: model -> ``(M,)`` index of its answer.
    """
    return Constant(
        models=_constant(responses, chosen.categories),
        people=_constant(chosen.observers, chosen.categories),
        stimuli=len(chosen),
        total=sum(bool((answers != -1).any()) for answers in chosen.observers.values()),
        simulated=bool(chosen.simulated),
    )


def _constant(observers: Mapping[str, Ints], categories: Sequence[str]) -> dict[str, str]:
    """Those with one category in all of their answers; -1 is no answer, -2 any of several others."""
    found = {}
    for name, answers in observers.items():
        given = answers[answers != -1]
        if len(given) > 1 and given[0] >= 0 and (given == given[0]).all():
            found[name] = categories[int(given[0])]
    return found
