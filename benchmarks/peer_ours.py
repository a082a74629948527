"""affekt's loops beside those of others in peer_loops.py: its trainer, and its step on a batch that never changes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import torch
from peer_job import Epoch, Job, Watch
from torch import Tensor, nn

from affekt import Trainer
from affekt.recipe import AugmentationSettings, TrainingSettings
from affekt.regulation import ClassificationTask
from affekt.training import freed_memory
from affekt.training.precision import autocast, choose_precision
from affekt.training.progress import NoProgress

WARM_UP = 3
"""Steps of the bare loop that are not counted."""


class Epochs(NoProgress):
    """Told of each step and each validation by affekt's trainer; notes the seconds at the ends of epochs."""

    def __init__(self, job: Job) -> None:
        self.watch, self.found = Watch(job.device), list[float]()
        self._done, self._length = 0, job.steps // job.epochs

    def start(self, _total: int, _done: int) -> None:
        self.watch.start()

    def advance(self, _items: int) -> None:
        self._done += 1
        if self._done % self._length == 0:
            self.found.append(self.watch.stop())

    def say(self, _text: str) -> None:
        """What is said is how a validation went."""
        self.watch.start()


def ours(job: Job) -> Iterator[Epoch]:
    """affekt's trainer with its log, and as the others without a checkpoint until the end; the test pictures are
    validated on."""
    settings = TrainingSettings(
        epochs=job.epochs,
        batch_size=job.batch,
        learning_rate=job.learning_rate,
        weight_decay=5e-4,
        precision=job.precision if job.equal else "auto",  # type: ignore[arg-type]
        device=str(job.device),
        checkpoint_every=job.steps,
        select="last",
    )
    clock = Epochs(job)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            ClassificationTask(job.classifier()),
            {"train": job.train, "validation": job.test},
            settings,
            folder=folder,
            augmentation=AugmentationSettings(crop="pad", padding=4),
            seed=job.seed,
            progress=clock,
        )
        history = trainer.fit().history
    yield from zip(clock.found, (float(h["metrics"]["accuracy"]) for h in history), strict=True)


def bare(job: Job) -> Iterator[Epoch]:
    """affekt's step alone, in its precision and layout, on a batch that never changes: no data, no augmentation, no
    log, no checkpoint. It learns nothing: its share of right pictures is NaN."""
    task = ClassificationTask(job.classifier()).to(job.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(task.parameter_groups(0.01, 5e-4), lr=0.01, momentum=0.9, nesterov=True, fused=True)
    precision = job.precision if job.equal else choose_precision("auto", job.device)
    images, labels = _first_batch(job)
    torch.backends.cudnn.benchmark = True  # the trainer has it so; peers.py puts it back

    def steps(count: int) -> None:
        for _ in range(count):
            with autocast(job.device, precision):
                loss = nn.functional.cross_entropy(task.model(images).float(), labels)
            loss.backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    with freed_memory.kept(job.device):
        watch = Watch(job.device)
        steps(WARM_UP)
        yield watch.stop(), float("nan")
        watch.start()
        steps(job.steps // job.epochs)
        yield watch.stop(), float("nan")


def _first_batch(job: Job) -> tuple[Tensor, Tensor]:
    rows = torch.arange(job.batch) % len(job.train)
    images = job.train.pictures.read(rows.numpy()).to(job.device).float() / 255
    labels = torch.as_tensor(job.train.labels.category, device=job.device)[rows]
    return images.to(memory_format=torch.channels_last), labels
