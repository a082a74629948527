"""Grad-CAM: the channels of the last map, each weighted by the mean gradient of the answer with respect to it.

R. R. Selvaraju et al.: Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization, ICCV 2017,
equations 1 and 2; here without the final ReLU, so that what speaks against the answer stays visible as negative.
"""

from __future__ import annotations

from torch import Tensor, nn

from affekt.humans.looking.asking import ask, still
from affekt.humans.looking.last_map import last_map
from affekt.humans.looking.library import at_picture_size, explaining, method
from affekt.humans.looking.parts import part_of


def grad_cam(
    model: nn.Module,
    images: Tensor,
    *,
    category: str | int | None = None,
    rating: str | None = None,
    part: str | None = None,
) -> Tensor:
    """``(B, H, W)`` signed maps by captum's ``LayerGradCam`` on the map that :func:`last_map` finds, upsampled.

    Args:
        model, images, category, rating: as of :func:`ask`.
        part: of a regulated model, whose backbone is looked into: ``"non-emotional"`` (default), ``"influenced"`` or
            ``"emotional"``; the answer is that of the whole model.

    Raises:
        UsageError: as :func:`ask` and :func:`part_of`, a backbone without a feature map, an answer that does not depend
            on it.
        MissingExtra: captum is not installed.
    """
    layer_grad_cam = method("LayerGradCam")
    with still(model), explaining("grad-cam"):
        looked_into = part_of(model, part)
        layer = last_map(looked_into.backbone, looked_into.image_size)
        asked = ask(model, images, category=category, rating=rating)
        with layer.through() as gate:
            pictures = asked.images.requires_grad_()
            found = layer_grad_cam(asked.answer, gate).attribute(pictures, target=asked.columns)
    return at_picture_size(found[:, 0], (images.shape[2], images.shape[3])).to(images.device)
