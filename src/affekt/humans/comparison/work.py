"""The work of a comparison: its parts one after the other, each on what people and the models have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from affekt.errors import DataError, first
from affekt.humans.comparison import chosen as choosing
from affekt.humans.comparison.categories import Space, canonical, fold_model, folded_probabilities, shared_terms, spaces
from affekt.humans.comparison.choices import errors_part, votes_part
from affekt.humans.comparison.chosen import Chosen
from affekt.humans.comparison.layers import layered, layers_part, selective_part, signs_of
from affekt.humans.comparison.model import Model, People
from affekt.humans.comparison.parts import Differing, Part, with_reasons
from affekt.humans.comparison.ratings import rating_part
from affekt.humans.comparison.restricting import taken
from affekt.humans.comparison.structure import structure_part
from affekt.humans.comparison.valence import Numbers, numbers, of_choices
from affekt.humans.people import Answers, Joined, Ratings, Trials, Votes
from affekt.report.numbers import counted, share

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Work:
    """One comparison under way."""

    people: People
    models: Mapping[str, Model]
    joined: Joined
    resamples: int
    seed: int

    def parts(self) -> Iterator[tuple[Part, list[Differing]]]:
        answers = {name: self._joined(name, m.answers) for name, m in self.models.items() if m.answers is not None}
        compared: set[str] = set()
        for part, differing in (*self._chosen(answers), *self._rated(answers)):
            compared |= set(part.models)
            yield with_reasons(part), differing
        self._refuse({name: a for name, a in answers.items() if name not in compared})
        structure = self._structure()
        if structure is not None:
            yield with_reasons(structure), []
        for part in self._layers():
            yield with_reasons(part), []

    def _joined(self, name: str, answers: Answers) -> Answers:
        """The answers to the joined stimuli, in their order, under the model's name."""
        return taken(replace(answers, name=name), self.joined.models[name])

    def _rated(self, answers: Mapping[str, Answers]) -> Iterator[tuple[Part, list[Differing]]]:
        """Every dimension that people rated; of choices, valence."""
        if not isinstance(self.people, Ratings):
            yield from self._valence(answers)
            return
        for dimension in self.people.means:
            there = _numbers(answers, dimension, self.people)
            if there:
                yield rating_part(
                    dimension, self.people, self.joined.people, there, resamples=self.resamples, seed=self.seed
                )

    def _valence(self, answers: Mapping[str, Answers]) -> Iterator[tuple[Part, list[Differing]]]:
        """Of people's choices; nothing where these, or all models, have none."""
        counts = self._votes()
        if isinstance(self.people, Ratings) or counts is None:
            return
        ratings = of_choices(self.people, self.joined.people, self._terms(), counts)
        there = {} if ratings is None else _numbers(answers, "valence", ratings)
        if ratings is None or not there:
            return
        rows = np.arange(len(ratings.ids))
        try:
            part = rating_part("valence", ratings, rows, there, resamples=self.resamples, seed=self.seed, choices=True)
        except DataError:  # valence is beside the point where hardly anything has one
            return
        yield part

    def _categories(self) -> tuple[str, ...]:
        """People's; none where they rated."""
        if isinstance(self.people, Ratings):
            return ()
        return self.people.categories if isinstance(self.people, Votes) else choosing.categories_of(self.people)

    def _terms(self) -> tuple[str, ...]:
        """People's categories, those of single trials as their names are meant: ``happy`` and ``Happiness`` are one."""
        theirs = self._categories()
        return tuple(dict.fromkeys(canonical(theirs))) if isinstance(self.people, Trials) else theirs

    def _chosen(self, answers: Mapping[str, Answers]) -> Iterator[tuple[Part, list[Differing]]]:
        """Errors and votes in every space that people and some model share."""
        if isinstance(self.people, Ratings):
            return
        theirs = self._categories()
        own = {name: a.categories for name, a in answers.items() if a.probabilities is not None}
        for number, space in enumerate(spaces(theirs, own)):
            chosen = self._choices(space, theirs)
            models, notes = self._folded(space, answers, chosen)
            errors = errors_part(
                chosen,
                models,
                resamples=self.resamples,
                seed=self.seed,
                with_curves=number == 0 and isinstance(self.people, Trials),
            )
            if errors is not None:
                yield replace(errors, notes=[*errors.notes, *notes]), []
            voted = np.flatnonzero(chosen.votes.any(axis=1))
            kept = {name: p[voted] for name, p in models.items()}
            found = votes_part(chosen.take(voted), kept, resamples=self.resamples, seed=self.seed)
            if found is not None:
                votes, differing = found
                yield replace(votes, notes=[*votes.notes, *notes]), differing

    def _choices(self, space: Space, theirs: tuple[str, ...]) -> Chosen:
        rows = self.joined.people
        if isinstance(self.people, Votes):
            return choosing.of_votes(self.people, rows, space.categories, seed=self.seed)
        assert isinstance(self.people, Trials)
        return choosing.of_trials(self.people, rows, theirs, space.categories)

    def _folded(
        self, space: Space, answers: Mapping[str, Answers], chosen: Chosen
    ) -> tuple[dict[str, Floats], list[str]]:
        """Each model's probabilities of the space, of the chosen stimuli, and what was done to them."""
        place = {name: n for n, name in enumerate(self.people.ids[self.joined.people].tolist())}
        rows = np.array([place[name] for name in chosen.ids.tolist()], dtype=np.int64)
        found: dict[str, Floats] = {}
        notes = []
        for name in space.models:
            probabilities, table = answers[name].probabilities, fold_model(answers[name].categories, space.categories)
            assert probabilities is not None and table is not None
            found[name], elsewhere, nothing = folded_probabilities(probabilities[rows], table)
            if elsewhere > 5e-4:
                notes.append(f"{share(elsewhere)} of what {name} says is of other categories; the rest is rescaled.")
            if nothing:
                said = counted(nothing, "stimulus", "stimuli")
                notes.append(f"{name} says nothing of these categories on {said}: taken as undecided.")
        return found, notes

    def _refuse(self, strangers: Mapping[str, Answers]) -> None:
        """
        Raises:
            DataError: a model whose terms are none of people's, without features or layers to be held against them.
        """
        for name, a in strangers.items():
            met = a.probabilities is not None and shared_terms(self._categories(), a.categories) is not None
            model = self.models[name]
            if met or model.features is not None or model.layers:
                continue
            own = first([*a.ratings, *a.categories], n=8)
            if isinstance(self.people, Ratings):
                theirs = f"people rated {', '.join(self.people.means)}"
            elif len(self._categories()) < 2:
                theirs = (
                    f'people answer "{first(self._categories())}" to everything, and that is right: one class alone'
                )
            else:
                theirs = f"people's categories are {first(self._categories(), n=8)}: fewer than two in common"
            raise DataError(f"{name}: answers with {own}; {theirs}. They meet by name: answer in people's terms")

    def _structure(self) -> Part | None:
        features = {
            name: m.features.features[self.joined.models[name]].astype(np.float64)
            for name, m in self.models.items()
            if m.features is not None
        }
        if not features:
            return None
        return structure_part(
            self.people,
            self.joined.people,
            features,
            votes=self._votes(),
            resamples=self.resamples,
            seed=self.seed,
        )

    def _layers(self) -> Iterator[Part]:
        """Of models whose layers were asked for."""
        rows, votes, seed = self.joined.people, self._votes(), self.seed
        found = layered(self.models, self.joined.models)
        if found is None:
            return
        along = layers_part(self.people, rows, found, votes=votes, resamples=self.resamples, seed=seed)
        signs = signs_of(self.people, rows, votes, self._terms())
        units, shown = None, layered({n: m for n, m in self.models.items() if not m.precomputed}, self.joined.models)
        if signs is not None and shown is not None:
            units = selective_part(rows, shown, signs, resamples=self.resamples, seed=seed)
        yield from (part for part in (along, units) if part is not None)

    def _votes(self) -> Ints | None:
        """``(M, K)`` for each of :meth:`_terms`; None where people rated, or all say one thing."""
        if isinstance(self.people, Ratings):
            return None
        if isinstance(self.people, Votes):
            return self.people.votes[self.joined.people]
        terms = self._terms()
        if len(terms) < 2:  # one answer to everything tells nothing apart
            return None
        return choosing.of_trials(self.people, self.joined.people, self._categories(), terms).votes


def _numbers(answers: Mapping[str, Answers], dimension: str, people: Ratings) -> dict[str, Numbers]:
    """Of the models that have numbers for a dimension."""
    each = {name: numbers(a, dimension, people) for name, a in answers.items()}
    return {name: found for name, found in each.items() if found is not None}
