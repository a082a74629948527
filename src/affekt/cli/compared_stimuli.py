"""The stimuli of ``affekt compare-humans``: where people's pictures are, and which of them are a test of the models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from affekt.cli.learned import Learned, learned_from
from affekt.errors import DataError, first

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from affekt.cli.compared_named import Named
    from affekt.data import Stimuli
    from affekt.humans.people import Ratings, Trials, Votes

Fit = Literal["crop", "squash"]

READERS: dict[str, tuple[str, dict[str, Any]]] = {
    "oasis": ("oasis", {}),
    "ferplus": ("ferplus", {"ties": "keep"}),
    "cifar10h": ("cifar10", {}),
}
"""People's set -> the data set that has its pictures, and options by which it has all of them."""


SIZE = 32
"""Side of pictures of which only the ids are asked for, pixels."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Which of people's stimuli are compared.

    Attributes:
        people: with these stimuli alone.
        split: ``"all"``, ``"train"``, ``"validation"`` or ``"test"``.
        of: people's stimuli in all.
        others: ids of those that are left aside.
        limit: how many were drawn; None where all of the split are compared.
        cautions, notes: what forbids a conclusion, and what else must be known.
    """

    people: Ratings | Votes | Trials
    split: str
    of: int
    others: frozenset[str] = frozenset()
    limit: int | None = None
    cautions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        drawn = {} if self.limit is None else {"limit": self.limit}
        return {"name": self.split, "stimuli": len(self.people), "of": self.of, **drawn}


@dataclass(frozen=True, kw_only=True)
class StimuliOfPeople:
    """People with the pictures that they judged.

    Attributes:
        people: all of them.
        set: the data set that has the pictures; ``""`` where they lie in a folder.
        root: parent of the data sets' folders; None: the usual place.
        folder: of the pictures of people's own tables; None where there are none.
        citation: of a published set.
    """

    people: Ratings | Votes | Trials
    set: str
    root: Path | None
    folder: Path | None
    citation: str = ""
    _paths: dict[str, Path] = field(default_factory=dict)

    def pictures(self, ids: NDArray[np.str_], image_size: int, fit: Fit) -> Stimuli:
        """The pictures of these stimuli that are there, read at a size.

        Raises:
            DataError: none is.
        """
        if self.set:
            return self._of_set(ids, image_size, fit)
        return self._in_folder(ids, image_size, fit)

    def choose(self, split: str | None, models: Sequence[Named], *, limit: int | None = None, seed: int = 0) -> Chosen:
        """The stimuli that are a test of the models: by default those of the test split of every run that learned from
        people's set, else all; of these so many, see :func:`~affekt.cli.compared_draw.draw`.

        Raises:
            DataError: no stimulus is in that split of all of them, or there is no such split.
        """
        from affekt.cli.compared_draw import draw
        from affekt.humans.comparison.restricting import restricted

        runs = [learned_from(m.name, m.found, root=self.root) for m in models if m.found is not None]
        own = [run for run in runs if run is not None and self._same(run)]
        unknown = [m.name for m in models if m.precomputed or (m.found is not None and m.found.recipe is None)]
        asked = split or ("test" if own else "all")
        ids = self._ids_of(asked, own)
        kept = None if ids is None else frozenset(self.people.ids.tolist()) & ids
        part = self.people if kept is None else restricted(self.people, kept)
        people, drawn = draw(part, self._with_pictures, models, limit=limit, seed=seed)
        left = kept if drawn is None else frozenset(people.ids.tolist())
        cautions = [*_seen(own, left), *self._by_source([r for r in runs if r is not None and r not in own])]
        if unknown:
            cautions.append(_unknown(unknown))
        every = frozenset(self.people.ids.tolist())
        return Chosen(
            people=people,
            split=asked,
            of=len(self.people),
            others=frozenset() if left is None else every - left,
            limit=drawn,
            cautions=tuple(cautions),
            notes=tuple(self._notes(asked, kept, len(part), drawn)),
        )

    def _with_pictures(self, ids: NDArray[np.str_]) -> NDArray[np.str_]:
        return self.pictures(ids, SIZE, "crop").ids

    def _notes(self, split: str, kept: frozenset[str] | None, stimuli: int, drawn: int | None) -> Iterator[str]:
        """What is not compared, and why."""
        if kept is not None:
            yield f"{self.people.name}: {stimuli:,} of people's {len(self.people):,} stimuli are in the {split} split"
        if drawn is not None:
            every = f"those of {stimuli:,} that all models have"
            yield f"{self.people.name}: {drawn:,} stimuli, drawn by the seed from {every}"

    def _ids_of(self, split: str, own: Sequence[Learned]) -> frozenset[str] | None:
        """Ids of a split, as every run cut it; as the set is cut by itself without a run; None for all."""
        if split == "all":
            return None
        if not own:
            return self._own_split(split)
        lacking = next((run for run in own if split not in run.parts), None)
        if lacking is not None:
            raise DataError(f"{lacking.name}: its run has no {split} split; it has {', '.join(lacking.parts)}: --split")
        common = frozenset.intersection(*(run.parts[split] for run in own))
        common &= frozenset(self.people.ids.tolist())
        if not common:
            sizes = ", ".join(f"{run.name} {len(run.parts[split])}" for run in own)
            raise DataError(
                f"{self.people.name}: no picture is in the {split} split of every run ({sizes}): they were cut by "
                "other seeds; compare them one at a time, or runs with one affective.split_seed"
            )
        return common

    def _own_split(self, split: str) -> frozenset[str]:
        if not self.set:
            raise DataError(f"--split {split}: {self.people.name} has no splits of its own; leave --split out")
        from affekt.data import open_stimuli

        cut = open_stimuli(self._settings(SIZE, "crop"), data_root=self.root)
        return frozenset(cut[split].ids.tolist())

    def _same(self, run: Learned) -> bool:
        """Whether a run learned from the pictures that people judged."""
        if self.set:
            return run.set == self.set
        return run.root is not None and self.folder is not None and run.root.resolve() == self.folder.resolve()

    def _by_source(self, runs: Sequence[Learned]) -> list[str]:
        """Stimuli made from pictures that a run may have learned from: their sources have the same names."""
        sources = frozenset(self.people.groups.tolist())
        found = []
        for run in runs if not self.set else ():
            same = sources & (run.ids | run.groups)
            if same:
                found.append(
                    f"That these stimuli are a test of {run.name}, if pictures of one name are the same: it learned "
                    f"from {len(same)} pictures with names of their sources ({first(sorted(same), n=3)})."
                )
        return found

    def _settings(self, image_size: int, fit: Fit) -> Any:
        from affekt.data import dataset

        options = READERS[self.people.name][1]
        return dataset(self.set).settings(image_size=image_size, fit=fit, options=options, allow_missing=True)

    def _of_set(self, ids: NDArray[np.str_], image_size: int, fit: Fit) -> Stimuli:
        from affekt.data import dataset, dataset_folder

        settings = self._settings(image_size, fit)
        found = dataset(self.set).stimuli(dataset_folder(settings, self.root), settings)
        rows = np.flatnonzero(np.isin(found.ids, ids))
        if not len(rows):
            raise DataError(
                f"{self.people.name}: none of its {len(ids)} pictures is there; its ids: {first(ids, n=3)}, those of "
                f"{self.set}: {first(found.ids, n=3)}"
            )
        return found.take(rows)

    def _in_folder(self, ids: NDArray[np.str_], image_size: int, fit: Fit) -> Stimuli:
        from affekt.data import FilePictures, Labels, Stimuli

        if self.folder is None:
            raise DataError(
                f"{self.people.name}: has no pictures to show a network; give tables of its answers (csv, parquet, "
                f"npz) with ids like {first(self.people.ids, n=2)}, or pictures of that name: --stimuli DIR"
            )
        if not self._paths:
            self._paths.update(paths_of(self.folder, self.people.ids.tolist()))
        there = [name for name in ids.tolist() if name in self._paths]
        if not there:
            raise DataError(
                f"{self.folder}: none of people's {len(ids)} stimuli is a picture in it, e.g. {first(ids, n=2)}; say "
                "where they are: --stimuli DIR"
            )
        names = np.array(there)
        files = FilePictures([self._paths[name] for name in there], image_size=image_size, fit=fit)
        return Stimuli(name=self.people.name, ids=names, pictures=files, labels=Labels(), groups=names)


