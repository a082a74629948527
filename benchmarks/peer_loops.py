"""The same training by what people use: the loop of a tutorial, timm's parts in the order of its train script, Hugging
Face's Trainer, Lightning, and affekt. Imported by peers.py.

Each trains the same network from the same weights with SGD (Nesterov momentum .9, weight decay 5e-4, a cosine over all
epochs), crop with a padding of 4, flip, the same batch; each says after every epoch how long the training has taken
without evaluations, in seconds, and how many test pictures are right.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from affekt import Classifier, Trainer
from affekt.data.stimuli import Stimuli
from affekt.recipe import AugmentationSettings, TrainingSettings
from affekt.regulation import ClassificationTask

MEAN, SD = (0.491, 0.482, 0.447), (0.247, 0.243, 0.262)
CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Job:
    """What all of them do.

    Attributes:
        equal: everybody in float32 and channels-last; else each as it comes.
        train, test: N pictures of CIFAR-10.
    """

    network: str
    epochs: int
    batch: int
    learning_rate: float
    equal: bool
    train: Stimuli
    test: Stimuli
    seed: int = 0

    @property
    def steps(self) -> int:
        """Optimiser steps of all epochs; what does not fill a batch is left out."""
        return self.epochs * (len(self.train) // self.batch)

    def classifier(self) -> Classifier:
        torch.manual_seed(self.seed)
        return Classifier(self.network, len(self.train.labels.categories), 32)

    def plain(self) -> nn.Module:
        """Normalised pictures -> logits, with the initial weights that all start from."""
        whole = self.classifier()
        return nn.Sequential(whole.backbone, whole.head).to(memory_format=self.layout)

    @property
    def layout(self) -> torch.memory_format:
        return torch.channels_last if self.equal else torch.contiguous_format

    def optimiser(self, model: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD(
            model.parameters(), lr=self.learning_rate, momentum=0.9, nesterov=True, weight_decay=5e-4
        )

    def schedule(self, optimiser: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.steps)


Epoch = tuple[float, float]
"""Seconds of training so far, without evaluations; share of test pictures that are right."""


class Pictures(Dataset):  # type: ignore[type-arg]
    """What torchvision.datasets.CIFAR10 does for an item: an array to a PIL picture, then transforms."""

    def __init__(self, stimuli: Stimuli, transform: Callable[[Any], Any]) -> None:
        self.arrays = arrays(stimuli).transpose(0, 2, 3, 1).copy()
        self.labels = stimuli.labels.category
        self.transform = transform

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        assert self.labels is not None
        return self.transform(Image.fromarray(self.arrays[index])), int(self.labels[index])


def arrays(stimuli: Stimuli) -> NDArray[np.uint8]:
    """``(N, 3, 32, 32)``."""
    return stimuli.pictures.read(np.arange(len(stimuli))).numpy()


def augmented() -> Callable[[Any], Any]:
    """The transforms of a tutorial on CIFAR-10."""
    return transforms.Compose(
        [
            transforms.RandomCrop(32, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, SD),
        ]
    )


@torch.inference_mode()
def right(model: nn.Module, job: Job) -> float:
    """Share of the test pictures, by one code for all but affekt, which scores its validation split itself."""
    training = model.training
    model.eval()
    assert job.test.labels.category is not None
    mean, sd = (torch.tensor(x).view(1, 3, 1, 1) for x in (MEAN, SD))
    found = 0
    for begin in range(0, len(job.test), 500):
        rows = range(begin, min(begin + 500, len(job.test)))
        images = job.test.pictures.read(np.asarray(rows)).float() / 255
        said = model(((images - mean) / sd).to(memory_format=job.layout)).argmax(1).numpy()
        found += int((said == job.test.labels.category[rows.start : rows.stop]).sum())
    model.train(training)
    return found / len(job.test)


class Watch:
    """A clock that stands still during evaluations."""

    def __init__(self) -> None:
        self.spent, self._since = 0.0, time.perf_counter()

    def stop(self) -> float:
        self.spent += time.perf_counter() - self._since
        return self.spent

    def start(self) -> None:
        self._since = time.perf_counter()


def ordinary(job: Job) -> Iterator[Epoch]:
    """A tutorial's loop: DataLoader with two workers, a loss printed (so fetched) every step."""
    model = job.plain().train()
    optimiser, criterion = job.optimiser(model), nn.CrossEntropyLoss()
    schedule = job.schedule(optimiser)
    loader = DataLoader(
        Pictures(job.train, augmented()), batch_size=job.batch, shuffle=True, num_workers=2, drop_last=True
    )
    watch = Watch()
    for _ in range(job.epochs):
        for images, labels in loader:
            loss = criterion(model(images.to(memory_format=job.layout)), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            loss.item()
        seconds = watch.stop()
        yield seconds, right(model, job)
        watch.start()


def timm_parts(job: Job) -> Iterator[Epoch]:
    """timm's data set, loader, optimiser, scheduler and meters, in the order of its ``train.py`` (which no wheel
    holds); by default its augmentation too (random resized crops, colour jitter, bicubic or bilinear at random)."""
    import timm.data
    import timm.optim
    import timm.scheduler
    import timm.utils

    model = job.plain().train()
    own = {"scale": (1.0, 1.0), "ratio": (1.0, 1.0), "color_jitter": None} if job.equal else {"color_jitter": 0.4}
    loader = timm.data.create_loader(
        Pictures(job.train, lambda picture: picture),
        input_size=(3, 32, 32),
        batch_size=job.batch,
        is_training=True,
        use_prefetcher=False,
        mean=MEAN,
        std=SD,
        num_workers=2,
        device=CPU,
        interpolation="bilinear" if job.equal else "random",
        **own,  # type: ignore[arg-type]
    )
    optimiser = timm.optim.create_optimizer_v2(
        model, opt="sgd", lr=job.learning_rate, momentum=0.9, weight_decay=5e-4, filter_bias_and_bn=False
    )
    schedule = timm.scheduler.CosineLRScheduler(optimiser, t_initial=job.steps, t_in_epochs=False)
    criterion, meter, steps = nn.CrossEntropyLoss(), timm.utils.AverageMeter(), 0
    watch = Watch()
    for _ in range(job.epochs):
        for images, labels in loader:
            loss = criterion(model(images.to(memory_format=job.layout)), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            steps += 1
            schedule.step_update(num_updates=steps)
            meter.update(loss.item(), images.size(0))
        seconds = watch.stop()
        yield seconds, right(model, job)
        watch.start()


def hugging_face(job: Job) -> Iterator[Epoch]:
    """``transformers.Trainer`` with two workers, no evaluation and nothing saved of its own."""
    import transformers

    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = job.plain()

        def forward(self, pixel_values: Tensor, labels: Tensor) -> dict[str, Tensor]:
            logits = self.net(pixel_values.to(memory_format=job.layout))
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    def collated(items: list[tuple[Tensor, int]]) -> dict[str, Tensor]:
        return {
            "pixel_values": torch.stack([image for image, _ in items]),
            "labels": torch.tensor([label for _, label in items]),
        }

    found: list[Epoch] = []
    watch = Watch()

    class Scored(transformers.TrainerCallback):  # type: ignore[misc]
        def on_epoch_end(self, *_: Any, **given: Any) -> None:
            seconds = watch.stop()
            found.append((seconds, right(given["model"].net, job)))
            watch.start()

    model = Wrapped().train()
    optimiser = job.optimiser(model)
    with tempfile.TemporaryDirectory() as folder:
        trainer = transformers.Trainer(
            model=model,
            args=transformers.TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=job.batch,
                num_train_epochs=job.epochs,
                dataloader_num_workers=2,
                dataloader_drop_last=True,
                remove_unused_columns=False,
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
                use_cpu=True,
                seed=job.seed,
            ),
            data_collator=collated,
            train_dataset=Pictures(job.train, augmented()),
            optimizers=(optimiser, job.schedule(optimiser)),
            callbacks=[Scored()],
        )
        watch.start()
        trainer.train()
    yield from found


def lightning(job: Job) -> Iterator[Epoch]:
    """``lightning.Trainer`` with two workers, no validation and no checkpoint of its own."""
    import lightning

    found: list[Epoch] = []
    watch = Watch()

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = job.plain()

        def training_step(self, batch: Any) -> Tensor:
            images, labels = batch
            loss = nn.functional.cross_entropy(self.net(images.to(memory_format=job.layout)), labels)
            self.log("loss", loss)
            return loss

        def configure_optimizers(self) -> Any:
            optimiser = job.optimiser(self.net)
            return {
                "optimizer": optimiser,
                "lr_scheduler": {"scheduler": job.schedule(optimiser), "interval": "step"},
            }

        def on_train_epoch_end(self) -> None:
            seconds = watch.stop()
            found.append((seconds, right(self.net, job)))
            watch.start()

    loader = DataLoader(
        Pictures(job.train, augmented()), batch_size=job.batch, shuffle=True, num_workers=2, drop_last=True
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(
            max_epochs=job.epochs,
            accelerator="cpu",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
        )
        module = Module()
        watch.start()
        trainer.fit(module, loader)
    yield from found


def ours(job: Job) -> Iterator[Epoch]:
    """affekt's trainer with its log and a checkpoint an epoch, both in its time; the test pictures are validated on."""
    settings = TrainingSettings(
        epochs=job.epochs,
        batch_size=job.batch,
        learning_rate=job.learning_rate,
        weight_decay=5e-4,
        precision="fp32" if job.equal else "auto",
        select="last",
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            ClassificationTask(job.classifier()),
            {"train": job.train, "validation": job.test},
            settings,
            folder=folder,
            augmentation=AugmentationSettings(crop="pad", padding=4),
            seed=job.seed,
        )
        history = trainer.fit().history
        lines = [json.loads(line) for line in (Path(folder) / "timing.jsonl").read_text().splitlines()]
    yield from zip(_without_validation(lines), (float(h["metrics"]["accuracy"]) for h in history), strict=True)


def _without_validation(lines: list[dict[str, Any]]) -> Iterator[float]:
    """Seconds at each checkpoint, those of the validations left out."""
    before, validations = float(lines[0]["seconds"]), 0.0
    begun = before
    for line in lines:
        if line["kind"] == "validation":
            validations += line["seconds"] - before
        if line["kind"] == "checkpoint":
            yield line["seconds"] - begun - validations
        before = line["seconds"]


LOOPS = {
    "ordinary loop": ordinary,
    "timm": timm_parts,
    "transformers": hugging_face,
    "lightning": lightning,
    "affekt": ours,
}
