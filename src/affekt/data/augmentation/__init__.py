"""Augmentation: pictures of a batch changed each by its own draw, on the device they lie on.

    >>> import torch
    >>> from affekt.recipe import AugmentationSettings
    >>> augment = Augmentation(AugmentationSettings(crop="pad", flip=0.5), image_size=32)
    >>> pictures = torch.zeros(8, 3, 32, 32, dtype=torch.uint8)
    >>> augment(pictures, torch.arange(8), seed=0, epoch=0).shape
    torch.Size([8, 3, 32, 32])

What happens to an item is a function of (seed, epoch, item), whatever batch it stands in. The order is: crop and flip,
RandAugment, brightness, contrast, saturation, hue, cutout; then mixup or cutmix, which mixes within a batch.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from affekt.data.augmentation import colour, crop, mixing
from affekt.data.augmentation.cutout import cutout
from affekt.data.augmentation.geometry import flip
from affekt.data.augmentation.mixing import Mixed
from affekt.data.augmentation.randaugment import OPERATIONS, randaugment
from affekt.errors import UsageError
from affekt.randomness import uniforms
from affekt.recipe import AugmentationSettings

__all__ = ["OPERATIONS", "Augmentation", "Mixed"]

Items = Tensor | NDArray[np.int64]


class Augmentation:
    """Training's changes to pictures, and their plain form for evaluation; stored, they may be larger than asked."""

    def __init__(self, settings: AugmentationSettings, image_size: int) -> None:
        """
        Args:
            settings: what is done.
            image_size: side of what comes out, pixels.

        Raises:
            UsageError: settings that contradict each other or the size.
        """
        if settings.crop == "pad" and settings.padding >= image_size:
            raise UsageError(
                f"padding = {settings.padding}: a border of less than image_size = {image_size} can be mirrored"
            )
        for name, (low, high) in (("scale", settings.scale), ("ratio", settings.ratio)):
            if low > high:
                raise UsageError(f"{name} = [{low:g}, {high:g}]: write the smaller number first")
        self.settings = settings
        self.image_size = image_size

    @torch.no_grad()
    def __call__(self, images: Tensor, items: Items, *, seed: int, epoch: int) -> Tensor:
        """``(B, 3, H, W)`` uint8 -> ``(B, 3, S, S)`` float32 in [0, 1], augmented.

        Args:
            items: ``(B,)`` index of each picture in its split.
        """
        items = _items(items, images)
        chosen = self.settings
        with torch.autocast(images.device.type, enabled=False):
            out = self._crop(images, items, seed=seed, epoch=epoch)
            if chosen.randaugment:
                out = randaugment(out, items, chosen.randaugment, chosen.magnitude, seed=seed, epoch=epoch)
            out = self._jitter(out, items, seed=seed, epoch=epoch)
            return cutout(out, items, chosen.cutout, seed=seed, epoch=epoch) if chosen.cutout else out

    def plain(self, images: Tensor) -> Tensor:
        """``(B, 3, H, W)`` uint8 -> ``(B, 3, S, S)`` float32 in [0, 1]: the centred square, for evaluation."""
        with torch.no_grad(), torch.autocast(images.device.type, enabled=False):
            return crop.centred(images, self.image_size)

    @property
    def mixes(self) -> bool:
        """Whether :meth:`mix` does anything."""
        return self.settings.mixup > 0 or self.settings.cutmix > 0

    @torch.no_grad()
    def mix(
        self, images: Tensor, labels: Mapping[str, Tensor], items: Items, *, seed: int, epoch: int, categories: int
    ) -> Mixed:
        """Mixup or cutmix of an augmented batch; as it is where neither is asked for, or with one picture.

        Args:
            images: ``(B, 3, S, S)`` float in [0, 1].
            labels: by name, as in a batch.
            categories: K of the ``(B, K)`` shares that categories become.
        """
        if not self.mixes or len(images) < 2:
            return Mixed(images=images, labels=dict(labels))
        items = _items(items, images)
        alpha = self.settings.mixup, self.settings.cutmix
        cut = mixing.use_cutmix(items, *alpha, seed=seed, epoch=epoch)
        partner = mixing.partners(items, seed=seed, epoch=epoch)
        share = mixing.beta_shares(items, alpha[cut], seed=seed, epoch=epoch)
        if cut:
            out, share = mixing.cutmix_images(images, items, partner, share, seed=seed, epoch=epoch)
        else:
            out = mixing.mixup_images(images, partner, share)
        changed = mixing.mix_labels(labels, partner, share, categories)
        return Mixed(images=out, labels=changed, partner=partner, share=share)

    def _crop(self, images: Tensor, items: Tensor, *, seed: int, epoch: int) -> Tensor:
        """Crop, flip, and the step from uint8 to float."""
        chosen, size = self.settings, self.image_size
        flipped = uniforms(items, seed=seed, epoch=epoch, name="flip")[:, 0] < chosen.flip
        if chosen.crop == "random-resized":
            shape = (images.shape[2], images.shape[3])
            box = crop.boxes(items, shape, chosen.scale, chosen.ratio, seed=seed, epoch=epoch)
            return crop.resized_crop(images, box, flipped, size)
        if chosen.crop == "pad":
            images = _at_least(images, size)
            cut = crop.pad_crop(images, items, flipped, size, chosen.padding, seed=seed, epoch=epoch)
            return cut.float().div_(255)
        return flip(crop.centred(images, size), flipped) if chosen.flip else crop.centred(images, size)

    def _jitter(self, images: Tensor, items: Tensor, *, seed: int, epoch: int) -> Tensor:
        chosen = self.settings
        widths = (chosen.brightness, chosen.contrast, chosen.saturation, chosen.hue)
        if not any(widths):
            return images
        draws = 2 * uniforms(items, seed=seed, epoch=epoch, name="colour", n=4) - 1
        for column, (width, change) in enumerate(
            zip(widths, (colour.brightness, colour.contrast, colour.saturation, colour.hue), strict=True)
        ):
            if width:
                centre = 0.0 if change is colour.hue else 1.0
                images = change(images, centre + width * draws[:, column])
        return images


def _items(items: Items, images: Tensor) -> Tensor:
    found = torch.as_tensor(items, dtype=torch.int64)
    if found.shape != (len(images),):
        raise UsageError(f"items: {tuple(found.shape)} for {len(images)} pictures; one index a picture")
    return found.to(images.device, non_blocking=True)


def _at_least(images: Tensor, size: int) -> Tensor:
    """Pictures whose shorter side is below ``size`` enlarged to it; still uint8."""
    height, width = images.shape[-2:]
    if min(height, width) >= size:
        return images
    scale = size / min(height, width)
    shape = (max(size, round(height * scale)), max(size, round(width * scale)))
    return interpolate(images.float(), shape, mode="bilinear", align_corners=False).round_().clamp_(0, 255).byte()
