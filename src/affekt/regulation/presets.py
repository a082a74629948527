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


PRESETS: Mapping[str, Mapping[str, Value]] = MappingProxyType(
    {
        "baseline": {"model.kind": "classifier"},
        "learn-e-reg": _regulated("learned"),
        "rand-learn-e-reg": _regulated("learned", start="random"),
        "e-reg": _regulated("intensity"),
        "rand-e-reg": _regulated("random"),
        "held-out-regulator": _regulated("learned", data="held-out"),
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
    }
)
"""Condition -> what we take the name to mean, in one line."""
