"""Attention for any backbone with a feature map, zero at the start: self-attention and what it is held against.

>>> from affekt.backbones import create_backbone
>>> network = create_backbone("alexnet", attention="sagan")       # the same as "alexnet+sagan" or "fe_alexnet"
>>> (look,) = network.attention_maps(images)                      # (B, heads, H W, H W)
"""

from __future__ import annotations

from affekt.backbones.attention.base import Attention
from affekt.backbones.attention.naming import ATTENTIONS, AttentionSettings, split_name

__all__ = ["ATTENTIONS", "Attention", "AttentionSettings", "split_name"]
