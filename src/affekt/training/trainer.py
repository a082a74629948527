"""Trainer: trains a task on stimuli and scores it; knows losses and metrics by name only."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from affekt import __version__
from affekt.backbones.sizes import check_sizes
from affekt.data.stimuli import Stimuli
from affekt.errors import UsageError, unknown
from affekt.recipe import AugmentationSettings, TrainingSettings
from affekt.training import freed_memory
from affekt.training.checkpoint import Checkpoints, newest
from affekt.training.compiling import compile_model
from affekt.training.cosine import gradient_cosines
from affekt.training.descent import refuse_compiled
from affekt.training.distributed import join
from affekt.training.engine import Engine
from affekt.training.faults import Faults, table_of
from affekt.training.feed import Feed
from affekt.training.fitting import Fitting
from affekt.training.full_memory import FULL, said_when_full
from affekt.training.identity import identity, versions_behind
from affekt.training.logging import RunLog
from affekt.training.objective import Objective
from affekt.training.pictures import PictureFeed
from affekt.training.plan import Plan
from affekt.training.planning import plan
from affekt.training.precision import autocast, choose_device, choose_precision
from affekt.training.progress import NoProgress, Progress
from affekt.training.results import Evaluation, TrainingResult
from affekt.training.scoring import Scoring
from affekt.training.selection import Selection
from affekt.training.task import Task


class Trainer:
    """Trains the model of a task.

        trainer = Trainer(task, {"train": train, "validation": validation}, TrainingSettings(epochs=3), folder="run")
        result = trainer.fit()  # goes on from run/checkpoints, if there is one
        scores = trainer.evaluate("validation").metrics

    Weights are selected on validation data; ``fit`` never looks at ``"test"``.
    """

    def __init__(
        self,
        task: Task,
        data: Mapping[str, Stimuli] | Feed,
        settings: TrainingSettings,
        *,
        folder: Path | str | None = None,
        augmentation: AugmentationSettings | None = None,
        image_size: int | None = None,
        weighting: nn.Module | None = None,
        weighting_learning_rate: float | None = None,
        gradient_cosine: bool = False,
        seed: int = 0,
        memory_gib: float = 4.0,
        workers: int | None = None,
        progress: Progress | None = None,
        recipe_hint: str = "",
    ) -> None:
        """
        Args:
            task: owns the model; moved to the device, trained in place.
            data: the stimuli of ``"train"``, ``"validation"`` and, where there are any, ``"held-out"`` and ``"test"``;
                or a feed of other than pictures, for which the arguments about pictures mean nothing.
            settings: of the engine.
            folder: of the run, for checkpoints and logs; None: nothing is written and nothing can be resumed.
            augmentation: in training; None: pictures as they are.
            image_size: side of the pictures that the task gets, pixels; None: as they are stored.
            weighting: named losses -> scalar, or a rule of :mod:`affekt.weighting` that weighs gradients; None: their
                sum. Learned weights have an optimiser group of their own.
            weighting_learning_rate: of that group; None: that of the settings.
            gradient_cosine: at each validation (without one, as often), note the cosine between the gradients of each
                two losses.
            seed: of order, augmentation and everything else random.
            memory_gib: decoded pictures kept in memory, GiB a split.
            workers: decoding processes where pictures do not fit; None: by cores.
            progress: what to tell; None: nothing.
            recipe_hint: the recipe line to name when a loss becomes NaN.

        Raises:
            UsageError: settings that cannot work here (a device, a split, sizes that a network cannot take, a compiled
                model whose tasks a weighting wants to tell apart).
        """
        self.task = task
        self.settings = settings
        self.folder = None if folder is None else Path(folder)
        self.seed = seed
        self.processes, self.device = join(choose_device(settings.device))
        self.precision = choose_precision(settings.precision, self.device)
        self.feed = (
            data
            if isinstance(data, Feed)
            else PictureFeed(
                data,
                augmentation=augmentation,
                image_size=image_size,
                seed=seed,
                channels_last=settings.channels_last,
                memory_gib=memory_gib,
                workers=workers,
            )
        )
        self.feed.place(self.device)
        self._opened: set[str] = set()
        self._weighting, self._weighting_learning_rate = weighting, weighting_learning_rate
        self._gradient_cosine = gradient_cosine
        self._progress: Progress = progress if progress is not None and self.processes.main else NoProgress()
        self._hint = recipe_hint or "[training] learning_rate"
        self._threads = settings.threads
        check_sizes(task, settings.sizes)
        self._halvings: list[Mapping[str, int]] = []
        if settings.compile:
            refuse_compiled(settings.compile, weighting, gradient_cosine=gradient_cosine)
        self._place()
        self._scoring = Scoring(
            task=task,
            feed=self.feed,
            settings=settings,
            device=self.device,
            precision=self.precision,
            processes=self.processes,
            seed=seed,
            hint=self._hint,
        )

    def fit(self) -> TrainingResult:
        """Train, or go on where an interrupted call with this folder was; leaves the selected weights in the task.

        A finished training is not done again: its weights are read and its result returned.

        Raises:
            UsageError: the folder holds a training of other settings; no training or validation data where needed.
            CheckpointError: all checkpoints are damaged, or one cannot be written (the one before is intact).
            TrainingError: a loss or a weight became NaN or infinite, or a log cannot be written.
        """
        world, table = self.processes.world, table_of(self._hint)
        steps = plan(self.feed, self.settings, seed=self.seed, processes=world, table=table)
        checkpoints, log = self._open()
        try:
            found = None if checkpoints is None else newest(checkpoints, self.processes)
            if found is not None and self.settings.threads is None:
                self._threads = int(found.state["threads"])
            with self._machine():
                fitting = self._fitting(steps, checkpoints, log)
                if found is not None and checkpoints is not None:
                    fitting.resume(found, str(checkpoints.path(found.step)))
                if log is not None:
                    log.resume(fitting.step, 0 if found is None else int(found.state["log_bytes"]))
                    log.timing("start", step=fitting.step, **self._circumstances())
                with said_when_full(self.device):
                    fitted = fitting.run()
                self._halvings = fitted.halvings
                return fitted
        finally:
            self.feed.close()
            if log is not None:
                log.close()

    def evaluate(self, split: str) -> Evaluation:
        """Score a split with the weights that the task has now.

        Raises:
            UsageError: no such split in the data.
            TrainingError: the batches of an evaluation do not fit into memory.
        """
        with self._machine(), said_when_full(self.device):
            return self._evaluate(split)

    @property
    def notes(self) -> tuple[str, ...]:
        """What became of batches for which memory was too small; nothing where it was large enough."""
        batch = self.settings.batch_size
        found = [f"{FULL}: batches of {batch} in {h['parts']} parts from step {h['step']} on" for h in self._halvings]
        return (*found, *self._scoring.notes)

    def _evaluate(self, split: str) -> Evaluation:
        self._open_split(split)
        return self._scoring.evaluate(split)

    def _place(self) -> None:
        """Task and weighting on the device, in the memory layout, compiled where asked."""
        layout = torch.channels_last if self.settings.channels_last else torch.preserve_format
        self.task.to(self.device, memory_format=layout)  # type: ignore[call-overload]
        if self._weighting is not None:
            self._weighting.to(self.device)
        self._graphs = False
        if self.settings.compile:
            self._graphs = compile_model(self.task.model, self.settings.compile, self.device)

    def _open(self) -> tuple[Checkpoints | None, RunLog | None]:
        if self.folder is None:
            return None, None
        checkpoints = Checkpoints(self.folder / "checkpoints", keep=self.settings.keep_checkpoints)
        if not self.processes.main:
            return checkpoints, None
        checkpoints.clean()
        return checkpoints, RunLog(self.folder, tensorboard=self.settings.tensorboard)

    def _fitting(self, steps: Plan, checkpoints: Checkpoints | None, log: RunLog | None) -> Fitting:
        used = [split for split in ("train", "held-out", "validation") if split in self.feed.splits]
        for split in used:
            self._open_split(split)
        engine = Engine(
            Objective(self.task, self._weighting),
            self.settings,
            steps,
            device=self.device,
            precision=self.precision,
            processes=self.processes,
            weighting_learning_rate=self._weighting_learning_rate,
            graphs=self._graphs,
        )
        return Fitting(
            engine=engine,
            settings=self.settings,
            feed=self.feed,
            validate=(lambda: self._evaluate("validation")) if "validation" in used else None,
            cosines=self._cosines if self._gradient_cosine else None,
            processes=self.processes,
            device=self.device,
            identity=identity(
                self.settings,
                seed=self.seed,
                weighting=self._weighting,
                weighting_learning_rate=self._weighting_learning_rate,
                feed=self.feed.identity(used),
            ),
            versions={"affekt": __version__, "torch": str(torch.__version__), **versions_behind(self._weighting)},
            checkpoints=checkpoints,
            log=log,
            progress=self._progress,
            selection=Selection.of(self.task, self.settings.early_stop),
            faults=Faults(
                plan=steps, ids={split: self.feed.ids(split) for split in used}, settings=self.settings, hint=self._hint
            ),
        )

    def _cosines(self) -> dict[str, float]:
        return gradient_cosines(
            self.task,
            self.feed,
            size=self.settings.evaluation_batch_size,
            device=self.device,
            precision=self.precision,
            seed=self.seed,
        )

    def _open_split(self, split: str) -> None:
        """Make a split ready, and show it to the task, when it is first asked for."""
        if split in self._opened:
            return
        if split not in self.feed.splits:
            raise UsageError(unknown("split", split, self.feed.splits))
        shown = self.feed.open(split)
        if shown is not None:
            with torch.no_grad(), autocast(self.device, self.precision):
                self.task.prepare(split, shown)
        self._opened.add(split)

    @contextmanager
    def _machine(self) -> Iterator[None]:
        """Threads, the search for fast GPU kernels, and what becomes of freed memory; afterwards as before."""
        threads = torch.get_num_threads()
        torch.set_num_threads(self._threads or threads)
        tuned = torch.backends.cudnn.benchmark
        torch.backends.cudnn.benchmark = self.device.type == "cuda"
        try:
            with freed_memory.kept(self.device):
                yield
        finally:
            torch.set_num_threads(threads)
            torch.backends.cudnn.benchmark = tuned

    def _circumstances(self) -> dict[str, str | int]:
        return {
            "device": str(self.device),
            "precision": self.precision,
            "threads": torch.get_num_threads(),
            "processes": self.processes.world,
            "python": platform.python_version(),
        }
