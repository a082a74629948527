"""The settings of an experiment: frozen dataclasses, one a table of the recipe, each key with range and purpose."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Scalar = str | int | float | bool
Value = Scalar | tuple[Scalar, ...]


def setting(
    default: Any,
    about: str,
    *,
    low: float | None = None,
    high: float | None = None,
    number_too: bool = False,
    unwritten: bool = False,
) -> Any:
    """A recipe key: its default, one line about it (shown in the docs), and its range, both ends included.

    ``number_too``: a string that may also be written as a whole number. ``unwritten``: a complete recipe leaves it out
    where it is as by default, so that the digest of a recipe, which names shared work, is the same without it.
    """
    metadata = {"about": about, "low": low, "high": high, "number_too": number_too, "unwritten": unwritten}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """A data set and how it is cut and read: ``[affective]`` and ``[target]``."""

    name: str = setting("", "data set, see `affekt data list`")
    root: str = setting("", "its folder; empty: `<data root>/<name>`")
    image_size: int = setting(32, "side of the square pictures that are read, pixels", low=8, high=2048)
    fit: Literal["crop", "squash"] = setting("crop", "shorter side scaled and centre cropped, or squashed to a square")
    train_limit: int | None = setting(None, "use this many training pictures, drawn stratified by seed", low=1)
    validation: float = setting(0.1, "share cut from train where the set fixes no validation split", low=0.0, high=0.9)
    test: float = setting(0.2, "share cut where the set fixes no test split", low=0.0, high=0.9)
    split_by: Literal["group", "item"] = setting("group", "unit of a split; `item` leaks groups and says so")
    split_seed: int | None = setting(None, "seed of the split; absent: the run's seed", low=0)
    folds: int | None = setting(None, "k-fold instead of one split: fold `fold` is the test set", low=2)
    fold: int = setting(0, "which of the folds is held out", low=0)
    exclude_target: bool = setting(False, "leave out every item whose group stands in the target's validation or test")
    allow_missing: bool = setting(False, "go on without pictures that are missing; the result says how many")
    workers: int | None = setting(None, "worker processes when the set does not fit in memory; absent: by cores", low=0)
    memory: float = setting(
        4.0, "GiB of decoded pictures kept in memory; larger sets are decoded as they are read", low=0
    )
    labels: str = setting(
        "affect", "what is learned in [affective]: `affect`, `shuffled` (a control), or a further label column's name"
    )
    valence_as: Literal["as-is", "two-classes", "three-classes"] = setting(
        "as-is", "two-classes: negative and positive instead of the set's own; three-classes: neutral, too"
    )
    valence_margin: float = setting(
        0.0, "with classes of valence: ratings so near the middle are neutral, in units of their scale", low=0
    )
    without_class: Literal["keep", "drop"] = setting(
        "keep",
        "pictures without a class (a tie, say): kept, though none is learned from them, or left out",
        unwritten=True,
    )
    options: dict[str, Value] = setting({}, "options of this reader, see `affekt data info <name>`")


@dataclass(frozen=True, kw_only=True)
class AugmentationSettings:
    """Per-sample augmentation in training, each a pure function of (seed, epoch, item): ``[augmentation]``."""

    crop: Literal["none", "pad", "random-resized"] = setting("pad", "pad and crop, random resized crop, or none")
    padding: int = setting(4, "pixels of (reflected) border that pad-crop moves within", low=0)
    scale: tuple[float, float] = setting(
        (0.35, 1.0), "share of the area that a random resized crop keeps", low=0.01, high=1
    )
    ratio: tuple[float, float] = setting((0.75, 1.3333), "its aspect ratio, width by height", low=0.1, high=10)
    flip: float = setting(0.5, "probability of a horizontal flip", low=0, high=1)
    brightness: float = setting(0.0, "colour jitter: factor drawn from 1 -/+ this", low=0, high=1)
    contrast: float = setting(0.0, "as brightness", low=0, high=1)
    saturation: float = setting(0.0, "as brightness", low=0, high=1)
    hue: float = setting(0.0, "hue shift drawn from -/+ this share of the colour circle", low=0, high=0.5)
    cutout: int = setting(0, "side of a square of mean grey put at random, pixels", low=0)
    randaugment: int = setting(0, "RandAugment operations a picture", low=0, high=8)
    magnitude: int = setting(9, "RandAugment magnitude of 30", low=0, high=30)
    mixup: float = setting(0.0, "alpha of mixup's Beta distribution; 0: none", low=0)
    cutmix: float = setting(
        0.0, "alpha of cutmix's Beta distribution; 0: none; with mixup, one of the two a batch", low=0
    )


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """The engine: ``[training]`` and ``[emotional.training]``."""

    epochs: int = setting(15, "passes over the training pictures", low=1)
    batch_size: int = setting(128, "pictures an optimiser step, over all processes", low=1)
    optimiser: Literal["sgd", "adam", "adamw"] = setting("sgd", "sgd with Nesterov momentum, adam, adamw")
    learning_rate: float = setting(0.05, "peak learning rate", low=1e-12, high=1000)
    momentum: float = setting(0.9, "momentum of sgd, beta1 of adam", low=0, high=0.9999)
    weight_decay: float = setting(5e-4, "on matrices and kernels only", low=0)
    schedule: Literal["constant", "cosine", "one-cycle", "step"] = setting(
        "cosine", "of the learning rate, a step each"
    )
    step_every: int = setting(10, "epochs between the steps of `step` (factor 0.1)", low=1)
    warmup: float = setting(0.0, "epochs of linear warm-up", low=0)
    sizes: tuple[int, ...] = setting(
        (),
        "side of the pictures in training, pixels, each for an equal share of the epochs, e.g. [16, 24, 32]; empty, "
        "and in evaluation always: full size",
        low=8,
        unwritten=True,
    )
    accumulate: int = setting(1, "parts a batch is worked through in, gradients added", low=1)
    halve_when_full: bool = setting(
        False,
        "a batch that does not fit into memory goes through in twice as many parts from then on; the result says so",
        unwritten=True,
    )
    clip: float | None = setting(None, "largest gradient norm", low=1e-9)
    ema: float | None = setting(
        None, "decay of an exponential moving average of the weights, used for evaluation", low=0, high=0.999999
    )
    label_smoothing: float = setting(0.0, "of cross-entropy losses", low=0, high=0.99)
    early_stop: int | None = setting(None, "stop after this many epochs without a better validation score", low=1)
    stop_after: int | None = setting(
        None, "end after this many epochs, with the schedule of all `epochs`; a control's length", low=1
    )
    select: Literal["best", "last"] = setting("best", "weights used at the end: best on validation, or the last")
    evaluate_every: int = setting(1, "epochs between validations", low=1)
    evaluation_batch_size: int = setting(500, "pictures a step of evaluation", low=1)
    precision: Literal["auto", "fp32", "bf16"] = setting(
        "auto", "bf16 autocast where the device has it natively, or forced"
    )
    channels_last: bool = setting(True, "memory layout of pictures and kernels")
    compile: Literal[False, True, "graphs", "blocks"] = setting(
        False,
        "torch.compile; `graphs`: with CUDA graphs, on a GPU, which small networks gain most from; `blocks`: the "
        "repeated blocks of a transformer, or the backbones of branches: compiled sooner",
    )
    device: str = setting("auto", "`auto`: cuda if there is one, else cpu; or a torch device")
    threads: int | None = setting(
        None, "CPU threads; absent: what the process has. Part of a run's identity", low=1, high=1024
    )
    checkpoint_every: int | None = setting(None, "optimiser steps between checkpoints; absent: one an epoch", low=1)
    keep_checkpoints: int = setting(2, "checkpoints kept", low=1)
    log_every: int = setting(10, "optimiser steps between lines of log.jsonl", low=1)
    tensorboard: bool = setting(False, "write TensorBoard events too")


@dataclass(frozen=True, kw_only=True)
class WeightingSettings:
    """How named losses become one: ``[weighting]``, and ``[emotional.weighting]`` for an affect network's."""

    name: str = setting("sum", "see `affekt.list_weightings()`")
    learning_rate: float | None = setting(None, "of learned weights; absent: that of the network", low=0)
    floor: float | None = setting(None, "least weight of each task, for weights that sum to one", low=0, high=1)
    temperature: float | None = setting(None, "above 1: weights nearer to each other", low=1e-9)
    normalise: Literal["none", "first", "running"] = setting(
        "none", "losses divided by the task's first one, or by their running mean"
    )
    options: dict[str, Value] = setting({}, "further options of the rule, e.g. `task` of `single`")
    gradient_cosine: bool = setting(False, "note the cosine between the tasks' gradients each `evaluate_every` epochs")

    @property
    def rule_options(self) -> dict[str, Any]:
        """What the rule is created with: every option that is set."""
        normalise = None if self.normalise == "none" else self.normalise
        own = {"floor": self.floor, "temperature": self.temperature, "normalise": normalise}
        return {key: value for key, value in own.items() if value is not None} | self.options


