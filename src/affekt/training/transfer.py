"""Transfer: which part of a network learns, and how fast each stage of it does."""

from __future__ import annotations

from typing import Any

from torch import nn

from affekt.errors import UsageError
from affekt.training.task import decayed_groups


def set_trainable(network: nn.Module, part: str | int) -> None:
    """Let ``"all"`` of a network learn, only its ``"head"``, or the head and the last ``k`` stages of its backbone.

    Attention that was put into the backbone always learns: at the start it does nothing.

    A frozen part also stays in evaluation mode (:func:`keep_frozen_still`), so that neither its weights nor the running
    statistics of its batch norms move.

    Args:
        network: has a ``backbone`` with ``stages()``; whatever else it has is its head, which always learns.
        part: a whole number, also as text; 0 is the same as ``"head"``.

    Raises:
        UsageError: another word, or more stages than there are.
    """
    backbone: Any = network.backbone
    stages: list[nn.Module] = backbone.stages()
    count = _stage_count(part, len(stages))
    network.requires_grad_(True)
    backbone.requires_grad_(count is None)
    for stage in stages[len(stages) - (count or 0) :]:
        stage.requires_grad_(True)
    attention = getattr(backbone, "attention", None)
    if isinstance(attention, nn.Module):
        attention.requires_grad_(True)
    network.train(network.training)


def _stage_count(part: str | int, available: int) -> int | None:
    """How many stages learn; None for all of the network, parameters outside of any stage included."""
    if part == "all":
        return None
    if part == "head":
        return 0
    if str(part).isdecimal() and int(part) <= available:
        return int(part)
    raise UsageError(f'trainable = "{part}": write all, head, or a number of last stages from 0 to {available}')


def keep_frozen_still(module: nn.Module) -> None:
    """Put every part that has parameters, none of which learns, into evaluation mode, with all that is inside it."""
    for child in module.children():
        parameters = list(child.parameters())
        if parameters and not any(p.requires_grad for p in parameters):
            child.eval()
        else:
            keep_frozen_still(child)


def keep_batch_norms(module: nn.Module) -> None:
    """Put every batch norm into evaluation mode: it normalises by, and does not move, the statistics it came with.

    For fine-tuning in small batches, whose own statistics are noise. Scale and shift go on learning.
    """
    for child in module.modules():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            child.eval()


def layerwise_groups(
    network: nn.Module, learning_rate: float, weight_decay: float, layer_decay: float
) -> list[dict[str, Any]]:
    """Optimiser groups whose learning rate falls from the head (1) to the input: ``layer_decay ** depth``.

    The head has depth 0, the last stage 1, the one before it 2, and so on; parameters that stand in no stage count to
    the first. Without weight decay on vectors, as everywhere.
    """
    backbone: Any = network.backbone
    stages: list[nn.Module] = backbone.stages()
    depths = {id(p): len(stages) for p in backbone.parameters()}
    for index, stage in enumerate(stages):
        depths |= {id(p): len(stages) - index for p in stage.parameters()}
    groups = []
    for depth in range(len(stages) + 1):
        inside = [(name, p) for name, p in network.named_parameters() if depths.get(id(p), 0) == depth]
        groups += decayed_groups(inside, learning_rate * layer_decay**depth, weight_decay)
    return groups
