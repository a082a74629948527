"""The same training by what people use: the loop of a tutorial, timm's parts in the order of its train script, Hugging
Face's Trainer, Lightning, and affekt. Imported by peers.py.

Each trains the same network from the same weights with SGD (Nesterov momentum .9, weight decay 5e-4, a cosine over all
epochs), crop with a padding of 4, flip, the same batch; each says after every epoch how long the training has taken
without evaluations, in seconds, and how many test pictures are right.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from peer_job import MEAN, SD, Epoch, Job, Pictures, Watch, augmented, right
from torch import Tensor, nn

from affekt import Trainer
from affekt.recipe import AugmentationSettings, TrainingSettings
from affekt.regulation import ClassificationTask

CPU = torch.device("cpu")


def descend(job: Job, model: nn.Module, optimiser: torch.optim.Optimizer, images: Tensor, labels: Tensor) -> Tensor:
    """A step as everybody writes it; the loss."""
    loss = nn.functional.cross_entropy(model(images.to(memory_format=job.layout)), labels)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss


def ordinary(job: Job) -> Iterator[Epoch]:
    """A tutorial's loop: DataLoader with two workers, a loss printed (so fetched) every step."""
    model = job.plain().train()
    optimiser = job.optimiser(model)
    schedule = job.schedule(optimiser)
    loader = job.loader()
    watch = Watch()
    for _ in range(job.epochs):
        for images, labels in loader:
            loss = descend(job, model, optimiser, images, labels)
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
    meter, steps = timm.utils.AverageMeter(), 0
    watch = Watch()
    for _ in range(job.epochs):
        for images, labels in loader:
            loss = descend(job, model, optimiser, images, labels)
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

    loader = job.loader()
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