@dataclass(frozen=True, kw_only=True)
class EmotionalSettings:
    """The affect network, and so the emotional encoder of a regulated model: ``[emotional]``."""

    model: str = setting("", "folder of a trained affect network; given, nothing is pre-trained")
    backbone: str = setting("resnet20", "images -> features, see `affekt.list_backbones()`")
    initial: str = setting("random", "`random`, `imagenet`, or a path to a weights file or model folder")
    image_size: int | None = setting(None, "input side in pixels; absent: that of the affective pictures", low=8)
    categories: Literal["none", "cross-entropy", "votes"] = setting(
        "none", "head for emotion categories and its loss: majority label, or KL to the vote shares"
    )
    ratings: tuple[str, ...] = setting((), 'heads for rating dimensions, e.g. ["valence", "arousal"]')
    ratings_loss: Literal["mse", "ccc", "gaussian-nll"] = setting("mse", "on standardised ratings")
    trainable: str = setting(
        "all", "`all`, `head` (frozen backbone), or the number of last stages that learn", number_too=True
    )
    head_start: Literal["random", "ridge"] = setting(
        "random", "rating head: random, or ridge regression on the backbone's initial features"
    )
    batch_norm: Literal["learned", "kept"] = setting(
        "learned", "batch norms' statistics: learned with the weights, or kept as the initial weights have them"
    )
    layer_decay: float = setting(1.0, "learning-rate factor from each stage to the one before it", low=0, high=1)
    dropout: float = setting(0.0, "before the heads", low=0, high=0.95)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    weighting: WeightingSettings = field(default_factory=WeightingSettings)


