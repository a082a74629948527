"""Parts: the networks inside a model that have a backbone to look into."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from affekt.backbones.inputs import as_input
from affekt.errors import UsageError, unknown

REGULATED = ("non-emotional", "influenced", "emotional")
"""Parts of a regulated model; the first is looked into where none is named."""


def part_of(model: Any, name: str | None = None) -> Any:
    """The module with ``backbone``, ``image_size``, ``mean`` and ``std`` that is meant.

    Args:
        model: a classifier or affect network, which is its own and only part, or a regulated model.
        name: of a regulated model, one of :data:`REGULATED`; None: the first.

    Raises:
        UsageError: no such part, or a model without a backbone.
    """
    if not hasattr(model, "emotional"):
        if name is not None:
            raise UsageError(f'part "{name}": {type(model).__name__} has no parts; leave it out')
        return _with_backbone(model, type(model).__name__)
    wanted = name or REGULATED[0]
    if wanted not in REGULATED:
        raise UsageError(unknown("part", wanted, REGULATED))
    found = {
        "non-emotional": model.non_emotional,
        "influenced": getattr(model.influence, "encoder", None),
        "emotional": model.emotional,
    }[wanted]
    if found is None:
        raise UsageError('part "influenced": the emotional encoder itself (influence = "shared"); ask for "emotional"')
    return _with_backbone(found, f"part {wanted}")


def inputs(part: Any, images: Tensor) -> Tensor:
    """``(B, 3, S, S)``: pictures in [0, 1] as the part's backbone reads them."""
    return as_input(images, part.image_size, part.mean, part.std)


def backbone_name(backbone: nn.Module) -> str:
    """What the backbone is called in messages."""
    return str(getattr(backbone, "name", type(backbone).__name__))


def _with_backbone(part: Any, name: str) -> Any:
    needed = ("backbone", "image_size", "mean", "std")
    if all(hasattr(part, each) for each in needed):
        return part
    raise UsageError(
        f"{name}: has no backbone to look into; integrated gradients and occlusion need none, "
        "and affekt.Classifier puts one around a network"
    )
