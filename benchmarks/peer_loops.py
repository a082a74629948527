"""The same training by what people use: the loop of a tutorial, timm's parts in the order of its train script, Hugging
Face's Trainer, Lightning, and (from peer_ours.py) affekt. Imported by peers.py.

Each trains the same network from the same weights with SGD (Nesterov momentum .9, weight decay 5e-4, a cosine over all
epochs), crop with a padding of 4, flip, the same batch; each says after every epoch how long the training has taken
without evaluations, in seconds, and how many test pictures are right. The clock starts at the first batch: what a
trainer does before it is not counted.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import torch
from peer_job import MEAN, SD, Epoch, Job, Pictures, Watch, augmented, right
from peer_ours import bare, ours
from torch import Tensor, nn


def descend(job: Job, model: nn.Module, optimiser: torch.optim.Optimizer, images: Tensor, labels: Tensor) -> Tensor:
    """A step as everybody writes it; the loss."""
    images = images.to(job.device, non_blocking=job.pinned).to(memory_format=job.layout)
    labels = labels.to(job.device, non_blocking=job.pinned)
    with job.autocast():
        loss = nn.functional.cross_entropy(model(images), labels)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss


def ordinary(job: Job) -> Iterator[Epoch]:
    """A tutorial's loop: DataLoader with two workers, a loss printed (so fetched) every step."""
    model = job.plain().train()
    optimiser = job.optimiser(model)
    schedule = job.schedule(optimiser)
    loader = job.loader(by_default=2)
    watch = Watch(job.device)
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
    holds), with its prefetcher, four workers and search for fast kernels; by default its augmentation too (random
    resized crops, colour jitter, bicubic or bilinear at random)."""
    import timm.optim
    import timm.scheduler
    import timm.utils

    torch.backends.cudnn.benchmark = True  # its script has it so; peers.py puts it back
    model = job.plain().train()
    loader = _timm_loader(job)
    optimiser = timm.optim.create_optimizer_v2(
        model, opt="sgd", lr=job.learning_rate, momentum=0.9, weight_decay=5e-4, filter_bias_and_bn=False
    )
    schedule = timm.scheduler.CosineLRScheduler(optimiser, t_initial=job.steps, t_in_epochs=False)
    meter, steps = timm.utils.AverageMeter(), 0
    watch = Watch(job.device)
    for _ in range(job.epochs):
        for images, labels in loader:
            loss = descend(job, model, optimiser, images, labels)
            steps += 1
            schedule.step_update(num_updates=steps)
            meter.update(loss.item(), images.size(0))
        seconds = watch.stop()
        yield seconds, right(model, job)
        watch.start()


def _timm_loader(job: Job) -> Any:
    import timm.data

    own = {"scale": (1.0, 1.0), "ratio": (1.0, 1.0), "color_jitter": None} if job.equal else {"color_jitter": 0.4}
    return timm.data.create_loader(
        Pictures(job.train, lambda picture: picture),
        input_size=(3, 32, 32),
        batch_size=job.batch,
        is_training=True,
        mean=MEAN,
        std=SD,
        num_workers=job.workers if job.equal else 4,
        pin_memory=job.pinned,
        device=job.device,
        interpolation="bilinear" if job.equal else "random",
        **own,  # type: ignore[arg-type]
    )


def hugging_face(job: Job) -> Iterator[Epoch]:
    """``transformers.Trainer`` as it comes (no workers, gradients clipped at 1); no evaluation, nothing saved."""
    import transformers

    found: list[Epoch] = []
    watch = Watch(job.device)

    class Scored(transformers.TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, *_: Any, **_given: Any) -> None:
            watch.start()

        def on_epoch_end(self, *_: Any, **given: Any) -> None:
            seconds = watch.stop()
            found.append((seconds, right(given["model"].net, job)))
            watch.start()

    model = _with_loss(job).train()
    optimiser = job.optimiser(model)
    with tempfile.TemporaryDirectory() as folder:
        trainer = transformers.Trainer(
            model=model,
            args=_arguments(job, folder),
            data_collator=_collated,
            train_dataset=Pictures(job.train, augmented()),
            optimizers=(optimiser, job.schedule(optimiser)),
            callbacks=[Scored()],
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    yield from found


def _with_loss(job: Job) -> nn.Module:
    """A model as its trainer wants it: a dictionary with the loss."""

    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = job.plain()

        def forward(self, pixel_values: Tensor, labels: Tensor) -> dict[str, Tensor]:
            logits = self.net(pixel_values.to(memory_format=job.layout))
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    return Wrapped()


def _collated(items: list[tuple[Tensor, int]]) -> dict[str, Tensor]:
    return {
        "pixel_values": torch.stack([image for image, _ in items]),
        "labels": torch.tensor([label for _, label in items]),
    }


def _arguments(job: Job, folder: str) -> Any:
    import transformers

    equal: dict[str, Any] = {
        "dataloader_num_workers": job.workers,
        "dataloader_persistent_workers": True,
        "max_grad_norm": 0.0,
    }
    return transformers.TrainingArguments(
        output_dir=folder,
        per_device_train_batch_size=job.batch,
        num_train_epochs=job.epochs,
        dataloader_drop_last=True,
        remove_unused_columns=False,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=job.device.type == "cpu",
        bf16=job.bf16,
        seed=job.seed,
        **(equal if job.equal else {}),
    )


def lightning(job: Job) -> Iterator[Epoch]:
    """``lightning.Trainer`` with the workers that it suggests; no validation and no checkpoint of its own."""
    import lightning
    from lightning.fabric.utilities.data import suggested_max_num_workers

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    found: list[Epoch] = []
    watch = Watch(job.device)

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = job.plain()

        def on_train_start(self) -> None:
            watch.start()

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

    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(
            max_epochs=job.epochs,
            accelerator="gpu" if job.device.type == "cuda" else "cpu",
            devices=1,
            precision="bf16-mixed" if job.bf16 else "32-true",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
        )
        trainer.fit(Module(), job.loader(by_default=suggested_max_num_workers(1)))
    yield from found


LOOPS: dict[str, Callable[[Job], Iterator[Epoch]]] = {
    "ordinary loop": ordinary,
    "timm": timm_parts,
    "transformers": hugging_face,
    "lightning": lightning,
    "affekt": ours,
    "bare step": bare,
}