def of_people(
    people: Ratings | Votes | Trials, humans: str, *, root: Path | None, folder: Path | None
) -> StimuliOfPeople:
    """Where the pictures are that people judged.

    Args:
        humans: what people were asked for by: the name of a set, or a path.
        folder: ``--stimuli``.

    Raises:
        DataError: no such folder.
    """
    if folder is not None and not folder.is_dir():
        raise DataError(f"--stimuli {folder}: no such folder")
    from affekt.data import dataset

    # As people are read: a folder of a set's name in the working folder is none, "./oasis" is.
    named = people.name in READERS and Path(humans).name == humans and not Path(humans).suffix
    if named and folder is None:
        described = dataset(READERS[people.name][0])
        return StimuliOfPeople(people=people, set=described.name, root=root, folder=None, citation=described.citation)
    path = Path(humans).expanduser()
    beside = path if path.is_dir() else path.parent if path.is_file() else None
    return StimuliOfPeople(people=people, set="", root=root, folder=folder or beside)


def paths_of(folder: Path, ids: Sequence[str]) -> dict[str, Path]:
    """Id -> picture below a folder: the path that the id is, with or without an ending."""
    from affekt.data.affective.files import pictures_by_stem

    found = {name: folder / name for name in ids if name and (folder / name).is_file()}
    rest = [name for name in ids if name and name not in found]
    stems: dict[Path, dict[str, str]] = {}
    for name in rest:
        place = (folder / name).parent
        known = stems.setdefault(place, pictures_by_stem(place))
        if (stem := Path(name).name) in known:
            found[name] = place / known[stem]
    return found


def _seen(own: Sequence[Learned], kept: frozenset[str] | None) -> list[str]:
    """What runs learned from among the stimuli that are compared."""
    found = []
    for run in own:
        n = len(run.ids if kept is None else run.ids & kept)
        if n:
            found.append(
                f"That these pictures are a test of {run.name}: it learned from, or was selected by, {n:,} of them. "
                "Without --split only those are compared that it has not seen."
            )
    return found


def _unknown(names: Sequence[str]) -> str:
    return f"That these stimuli are a test of {first(names)}: it is not known what was learned from (no run's folder)."
