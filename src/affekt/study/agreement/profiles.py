"""Profiles: how accurate the networks of a study are on manipulated test pictures, and what each manipulation costs.

People voted on intact pictures, so that nothing here is held against people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from affekt.data.manipulations import find, manipulate
from affekt.data.stimuli import Stimuli
from affekt.errors import CheckpointError, DataError, UsageError
from affekt.humans.agreement import Bootstrap, bootstrap
from affekt.humans.comparison.measures import Best
from affekt.randomness import generator
from affekt.recipe import load_recipe
from affekt.saving import load
from affekt.study.agreement.networks import Floats, Networks, Run, is_right
from affekt.study.agreement.pooling import Pooled, adjusted, by_condition, pool, shares
from affekt.study.building import target_data
from affekt.training.precision import choose_device

if TYPE_CHECKING:
    from affekt.recipe import Recipe

ROOM = 2**30
"""Bytes that manipulated pictures may take."""

CHUNK = 64

Asked = tuple[str, float]
"""Manipulation and strength."""

Step = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One manipulation at one strength.

    Attributes:
        manipulation, strength, unit: what was done.
        stimuli: how many pictures.
        accuracy: on the manipulated pictures, by the study's labels.
        cost: accuracy on the same pictures intact, less that; its differences between networks say whether one leans
            more than another on what the manipulation takes away.
    """

    manipulation: str
    strength: float
    unit: str
    stimuli: int
    accuracy: Pooled
    cost: Pooled


def parse_manipulations(words: Sequence[str]) -> list[Asked]:
    """``eyes``, ``mouth=0.5,1``: manipulations with their strengths; without, the greatest that there is.

    Raises:
        UsageError: no such manipulation, one that needs a second picture or a stated strength, a strength out of range.
    """
    found: list[Asked] = []
    for word in words:
        name, equals, text = word.partition("=")
        chosen = find(name)
        if chosen.pairs:
            raise UsageError(f"--manipulate {word}: takes two pictures; write one that takes one, e.g. eyes")
        if not equals and chosen.unchanged == 0 and chosen.high == 1:
            text = "1"
        try:
            strengths = [float(part) for part in text.split(",")]
        except ValueError:
            span = f"{chosen.low:g} to {chosen.high:g}, {chosen.unit}"
            raise UsageError(f"--manipulate {word}: write {chosen.name}=STRENGTH,STRENGTH ({span})") from None
        for strength in strengths:
            chosen.check(strength)
            found.append((chosen.name, strength))
    if len(set(found)) < len(found):
        raise UsageError(f"--manipulate {' '.join(words)}: one of them twice")
    return found


def profiles(
    networks: Networks,
    asked: Sequence[Asked],
    *,
    resamples: int = 1000,
    seed: int = 0,
    limit: int | None = None,
    data_root: Path | None = None,
    device: str = "auto",
    step: Step | None = None,
) -> list[Profile]:
    """Show every network the test pictures under each manipulation.

    Args:
        limit: so many of the pictures, drawn by the seed; None: all.
        device: where networks look; ``"auto"``: a GPU if there is one.
        step: called with (what, networks done, networks in all).

    Raises:
        DataError: test pictures that are no longer there.
        UsageError: no such device on this machine.
        CheckpointError: a run without its model.
    """
    if not asked:
        return []
    rows = np.arange(len(networks.ids))
    if limit is not None and limit < len(rows):
        rows = np.sort(generator("profile", seed).permutation(len(rows))[:limit])
    shared = bootstrap(len(rows), resamples=resamples, seed=seed)
    intact = {run: networks.right(run)[rows] for run in networks.probabilities}
    pictures, place = _Pictures(networks, rows, data_root), choose_device(device)
    right: dict[Asked, dict[Run, Floats]] = {one: {} for one in asked}
    for together in _groups(asked, 3 * networks.recipe.target.image_size**2 * len(rows)):
        pictures.forget()
        for done, run in enumerate(networks.probabilities):
            # Reading a network takes longer than asking it: each once, for all manipulations of the group.
            ask = _network(networks, run, place)
            own = load_recipe(networks.folders[run] / "recipe.toml")
            for one in together:
                right[one][run] = is_right(ask(pictures.manipulated(own, one, seed)), networks.category[rows])
            if step is not None:
                words = ", ".join(f"{name} {strength:g}" for name, strength in together)
                step(words, done + 1, len(networks.probabilities))
    found = [_profile(networks, one, right[one], intact, shared) for one in asked]
    return _over_all(found, networks.missing)


