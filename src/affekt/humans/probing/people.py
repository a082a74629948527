"""People: the ratings that are to be predicted, with their folds, bootstrap and ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.data.stimuli import Stimuli
from affekt.errors import DataError, UsageError, unknown
from affekt.humans.probing.extracting import digest_of_labels, digest_of_pictures
from affekt.humans.probing.folds import Folds, Unit, cut
from affekt.humans.probing.projecting import enough_dimensions
from affekt.humans.probing.scoring import Truth, truths
from affekt.humans.probing.settings import ProbeSettings


@dataclass(frozen=True, kw_only=True)
class People:
    """N pictures with ratings of T dimensions.

    Attributes:
        stimuli: the pictures, all with a rating at least.
        settings: with the dimensions and the length of projections written out.
        unit: what is held out as a whole.
        truths: one for each dimension.
        targets: ``(N, T)``, NaN: not rated.
        folds: one for each repeat.
        pictures: digest of ids and pictures.
        notes: what a reader of the numbers should know.
    """

    stimuli: Stimuli
    settings: ProbeSettings
    unit: Unit
    truths: list[Truth]
    targets: NDArray[np.float64]
    folds: list[Folds]
    pictures: str
    notes: tuple[str, ...]

    @property
    def ids(self) -> list[str]:
        ids: list[str] = self.stimuli.ids.tolist()
        return ids

    def facts(self) -> dict[str, Any]:
        """What every line of a folder has in common, for JSON; the unit may differ."""
        return {
            "people": {
                "set": self.stimuli.name,
                "pictures": len(self.stimuli),
                "groups": len(np.unique(self.stimuli.groups)),
                "sha256_pictures": self.pictures,
                "sha256_labels": digest_of_labels(self.stimuli, self.settings.dimensions),
            },
            "settings": self.settings.to_dict(),
        }


def people_of(stimuli: Stimuli, settings: ProbeSettings, unit: Unit) -> People:
    """Raises:
    UsageError: an unknown dimension.
    DataError: no ratings, too few groups for the folds, a missing file.
    """
    dimensions = _dimensions(stimuli, settings.dimensions)
    stimuli, notes = _rated(stimuli, dimensions)
    project = settings.project
    if settings.pool == "flat" and project == 0:
        project = enough_dimensions(len(stimuli))
    settings = replace(settings, dimensions=dimensions, project=project)
    return People(
        stimuli=stimuli,
        settings=settings,
        unit=unit,
        truths=truths(stimuli, dimensions, resamples=settings.resamples, seed=settings.seed),
        targets=np.stack([stimuli.labels.ratings[d] for d in dimensions], axis=1).astype(np.float64),
        folds=[
            cut(stimuli, unit, folds=settings.folds, inner_folds=settings.inner_folds, seed=settings.seed + repeat)
            for repeat in range(settings.repeats)
        ],
        pictures=digest_of_pictures(stimuli),
        notes=(*notes, *_warnings(stimuli, settings, unit)),
    )


def _dimensions(stimuli: Stimuli, asked: Sequence[str]) -> tuple[str, ...]:
    there = stimuli.labels.ratings
    if not there:
        raise DataError(
            f"{stimuli.name}: has no ratings to predict; probe needs a set with some: oasis, or a table of yours"
        )
    for name in asked:
        if name not in there:
            raise UsageError(unknown(f"{stimuli.name}: dimension", name, there))
    return tuple(asked) or tuple(there)


def _rated(stimuli: Stimuli, dimensions: Sequence[str]) -> tuple[Stimuli, tuple[str, ...]]:
    """The pictures with a rating in one of the dimensions at least; a note says how many have none."""
    known = np.any([np.isfinite(stimuli.labels.ratings[d]) for d in dimensions], axis=0)
    if known.all():
        return stimuli, stimuli.notes
    without = f"{int((~known).sum())} of {len(stimuli)} pictures"
    kept = stimuli.take(np.flatnonzero(known))
    return kept, (*stimuli.notes, f"{stimuli.name}: {without} have none of these ratings and are left out")


def _warnings(stimuli: Stimuli, settings: ProbeSettings, unit: Unit) -> list[str]:
    found = []
    groups = len(np.unique(stimuli.groups))
    if unit == "item" and groups < len(stimuli):
        found.append(
            f"{stimuli.name}: folds over single pictures LEAK what the pictures of its {groups} groups have in common; "
            "intervals are over groups"
        )
    if settings.project:
        found.append(
            f"layers of more than {settings.project:,} numbers are projected to that many at random "
            f"(sparse, seed {settings.seed})"
        )
    return found
