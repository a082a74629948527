"""What the verbs of ``affekt data`` share: which set, where, how it is read; a progress bar."""

from __future__ import annotations

import argparse
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from affekt.cli.options import add_data_root
from affekt.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from affekt.data import Dataset, Description, Stimuli
    from affekt.data.audiovisual import ClipDataset, Clips
    from affekt.recipe import ClipSettings, DataSettings

Some = TypeVar("Some", "Stimuli", "Clips")


def of_clips(described: Description) -> ClipDataset | None:
    """The description as one of clips; None: it is one of pictures."""
    if described.kind != "audiovisual":
        return None
    from affekt.data.audiovisual import clip_dataset

    return clip_dataset(described.name)


def named(name: str, verb: str) -> Description:
    """What is known of the data set NAME of ``affekt data VERB``.

    Raises:
        UsageError: none is called so; a folder in the place of a name, with the call that takes it.
    """
    from affekt.data import describe

    try:
        return describe(name)
    except UsageError:
        folder = Path(name).expanduser()
        if not folder.is_dir():
            raise
        raise UsageError(f'data set "{name}": a folder, not a name; {_call_of(folder, name, verb)}') from None


def _call_of(folder: Path, written: str, verb: str) -> str:
    """What to write for a folder: of a pack, of a set whose name it has, else of class folders of pictures."""
    from affekt.data import describe
    from affekt.data.packs.files import MANIFEST, kind_of_pack

    if kind_of_pack(folder) == "clips" and verb != "check":
        return f'it holds a pack of clips, which a recipe takes as [clips] pack = "{written}"'
    rest = f"--root {shlex.quote(written)}" + (" --out DIR" if verb == "pack" else "")
    if (folder / MANIFEST).is_file():
        return f"write affekt data {verb} pack {rest}"
    with suppress(UsageError):
        return f"write affekt data {verb} {describe(folder.name).name} {rest}"
    return f"write affekt data {verb} folder {rest} (or the set's own name: affekt data list)"


Step = Callable[[str, int, int], None]


def add_reading(parser: argparse.ArgumentParser) -> None:
    """NAME, --root, --option, --data-root: which data set, where, how it is read."""
    parser.add_argument("name", metavar="NAME", help="data set (affekt data list)")
    add_reader(parser)


def add_options(parser: argparse.ArgumentParser, about: str) -> None:
    """--option KEY=VALUE (or --set), as often as wanted."""
    names = ("--option", "--set")  # the second is what a recipe's verbs call their settings
    parser.add_argument(*names, action="append", default=[], metavar="KEY=VALUE", dest="options", help=about)


def add_reader(parser: argparse.ArgumentParser) -> None:
    """--root, --option, --data-root: where a data set is and how it is read."""
    parser.add_argument("--root", type=Path, metavar="DIR", help="its folder (default: DIR/NAME of --data-root)")
    add_options(parser, "option of its reader, repeatable")
    add_data_root(parser)


@overload
def settings_of(described: Dataset, args: argparse.Namespace, **changes: Any) -> DataSettings: ...


@overload
def settings_of(described: ClipDataset, args: argparse.Namespace, **changes: Any) -> ClipSettings: ...


def settings_of(described: Any, args: argparse.Namespace, **changes: Any) -> Any:
    """The settings that NAME, --root and --option say; an option of a set of clips may be a key of its settings."""
    root = {"root": str(args.root)} if args.root is not None else {}
    return described.settings(**root, **changes, options=dict(map(reader_option, args.options)))


def reader_option(text: str, *, flag: str = "--option", example: str = "variants=false") -> tuple[str, Any]:
    """``key=value``; the value is TOML, a bare word is a string.

    Args:
        flag, example: how it is written, for messages.
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f'{flag} "{text}": write KEY=VALUE, e.g. {flag} {example}')
    try:
        found = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        found = value.strip()
    return key.strip(), tuple(found) if isinstance(found, list) else found


def few(items: Some, classes: NDArray[np.int64], limit: int | None) -> Some:
    """``limit`` of the stimuli or clips, drawn evenly over splits and classes, the same each time; a note says so.

    Args:
        classes: ``(N,)`` strata, from 0.
        limit: None, or more than there are: all of them.
    """
    from affekt.data.stratifying import draw_evenly

    total = len(items)
    if limit is None or limit >= total:
        return items
    drawn: Some = items.take(draw_evenly(items.ids, items.split, classes, limit, "pack limit"))
    note = f"{items.name}: {limit:,} of {total:,} {items.noun}s, drawn evenly over its splits and labels"
    return replace(drawn, notes=(*drawn.notes, note))


@contextmanager
def progress(unit: str) -> Iterator[Step | None]:
    """A bar for each file or work on stderr, with rate and time left; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress as bars
    from rich.console import Console

    counted = (
        (bars.DownloadColumn(), bars.TransferSpeedColumn())
        if unit == "bytes"
        else (bars.MofNCompleteColumn(), bars.TextColumn("{task.fields[rate]} /s"))
    )
    columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), *counted, bars.TimeRemainingColumn())
    with bars.Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, bars.TaskID] = {}

        def step(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total, rate="")
            task = bar.tasks[bar.task_ids.index(tasks[name])]
            bar.update(tasks[name], completed=done, total=total, rate=f"{task.speed or 0:.1f}")

        yield step
