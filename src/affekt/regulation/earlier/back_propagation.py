"""BackPropagation: EmNN's own network without its emotion, its control."""

from __future__ import annotations

from affekt.regulation.earlier.emnn import EmNN


class BackPropagation(EmNN):
    """:class:`EmNN` with ``emotional = False``: the same hidden layer and steps, which tells a gain of emotional
    weights from that of a hidden layer. With one seed both have the same initial ordinary weights; the emotional
    ones are 0 here, and stay so.

    Raises:
        UsageError: a setting out of its range.
    """

    def __init__(
        self,
        num_features: int,
        num_classes: int,
        *,
        seed: int = 0,
        num_hidden: int = 64,
        learning_rate: float = 0.1,
        momentum: float = 0.5,
        initial_range: float | None = None,
    ) -> None:
        super().__init__(
            num_features,
            num_classes,
            seed=seed,
            num_hidden=num_hidden,
            learning_rate=learning_rate,
            momentum=momentum,
            initial_range=initial_range,
            emotional=False,
        )

    @property
    def num_learned(self) -> int:
        """Parameters that its rule changes: the silent emotional weights are none of them."""
        return self.hidden.numel() + self.output.numel()
