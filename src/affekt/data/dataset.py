"""Dataset: the frozen description of a set of pictures - licence, citation, labels, where to get it - and how it is
read.

Nothing here imports torch, so that `affekt data list` answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, overload

import numpy as np

from affekt.data.description import Description, Source
from affekt.data.stimuli import SPLITS, Stimuli
from affekt.errors import DataError, UsageError, unknown
from affekt.recipe import DataSettings
from affekt.recipe.settings import Value

__all__ = ["Dataset", "Description", "HasOptions", "Source", "option"]

T = TypeVar("T", str, int, float, bool, tuple[str, ...])


@dataclass(frozen=True, kw_only=True)
class Dataset(Description):
    """What is known of a set of pictures before it is read; see :class:`~affekt.data.description.Description`.

    Attributes:
        read: (folder, settings) -> the whole set, all splits.
    """

    kind: Literal["affective", "target", "pack"]
    read: Callable[[Path, DataSettings], Stimuli]

    def stimuli(self, root: Path | str, settings: DataSettings) -> Stimuli:
        """The whole set from its folder ``root``, all splits; valence as its classes where the settings ask for it.

        Raises:
            UsageError: a reader option that this set does not have, or what :func:`valence_classes` refuses.
            DataError: the folder is missing, or what the reader finds wrong with it.
        """
        from affekt.data.affective.valence import valence_classes

        self.check_options(settings.options)
        stimuli = self.read(self.existing(root), settings)
        if settings.valence_as != "as-is":
            neutral = settings.valence_as == "three-classes"
            labels = valence_classes(stimuli.labels, neutral=neutral, margin=settings.valence_margin)
            stimuli = replace(stimuli, labels=labels)
        return with_class(stimuli) if settings.without_class == "drop" else stimuli

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
        known, others = self.sort_settings(values, keys)
        return DataSettings(**({"name": self.name} | known | {"options": options | others}))  # type: ignore[arg-type]


def with_class(stimuli: Stimuli) -> Stimuli:
    """The stimuli that have a class, with a note of how many have none.

    Raises:
        DataError: none has one.
    """
    category = stimuli.labels.category
    kept = np.flatnonzero(category >= 0) if category is not None else np.array([], dtype=np.int64)
    if not len(kept):
        raise DataError(f'{stimuli.name}: without_class = "drop", and no {stimuli.noun} has a class')
    out = len(stimuli) - len(kept)
    note = f"{stimuli.name}: {out} of {len(stimuli)} {stimuli.noun}s have no class and are left out"
    return replace(stimuli.take(kept), notes=(*stimuli.notes, note)) if out else stimuli


class HasOptions(Protocol):
    """Settings of a data set with options of its reader."""

    @property
    def name(self) -> str: ...

    @property
    def options(self) -> Mapping[str, Value]: ...


@overload
def option(settings: HasOptions, name: str, kind: type[T], default: T, *, choices: Sequence[T] = ()) -> T: ...


@overload
def option(settings: HasOptions, name: str, kind: type[T], default: None, *, choices: Sequence[T] = ()) -> T | None: ...


def option(settings: HasOptions, name: str, kind: Any, default: Any, *, choices: Sequence[Any] = ()) -> Any:
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
