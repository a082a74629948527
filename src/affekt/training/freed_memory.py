"""Freed memory: what one step frees is kept for the next instead of going back to the system.

A step on a CPU allocates and frees the same large tensors again and again. glibc maps each of them anew and gives it
back when it is freed, and the system has to clear every page of it before the next step may write there: 4 to 8 % of a
step's time for small networks. With the thresholds raised the pages stay with the process, which needs no more of them
than it needed at its peak.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's ``malloc.h`` for ``mallopt``."""

KEPT = 2**30
"""Bytes: allocations up to here are kept, and twice that of the heap's free end, less one: an int."""

USUAL = 32 * 2**20
"""Bytes: where glibc's own, moving threshold ends once large blocks were freed."""


@contextmanager
def kept(device: torch.device) -> Iterator[None]:
    """A block in which freed memory stays with the process; afterwards it goes back to the system.

    Nothing happens on other devices, without glibc, and where the environment sets thresholds (``MALLOC_...``): who
    does that knows better.
    """
    library = _glibc() if device.type == "cpu" else None
    if library is None:
        yield
        return
    _set(library, KEPT)
    try:
        yield
    finally:
        _set(library, USUAL)
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """None where there is none, or the environment has set it up."""
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return None
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - other libraries' mallopt takes other numbers
    except (OSError, TypeError, AttributeError):  # TypeError: Windows knows no library of that name
        return None
    return library


def _set(library: ctypes.CDLL, size: int) -> None:
    """glibc refuses a size that is too large for it, and keeps what it has."""
    library.mallopt(MMAP_THRESHOLD, size)
    library.mallopt(TRIM_THRESHOLD, 2 * size - 1)