@dataclass(frozen=True, kw_only=True)
class SourceSettings(DataSettings):
    """An earlier training of a classifier's backbone, on other pictures or without labels: ``[source]``."""

    model: str = setting("", "folder of a network trained so; given, nothing is trained")
    task: Literal["classes", "rotation"] = setting(
        "classes", "the set's classes, or by how many quarter turns a picture was rotated (no labels)"
    )
    training: TrainingSettings = field(default_factory=TrainingSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """The task's own network(s): ``[model]``. The baseline is one of them, a regulated model has two."""

    kind: Literal["classifier", "regulated", "earlier"] = setting(
        "regulated", "one classifier, Emotional Regulation, or an earlier learner on frozen features"
    )
    learner: Literal["emnn", "back-propagation", "bel", "linear"] = setting("linear", 'of kind = "earlier"')
    backbone: str = setting("resnet20", "images -> features, see `affekt.list_backbones()`")
    initial: str = setting(
        "random",
        "`random`, `imagenet`, `emotional` (a classifier that starts from the affect network), `source` (one that "
        "starts from the network of [source]), or a path",
    )
    trainable: str = setting(
        "all",
        "of a classifier: `all`, `head` (frozen backbone; attention in it learns), or the number of last stages that "
        "learn",
        number_too=True,
        unwritten=True,
    )
    image_size: int | None = setting(None, "input side in pixels; absent: that of the target's pictures", low=8)
    width: float | None = setting(
        None, "channels of the first stage; ours take fractions, each stage rounded for itself", low=1
    )
    dropout: float = setting(0.0, "before the classification head", low=0, high=0.95)


@dataclass(frozen=True, kw_only=True)
class RegulationSettings:
    """Emotional Regulation (arXiv:2606.13081): ``[regulation]``. Each key is one of the paper's open readings."""

    influence: Literal["initialised", "concatenated", "added", "modulated", "shared", "independent"] = setting(
        "initialised", "how the second encoder is influenced; `independent`: not at all"
    )
    regulator: Literal["constant", "random", "intensity", "valence", "learned", "per_class", "scalar", "features"] = (
        setting("learned", "affect state -> regulation weight r; `features`: from the task's features instead")
    )
    start: Literal["balanced", "random", "drawn"] = setting(
        "balanced", "learned regulators: r = 0.5, all parameters at random, or r itself drawn and then learned"
    )
    constant: float = setting(0.5, "r of the constant regulator", low=0, high=1)
    mix: Literal["probability", "logit"] = setting("probability", "what r balances")
    losses: Literal["all", "regulated"] = setting(
        "all", "each branch has a loss of its own, or only the regulated prediction"
    )
    emotional: Literal["frozen", "fine-tuned", "none"] = setting(
        "frozen", "whether the emotional encoder learns the task too; `none`: there is no such encoder"
    )
    pretrained: bool = setting(True, "false: the emotional encoder keeps its initial weights (no affective training)")
    regulator_data: Literal["train", "held-out"] = setting("train", "pictures that the regulator learns from")
    held_out: float = setting(0.1, "share of train cut off for `held-out`", low=0.01, high=0.5)
    affect_cache: bool = setting(False, "compute the affect state of each un-augmented picture once")
    permute_affect: bool = setting(False, "the regulator gets the affect state of another picture (a control)")
    cached_features: bool = setting(False, "with affect_cache: the emotional features too, of the un-augmented picture")


@dataclass(frozen=True, kw_only=True)
class StudySettings:
    """What a study runs and declares before it runs: ``[study]``."""

    conditions: tuple[str, ...] = setting((), "to run; empty: the main ones; `all`: every one that applies")
    seeds: int = setting(3, "seeds, counted up from the recipe's `seed`", low=1)
    method: str = setting("learn-e-reg", "the condition that the question is about")
    reference: str = setting("baseline", "the condition that it is held against first")
    comparisons: tuple[str, ...] = setting(
        (), 'declared comparisons, ["learn-e-reg - wide-total"]; empty: the method minus the reference and each control'
    )
    learning_rates: tuple[float, ...] = setting(
        (), "each condition is tried with each of them before the study, and keeps the best on validation"
    )
    chain: tuple[str, ...] = setting((), "conditions of the attribution, in order; empty: that of the documentation")
    margin: float = setting(0.5, "largest difference that does not matter, absolute percentage points", low=1e-6)
    draws: int = setting(2000, "of the bootstrap", low=100)
    pictures: Literal["licence", "always", "never"] = setting(
        "licence", "whether the report shows pictures; `licence`: where the data set's allows it"
    )
