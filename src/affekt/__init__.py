"""affekt: emotion-augmented deep learning.

    >>> import affekt
    >>> emotional = affekt.AffectNetwork("resnet20", heads={"ratings": ["valence", "arousal"]}, image_size=32)
    >>> model = affekt.EmotionalRegulation("resnet20", num_classes=10, image_size=32, emotional=emotional)

Names are loaded when they are first used, so that ``import affekt`` and ``affekt --help`` do not wait for torch.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_FACE: dict[str, str] = {
    "AffectLabel": "affekt.affect",
    "AffectState": "affekt.affect",
    "AffectNetwork": "affekt.perception",
    "EmotionalRegulation": "affekt.regulation",
    "Classifier": "affekt.regulation",
    "AudioVisualNetwork": "affekt.multimodal",
    "Trainer": "affekt.training",
    "Recipe": "affekt.recipe",
    "create_backbone": "affekt.backbones",
    "list_backbones": "affekt.backbones",
    "create_weighting": "affekt.weighting",
    "list_weightings": "affekt.weighting",
    "open_stimuli": "affekt.data",
    "list_datasets": "affekt.data",
    "load": "affekt.saving",
}

__all__ = ["__version__", *sorted(_FACE)]  # noqa: PLE0604 - names are strings, loaded on demand


def __getattr__(name: str) -> Any:
    if name not in _FACE:
        raise AttributeError(f"module 'affekt' has no attribute {name!r}; it has {', '.join(sorted(_FACE))}")
    return getattr(importlib.import_module(_FACE[name]), name)


def __dir__() -> list[str]:
    return __all__
