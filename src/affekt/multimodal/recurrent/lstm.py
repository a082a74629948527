"""LSTM: long short-term memory, the published way; the state after the last step."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from affekt.multimodal.recurrent.packed import Packed


class Lstm(Packed):
    """Hidden state of the last layer after the clip's last step (Hochreiter and Schmidhuber 1997)."""

    kind: ClassVar[type[nn.LSTM]] = nn.LSTM
