"""Absent: what a condition that goes without sound, or without pictures, leaves out of the recipe's other keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOTHING = "none"
"""What ``[network] audio`` and ``video`` say where there is none."""

OF_BOTH = ("network.modality_dropout", "network.given_at_test")
OF_ONE = {
    "network.audio": (
        "network.audio_options",
        *(f"clip_augmentation.{key}" for key in ("time_masks", "frequency_masks", "reverberation", "noise", "gain")),
    ),
    "network.video": ("clip_augmentation.frame_drop",),
}
"""``network.audio`` and ``network.video`` -> the keys that mean nothing without."""


def unmeant(changes: Mapping[str, Any]) -> dict[str, None]:
    """The keys that go back to their defaults in a condition: those of the recipe that concern what it takes away.

    A study of sound, pictures and both says ``modality_dropout = 0.3`` once. What the condition itself says stays, and
    is refused where it cannot be.

    Args:
        changes: dotted key -> value, of the condition.
    """
    gone = [part for part in OF_ONE if changes.get(part) == NOTHING]
    keys = [*(OF_BOTH if gone else ()), *(key for part in gone for key in OF_ONE[part])]
    return {key: None for key in keys if not any(own == key or own.startswith(f"{key}.") for own in changes)}
