"""Faces: which square of a picture is kept - by a stated rule, by given boxes, or by a detector.

The rules look at the size of the picture and at nothing else; which half of it a speaker stands in comes from the
recording (dialog and speaker), never from a label.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from affekt.data.audiovisual.clips import Pixels
from affekt.data.audiovisual.reading import Reading
from affekt.errors import DataError, UsageError, unknown

Half = Literal["whole", "left", "right"]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the upright picture; right and bottom are the first that lie outside."""

HALVES = ("whole", "left", "right")


class Cropper(Protocol):
    """Which box of each picture of a clip is kept; one object for one clip, called in the order of time."""

    def __call__(self, picture: Pixels, seconds: float, /) -> Box:
        """
        Args:
            picture: ``(H, W, 3)`` uint8 RGB.
            seconds: its time in the file.
        """
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What was out of the ordinary, once the clip has been read."""
        ...


def half_of(width: int, height: int, half: Half) -> Box:
    """The whole picture or one half of it.

    Raises:
        UsageError: another word.
    """
    if half not in HALVES:
        raise UsageError(unknown("half", half, HALVES))
    middle = width / 2
    return (middle if half == "right" else 0.0, 0.0, middle if half == "left" else float(width), float(height))


def centred_square(within: Box, share: float) -> Box:
    """The square in the middle of a box, its side ``share`` of the shorter side."""
    left, top, right, bottom = within
    side = share * min(right - left, bottom - top)
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2


def squared(box: Box, within: Box, margin: float = 0.0) -> Box:
    """The square around a box, its side the longer one and ``margin`` (a share) more, moved inside ``within``.

    Raises:
        DataError: the box has no area, or lies outside the picture.
    """
    left, top, right, bottom = box
    low_x, low_y, high_x, high_y = within
    if not (right > left and bottom > top and left < high_x and right > low_x and top < high_y and bottom > low_y):
        raise DataError(
            f"face box {left:g}, {top:g} to {right:g}, {bottom:g}: none of it within the picture "
            f"({low_x:g}, {low_y:g} to {high_x:g}, {high_y:g})"
        )
    side = min(max(right - left, bottom - top) * (1 + margin), high_x - low_x, high_y - low_y)
    x = min(max((left + right - side) / 2, low_x), high_x - side)
    y = min(max((top + bottom - side) / 2, low_y), high_y - side)
    return x, y, x + side, y + side


@dataclass(frozen=True, kw_only=True)
class ByRule:
    """``"centre"``: the centred square of the picture or of its half; ``"whole"``: all of that, squashed.

    Attributes:
        rule: which.
        share: side of the centred square as a share of the shorter side.
        half: the half of the picture it is taken from.
    """

    rule: Literal["centre", "whole"] = "centre"
    share: float = 1.0
    half: Half = "whole"

    def __call__(self, picture: Pixels, _seconds: float, /) -> Box:
        within = half_of(picture.shape[1], picture.shape[0], self.half)
        return within if self.rule == "whole" else centred_square(within, self.share)

    @property
    def notes(self) -> tuple[str, ...]:
        return ()


def by_rule(reading: Reading, half: Half = "whole") -> ByRule:
    """The square that ``reading`` asks for; the centred one where it asks for boxes or a detector and none is given."""
    return ByRule(rule="whole" if reading.face == "whole" else "centre", share=reading.face_share, half=half)


@dataclass(frozen=True, kw_only=True)
class ByBoxes:
    """Given boxes: that nearest in time, widened to a square.

    Attributes:
        boxes: ``(K, 4)`` left, top, right, bottom in pixels.
        times: ``(K,)`` seconds in the file, ascending; one box needs none.
    """

    boxes: NDArray[np.float64]
    times: NDArray[np.float64]

    def __call__(self, picture: Pixels, seconds: float, /) -> Box:
        left, top, right, bottom = self.boxes[np.abs(self.times - seconds).argmin()].tolist()
        return squared((left, top, right, bottom), half_of(picture.shape[1], picture.shape[0], "whole"))

    @property
    def notes(self) -> tuple[str, ...]:
        return ()


Detector = Callable[[Pixels], "Box | None"]
"""``(H, W, 3)`` uint8 -> the box of the largest face, or None where there is none."""


class ByDetector:
    """A detector, asked every half second; between, and where it finds nothing, the last box stands.

    A new box counts half, the one before it the other half, so that the crop does not jump. Until a face is found it is
    the centred square.
    """

    def __init__(self, detector: Detector, *, half: Half = "whole", every: float = 0.5, margin: float = 0.2) -> None:
        """
        Args:
            half: the half of the picture that is looked at.
            every: seconds between two looks.
            margin: share of the box that is added to it.
        """
        self.detector = detector
        self.half: Half = half
        self.every = every
        self.margin = margin
        self._box: Box | None = None
        self._looked: float | None = None

    def __call__(self, picture: Pixels, seconds: float, /) -> Box:
        within = half_of(picture.shape[1], picture.shape[0], self.half)
        if self._looked is None or seconds - self._looked >= self.every - 1e-6:
            self._looked = seconds
            self._look(picture, within)
        return centred_square(within, 1.0) if self._box is None else squared(self._box, within, self.margin)

    def _look(self, picture: Pixels, within: Box) -> None:
        left, top, right, bottom = (round(edge) for edge in within)
        found = self.detector(np.ascontiguousarray(picture[top:bottom, left:right]))
        if found is None:
            return
        moved = np.array(found) + np.array([left, top, left, top])
        both = moved if self._box is None else (moved + np.array(self._box)) / 2
        x0, y0, x1, y1 = both.tolist()
        self._box = (x0, y0, x1, y1)

    @property
    def notes(self) -> tuple[str, ...]:
        return () if self._box is not None else ("no face found; the centred square was kept",)
