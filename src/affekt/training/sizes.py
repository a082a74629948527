"""Progressive sizes: the side of the training pictures in each epoch; small ones first, which cost less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from torch import nn

from affekt.backbones.sizes import check_sizes, set_training_size
from affekt.recipe import TrainingSettings


def size_in(settings: TrainingSettings, epoch: int) -> int | None:
    """Side in an epoch, from 0: ``sizes`` have equal shares of all ``epochs``; None: full size.

    With 10 epochs and ``[16, 24, 32]``: 16 px in epochs 0 to 3, 24 px in 4 to 6, 32 px in 7 to 9.
    """
    sizes = settings.sizes
    return sizes[epoch * len(sizes) // settings.epochs] if sizes else None


def epochs_at(settings: TrainingSettings) -> Counter[int | None]:
    """Side -> epochs at it, of those that are run."""
    run = min(settings.epochs, settings.stop_after or settings.epochs)
    return Counter(size_in(settings, epoch) for epoch in range(run))


def at_each_size(module: nn.Module, settings: TrainingSettings) -> Iterator[float]:
    """``module`` at each side of the epochs that are run, in turn, with the share that these are; at last at full size.

    Raises:
        UsageError: a size at which it cannot train.
    """
    check_sizes(module, settings.sizes)
    epochs = epochs_at(settings)
    for size, count in epochs.items():
        set_training_size(module, size)
        yield count / epochs.total()
    set_training_size(module, None)
