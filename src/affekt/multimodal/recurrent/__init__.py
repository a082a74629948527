"""Recurrent: from the steps of a clip to one vector, one way a file.

To add one, write it in a file of its own and name it in ``RECURRENT``.
"""

from __future__ import annotations

from affekt.errors import UsageError
from affekt.multimodal.choosing import chosen
from affekt.multimodal.recurrent.base import Recurrent
from affekt.multimodal.recurrent.gru import Gru
from affekt.multimodal.recurrent.lstm import Lstm
from affekt.multimodal.recurrent.mean import Mean
from affekt.multimodal.recurrent.statistics import Statistics
from affekt.multimodal.recurrent.transformer import Transformer

RECURRENT: dict[str, type[Recurrent]] = {
    "lstm": Lstm,
    "gru": Gru,
    "transformer": Transformer,
    "mean": Mean,
    "statistics": Statistics,
}

__all__ = ["RECURRENT", "Recurrent", "create_recurrent"]


def create_recurrent(name: str, size: int, hidden: int = 256, layers: int = 2) -> Recurrent:
    """A way over time by name, for steps of ``size`` numbers.

    Raises:
        UsageError: no such way (the nearest are named), or a width or number of layers below one.
    """
    for what, number in (("hidden", hidden), ("layers", layers)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise UsageError(f"{what} = {number!r}: a whole number of at least 1 is asked")
    made: Recurrent = chosen("recurrent", name, RECURRENT)(size, hidden, layers)
    return made
