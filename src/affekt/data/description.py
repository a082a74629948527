"""Description: what is known of a data set before it is read, whether it holds pictures or clips.

Nothing here imports torch, so that `affekt data list` answers at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from affekt.errors import DataError, UsageError, unknown


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
class Description:
    """What is known of a data set before it is read.

    Attributes:
        name: as written in a recipe, with dashes.
        title: one line for people.
        kind: ``"affective"`` (pictures with affect labels), ``"target"`` (pictures with classes), ``"pack"`` (either of
            these, packed) or ``"audiovisual"`` (clips with sound, pictures or both).
        licence: of pictures and labels, in one line.
        show_pictures: whether the licence lets a report show them.
        citation: the paper or the people.
        homepage: where people get it and read its terms.
        labels: the kinds of label it has, e.g. ``("votes", "valence")``.
        categories: emotions or classes; empty where the data say it (a folder, a table).
        layout: what the folder must hold, in one or a few lines.
        expected: number of pictures or clips of a complete copy; None where it varies.
        splits: share of each split that the set fixes, as published; empty where it fixes none.
        sources: files that ``affekt data fetch`` can get; empty where people must ask for the set.
        options: reader option -> one line about it, with its default.
        needs_folder: False where pictures come with an installed package.
    """

    name: str
    title: str
    kind: str
    licence: str
    show_pictures: bool
    citation: str
    homepage: str
    labels: tuple[str, ...]
    layout: str
    categories: tuple[str, ...] = ()
    expected: int | None = None
    splits: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    needs_folder: bool = True

    def is_in(self, folder: Path) -> bool:
        """Whether ``folder`` holds something: a fetch that failed leaves an empty one."""
        return folder.is_dir() and any(folder.iterdir())

    def existing(self, root: Path | str) -> Path:
        """``root`` as a path.

        Raises:
            DataError: it is not there; where to get the set and what it must hold.
        """
        folder = Path(root).expanduser()
        if self.needs_folder and not folder.exists():
            raise DataError(self._missing(folder))
        return folder

    def check_options(self, options: Mapping[str, object]) -> None:
        """
        Raises:
            UsageError: a reader option that this set does not have.
        """
        for name in options:
            if name not in self.options:
                known = f"{self.name} has no options" if not self.options else None
                raise UsageError(unknown(f"{self.name}: option", name, self.options, everything=known))

    def sort_settings(self, values: Mapping[str, object], keys: Iterable[str]) -> tuple[dict[str, object], ...]:
        """``(keys, options)``: named values told apart into keys of the settings and options of the reader.

        Raises:
            UsageError: a name that is neither.
        """
        keys = set(keys)
        for name in values:
            if name not in keys and name not in self.options:
                raise UsageError(unknown(f"{self.name}: setting", name, (*keys, *self.options)))
        known = {k: v for k, v in values.items() if k in keys}
        return known, {k: v for k, v in values.items() if k not in keys}

    def _missing(self, folder: Path) -> str:
        layout = " ".join(self.layout.split())
        ways = ["say where it is: `root` in the recipe, --data-root or AFFEKT_DATA (its parent)"]
        if self.sources:
            ways.insert(0, f"get it with `affekt data fetch {self.name}`")
        elif self.homepage.startswith("http"):
            ways.insert(0, f"get it from {self.homepage}")
        return f"{self.name}: no folder {folder}; {', or '.join(ways)}. It must hold: {layout}"
