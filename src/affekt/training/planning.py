"""Planning: the steps of a training by its data and settings, or why there can be none."""

from __future__ import annotations

from affekt.errors import UsageError
from affekt.recipe import TrainingSettings
from affekt.training.feed import Feed
from affekt.training.plan import Plan


def plan(feed: Feed, settings: TrainingSettings, *, seed: int, processes: int) -> Plan:
    """The plan that all processes of a training follow.

    Args:
        feed: with the items of ``"train"``, perhaps ``"held-out"`` and ``"validation"``.
        settings: of the engine.
        seed: of the orders.
        processes: that share a batch.

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
    smallest = min(found.items, found.batch_size)
    if settings.accumulate > smallest:
        raise UsageError(f"[training] accumulate = {settings.accumulate}: more parts than {smallest} items a batch")
    if smallest < processes:
        raise UsageError(f"{smallest} items a batch for {processes} processes: start fewer")
    return found
