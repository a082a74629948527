"""GRU: gated recurrent units; the state after the last step."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from affekt.multimodal.recurrent.packed import Packed


class Gru(Packed):
    """State of the last layer after the clip's last step (Cho et al. 2014)."""

    kind: ClassVar[type[nn.GRU]] = nn.GRU
