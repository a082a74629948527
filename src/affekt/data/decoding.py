"""Decoding: pictures read ahead, in order, by threads (into memory) or by worker processes (batch after batch)."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any, TypeVar

import numpy as np

from affekt.data.stimuli import Ints, Pictures
from affekt.errors import DataError

T = TypeVar("T")
R = TypeVar("R")

CHUNK = 32
"""Pictures a worker decodes at a time: at 224 px 4.8 MB."""


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


def mapped(work: Callable[[T], R], items: Iterable[T], workers: int, ahead: int) -> Generator[R, None, None]:
    """``work(item)`` for each item, in order, by ``workers`` threads that are at most ``ahead`` items before.

    Threads, since decoders and the resampler let go of the interpreter while they work: nothing is copied between
    processes. With 0 workers it is done here, when it is asked for.
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


_PICTURES: list[Pictures] = []
_SLOTS: list[Any] = []


def _start_worker(pickled: bytes, memory: Any, shape: tuple[int, ...]) -> None:
    """In a worker: take the pictures, leave Ctrl-C to the parent, and end when the parent ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _PICTURES[:] = [pickle.loads(pickled)]  # noqa: S301 - made by this process's own parent a moment ago
    _SLOTS[:] = [np.frombuffer(memory, dtype=np.uint8).reshape(shape)]


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _decode(slot: int, indices: Ints) -> None:
    _SLOTS[0][slot, : len(indices)] = read_array(_PICTURES[0], indices)


@dataclass(frozen=True)
class _Job:
    """A chunk on its way: decoded into ``slot``, to be copied into rows ``start`` to ``stop`` of its batch."""

    done: Future[None]
    slot: int
    batch: Any
    start: int
    stop: int


class WorkerPool:
    """Worker processes that decode batches ahead; started at the first use, ended by :meth:`close`.

    Pixels come back through memory shared with the workers: two chunks for each worker and two more, however large the
    batches are. It lies in ``/dev/shm`` where that has room, else in a temporary file (a container's often has 64 MB).
    """

    def __init__(self, pictures: Pictures, workers: int, name: str) -> None:
        self.pictures = pictures
        self.workers = workers
        self.name = name
        self._pool: ProcessPoolExecutor | None = None
        self._slots: Any = None

    def decoded(self, batches: Iterable[Ints]) -> Iterator[Any]:
        """Each batch as ``(B, 3, H, W)`` uint8, in order.

        Raises:
            DataError: a picture that does not decode, or a worker that died.
        """
        pool = self._start()
        free = list(range(len(self._slots)))
        pending: deque[_Job] = deque()
        try:
            for indices in batches:
                batch = np.empty((len(indices), *self._slots.shape[2:]), dtype=np.uint8)
                for start in range(0, max(1, len(indices)), CHUNK):
                    if not free:
                        yield from self._collect(pending, free)
                    slot, stop = free.pop(), min(start + CHUNK, len(indices))
                    pending.append(_Job(pool.submit(_decode, slot, indices[start:stop]), slot, batch, start, stop))
            while pending:
                yield from self._collect(pending, free)
        except BrokenProcessPool:
            self.close()
            raise DataError(self._died()) from None
        finally:
            # What is running writes into its slot: it must be over before the slots are given out again.
            wait_for([job.done for job in pending if not job.done.cancel()])

    def _collect(self, pending: deque[_Job], free: list[int]) -> Iterator[Any]:
        """Take the oldest chunk over; yields its batch if it was the last of it."""
        job = pending[0]
        job.done.result()
        pending.popleft()
        job.batch[job.start : job.stop] = self._slots[job.slot, : job.stop - job.start]
        free.append(job.slot)
        if job.stop == len(job.batch):
            yield job.batch

    def _start(self) -> ProcessPoolExecutor:
        if self._pool is None:
            pickled = self._pickled()
            context = multiprocessing.get_context("spawn")
            one = read_array(self.pictures, np.zeros(1, dtype=np.int64)).shape[1:]
            shape = (2 * self.workers + 2, CHUNK, *one)
            memory = context.RawArray("B", int(np.prod(shape)))
            self._slots = np.frombuffer(memory, dtype=np.uint8).reshape(shape)
            self._pool = ProcessPoolExecutor(
                self.workers, mp_context=context, initializer=_start_worker, initargs=(pickled, memory, shape)
            )
        return self._pool

    def _pickled(self) -> bytes:
        try:
            return pickle.dumps(self.pictures)
        except Exception as error:
            kind = type(self.pictures).__name__
            text = f"{self.name}: {kind} cannot be sent to worker processes ({error}); write workers = 0"
            raise DataError(text) from None

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
            self._slots = None


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
