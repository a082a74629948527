"""Reading: how clips are decoded - which features, at which rates and sizes; what a pack records and is compared by."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from affekt.data.audiovisual.timeline import samples_per_frame, whole_frames
from affekt.errors import UsageError, unknown

FEATURES = ("audio", "log-mel", "faces")

Face = Literal["centre", "whole", "detector", "boxes"]
"""Which square of a picture is kept."""

LONGEST = 300.0
"""Seconds of one clip that are read at once without a window: 207 MB of faces."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How clips are decoded.

    Attributes:
        features: of :data:`FEATURES`.
        rate, fps, size, mels: see :class:`~affekt.recipe.ClipSettings`.
        face: ``"centre"``, ``"whole"``, ``"detector"`` or ``"boxes"``.
        face_share: side of the centred square as a share of the shorter side.
        window: longest piece, seconds; None: no limit.
    """

    features: tuple[str, ...] = ("audio",)
    rate: int = 16_000
    fps: float = 25.0
    size: int = 96
    mels: int = 64
    face: Face = "centre"
    face_share: float = 1.0
    window: float | None = 6.0

    def __post_init__(self) -> None:
        """
        Raises:
            UsageError: no or an unknown feature, a frame rate or window that does not divide.
        """
        for name in self.features:
            if name not in FEATURES:
                raise UsageError(unknown("feature", name, FEATURES))
        if not self.features:
            raise UsageError(f"features: none; write some of {', '.join(FEATURES)}")
        samples_per_frame(self.rate, self.fps)
        if self.window is not None:
            whole_frames("window", self.window, self.fps)

    @property
    def hears(self) -> bool:
        return "audio" in self.features or "log-mel" in self.features

    @property
    def sees(self) -> bool:
        return "faces" in self.features

    @property
    def limit(self) -> float:
        """Seconds that are read at most."""
        return LONGEST if self.window is None else self.window

    @property
    def samples(self) -> int:
        """Samples of sound beside one picture."""
        return samples_per_frame(self.rate, self.fps)

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "features": list(self.features)}
