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


def check_file(path: Path, *, of_bytes: bool = True) -> None:
    """That there is a file to open.

    Raises:
        DataError: missing, a folder, of no bytes (where these are asked for).
    """
    if path.is_dir():
        raise DataError(f"{path}: a folder; give the files in it, one by one")
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    if of_bytes and not path.stat().st_size:
        raise DataError(f"{path}: empty (0 bytes); copy it anew, or leave it out")


def short(samples: int) -> str:
    """The note of a sound of less than one frame."""
    return f"{samples} {'sample' if samples == 1 else 'samples'}, less than one frame; zeros follow"


def reason(error: Exception) -> str:
    """What a decoder says, short and without the path that stands before it already."""
    text = " ".join(str(error).split()).split(": '")[0].split(" '/")[0]
    text = text.partition("] ")[2] if text.startswith("[Errno") else text
    return text[:120] or type(error).__name__
