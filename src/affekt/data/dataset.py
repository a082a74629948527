"""Dataset: the frozen description of a data set - licence, citation, labels, where to get it - and how it is read.

Nothing here imports torch, so that `affekt data list` answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

from affekt.data.stimuli import SPLITS, Stimuli
from affekt.errors import DataError, UsageError, unknown
from affekt.recipe import DataSettings

T = TypeVar("T", str, int, float, bool, tuple[str, ...])


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file of a data set that can be fetched.

    Attributes:
        urls: where it is, tried in this order.
        file: its name within the data set's folder.
        sha256: hex digest that the file must have.
        size: bytes.
        unpack: folder within the data set's folder that an archive is unpacked into, ``"."`` for that folder itself;
            None: the file is used as it is.
    """

    urls: tuple[str, ...]
    file: str
    sha256: str
    size: int
    unpack: str | None = None


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """What is known of a data set before it is read.

    Attributes:
        name: as written in a recipe, with dashes.
        title: one line for people.
        kind: ``"affective"`` (pictures with affect labels) or ``"target"`` (pictures with classes).
        licence: of pictures and labels, in one line.
        show_pictures: whether the licence lets a report show them.
        citation: the paper or the people.
        homepage: where people get it and read its terms.
        labels: the kinds of label it has, e.g. ``("votes", "valence")``.
        categories: emotions or classes; empty where the data say it (a folder, a table).
        layout: what the folder must hold, in one or a few lines.
        expected: number of pictures of a complete copy; None where it varies.
        sources: files that ``affekt data fetch`` can get; empty where people must ask for the set.
        options: reader option -> one line about it, with its default.
        read: (folder, settings) -> the whole set, all splits.
        needs_folder: False where pictures come with an installed package.
    """

    name: str
    title: str
    kind: Literal["affective", "target"]
    licence: str
    show_pictures: bool
    citation: str
    homepage: str
    labels: tuple[str, ...]
    layout: str
    read: Callable[[Path, DataSettings], Stimuli]
    categories: tuple[str, ...] = ()
    expected: int | None = None
    sources: tuple[Source, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    needs_folder: bool = True

    def stimuli(self, root: Path | str, settings: DataSettings) -> Stimuli:
        """The whole set from its folder ``root``, all splits; valence as its classes where the settings ask for it.

        Raises:
            UsageError: a reader option that this set does not have, or what :func:`valence_classes` refuses.
            DataError: the folder is missing, or what the reader finds wrong with it.
        """
        from affekt.data.affective.valence import valence_classes

        self._check_options(settings.options)
        folder = Path(root).expanduser()
        if self.needs_folder and not folder.exists():
            raise DataError(self._missing(folder))
        stimuli = self.read(folder, settings)
        if settings.valence_as == "as-is":
            return stimuli
        neutral = settings.valence_as == "three-classes"
        labels = valence_classes(stimuli.labels, neutral=neutral, margin=settings.valence_margin)
        return replace(stimuli, labels=labels)

    def open(self, root: Path | str, split: str = "train", *, seed: int = 0, **settings: Any) -> Stimuli:
        """One split of the set in ``root``: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``.

        Args:
            seed: of the split, where the set fixes none.
            settings: keys of :class:`~affekt.recipe.DataSettings`, or options of this reader.

        Raises:
            UsageError: no such split, key or option.
            DataError: as :meth:`stimuli`, or splits that share a group.
        """
        from affekt.data.splits import make_splits

        if split not in (*SPLITS, "all"):
            raise UsageError(unknown("split", split, (*SPLITS, "all")))
        chosen = self.settings(**settings)
        stimuli = self.stimuli(root, chosen)
        return stimuli if split == "all" else make_splits(stimuli, chosen, seed)[split]

    def settings(self, **values: Any) -> DataSettings:
        """Settings for this set from keys of ``DataSettings`` and, beside them, options of its reader.

        Raises:
            UsageError: a name that is neither.
        """
        keys = {f.name for f in fields(DataSettings)}
        options = dict(values.pop("options", {}))
        options |= {k: v for k, v in values.items() if k in self.options and k not in keys}
        for name in values:
            if name not in keys and name not in self.options:
                raise UsageError(unknown(f"{self.name}: setting", name, (*keys, *self.options)))
        known = {k: v for k, v in values.items() if k in keys}
        return DataSettings(**({"name": self.name} | known | {"options": options}))

    def _check_options(self, options: Mapping[str, object]) -> None:
        for name in options:
            if name not in self.options:
                known = f"{self.name} has no options" if not self.options else None
                raise UsageError(unknown(f"{self.name}: option", name, self.options, everything=known))

    def _missing(self, folder: Path) -> str:
        layout = " ".join(self.layout.split())
        ways = ["say where it is: `root` in the recipe, --data-root or AFFEKT_DATA (its parent)"]
        if self.sources:
            ways.insert(0, f"get it with `affekt data fetch {self.name}`")
        elif self.homepage.startswith("http"):
            ways.insert(0, f"get it from {self.homepage}")
        return f"{self.name}: no folder {folder}; {', or '.join(ways)}. It must hold: {layout}"

    def is_in(self, folder: Path) -> bool:
        """Whether ``folder`` holds something: a fetch that failed leaves an empty one."""
        return folder.is_dir() and any(folder.iterdir())


@overload
def option(settings: DataSettings, name: str, kind: type[T], default: T, *, choices: Sequence[T] = ()) -> T: ...


@overload
def option(
    settings: DataSettings, name: str, kind: type[T], default: None, *, choices: Sequence[T] = ()
) -> T | None: ...


def option(settings: DataSettings, name: str, kind: Any, default: Any, *, choices: Sequence[Any] = ()) -> Any:
    """The value of a reader option, checked.

    Args:
        kind: ``str``, ``int``, ``float`` (an int will do), ``bool`` or ``tuple`` (of strings; one string will do).
        default: what it is where the recipe does not say.
        choices: the values allowed, for options that have few.

    Raises:
        UsageError: a value of another type, or none of ``choices``.
    """
    if name not in settings.options:
        return default
    found: Any = settings.options[name]
    value = _as_kind(found, kind)
    if value is None:
        wanted = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}.get(kind, "a list")
        raise UsageError(f"{settings.name}: option {name} = {found!r}: write {wanted}")
    if choices and value not in choices:
        raise UsageError(unknown(f"{settings.name}: option {name}", str(value), map(str, choices)))
    return value


def _as_kind(value: Any, kind: Any) -> Any:
    """``value`` if it is (or, for the two lenient kinds, stands for) a ``kind``; else None."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind not in (str, int, float, bool):
        items = (value,) if isinstance(value, str) else value
        return tuple(items) if isinstance(items, list | tuple) and all(isinstance(i, str) for i in items) else None
    return value if type(value) is kind else None
