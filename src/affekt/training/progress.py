"""Progress: a bar with items/s and the time left on a terminal, a line a validation elsewhere, or nothing."""

from __future__ import annotations

import sys
from typing import Any, Protocol, TextIO


class Progress(Protocol):
    """What the trainer tells while it works."""

    def start(self, total: int, done: int) -> None:
        """``done`` of ``total`` items are worked through."""

    def advance(self, items: int) -> None:
        """So many more."""

    def describe(self, text: str) -> None:
        """Where we are, in a few words: shown beside the bar."""

    def say(self, text: str) -> None:
        """A line that stays."""

    def stop(self) -> None:
        """The end, good or bad."""


class NoProgress:
    """Says nothing: what a library does unless asked."""

    def start(self, total: int, done: int) -> None: ...

    def advance(self, items: int) -> None: ...

    def describe(self, text: str) -> None: ...

    def say(self, text: str) -> None: ...

    def stop(self) -> None: ...


class LineProgress(NoProgress):
    """The lines that stay, without a bar: for a stream that is no terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def say(self, text: str) -> None:
        stream = self._stream or sys.stderr
        stream.write(text + "\n")
        stream.flush()


class RichProgress:
    """A bar on stderr: what, how far, items/s, time left."""

    def __init__(self, console: Any = None) -> None:
        self._console = console
        self._bar: Any = None
        self._task: Any = None

    def start(self, total: int, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self.stop()
        console = self._console or Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task("training", total=total, completed=done, rate="")
        self._bar.start()

    def advance(self, items: int) -> None:
        if self._bar is not None:
            speed = self._bar.tasks[self._task].speed
            self._bar.update(self._task, advance=items, rate=f"{speed:,.0f} items/s" if speed else "")

    def describe(self, text: str) -> None:
        if self._bar is not None:
            self._bar.update(self._task, description=text)

    def say(self, text: str) -> None:
        from rich.console import Console

        # Before the bar is there, too.
        console = self._bar.console if self._bar is not None else self._console or Console(stderr=True)
        console.print(text, markup=False, highlight=False)

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def create_progress() -> Progress:
    """A bar where stderr is a terminal, a line a validation where it is not."""
    return RichProgress() if sys.stderr.isatty() else LineProgress()
