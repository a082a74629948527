"""Clip inputs: how the clips were read that a network learned from, kept with it so that files can be shown to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from affekt.data.audiovisual.reading import LONGEST, Face
from affekt.errors import UsageError, unknown

FACES: tuple[str, ...] = get_args(Face)

KEYS = ("features", "rate", "fps", "size", "mels", "face", "face_share", "window", "longer", "hop", "composed")
"""What ``reading`` may hold: see :class:`~affekt.recipe.ClipSettings` for each; ``composed``: the sets of which the
clips were composed."""


@dataclass(frozen=True, kw_only=True)
class ClipInputs:
    """Beside ``rate``, ``fps`` and ``video_size``, which the network has anyway. The defaults are the published ones.

    Attributes:
        window: longest piece, seconds.
        size: side at which faces are read, pixels; None: ``video_size``.
        face: which square of a picture is kept: ``"centre"``, ``"whole"``, ``"detector"`` or ``"boxes"``.
        face_share: side of the centred square as a share of the shorter side.
    """

    window: float = 6.0
    size: int | None = None
    face: Face = "centre"
    face_share: float = 1.0


def check_reading(reading: Mapping[str, Any] | None) -> dict[str, Any]:
    """A copy of ``reading``; None: nothing is known of it.

    Raises:
        UsageError: a key that it does not have, a word or number that cannot be.
    """
    found = dict(reading or {})
    for name in found:
        if name not in KEYS:
            raise UsageError(unknown("reading: key", str(name), KEYS))
    inputs = inputs_of(found)
    if inputs.face not in FACES:
        raise UsageError(unknown("reading: face", str(inputs.face), FACES))
    if not 0 < inputs.face_share <= 1:
        raise UsageError(f"reading: face_share = {inputs.face_share}: a share above 0, up to 1, is asked")
    if inputs.window <= 0 or (inputs.size is not None and inputs.size < 1):
        raise UsageError(f"reading: window = {inputs.window}, size = {inputs.size}: numbers above 0 are asked")
    return found


def inputs_of(reading: Mapping[str, Any]) -> ClipInputs:
    """What showing a file to the network needs of ``reading``; clips without a window were read whole."""
    default = ClipInputs()
    window = reading.get("window", default.window)
    return ClipInputs(
        window=LONGEST if window is None else window,
        size=reading.get("size", default.size),
        face=reading.get("face", default.face),
        face_share=reading.get("face_share", default.face_share),
    )
