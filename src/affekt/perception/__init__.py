"""Perception: affect networks, which say what a picture makes one feel.

    >>> network = AffectNetwork("resnet20", heads={"ratings": ["valence", "arousal"]}, image_size=32, scale=(1, 7))
    >>> out = network(images)                   # (B, 3, H, W) in [0, 1], of any size
    >>> out.rating_values                       # (B, 2), on the scale; out.state is what regulation consumes
    >>> network.describe(images)[0].describe()
    'pleasant (valence 5.80 of 1..7, +1.2 SD); calm (arousal 3.10 of 1..7, -0.7 SD)'

``AffectTask`` trains one; ``set_trainable`` and ``layerwise_groups`` do transfer learning in anybody's loop.
"""

from __future__ import annotations

from affekt.perception.network import AffectNetwork, AffectOutput
from affekt.perception.task import AffectTask
from affekt.training.transfer import keep_frozen_still, layerwise_groups, set_trainable

__all__ = ["AffectNetwork", "AffectOutput", "AffectTask", "keep_frozen_still", "layerwise_groups", "set_trainable"]
