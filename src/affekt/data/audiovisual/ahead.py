"""Clips that were read ahead, and those that could not be read told apart from them."""

from __future__ import annotations

from collections.abc import Sequence

from affekt.data.audiovisual.clips import Decoded, Media
from affekt.errors import AlteredError, DataError, first


def read_or_say(media: Media, index: int) -> Decoded | str:
    """A clip, or the line that says why it cannot be read; what is no fault of the clip (a missing package, an altered
    pack) is raised."""
    try:
        return media.read(index)
    except AlteredError:
        raise
    except DataError as error:
        return str(error)


def told_apart(
    name: str, found: Sequence[Decoded | str], *, some: bool = True
) -> tuple[list[int], list[Decoded], list[str]]:
    """The places of the clips that were read, these clips, and the lines of the others.

    Args:
        name: of the set, for the message.
        some: refuse where none was read.

    Raises:
        DataError: none was read.
    """
    there = [(place, clip) for place, clip in enumerate(found) if isinstance(clip, Decoded)]
    problems = [line for line in found if isinstance(line, str)]
    if not there and some:
        raise DataError(f"{name}: none of {len(found)} clips can be read: {first(problems, n=1)}")
    return [place for place, _ in there], [clip for _, clip in there], problems
