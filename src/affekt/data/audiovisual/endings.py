"""Endings: what is said of a file that is shorter than it declares, or that a decoder cannot read."""

from __future__ import annotations

from pathlib import Path

from affekt.errors import DataError

TOLERANCE = 0.1
"""Seconds that a file may end before what its header says: encoders round to their own frames."""


def ends_in_the_middle(path: Path, found: float, declared: float) -> DataError:
    """The error for a file that is shorter than it says, seconds found and declared."""
    return DataError(
        f"{path}: ends in the middle: {found:.2f} s of the {declared:.2f} s that its header says; copy it anew"
    )


def ends_early(path: Path, found: float, declared: float) -> tuple[str, ...]:
    """A note for a file that is shorter than its container says, by so little that the container may be wrong."""
    if declared - found <= TOLERANCE:
        return ()
    return (f"{path}: ends {declared - found:.2f} s before what its header says",)


def ends_before(path: Path, there: float | None, start: float, end: float | None) -> tuple[str, ...]:
    """A note for a stretch whose end lies behind that of its file, though what is read of it may be there.

    Args:
        there: seconds of the file; None: it does not say.
        start, end: of the stretch.
    """
    if there is None or end is None or end <= there + TOLERANCE:
        return ()
    return (f"{path}: ends at {there:.2f} s; {start:.2f} to {end:.2f} s was asked for",)


def empty(path: Path) -> DataError:
    """The error for a file of no bytes."""
    return DataError(f"{path}: empty (0 bytes); copy it anew, or leave it out")


def reason(error: Exception) -> str:
    """What a decoder says, short and without the path that stands before it already."""
    text = " ".join(str(error).split()).split(": '")[0].split(" '/")[0]
    text = text.partition("] ")[2] if text.startswith("[Errno") else text
    return text[:120] or type(error).__name__
