"""Study table: on a terminal, all runs of a study as they go, a row a condition and a column a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from affekt.study.jobs import Job
    from affekt.study.timetable import Timetable, Watch
    from affekt.study.working import Outcome

WORDS = {"waiting": "", "running": "running", "done before": "done", "finished": "done", "failed": "failed"}
STYLES = {"running": "bold", "failed": "red", "waiting": "dim"}
REFRESH = 2.0
"""Times a second."""


class StudyTable:
    """A table on stderr that is drawn anew while runs are at work: seconds of those that are done, per cent of those
    that run, the time left. Nobody sees a score before the end."""

    def __init__(self, console: Any = None) -> None:
        self._console = console
        self._live: Any = None
        self._timetable: Timetable | None = None

    def begin(self, timetable: Timetable) -> None:
        from rich.console import Console
        from rich.live import Live

        self._timetable = timetable
        console = self._console or Console(stderr=True)
        self._live = Live(
            get_renderable=self.table, console=console, refresh_per_second=REFRESH, vertical_overflow="crop"
        )
        self._live.start()

    def ended(self, job: Job, outcome: Outcome) -> None:
        if outcome.status != "finished" and self._live is not None:
            self._live.console.print(f"{job.title} failed: {outcome.error}", markup=False, highlight=False)

    def stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def table(self) -> Any:
        """What is drawn."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        from affekt.study.timetable import duration

        timetable = self._timetable
        assert timetable is not None
        ended, count = timetable.counts
        left = timetable.left()
        rest = "" if left is None or ended == count else f", {duration(left)} left"
        columns = list(dict.fromkeys(job.column for job in timetable.jobs if job.kind != "pretrain"))
        drawn = Table(box=None, pad_edge=False)
        drawn.add_column("run", no_wrap=True)
        for column in columns:
            drawn.add_column(column, justify="right", no_wrap=True)
        for name in dict.fromkeys(job.name for job in timetable.jobs):
            cells = {job.column: self._cell(job) for job in timetable.jobs if job.name == name}
            # What is shared by trials of learning rates stands in the first column.
            shown = [cells.get(column, "") for column in columns] if cells.keys() & {*columns} else [*cells.values()]
            drawn.add_row(Text(name), *shown)
        return Group(drawn, Text(f"{ended} of {count} done{rest}"))

    def _cell(self, job: Job) -> Any:
        from rich.text import Text

        timetable = self._timetable
        assert timetable is not None
        status = timetable.status[job.folder]
        words = WORDS[status]
        if status == "running" and (part := timetable.part(job)) is not None:
            words = f"{100 * part:.0f} %"
        elif job.folder in timetable.seconds:
            words = f"{timetable.seconds[job.folder]:,.0f} s"
        return Text(words, style=STYLES.get(status, ""))


def create_watch() -> Watch | None:
    """The table where stderr is a terminal; None, for lines, where it is not."""
    import sys

    return StudyTable() if sys.stderr.isatty() else None
