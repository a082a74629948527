"""Full memory: whether an error says that there is none left, and what a batch that did not fit has changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from affekt.errors import TrainingError

SIGNS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "alloc_failed",
    "could not create a memory",
)
"""In messages of errors that have no class of their own: of torch on a CPU, of CUDA's libraries, of oneDNN."""

WHOLE = "could not create a primitive"
"""All that oneDNN says where it finds no room for code or scratch; with more words it means something else."""


FULL = "memory was full"
"""What notes about it begin with."""


class FullMemory(Exception):  # noqa: N818 - reads as what it is
    """A batch did not fit; the tensors that its forward passes change are as before it."""


def is_full(error: BaseException) -> bool:
    """Whether an error says that memory ran out, whosever memory it was.

    On a CPU only some of these can be caught: a system that has promised more than it has ends the process instead.
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (text.strip() == WHOLE or any(sign in text for sign in SIGNS))


def let_go(device: torch.device) -> None:
    """Give what is cached but not used back to the device, so that other sizes find room."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


@contextmanager
def said_when_full(device: torch.device) -> Iterator[None]:
    """A block in which memory that is full, and for which nobody else knew what to do, is said in one line.

    Raises:
        TrainingError: it is.
    """
    try:
        yield
    except Exception as error:
        if not is_full(error):
            raise
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise TrainingError(
            f"the memory of {device} is full ({said}); take a smaller network, smaller pictures, a smaller batch_size "
            "or evaluation_batch_size, or keep less of the data in memory"
        ) from None


class Kept:
    """Copies of tensors that a step changes before it is known to fit, such as running statistics."""

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        self._live = list(tensors)
        self._copies = [tensor.clone() for tensor in self._live]

    @torch.no_grad()
    def keep(self) -> None:
        """Copy them as they are now."""
        if self._live:
            torch._foreach_copy_(self._copies, self._live)

    @torch.no_grad()
    def put_back(self) -> None:
        """Make them what they were at the last :meth:`keep`."""
        if self._live:
            torch._foreach_copy_(self._live, self._copies)
