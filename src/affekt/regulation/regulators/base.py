"""Regulator: affect state -> regulation weight r; what every one has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from affekt.errors import UsageError, unknown

STARTS = ("balanced", "random", "drawn")


@dataclass(frozen=True, kw_only=True)
class RegulatorSetup:
    """What a regulator is made from.

    Attributes:
        state_names: what each of the A numbers of the affect state is about.
        num_classes: K.
        start: of learned ones. ``"balanced"``: r = 0.5 for every picture; ``"random"``: all parameters are random;
            ``"drawn"``: r is the same for every picture, drawn evenly from (0, 1), and then learned.
        constant: r of the constant one.
        num_features: D of the non-emotional branch's features.
        inputs: numbers of these that ``features`` sees; None: as many as the state has.

    Raises:
        UsageError: another start, or a constant outside of [0, 1].
    """

    state_names: tuple[str, ...]
    num_classes: int
    start: str = "balanced"
    constant: float = 0.5
    num_features: int = 0
    inputs: int | None = None

    def __post_init__(self) -> None:
        if self.start not in STARTS:
            raise UsageError(unknown("start", self.start, STARTS))
        if not 0 <= self.constant <= 1:
            raise UsageError(f"constant = {self.constant}: r is a number from 0 to 1")


class Regulator(nn.Module, ABC):
    """``(B, A)`` affect state -> ``(B, 1)`` or ``(B, K)`` float32 regulation weights r in [0, 1].

    0 trusts the non-emotional branch alone, 1 the emotionally-influenced one. A subclass is made from a
    :class:`RegulatorSetup`.

    Attributes:
        uses_affect: whether r is a function of the affect state.
        needs_features: whether it is one of the non-emotional branch's features.
    """

    uses_affect: ClassVar[bool] = True
    needs_features: ClassVar[bool] = False

    def __init__(self, setup: RegulatorSetup) -> None:
        super().__init__()
        self.setup = setup

    def forward(
        self,
        affect: Tensor,
        images: Tensor | None = None,  # noqa: ARG002 - for what overrides it
        features: Tensor | None = None,  # noqa: ARG002 - likewise
    ) -> Tensor:
        """r; the ``(B, 3, H, W)`` pictures and the ``(B, D)`` features of the non-emotional branch are there for rules
        that are no function of the state."""
        return self.weigh(affect)

    @abstractmethod
    def weigh(self, affect: Tensor) -> Tensor:
        """r from the state alone."""
