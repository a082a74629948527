"""Decoding: pictures read ahead, in order, by threads (into memory) or by worker processes (batch after batch)."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Any, TypeVar

import numpy as np

from affekt.data.stimuli import Ints, Pictures
from affekt.errors import DataError

T = TypeVar("T")
R = TypeVar("R")

CHUNK = 32
"""Pictures a worker decodes at a time: at 224 px 4.8 MB, small enough for a pipe and large enough to be worth it."""


def default_workers() -> int:
    """Workers by the cores this process may use, shared with the other processes of a distributed run; at most 8."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(8, cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))


def read_array(pictures: Pictures, indices: Ints) -> Any:
    """``(B, 3, H, W)`` uint8 NumPy array, without torch where the pictures can do so."""
    reader = getattr(pictures, "read_array", None)
    return reader(indices) if reader is not None else pictures.read(indices).numpy()


def decode_into(out: Any, pictures: Pictures, threads: int) -> None:
    """Fill ``out``, ``(N, 3, H, W)`` uint8, with all N pictures.

    Threads, since Pillow lets go of the interpreter while it decodes and resizes: no second copy, no start-up, and no
    demand on the calling script. (Pictures of 32 px are decoded at about half the rate that processes would reach.)
    """

    def fill(rows: Ints) -> None:
        out[rows[0] : rows[-1] + 1] = read_array(pictures, rows)

    parts = np.array_split(np.arange(len(pictures)), -(-len(pictures) // CHUNK))
    with ThreadPoolExecutor(max(1, threads)) as pool:
        futures = [pool.submit(fill, part) for part in parts]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


_PICTURES: list[Pictures] = []


def _start_worker(pickled: bytes) -> None:
    """In a worker: take the pictures, leave Ctrl-C to the parent, and end when the parent ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _PICTURES[:] = [pickle.loads(pickled)]  # noqa: S301 - made by this process's own parent a moment ago


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _decode(indices: Ints) -> Any:
    return read_array(_PICTURES[0], indices)


class WorkerPool:
    """Worker processes that decode batches ahead; started at the first use, ended by :meth:`close`.

    Results travel through pipes, not through shared memory: copying costs some 4 % of decoding at 224 px, and
    ``/dev/shm`` of a container often holds 64 MB only, whose end is a bus error.
    """

    def __init__(self, pictures: Pictures, workers: int, name: str) -> None:
        self.pictures = pictures
        self.workers = workers
        self.name = name
        self._pool: ProcessPoolExecutor | None = None

    def decoded(self, batches: Iterable[Ints]) -> Iterator[list[Any]]:
        """Each batch as a list of ``(b, 3, H, W)`` chunks, in order; at most about two chunks a worker wait.

        Raises:
            DataError: a picture that does not decode, or a worker that died.
        """
        pending: deque[list[Future[Any]]] = deque()
        ahead = 0
        try:
            for indices in batches:
                chunks = [indices[i : i + CHUNK] for i in range(0, len(indices), CHUNK)]
                pending.append([self._executor().submit(_decode, chunk) for chunk in chunks])
                ahead += len(chunks)
                while len(pending) > 1 and ahead - len(pending[0]) >= 2 * self.workers:
                    ahead -= len(pending[0])
                    yield [f.result() for f in pending.popleft()]
            while pending:
                yield [f.result() for f in pending.popleft()]
        except BrokenProcessPool:
            self.close()
            raise DataError(self._died()) from None
        finally:
            for futures in pending:
                for future in futures:
                    future.cancel()

    def _executor(self) -> ProcessPoolExecutor:
        if self._pool is None:
            try:
                pickled = pickle.dumps(self.pictures)
            except Exception as error:
                kind = type(self.pictures).__name__
                text = f"{self.name}: {kind} cannot be sent to worker processes ({error}); write workers = 0"
                raise DataError(text) from None
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self.workers, mp_context=context, initializer=_start_worker, initargs=(pickled,)
            )
        return self._pool

    def _died(self) -> str:
        return (
            f"{self.name}: a decoding worker died (killed, out of memory, or a script that trains outside "
            '`if __name__ == "__main__":`); write fewer workers, or workers = 0 to decode in this process'
        )

    def close(self) -> None:
        """End the workers; what they still decode is thrown away."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


_END: Any = object()


def in_background(make: Callable[[], Iterable[T]], ahead: int = 2) -> Iterator[T]:
    """The items of ``make()``, produced by a thread of their own that runs at most ``ahead`` items before the consumer.

    An error of the producer is raised here; a consumer that stops early stops the producer.
    """
    items: queue.Queue[Any] = queue.Queue(maxsize=ahead)
    stop = threading.Event()

    def put(item: Any) -> bool:
        while not stop.is_set():
            try:
                items.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def produce() -> None:
        source = iter(make())
        try:
            for item in source:
                if not put((item, None)):
                    return
            put((_END, None))
        except BaseException as error:
            put((_END, error))
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        while True:
            item, error = items.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stop.set()
        thread.join()


def in_order(read: Callable[[Ints], R], batches: Sequence[Ints]) -> Iterator[R]:
    """``read(batch)`` for each batch, in this process."""
    for indices in batches:
        yield read(indices)
