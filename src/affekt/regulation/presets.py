"""Presets: conditions by name, each as the recipe keys that it changes, with our reading of what the name means.

Landi, Rodrigues and Chinnici (arXiv:2606.13081) name ``learn-e-reg`` and ``rand-learn-e-reg`` and define neither in
what is public; ``e-reg`` and ``rand-e-reg`` are our names. "Rand" has three readings, which are independent settings
here: the parameters of the regulation start at random (``regulation.start = "random"``, our choice), the weight r is
drawn at random and then learned (``regulation.start = "drawn"``), the emotional encoder is not pre-trained
(``regulation.pretrained = false``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from affekt.recipe.settings import Value


def _regulated(regulator: str, start: str = "balanced", data: str = "train") -> dict[str, Value]:
    return {
        "model.kind": "regulated",
        "regulation.regulator": regulator,
        "regulation.start": start,
        "regulation.regulator_data": data,
    }


def _two_branches(regulator: str) -> dict[str, Value]:
    """Two branches of the task alone: no third network, and nothing that influences the second."""
    return _regulated(regulator) | {"regulation.emotional": "none", "regulation.influence": "independent"}


PRESETS: Mapping[str, Mapping[str, Value]] = MappingProxyType(
    {
        "baseline": {"model.kind": "classifier"},
        "learn-e-reg": _regulated("learned"),
        "rand-learn-e-reg": _regulated("learned", start="random"),
        "e-reg": _regulated("intensity"),
        "rand-e-reg": _regulated("random"),
        "held-out-regulator": _regulated("learned", data="held-out"),
        "influenced-only": _regulated("constant") | {"regulation.constant": 1.0, "regulation.losses": "regulated"},
        "permuted-affect": _regulated("learned") | {"regulation.permute_affect": True},
        "shuffled-emotion": _regulated("learned") | {"affective.labels": "shuffled"},
        "untrained-emotion": _regulated("learned") | {"regulation.pretrained": False},
        "feature-gate": _two_branches("features"),
        "scalar-gate": _two_branches("scalar"),
        "mixture": _two_branches("constant") | {"regulation.constant": 0.5},
    }
)
"""Condition -> dotted recipe keys to change."""

READINGS: Mapping[str, str] = MappingProxyType(
    {
        "baseline": "one classifier: the same backbone and head, without emotion",
        "learn-e-reg": "Learn: r is an affine map of the affect state and a sigmoid, learned from r = 0.5",
        "rand-learn-e-reg": "Rand-Learn: as learn-e-reg, with parameters of the regulation that start at random",
        "e-reg": "r is the intensity of the affect state; nothing of the regulation is learned (our name)",
        "rand-e-reg": "r is drawn at random for each picture; nothing of the regulation is learned (our name)",
        "held-out-regulator": "learn-e-reg, its regulator learned on pictures that the branches never see",
        "influenced-only": "r = 1: the emotionally-influenced branch alone, with its loss alone",
        "permuted-affect": "learn-e-reg whose regulator gets another picture's affect state, in training and in test",
        "shuffled-emotion": "learn-e-reg with an encoder pre-trained on permuted affect labels, as many steps",
        "untrained-emotion": "learn-e-reg with an emotional encoder that keeps its initial weights",
        "feature-gate": "two branches of the task, and a gate as large as the regulator on features of the task",
        "scalar-gate": "two branches of the task, and one learned balance for all pictures",
        "mixture": "two branches of the task, each with a loss, and their plain average",
    }
)
"""Condition -> what we take the name to mean, in one line."""
