"""Comparing: models' answers and features held against what people say of the same stimuli."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from affekt.errors import DataError, UsageError
from affekt.humans.agreement import RESAMPLES
from affekt.humans.comparison.model import Model, People
from affekt.humans.comparison.parts import Differing, Part
from affekt.humans.comparison.structure import FEATURES
from affekt.humans.comparison.work import Work
from affekt.humans.people import Joined, join


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What came out.

    Attributes:
        people: as they were given.
        models: in the order given.
        joined: who has which stimuli, and what is left on either side.
        parts: what is compared in the same terms.
        differing: the stimuli on which people and a model differ most.
        resamples, seed: of the bootstrap.
        notes: what a reader must know of the whole.
        cautions: what forbids a conclusion (pictures that a model learned from), in sentences.
    """

    people: People
    models: Sequence[Model]
    joined: Joined
    parts: Sequence[Part]
    differing: Sequence[Differing]
    resamples: int
    seed: int
    notes: Sequence[str] = ()
    cautions: Sequence[str] = ()

    @property
    def kind(self) -> str:
        """``"ratings"``, ``"votes"`` or ``"trials"``."""
        return type(self.people).__name__.lower()

    @property
    def simulated(self) -> str:
        """What is said of simulated observers; empty without any."""
        return next((part.simulated for part in self.parts if part.simulated), "")


def compare(people: People, models: Sequence[Model], *, resamples: int = RESAMPLES, seed: int = 0) -> Comparison:
    """Hold models against people, on the stimuli that all of them have.

    Args:
        resamples: of stimuli, or of groups of them; features take no more than 200.
        seed: of everything drawn.

    Raises:
        UsageError: no models, one name twice, fewer than two stimuli or groups in common.
        DataError: nothing in common, a model that answers in other terms than people, ratings outside the scale.
    """
    named = {model.name: model for model in models}
    if len(named) < len(models):
        twice = next(m.name for m in models if sum(m.name == other.name for other in models) > 1)
        raise UsageError(f"{twice}: the name of two models; give each a name of its own")
    joined = join(people, {name: model.known for name, model in named.items()})
    work = Work(people=people, models=named, joined=joined, resamples=resamples, seed=seed)
    parts = list(work.parts())
    if not parts:
        raise _nothing(people, models, joined)
    return Comparison(
        people=people,
        models=models,
        joined=joined,
        parts=[part for part, _ in parts],
        differing=[one for _, found in parts for one in found],
        resamples=resamples,
        seed=seed,
        notes=[
            *people.notes,
            *joined.notes,
            *(note for model in models for note in model.notes),
            *_features_alone(models, [part for part, _ in parts]),
        ],
    )


def _nothing(people: People, models: Sequence[Model], joined: Joined) -> DataError:
    """What to say where no part came out."""
    if not any(model.features or model.layers for model in models):
        why = "no model answers in people's terms on two groups of stimuli, or has features"
    elif len(joined) < 4:
        why = f"features ask for four stimuli, and people and all models have {len(joined)} in common"
    else:
        why = f"on the {len(joined):,} stimuli in common people say the same of all, which features cannot tell apart"
    return DataError(f"{people.name}: nothing to compare: {why}")


def _features_alone(models: Sequence[Model], parts: Sequence[Part]) -> list[str]:
    """Models whose answers are in no part."""
    compared = {name for part in parts if part.id != FEATURES for name in part.models}
    return [
        f"{model.name} does not answer in people's terms: its features alone are compared"
        for model in models
        if model.answers is not None and model.name not in compared
    ]
