"""Regulation: classifiers whose predictions are balanced by the affect that a picture elicits.

    >>> emotional = affekt.AffectNetwork("resnet20", heads={"ratings": ["valence", "arousal"]}, image_size=32)
    >>> model = EmotionalRegulation("resnet20", num_classes=10, image_size=32, emotional=emotional)
    >>> out = model(images)                    # (B, 3, H, W) in [0, 1], of any size
    >>> losses = model.losses(out, labels)     # {"regulated", "non_emotional", "influenced"} -> scalar tensors
    >>> sum(losses.values()).backward()        # any loop, any optimiser

``Classifier`` is the baseline; ``RegulationTask``, ``ClassificationTask`` and ``RotationTask`` are what our
trainer trains; ``PRESETS``
are the named conditions. The learners that came before are in ``affekt.regulation.earlier``.
"""

from __future__ import annotations

from affekt.regulation.absent import NoEmotion
from affekt.regulation.affect_cache import AffectCache
from affekt.regulation.classification_task import ClassificationTask
from affekt.regulation.classifier import Classifier
from affekt.regulation.encoder import EmotionalEncoder, EmotionalOutput
from affekt.regulation.influences import INFLUENCES, Influence
from affekt.regulation.mixing import mix_logits, mix_probabilities
from affekt.regulation.model import EmotionalRegulation, RegulationOutput
from affekt.regulation.presets import PRESETS, READINGS
from affekt.regulation.regulators import REGULATORS, Regulator, create_regulator
from affekt.regulation.rotation_task import RotationTask
from affekt.regulation.task import RegulationTask

__all__ = [
    "INFLUENCES",
    "PRESETS",
    "READINGS",
    "REGULATORS",
    "AffectCache",
    "ClassificationTask",
    "Classifier",
    "EmotionalEncoder",
    "EmotionalOutput",
    "EmotionalRegulation",
    "Influence",
    "NoEmotion",
    "RegulationOutput",
    "RegulationTask",
    "Regulator",
    "RotationTask",
    "create_regulator",
    "mix_logits",
    "mix_probabilities",
]
