"""Planning: the steps of a training by its data and settings, or why there can be none."""

from __future__ import annotations

from affekt.errors import UsageError
from affekt.recipe import TrainingSettings
from affekt.training.distributed import processes as current
from affekt.training.feed import Feed
from affekt.training.plan import Plan


def plan(feed: Feed, settings: TrainingSettings, *, seed: int, processes: int, table: str = "training") -> Plan:
    """The plan that all processes of a training follow.

    Args:
        feed: with the items of ``"train"``, perhaps ``"held-out"`` and ``"validation"``.
        settings: of the engine.
        seed: of the orders.
        processes: that share a batch.
        table: of the recipe, that has the settings.

    Raises:
        UsageError: no training data; early stopping without validation data; fewer items a batch than parts or
            processes.
    """
    splits = feed.splits
    if "train" not in splits:
        raise UsageError(f'no "train" in the data; it has {", ".join(splits) or "nothing"}')
    if settings.early_stop is not None and "validation" not in splits:
        raise UsageError('[training] early_stop: no "validation" in the data; leave early_stop out')
    found = Plan(
        items=len(feed.ids("train")),
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        seed=seed,
        held_out=len(feed.ids("held-out")) if "held-out" in splits else 0,
    )
    check_batch(settings, found.items, processes=processes, table=table)
    return found


def check_batch(
    settings: TrainingSettings, items: int | None = None, *, processes: int | None = None, table: str = "training"
) -> None:
    """Refuse a batch that has fewer items than parts or processes; it can be asked before anything is written.

    Args:
        items: to learn from; None: not known yet, and taken to be enough.
        processes: that share a batch; None: as many as torchrun says.
        table: of the recipe, that has the settings.

    Raises:
        UsageError: what to write instead.
    """
    size = settings.batch_size
    smallest = size if items is None else min(items, size)
    if settings.accumulate > smallest:
        raise UsageError(
            f"{table}.accumulate = {settings.accumulate}: more parts than {smallest} items a batch; write --set "
            f"{table}.accumulate={smallest} or less"
        )
    world = current().world if processes is None else processes
    if smallest < world:
        raise UsageError(f"{_too_few(smallest, size, table, world)} start {smallest} (torchrun --nproc-per-node)")


def _too_few(smallest: int, size: int, table: str, world: int) -> str:
    """Why, and what else could be written where it is the batch that is small, not the data."""
    if smallest < size:
        return f"{smallest} items to learn from, too few for {world} processes that share each batch;"
    return (
        f"{table}.batch_size = {size}: too few items for {world} processes, which share each batch; write --set "
        f"{table}.batch_size={world} or more, or"
    )
