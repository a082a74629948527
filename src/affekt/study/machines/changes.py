"""Changes: what a study would take with one thing changed, and whether that changes what is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from affekt.errors import AffektError
from affekt.recipe import Recipe
from affekt.study.machines.forecasting import Forecast
from affekt.study.machines.plans import timed_jobs
from affekt.study.study_plan import StudyPlan

SMALLEST = 96
"""Pictures below are not halved again, pixels: a backbone has another stem for them."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A change of a recipe.

    Attributes:
        overrides: as they are written after ``--set``.
        asks: what the study would ask otherwise, in a few words; ``""``: the same.
        recipe: (a condition's resolved recipe) -> the changed one.
        kept: names of the conditions that are left; None: all.
        seeds: how many are left; None: all.
        limit: training pictures of the target at most; None: all.
        sooner: whether all that is computed stays, and takes less time.
    """

    overrides: tuple[str, ...]
    asks: str
    recipe: Callable[[Recipe], Recipe] = lambda recipe: recipe
    kept: tuple[str, ...] | None = None
    seeds: int | None = None
    limit: int | None = None
    sooner: bool = False


@dataclass(frozen=True, kw_only=True)
class Change:
    """A candidate that was looked at.

    Attributes:
        factor: of the seconds of all runs, with it against without.
    """

    overrides: tuple[str, ...]
    asks: str
    factor: float


def changes(planned: StudyPlan, forecast: Forecast, *, tried: Iterable[Candidate] | None = None) -> list[Change]:
    """Every candidate with what it would make of the study's time, the greatest saving first.

    Those that cannot be here (a precision that was not measured, a size that a network does not take), or that save
    nothing, are left out.

    Args:
        tried: the candidates; None: all that there are.
    """
    whole = sum(timed_jobs(planned, forecast)[0].values())
    found = []
    for candidate in candidates(planned) if tried is None else tried:
        try:
            seconds = sum(timed_jobs(_changed(planned, candidate), _limited(forecast, candidate))[0].values())
        except AffektError:
            continue
        if seconds < 0.995 * whole:
            found.append(Change(overrides=candidate.overrides, asks=candidate.asks, factor=seconds / whole))
    return sorted(found, key=lambda change: change.factor)


def candidates(planned: StudyPlan) -> Iterator[Candidate]:
    """What may be tried with a study: first what leaves its question as it is."""
    recipe = planned.recipe
    trained = planned.facts.affective is not None
    yield from _costs(recipe, trained)
    yield from _asked(planned, trained)


def _costs(recipe: Recipe, trained: bool) -> Iterator[Candidate]:
    low = "training.precision=bf16"
    written = (low, f"emotional.{low}") if trained else (low,)
    yield Candidate(overrides=written, asks="", recipe=_in_bfloat16, sooner=True)
    every = max(1, recipe.training.epochs // 4)
    yield Candidate(
        overrides=(f"training.evaluate_every={every}",),
        asks="nearly the same: the best epoch is chosen among four",
        recipe=lambda one: replace(
            one, training=replace(one.training, evaluate_every=max(1, one.training.epochs // 4))
        ),
    )
    doubled = 2 * recipe.training.batch_size
    yield Candidate(
        overrides=(f"training.batch_size={doubled}",),
        asks="another training: half the steps, with a learning rate to be found anew",
        recipe=lambda one: replace(one, training=replace(one.training, batch_size=doubled)),
        sooner=True,
    )
    if not recipe.regulation.affect_cache and recipe.regulation.emotional == "frozen":
        yield Candidate(
            overrides=("regulation.affect_cache=true",),
            asks="another reading: the affect of the picture as it is, not of its crop",
            recipe=lambda one: replace(one, regulation=replace(one.regulation, affect_cache=True)),
        )


def _asked(planned: StudyPlan, trained: bool) -> Iterator[Candidate]:
    recipe, seeds = planned.recipe, len(planned.seeds)
    if seeds > 1:
        fewer = -(-seeds // 2)
        asks = f"wider intervals: {fewer} of {seeds} seeds"
        yield Candidate(overrides=(f"study.seeds={fewer}",), asks=asks, seeds=fewer)
    if recipe.training.epochs > 1:
        yield _shorter(recipe, trained)
    limit = planned.facts.train // 2
    yield Candidate(overrides=(f"target.train_limit={limit}",), asks="half the pictures to learn from", limit=limit)
    if (size := recipe.model.image_size or recipe.target.image_size) // 2 >= SMALLEST:
        yield _smaller(recipe, size // 2)
    kept = tuple(
        name for name in planned.conditions if name in (recipe.study.reference, "mixture", recipe.study.method)
    )
    if len(kept) < len(planned.conditions):
        written = ", ".join(f'"{name}"' for name in kept)
        asks = f"without {len(planned.conditions) - len(kept)} controls: what is left of the method is not told apart"
        yield Candidate(overrides=(f"study.conditions=[{written}]",), asks=asks, kept=kept)


def _shorter(recipe: Recipe, trained: bool) -> Candidate:
    epochs = [f"training.epochs={_half(recipe.training.epochs)}"]
    if trained:
        epochs.append(f"emotional.training.epochs={_half(recipe.emotional.training.epochs)}")

    def shorter(one: Recipe) -> Recipe:
        engine, own = one.training, one.emotional
        ends = None if engine.stop_after is None else _half(engine.stop_after)
        engine = replace(engine, epochs=_half(engine.epochs), stop_after=ends)
        own = replace(own, training=replace(own.training, epochs=_half(own.training.epochs)))
        return replace(one, training=engine, emotional=own)

    return Candidate(overrides=tuple(epochs), asks="networks that learned half as long", recipe=shorter)


def _smaller(recipe: Recipe, size: int) -> Candidate:
    """Pictures of half the side, for all networks: an influence may need them of one size."""
    named = {"model.image_size": size}
    if recipe.affective.name and not recipe.emotional.model:
        named |= {"affective.image_size": size, "emotional.image_size": size}

    def smaller(one: Recipe) -> Recipe:
        return replace(
            one,
            model=replace(one.model, image_size=size),
            affective=replace(one.affective, image_size=size),
            emotional=replace(one.emotional, image_size=size),
        )

    written = tuple(f"{key}={value}" for key, value in named.items())
    return Candidate(overrides=written, asks=f"networks that see {size} pixels", recipe=smaller)


def _in_bfloat16(one: Recipe) -> Recipe:
    own = replace(one.emotional, training=replace(one.emotional.training, precision="bf16"))
    return replace(one, training=replace(one.training, precision="bf16"), emotional=own)


def _half(count: int) -> int:
    return max(1, count // 2)


def _changed(planned: StudyPlan, candidate: Candidate) -> StudyPlan:
    kept = planned.conditions if candidate.kept is None else candidate.kept
    conditions = {name: candidate.recipe(planned.conditions[name]) for name in kept}
    return replace(planned, conditions=conditions, seeds=planned.seeds[: candidate.seeds])


def _limited(forecast: Forecast, candidate: Candidate) -> Forecast:
    limit = candidate.limit
    if limit is None:
        return forecast

    def sizes(recipe: Recipe, section: str) -> Mapping[str, int]:
        found = dict(forecast.sizes(recipe, section))
        return found | {"train": min(found["train"], limit)} if section == "target" else found

    return replace(forecast, sizes=sizes)
