"""Packed: what LSTM and GRU have in common - packed sequences, Xavier weights, the state after the last step."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from affekt.multimodal.recurrent.base import Recurrent


class Packed(Recurrent):
    """The last layer's state after each clip's last step.

    Our reading of "Xavier": uniform, over the stacked matrix of all gates (Glorot and Bengio 2010); biases start at 0.
    """

    kind: ClassVar[type[nn.LSTM] | type[nn.GRU]]

    def __init__(self, size: int, hidden: int, layers: int) -> None:
        super().__init__(size, hidden, layers)
        self.num_features = hidden
        self.network = self.kind(size, hidden, layers, batch_first=True)
        for name, parameter in self.network.named_parameters():
            if name.startswith("weight"):
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(steps, lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, state = self.network(packed)
        last: Tensor = (state[0] if isinstance(state, tuple) else state)[-1]
        return last
