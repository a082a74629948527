"""The pickles of CIFAR's python archives, read without running anything of theirs.

A pickle is a program. The official batches (protocol 2, written by Python 2) need three names: NumPy's array
reconstruction, ``ndarray`` and ``dtype``. Stand-ins answer to these three, so that not even NumPy's own unpickling sees
what the file says; any other name ends the reading before it is looked up.
"""

from __future__ import annotations

import io
import pickle
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from affekt.errors import DataError

Field = NDArray[np.uint8] | NDArray[np.int64] | list[Any] | int | str
_ITEM_TYPES = {"u1": np.uint8, "i8": np.int64, "i4": np.int32}


class _RefusedError(Exception):
    """A pickle that asks for what a batch does not contain."""


class _Dtype:
    """Stand-in for ``numpy.dtype``: keeps the type code, nothing else."""

    def __init__(self, code: object, *_: object) -> None:
        self.code = _text(code)

    def __setstate__(self, state: object) -> None:
        order = _text(state[1]) if isinstance(state, tuple) and len(state) > 1 else "|"
        if order not in ("|", "<", "="):
            raise _RefusedError(f"an array of byte order {order!r}")


class _NdArray:
    """Stand-in for ``numpy.ndarray``: only a token to hand to :class:`_Array`."""


class _Array:
    """Stand-in for ``_reconstruct(ndarray, (0,), "b")`` and its state."""

    def __init__(self, *_: object) -> None:
        self.values: NDArray[Any] = np.empty(0, np.uint8)

    def __setstate__(self, state: object) -> None:
        match state:
            case (_, tuple() as shape, _Dtype(code=code), bool() | int() as fortran, bytes() as raw) if (
                code in _ITEM_TYPES and not fortran and all(isinstance(n, int) and n >= 0 for n in shape)
            ):
                self.values = np.frombuffer(raw, _ITEM_TYPES[code]).reshape(shape)
            case _:
                raise _RefusedError("an array of another kind than whole numbers in C order")


class _Reader(pickle.Unpickler):
    """An unpickler that knows three names."""

    _known: ClassVar = {
        (module, name): stand_in
        for core in ("core", "_core")
        for module, name, stand_in in (
            (f"numpy.{core}.multiarray", "_reconstruct", _Array),
            ("numpy", "ndarray", _NdArray),
            ("numpy", "dtype", _Dtype),
        )
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._known[module, name]
        except KeyError:
            raise _RefusedError(f"{module}.{name}") from None

    def persistent_load(self, pid: object) -> Any:
        raise _RefusedError(f"a persistent object {pid!r}")


def read_batch(data: bytes, what: str) -> dict[str, Field]:
    """The fields of one CIFAR batch or meta file by name: arrays, lists of numbers or strings, numbers, strings.

    Args:
        data: the content of the file.
        what: the file's name, for messages.

    Raises:
        DataError: the pickle asks for anything but arrays, lists and text (nothing of it has run), or is damaged.
    """
    try:
        found = _Reader(io.BytesIO(data), encoding="bytes").load()
    except _RefusedError as error:
        raise DataError(
            f"{what}: not read: its pickle asks for {error}, which no CIFAR batch contains; nothing of it has run"
        ) from None
    # A damaged pickle may raise anything.
    except Exception as error:
        raise DataError(f"{what}: damaged ({type(error).__name__}: {error}); delete it and fetch it again") from None
    if not isinstance(found, dict):
        raise DataError(f"{what}: a {type(found).__name__} where a CIFAR batch holds a dictionary")
    return {_text(key): _field(value) for key, value in found.items()}


def _field(value: Any) -> Any:
    if isinstance(value, _Array):
        return value.values
    if isinstance(value, list):
        return [_text(v) if isinstance(v, bytes) else v for v in value]
    return _text(value) if isinstance(value, bytes) else value


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
