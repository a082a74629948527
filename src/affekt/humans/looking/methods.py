"""Methods: every way of looking by its name, and which of their settings each takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from torch import Tensor

from affekt.humans.looking.attention import attention
from affekt.humans.looking.grad_cam import grad_cam
from affekt.humans.looking.integrated_gradients import integrated_gradients
from affekt.humans.looking.occlusion import occlusion


@dataclass(frozen=True)
class Method:
    """A way of looking.

    Attributes:
        look: ``(model, images, **settings)`` -> ``(B, H, W)``.
        settings: what it can be told.
    """

    look: Callable[..., Tensor]
    settings: frozenset[str]


_TARGET = frozenset({"category", "rating"})

METHODS = MappingProxyType(
    {
        "grad-cam": Method(grad_cam, _TARGET | {"part"}),
        "integrated-gradients": Method(integrated_gradients, _TARGET | {"baseline", "steps"}),
        "occlusion": Method(occlusion, _TARGET | {"window", "stride", "fill"}),
        "attention": Method(attention, frozenset({"part", "block"})),
    }
)
