"""Backbones: images -> features by name, with one face for ours, torchvision's and timm's networks.

    >>> backbone = create_backbone("resnet18", in_size=32, seed=0)    # a 3 x 3 stem, since the pictures are small
    >>> backbone(images).shape                  # images: (B, 3, 32, 32), normalised with backbone.mean, .std
    torch.Size([8, 512])
    >>> backbone.feature_map(images).shape
    torch.Size([8, 512, 4, 4])
    >>> for stage in backbone.stages()[:-1]:    # all but the last stage stand still
    ...     stage.requires_grad_(False)
    >>> list_backbones("vgg*")
    ['vgg11', 'vgg11_bn', ...]

A family is one file that knows its names and builds a network without classifier (``base.Built``).
"""

from __future__ import annotations

from affekt.backbones.base import Backbone
from affekt.backbones.converting import convert
from affekt.backbones.creating import create_backbone, default_width
from affekt.backbones.heads import read_classifier_head
from affekt.backbones.naming import list_backbones
from affekt.backbones.whitening import whiten

__all__ = [
    "Backbone",
    "convert",
    "create_backbone",
    "default_width",
    "list_backbones",
    "read_classifier_head",
    "whiten",
]