def _groups(asked: Sequence[Asked], each: int) -> list[Sequence[Asked]]:
    """Manipulations whose pictures, of ``each`` bytes, are held in memory together."""
    size = max(1, ROOM // each)
    return [asked[start : start + size] for start in range(0, len(asked), size)]


def _profile(
    networks: Networks, asked: Asked, right: dict[Run, Floats], intact: dict[Run, Floats], shared: Bootstrap
) -> Profile:
    name, strength = asked
    word = f"{name}-{strength:g}"
    lost = {run: intact[run] - right[run] for run in right}

    def pooled(key: str, title: str, about: str, scores: dict[Run, Floats], best: Best) -> Pooled:
        runs = by_condition(shares(scores, shared), networks.conditions)
        return pool(f"{word}-{key}", title, about, runs, networks.declared, best=best, missing=networks.missing)

    return Profile(
        manipulation=name,
        strength=strength,
        unit=find(name).unit,
        stimuli=shared.stimuli,
        accuracy=pooled("accuracy", f"{word}: accuracy", "share of manipulated pictures that are right", right, "high"),
        cost=pooled("cost", f"{word}: cost", "accuracy on the same pictures intact, less that", lost, "low"),
    )


def _over_all(found: list[Profile], missing: int) -> list[Profile]:
    """p of the costs adjusted over all manipulations together: they ask one question, each a way to answer it."""
    pairs = adjusted([pair for one in found for pair in one.cost.pairs], missing=missing * len(found))
    each = len(found[0].cost.pairs)
    return [replace(one, cost=replace(one.cost, pairs=pairs[k * each : (k + 1) * each])) for k, one in enumerate(found)]


class _Pictures:
    """The test pictures at each size that a run asks for, manipulated once for all runs."""

    def __init__(self, networks: Networks, rows: NDArray[np.int64], data_root: Path | None) -> None:
        self.ids = networks.ids[rows]
        self.seed = networks.recipe.seed
        self.data_root = data_root
        self._stimuli: dict[tuple[int, str], Stimuli] = {}
        self._made: dict[tuple[Asked, int, str], torch.Tensor] = {}

    def forget(self) -> None:
        """Let go of what was made."""
        self._made.clear()

    def manipulated(self, recipe: Recipe, asked: Asked, seed: int) -> torch.Tensor:
        """``(N, 3, H, W)`` uint8, kept until :meth:`forget`."""
        size = recipe.target.image_size, recipe.target.fit
        if (asked, *size) not in self._made:
            stimuli = self._read(recipe, size)
            chunks = np.array_split(np.arange(len(self.ids)), -(-len(self.ids) // CHUNK))
            self._made[(asked, *size)] = torch.cat(
                [manipulate(stimuli.images(c), *asked, ids=self.ids[c].tolist(), seed=seed) for c in chunks]
            )
        return self._made[(asked, *size)]

    def _read(self, recipe: Recipe, size: tuple[int, str]) -> Stimuli:
        if size not in self._stimuli:
            test = target_data(recipe, seed=recipe.seed, data_root=self.data_root).splits["test"]
            place = {name: row for row, name in enumerate(test.ids.tolist())}
            absent = [name for name in self.ids.tolist() if name not in place]
            if absent:
                raise DataError(f"{test.name}: {len(absent)} test pictures of the study are not there: {absent[0]}")
            self._stimuli[size] = test.take(np.array([place[name] for name in self.ids.tolist()], dtype=np.int64))
        return self._stimuli[size]


def _network(networks: Networks, run: Run, device: torch.device) -> Callable[[torch.Tensor], NDArray[Any]]:
    """``(N, 3, H, W)`` uint8 -> ``(N, K)`` what a run's network says of them."""
    folder = networks.folders[run]
    if not (folder / "model").is_dir():
        raise CheckpointError(f"{folder}: has no model to show pictures to; delete it, and the study trains it anew")
    model = load(folder / "model", device=device).eval()

    def ask(images: torch.Tensor) -> NDArray[Any]:
        with torch.inference_mode():
            said = [model(chunk.to(device)) for chunk in torch.split(images, CHUNK)]
        logits = [one if isinstance(one, torch.Tensor) else one.log_probabilities for one in said]
        return np.asarray(torch.cat(logits).float().cpu().numpy())

    return ask
