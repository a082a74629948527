"""Training: one engine for every task - optimiser, schedule, precision, logs, checkpoints, several processes.

    >>> from affekt.training import Trainer
    >>> result = Trainer(task, {"train": train, "validation": validation}, settings, folder="runs/one").fit()

A paper's method is a :class:`Task`: it owns the model, turns a batch into named losses and outputs into metrics. The
trainer knows nothing else. What a run is, bit by bit, is a function of its settings, data and seed: interrupted
anywhere, also by ``kill -9``, the same call goes on and ends in the same weights, log and result.
"""

from affekt.training.feed import Feed
from affekt.training.results import Evaluation, TrainingResult
from affekt.training.task import Batch, Task, decayed_groups
from affekt.training.trainer import Trainer
from affekt.training.weights import WeightsOverTime, read_weights

__all__ = [
    "Batch",
    "Evaluation",
    "Feed",
    "Task",
    "Trainer",
    "TrainingResult",
    "WeightsOverTime",
    "decayed_groups",
    "read_weights",
]
