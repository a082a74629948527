"""Packed pictures: pixels or the bytes of files in one mapped file, that any number of processes share."""

from __future__ import annotations

import mmap
import shlex
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from affekt.data.packs.columns import COLUMNS, read_arrays
from affekt.data.packs.remaking import anew
from affekt.data.pictures import ArrayPictures, FilePictures, Fit, Pixels, read_picture
from affekt.data.stimuli import Ints, Pictures
from affekt.errors import AlteredError, DataError, UsageError, first

if TYPE_CHECKING:
    from torch import Tensor

PICTURES = "pictures.bin"

HELD = 2**26
"""Bytes read after which a process lets go of the pages that it has mapped (they stay in the system's cache)."""


class PackedPictures:
    """Pictures of a pack; the file is mapped when one is first read. Can be sent to another process.

    What is given out of a picture is compared with the checksum that it was packed with, the first time: from then on
    the system has it in memory, or reads again what was whole a moment ago.
    """

    def __init__(
        self, folder: Path, rows: Ints, *, side: int | None, image_size: int, fit: Fit = "crop", size: int
    ) -> None:
        """
        Args:
            folder: of the pack.
            rows: ``(N,)`` row of the pack for each picture.
            side: of the squares that are stored, pixels; None: the bytes of files are.
            image_size: side of the squares that are read, pixels; stored ones of another side are resized.
            fit: ``"crop"`` or ``"squash"``, where files are decoded.
            size: bytes that the file must have.

        Raises:
            UsageError: an image size below 1.
        """
        if image_size < 1:
            raise UsageError(f"image_size = {image_size}: write a number of pixels, 1 or more")
        self.folder = folder
        self.rows = rows
        self.side = side
        self.image_size = image_size
        self.fit: Fit = fit
        self.size = size

    def __len__(self) -> int:
        return len(self.rows)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_map", "_starts", "_crc", "_unchecked")}

    @property
    def ready(self) -> bool:
        """Whether reading is copying: pixels of the size that is asked for."""
        return self.side == self.image_size

    @property
    def stored(self) -> int:
        """Bytes that are stored of these pictures, which need not be all of the pack."""
        return int((self._starts[self.rows + 1] - self._starts[self.rows]).sum())

    def take(self, indices: Ints) -> PackedPictures:
        return self._with(rows=self.rows[indices])

    def sized(self, image_size: int, fit: Fit) -> PackedPictures:
        """The same pictures, read as squares of that size."""
        return self._with(image_size=image_size, fit=fit)

    def _with(self, **changes: Any) -> PackedPictures:
        kept = {name: getattr(self, name) for name in ("folder", "rows", "side", "image_size", "fit", "size")}
        return PackedPictures(**(kept | changes))

    def expect(self, indices: Ints) -> None:
        """Have pictures fetched from the disk in the background, since they are read soon; nothing is waited for."""
        rows = self.rows[indices]
        self._map.wanted(self._starts[rows], self._starts[rows + 1])

    def read(self, indices: Ints) -> Tensor:
        """``(B, 3, H, W)`` uint8.

        Raises:
            DataError: pictures that are altered or do not decode, by their ids; a file that is not what the pack says.
        """
        import torch

        return torch.from_numpy(self.read_array(indices))

    def read_array(self, indices: Ints) -> Pixels:
        """As :meth:`read`, but NumPy; without torch, unless stored pixels are resized."""
        if self.side is None:
            return self._decoded(indices)
        self.expect(indices)
        rows = self.rows[indices]
        found = np.take(self._map.bytes.reshape(-1, 3, self.side, self.side), rows, axis=0)
        self._check(rows, found)
        self._map.let_go(found.nbytes)
        return found if self.ready else self._resized(found)

    def raw(self, indices: Ints) -> list[bytes]:
        """What is stored of each picture: the bytes of its file, or its pixels; copies.

        Raises:
            DataError: pictures that are altered, by their ids; a file that is not what the pack says.
        """
        self.expect(indices)
        rows = self.rows[indices]
        starts, ends = self._starts[rows], self._starts[rows + 1]
        found = [self._map.bytes[a:b].tobytes() for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        self._check(rows, found)
        self._map.let_go(sum(map(len, found)))
        return found

    def _check(self, rows: Ints, stored: Sequence[bytes] | Pixels) -> None:
        """Compare what was read of rows of the pack with their checksums, of those that were not yet compared.

        Raises:
            AlteredError: pictures of these do not have theirs; their ids.
        """
        places = np.flatnonzero(self._unchecked[rows])
        if not len(places):
            return
        crc = self._crc[rows]
        wrong = [place for place in places.tolist() if zlib.crc32(stored[place]) != crc[place]]
        if wrong:
            names = read_arrays(self.folder / COLUMNS, "ids")["ids"][rows[wrong]].tolist()
            raise AlteredError(
                f"{self.folder / PICTURES}: {len(wrong)} of {len(rows)} picture(s) read are altered: {first(names)} "
                f"(all of them: {_checking(self.folder)}); {anew(self.folder)}"
            )
        self._unchecked[rows[places]] = False

    def _decoded(self, indices: Ints) -> Pixels:
        out = np.empty((len(indices), 3, self.image_size, self.image_size), dtype=np.uint8)
        for place, data in enumerate(self.raw(indices)):
            try:
                pixels = read_picture(data, image_size=self.image_size, fit=self.fit, name="picture")
            except DataError as error:
                name = read_arrays(self.folder / COLUMNS, "ids")["ids"][self.rows[indices[place]]]
                reason = str(error).removeprefix("picture: ")
                raise DataError(f"{self.folder / PICTURES}: {name}: {reason}; {_checking(self.folder)}") from None
            out[place] = pixels.transpose(2, 0, 1)
        return out

    def _resized(self, stored: Pixels) -> Pixels:
        import torch

        found: Pixels = ArrayPictures(torch.from_numpy(stored)).resized(self.image_size).pixels.numpy()
        return found

    @cached_property
    def _starts(self) -> Ints:
        """``(M + 1,)`` where each picture of the pack begins, and the end."""
        return read_arrays(self.folder / COLUMNS, "starts")["starts"]

    @cached_property
    def _crc(self) -> NDArray[np.uint32]:
        """``(M,)`` CRC-32 of each picture of the pack."""
        return read_arrays(self.folder / COLUMNS, "crc")["crc"]

    @cached_property
    def _unchecked(self) -> NDArray[np.bool_]:
        """``(M,)`` whether a picture of the pack is still to be compared with its checksum."""
        return np.ones(len(self._crc), dtype=np.bool_)

    @cached_property
    def _map(self) -> _Map:
        return _Map(self.folder / PICTURES, self.size)


def _checking(folder: Path) -> str:
    return f"affekt data check pack --root {shlex.quote(str(folder))}"


def of_files(pictures: Pictures) -> TypeGuard[FilePictures | PackedPictures]:
    """Whether the bytes of files lie behind pictures, packed or not, so that they can be read at any size."""
    return isinstance(pictures, FilePictures) or (isinstance(pictures, PackedPictures) and pictures.side is None)


class _Map:
    """A file mapped for reading here and there.

    The system is told which bytes are about to be read, all of a batch at once, and to read no others around them.
    """

    def __init__(self, path: Path, size: int) -> None:
        """
        Raises:
            AlteredError: the file is missing or of another size.
        """
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            raise AlteredError(f"{path}: missing or cut short; {anew(path.parent)}") from None
        self.bytes: NDArray[np.uint8] = np.frombuffer(self._map, dtype=np.uint8)
        self._read = 0
        self._advise("MADV_RANDOM")

    def wanted(self, starts: Ints, ends: Ints) -> None:
        """Have the bytes from each start to its end read, at once and in the background."""
        for start, end in zip((starts // mmap.PAGESIZE * mmap.PAGESIZE).tolist(), ends.tolist(), strict=True):
            self._advise("MADV_WILLNEED", start, end - start)

    def let_go(self, read: int) -> None:
        """Count bytes that were read; at times let go of all pages, so that a process holds few of them."""
        self._read += read
        if self._read >= HELD:
            self._read = 0
            self._advise("MADV_DONTNEED")

    def _advise(self, how: str, *where: int) -> None:
        # Not every system can be told; all can be read without.
        if hasattr(mmap, how):
            self._map.madvise(getattr(mmap, how), *where)
