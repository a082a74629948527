"""Pictures: pixels in memory or in files, read as uint8 RGB squares of one size."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from affekt.data.stimuli import Ints
from affekt.errors import DataError, UsageError, unknown

if TYPE_CHECKING:
    from torch import Tensor

Pixels = NDArray[np.uint8]
Fit = Literal["crop", "squash"]

MAX_PIXELS = 89_478_485
"""A picture of more pixels is refused before it is decoded (Pillow's own bound for a decompression bomb)."""

_TENSOR_BYTES_AT_ONCE = 2**26


class ArrayPictures:
    """Pictures in memory: ``(N, 3, H, W)`` uint8. ``take`` keeps row numbers and shares the pixels."""

    def __init__(self, pixels: Tensor, rows: Ints | None = None) -> None:
        """
        Args:
            pixels: ``(M, 3, H, W)`` uint8, RGB.
            rows: ``(N,)`` row of ``pixels`` for each picture; None: all, in order.
        """
        import torch

        if pixels.dtype != torch.uint8 or pixels.ndim != 4 or pixels.shape[1] != 3:
            raise DataError(f"pictures: {tuple(pixels.shape)} {pixels.dtype} found, (N, 3, H, W) torch.uint8 asked")
        self.pixels = pixels
        self.rows = rows

    def __len__(self) -> int:
        return len(self.pixels) if self.rows is None else len(self.rows)

    def read(self, indices: Ints) -> Tensor:
        """``(B, 3, H, W)`` uint8, a copy."""
        import torch

        rows = np.asarray(indices, dtype=np.int64) if self.rows is None else self.rows[indices]
        return self.pixels[torch.from_numpy(np.ascontiguousarray(rows))]

    def take(self, indices: Ints) -> ArrayPictures:
        rows = np.asarray(indices, dtype=np.int64) if self.rows is None else self.rows[indices]
        return ArrayPictures(self.pixels, rows)

    def resized(self, image_size: int) -> ArrayPictures:
        """The same pictures, squares of ``image_size`` pixels (antialiased bilinear); itself if they are that."""
        import torch

        if self.pixels.shape[-2:] == (image_size, image_size):
            return self
        out = torch.empty((len(self.pixels), 3, image_size, image_size), dtype=torch.uint8)
        each = 3 * 4 * max(self.pixels[0].numel(), out[0].numel()) if len(out) else 1
        step = max(1, _TENSOR_BYTES_AT_ONCE // each)
        for start in range(0, len(out), step):
            out[start : start + step] = _resize(self.pixels[start : start + step], image_size)
        return ArrayPictures(out, self.rows)


def _resize(pixels: Tensor, image_size: int) -> Tensor:
    from torch.nn.functional import interpolate

    size = (image_size, image_size)
    resized = interpolate(pixels.float(), size, mode="bilinear", antialias=True, align_corners=False)
    return resized.round_().clamp_(0, 255).byte()


class FilePictures:
    """Pictures in files, decoded when they are read. Holds paths only; can be sent to another process."""

    def __init__(self, paths: Sequence[str | Path], *, image_size: int, fit: Fit = "crop") -> None:
        """
        Args:
            paths: N files; those that cannot be decoded are named when they are read.
            image_size: side of the squares, pixels.
            fit: ``"crop"``: shorter side scaled and centre cropped; ``"squash"``: both sides scaled.
        """
        if fit not in ("crop", "squash"):
            raise UsageError(unknown("fit", fit, ("crop", "squash")))
        if image_size < 1:
            raise UsageError(f"image_size = {image_size}: write a number of pixels, 1 or more")
        self.paths: NDArray[np.object_] = np.empty(len(paths), dtype=object)
        self.paths[:] = [str(p) for p in paths]
        self.image_size = image_size
        self.fit: Fit = fit

    def __len__(self) -> int:
        return len(self.paths)

    def read_array(self, indices: Ints) -> Pixels:
        """``(B, 3, H, W)`` uint8, as :meth:`read` but without torch (for worker processes).

        Raises:
            DataError: a file that is missing or does not decode, by name.
        """
        out = np.empty((len(indices), 3, self.image_size, self.image_size), dtype=np.uint8)
        for row, path in enumerate(self.paths[indices]):
            out[row] = read_picture(path, image_size=self.image_size, fit=self.fit).transpose(2, 0, 1)
        return out

    def read(self, indices: Ints) -> Tensor:
        """``(B, 3, H, W)`` uint8.

        Raises:
            DataError: a file that is missing or does not decode, by name.
        """
        import torch

        return torch.from_numpy(self.read_array(indices))

    def sized(self, image_size: int, fit: Fit) -> FilePictures:
        """The same files, read as squares of that size."""
        return FilePictures(self.paths.tolist(), image_size=image_size, fit=fit)

    def take(self, indices: Ints) -> FilePictures:
        return FilePictures(self.paths[indices].tolist(), image_size=self.image_size, fit=self.fit)


def read_picture(source: str | Path | bytes, *, image_size: int, fit: Fit = "crop", name: str = "") -> Pixels:
    """``(S, S, 3)`` uint8 RGB from a file (or its bytes): upright, over white where it is transparent, antialiased.

    The first frame of an animation; colour profiles are ignored. A JPEG much larger than asked is decoded at a half,
    quarter or eighth of its size, but never below twice ``image_size``.

    Raises:
        DataError: missing, truncated, not a picture, or too large; by name.
    """
    label = name or (str(source) if not isinstance(source, bytes) else "picture")
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DataError(f"{label}: {image.width} x {image.height} pixels; more than {MAX_PIXELS:,} are refused")
            image.draft(image.mode, (2 * image_size, 2 * image_size))
            return np.asarray(_square(_rgb(ImageOps.exif_transpose(image)), image_size, fit))
    except DataError as error:
        raise error if label in str(error) else DataError(f"{label}: {error}") from None
    except FileNotFoundError:
        raise DataError(f"{label}: no such file") from None
    # A damaged file can make a decoder raise nearly anything: OSError, ValueError, SyntaxError, struct.error ...
    except Exception as error:
        raise DataError(f"{label}: cannot be decoded as a picture ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()).split(": '")[0].split(" '/")[0]
    return text[:120] or type(error).__name__


def _square(image: Image.Image, size: int, fit: Fit) -> Image.Image:
    if image.size == (size, size):
        return image
    return image.resize((size, size), Image.Resampling.BILINEAR, box=seen_of(*image.size, fit))


def seen_of(width: int, height: int, fit: Fit) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of what a square shows of an upright picture, in pixels of it."""
    if fit == "squash":
        return 0, 0, width, height
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _rgb(image: Image.Image) -> Image.Image:
    """Any mode of Pillow as RGB."""
    if image.mode == "RGB" and "transparency" not in image.info:
        image.load()
        return image
    if image.mode == "F" or image.mode.startswith("I"):
        return _from_numbers(image)
    if image.mode == "LAB":
        profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.applyTransform(image, ImageCms.buildTransform(*profiles, "LAB", "RGB"))
        assert converted is not None  # Pillow returns None only when it works in place
        return converted
    if image.has_transparency_data:
        return _over_white(image)
    return image.convert("RGB")


def _over_white(image: Image.Image) -> Image.Image:
    straight = {"La": "LA", "RGBa": "RGBA"}.get(image.mode)
    rgba = (image.convert(straight) if straight else image).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def _from_numbers(image: Image.Image) -> Image.Image:
    """Grey pictures of 16 bits (0 to 65535), or of floats (0 to 1, or 0 to 255)."""
    values = np.asarray(image, dtype=np.float64)
    if not np.isfinite(values).all():
        raise DataError("pixels that are no numbers (NaN or Inf)")
    low, high = float(values.min()), float(values.max())
    top = 65535.0 if image.mode != "F" else 1.0 if high <= 1 else 255.0
    if low < 0 or high > top:
        raise DataError(f"grey values {low:g} to {high:g} in mode {image.mode}; 0 to {top:g} can be read")
    return Image.fromarray(np.rint(values * (255 / top)).astype(np.uint8)).convert("RGB")
