"""Detecting faces: OpenCV's frontal Haar cascade (Viola and Jones 2001), which its package brings; extra ``faces``."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from affekt.data.audiovisual.clips import Pixels
from affekt.data.audiovisual.faces import Box, Detector
from affekt.errors import MissingExtra

_SMALLEST = 8  # a face is at least this fraction of the height


def haar_detector() -> Detector:
    """The largest frontal face, by OpenCV's cascade; may be called from several threads.

    Raises:
        MissingExtra: OpenCV is not installed.
    """
    try:
        import cv2

        make = cv2.CascadeClassifier  # OpenCV 5 has none
    except (ImportError, AttributeError):
        raise MissingExtra("faces", "opencv-python-headless 4") from None
    own = threading.local()
    model = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"

    def cascade() -> Any:
        if not hasattr(own, "cascade"):
            own.cascade = make(str(model))
        return own.cascade

    def detect(picture: Pixels) -> Box | None:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        side = max(16, picture.shape[0] // _SMALLEST)
        found = cascade().detectMultiScale(grey, 1.1, 5, minSize=(side, side))
        if not len(found):
            return None
        left, top, width, height = (float(n) for n in max(found, key=lambda box: box[2] * box[3]))
        return left, top, left + width, top + height

    return detect
