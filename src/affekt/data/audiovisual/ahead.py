"""Working ahead: clips decoded by threads, in order, never more than a bounded number at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from affekt.data.audiovisual.clips import Decoded, Media
from affekt.errors import DataError, first

T = TypeVar("T")
R = TypeVar("R")


def mapped(work: Callable[[T], R], items: Iterable[T], workers: int, ahead: int) -> Generator[R, None, None]:
    """``work(item)`` for each item, in order, by ``workers`` threads that are at most ``ahead`` items before.

    Threads, since decoders and the resampler let go of the interpreter while they work: nothing is copied between
    processes, and a clip of faces is megabytes. With 0 workers it is done here, when it is asked for.
    """
    if workers <= 0:
        yield from map(work, items)
        return
    pending: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) >= max(1, ahead):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def read_or_say(media: Media, index: int) -> Decoded | str:
    """A clip, or the line that says why it cannot be read; other errors (a missing package) are raised."""
    try:
        return media.read(index)
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
