"""Fitting: the loop over steps, log lines, validations and checkpoints, and its way back in after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from affekt.recipe import TrainingSettings
from affekt.training.checkpoint import Checkpoint, Checkpoints
from affekt.training.distributed import Processes, barrier
from affekt.training.ema import restore, snapshot
from affekt.training.engine import Engine
from affekt.training.faults import Faults
from affekt.training.feed import Feed
from affekt.training.full_memory import FullMemory
from affekt.training.halving import Halving
from affekt.training.identity import digest, refuse_other
from affekt.training.logging import RunLog, messages, plain
from affekt.training.progress import Progress
from affekt.training.results import Evaluation, TrainingResult
from affekt.training.selection import Selection
from affekt.training.weights import weights_record
from affekt.training.window import NORM, Window
from affekt.weighting import CollapseWatch, collapse_message


@dataclass(kw_only=True)
class Fitting:
    """One training from its first step, or its last checkpoint, to its end.

    Each step ends in this order: log line, validation (at the end of an epoch), checkpoint. A checkpoint therefore says
    all about the steps before it, and weights are checked for NaN before they are validated or written. Steps and
    epochs count from 1 in whatever is written.
    """

    engine: Engine
    settings: TrainingSettings
    feed: Feed
    validate: Callable[[], Evaluation] | None
    cosines: Callable[[], dict[str, float]] | None
    processes: Processes
    device: torch.device
    identity: Mapping[str, Any]
    versions: Mapping[str, str]
    checkpoints: Checkpoints | None
    log: RunLog | None
    progress: Progress
    selection: Selection
    faults: Faults
    step: int = 0
    finished: bool = False
    stopped_early: bool = False
    history: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plan = self.engine.plan
        self.halving = Halving(
            engine=self.engine,
            settings=self.settings,
            feed=self.feed,
            faults=self.faults,
            processes=self.processes,
            device=self.device,
        )
        length = min(self.settings.log_every, self.plan.steps)
        objective = self.engine.objective
        self.window = Window(
            objective.names, length, self.device, with_norm=self.engine.with_norm, weighted=objective.weighted
        )
        watched = objective.rule is not None and objective.rule.watched and objective.weighted
        self.watch = CollapseWatch(objective.weighted) if watched else None

    def run(self) -> TrainingResult:
        """Train to the end; leaves the selected weights in the task."""
        self.engine.objective.train()
        self.progress.start(self.plan.steps * self.plan.batch_size, self.step * self.plan.batch_size)
        try:
            while not self.finished:
                self._epoch()
        finally:
            self.progress.stop()
            self.engine.see(None)
        self._use_selected()
        barrier()
        return TrainingResult(
            epochs=self.step // self.plan.steps_per_epoch,
            steps=self.step,
            best_epoch=self.selection.epoch,
            best_score=self.selection.score,
            history=list(self.history),
            stopped_early=self.stopped_early,
            halvings=list(self.halving.record),
        )

    def _epoch(self) -> None:
        """The rest of the epoch that the next step belongs to."""
        end = (self.plan.epoch(self.step) + 1) * self.plan.steps_per_epoch
        while self.step < end:
            try:
                self._steps(range(self.step, end))
                return
            except FullMemory:
                pass
            said = self.halving.halve(self.step)
            self.progress.say(said)
            if self.log is not None:
                self.log.timing("halved", step=self.step + 1, parts=self.halving.parts)

    def _steps(self, steps: range) -> None:
        """These steps, of one epoch.

        Raises:
            FullMemory: a batch does not fit; its step is still to be made.
        """
        epoch = self.plan.epoch(steps.start)
        for step, parts in zip(steps, self.halving.batches(steps), strict=True):
            self.window.add(*self.engine.step(parts, step))
            self.step = step + 1
            self.progress.advance(len(self.plan.batch(step)))
            if self.window.full or self.step == self.plan.steps:
                self._log_window()
            if step == steps[-1]:
                self._end_epoch(epoch + 1)
            if self._checkpoint_due(end_of_epoch=step == steps[-1]):
                self._write_checkpoint()

    def _end_epoch(self, epoch: int) -> None:
        last = epoch == min(self.settings.epochs, self.settings.stop_after or self.settings.epochs)
        if last or epoch % self.settings.evaluate_every == 0:
            if self.validate is None:
                self._note_cosines(epoch)
            else:
                self._validate(epoch, self.validate)
                self.stopped_early = not last and self.selection.should_stop(epoch)
        self.finished = last or self.stopped_early
        if self.finished:
            self._log_window()

    def _note_cosines(self, epoch: int) -> None:
        """A line of its own, where no validation has one."""
        if self.cosines is None or self.log is None:
            return
        with self.engine.evaluated():
            self.log.cosines(plain({"epoch": epoch, "step": self.step, "gradient_cosine": self.cosines()}))

    def _validate(self, epoch: int, validate: Callable[[], Evaluation]) -> None:
        self._check_weights()
        with self.engine.evaluated():
            evaluation = validate()
            task = self.engine.objective.task
            keep = self.settings.select == "best"
            selected = self.selection.offer(epoch, evaluation.metrics, lambda: snapshot(task) if keep else None)
            cosines = {} if self.cosines is None else {"gradient_cosine": self.cosines()}
        record = plain(
            {
                "epoch": epoch,
                "step": self.step,
                "metrics": evaluation.metrics,
                "losses": evaluation.losses,
                **cosines,
                "selected": selected,
            }
        )
        self.history.append(record)
        undefined = [name for name, value in record["losses"].items() if value is None]
        if undefined:
            messages.warning("validation after epoch %d: loss %s is NaN or infinite", epoch, ", ".join(undefined))
        if self.log is not None:
            self.log.validation(record)
            self.log.timing("validation", step=self.step, epoch=epoch)
        monitored = f"{self.selection.monitor} {evaluation.metrics[self.selection.monitor]:.4g}"
        losses = ", ".join(f"{name} {value:.4g}" for name, value in evaluation.losses.items())
        self.progress.say(
            f"epoch {epoch} of {self.settings.epochs}: validation {monitored}{' (best)' * selected}, losses: {losses}"
        )

    def _log_window(self) -> None:
        """One line with the means over the steps since the last one."""
        if not len(self.window):
            return
        rows = self._check()
        means = dict(zip(self.window.columns, rows.double().mean(0).tolist(), strict=True))
        record: dict[str, Any] = {
            "step": self.step,
            "epoch": self.plan.epoch(self.step - 1) + 1,
            "learning_rate": self.engine.learning_rate(self.step - 1),
            "losses": {name: means[name] for name in self.window.losses},
            **weights_record(self.window.weighted, self.window.weights_of(rows)),
        }
        if NORM in means:
            record["gradient_norm"] = means[NORM]
        self.progress.describe(f"epoch {record['epoch']} of {self.settings.epochs}, loss {means['loss']:.4g}")
        if self.log is not None:
            self.log.train(record)
            self.log.timing("train", step=self.step, items=len(rows) * self.plan.batch_size)
        self._watch_weights(rows)
        self.window.clear()

    def _watch_weights(self, rows: Tensor) -> None:
        """Say of each task once that it has lost its weight."""
        rule = self.engine.objective.rule
        if self.watch is None or rule is None:
            return
        shares = rule.shares(self.window.weights_of(rows), self.window.losses_of(rows))
        for collapse in self.watch.look(shares, self.step - len(rows)):
            if self.processes.main:
                messages.warning("%s", collapse_message(rule.name, collapse, self.watch, rule.instead))
            if self.log is not None:
                self.log.collapse(asdict(collapse))

    def _check(self) -> Tensor:
        """The rows of the window.

        Raises:
            TrainingError: a loss or a weight is NaN or infinite.
        """
        rows = self.window.read()
        fault = self.window.fault(rows)
        if fault is not None:
            raise self.faults.of_loss(fault, self.step - len(rows) + fault.row)
        return rows

    def _check_weights(self) -> Tensor:
        """As :meth:`_check`, and the weights too: the last step may have broken them though its losses were sound."""
        rows = self._check()
        name = self.engine.broken_weight()
        if name is not None:
            raise self.faults.of_weight(name, self.step - 1)
        return rows

    def _checkpoint_due(self, *, end_of_epoch: bool) -> bool:
        if self.checkpoints is None:
            return False
        every = self.settings.checkpoint_every
        return self.finished or (end_of_epoch if every is None else self.step % every == 0)

    def _write_checkpoint(self) -> None:
        rows = self._check_weights()
        if self.checkpoints is None or not self.processes.main:
            return
        tensors = self.engine.tensors()
        if self.selection.weights is not None:
            tensors["best"] = self.selection.weights
        self.checkpoints.write(Checkpoint(step=self.step, state=self._state(rows), tensors=tensors))
        if self.log is not None:
            self.log.timing("checkpoint", step=self.step)

    def _state(self, rows: Tensor) -> dict[str, Any]:
        return {
            "step": self.step,
            "seed": self.plan.seed,
            "settings_digest": digest(self.identity),
            "settings": dict(self.identity),
            "versions": dict(self.versions),
            "threads": torch.get_num_threads(),
            "log_bytes": 0 if self.log is None else self.log.lines.sync(),
            "window": rows.tolist(),
            "selection": self.selection.state(),
            "history": self.history,
            "finished": self.finished,
            "stopped_early": self.stopped_early,
            **({"halvings": self.halving.record} if self.halving.record else {}),
            **({} if self.watch is None else {"watch": self.watch.state()}),
        }

    def resume(self, checkpoint: Checkpoint, place: str) -> None:
        """Go on from a checkpoint.

        Raises:
            UsageError: it is of other settings.
            CheckpointError: it is of another network.
        """
        state = checkpoint.state
        refuse_other(state["settings"], self.identity, place)
        other = [
            f"{k} {v} (now {self.versions.get(k)})" for k, v in state["versions"].items() if v != self.versions.get(k)
        ]
        if other:
            messages.warning("%s: written with %s: the result may differ in its last digits", place, ", ".join(other))
        self.engine.load(checkpoint.tensors, checkpoint.step, place)
        best = checkpoint.tensors.get("best")
        on_device = None if best is None else {name: tensor.to(self.device) for name, tensor in best.items()}
        self.selection.load(state["selection"], on_device)
        self.window.load(state["window"], empty=not self.processes.main)
        if self.watch is not None and "watch" in state:
            self.watch.load(state["watch"])
        self.history = list(state["history"])
        self.halving.load(state.get("halvings", ()))
        self.step, self.finished, self.stopped_early = checkpoint.step, state["finished"], state["stopped_early"]

    def _use_selected(self) -> None:
        """Put the selected weights into the task: the best, or the last (averaged, where an average is kept)."""
        task = self.engine.objective.task
        if self.settings.select == "best" and self.selection.weights is not None:
            restore(task, self.selection.weights)
        elif self.engine.ema is not None:
            restore(task, self.engine.ema.average)
