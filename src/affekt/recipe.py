"""Recipe: one TOML file that says everything about an experiment, as frozen dataclasses with checked types and ranges."""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from affekt.errors import RecipeError, nearest

T = TypeVar("T")
Scalar = str | int | float | bool
Value = Scalar | tuple[Scalar, ...]


def setting(default: Any, about: str, *, low: float | None = None, high: float | None = None) -> Any:
    """A recipe key: its default, one line about it (shown in the docs), and its range, both ends included."""
    metadata = {"about": about, "low": low, "high": high}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """A data set and how it is cut and read: ``[affective]`` and ``[target]``."""

    name: str = setting("", "data set, see `affekt data list`")
    root: str = setting("", "its folder; empty: <data root>/<name>")
    image_size: int = setting(32, "side of the square pictures that are read, pixels", low=8, high=2048)
    fit: Literal["crop", "squash"] = setting("crop", "shorter side scaled and centre cropped, or squashed to a square")
    train_limit: int | None = setting(None, "use this many training pictures, drawn stratified by seed", low=1)
    validation: float = setting(0.1, "share cut from train where the set fixes no validation split", low=0.0, high=0.9)
    test: float = setting(0.2, "share cut where the set fixes no test split", low=0.0, high=0.9)
    split_by: Literal["group", "item"] = setting("group", "unit of a split; `item` leaks groups and says so")
    split_seed: int | None = setting(None, "seed of the split; absent: the run's seed", low=0)
    folds: int | None = setting(None, "k-fold instead of one split: fold `fold` is the test set", low=2)
    fold: int = setting(0, "which of the folds is held out", low=0)
    allow_missing: bool = setting(False, "go on without pictures that are missing; the result says how many")
    workers: int | None = setting(None, "worker processes when the set does not fit in memory; absent: by cores", low=0)
    memory: float = setting(4.0, "GiB of decoded pictures kept in memory; larger sets are decoded as they are read", low=0)
    options: dict[str, Value] = setting({}, "options of this reader, see `affekt data info <name>`")


@dataclass(frozen=True, kw_only=True)
class AugmentationSettings:
    """Per-sample augmentation in training, each a pure function of (seed, epoch, item): ``[augmentation]``."""

    crop: Literal["none", "pad", "random-resized"] = setting("pad", "pad and crop, random resized crop, or none")
    padding: int = setting(4, "pixels of (reflected) border that pad-crop moves within", low=0)
    scale: tuple[float, float] = setting((0.35, 1.0), "share of the area that a random resized crop keeps", low=0.01, high=1)
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
    cutmix: float = setting(0.0, "alpha of cutmix's Beta distribution; 0: none; with mixup, one of the two a batch", low=0)


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """The engine: ``[training]`` and ``[emotional.training]``."""

    epochs: int = setting(15, "passes over the training pictures", low=1)
    batch_size: int = setting(128, "pictures an optimiser step, over all processes", low=1)
    optimiser: Literal["sgd", "adam", "adamw"] = setting("sgd", "sgd with Nesterov momentum, adam, adamw")
    learning_rate: float = setting(0.05, "peak learning rate", low=0)
    momentum: float = setting(0.9, "momentum of sgd, beta1 of adam", low=0, high=0.9999)
    weight_decay: float = setting(5e-4, "on matrices and kernels only", low=0)
    schedule: Literal["constant", "cosine", "one-cycle", "step"] = setting("cosine", "of the learning rate, a step each")
    step_every: int = setting(10, "epochs between the steps of `step` (factor 0.1)", low=1)
    warmup: float = setting(0.0, "epochs of linear warm-up", low=0)
    accumulate: int = setting(1, "parts a batch is worked through in, gradients added", low=1)
    clip: float | None = setting(None, "largest gradient norm", low=0)
    ema: float | None = setting(None, "decay of an exponential moving average of the weights, used for evaluation", low=0, high=1)
    label_smoothing: float = setting(0.0, "of cross-entropy losses", low=0, high=0.99)
    early_stop: int | None = setting(None, "stop after this many epochs without a better validation score", low=1)
    select: Literal["best", "last"] = setting("best", "weights used at the end: best on validation, or the last")
    evaluate_every: int = setting(1, "epochs between validations", low=1)
    evaluation_batch_size: int = setting(500, "pictures a step of evaluation", low=1)
    precision: Literal["auto", "fp32", "bf16"] = setting("auto", "bf16 autocast where the device has it natively, or forced")
    channels_last: bool = setting(True, "memory layout of pictures and kernels")
    compile: bool = setting(False, "torch.compile")
    device: str = setting("auto", "`auto`: cuda if there is one, else cpu; or a torch device")
    threads: int | None = setting(None, "CPU threads; absent: what the process has. Part of a run's identity", low=1)
    checkpoint_every: int | None = setting(None, "optimiser steps between checkpoints; absent: one an epoch", low=1)
    keep_checkpoints: int = setting(2, "checkpoints kept", low=1)
    log_every: int = setting(10, "optimiser steps between lines of log.jsonl", low=1)
    tensorboard: bool = setting(False, "write TensorBoard events too")


@dataclass(frozen=True, kw_only=True)
class EmotionalSettings:
    """The affect network, and so the emotional encoder of a regulated model: ``[emotional]``."""

    model: str = setting("", "folder of a trained affect network; given, nothing is pre-trained")
    backbone: str = setting("resnet20", "images -> features, see `affekt.list_backbones()`")
    initial: str = setting("random", "`random`, `imagenet`, or a path to a weights file or model folder")
    image_size: int | None = setting(None, "input side in pixels; absent: that of the affective pictures", low=8)
    categories: Literal["none", "cross-entropy", "votes"] = setting("none", "head for emotion categories and its loss: majority label, or KL to the vote shares")
    ratings: tuple[str, ...] = setting((), "heads for rating dimensions, e.g. [\"valence\", \"arousal\"]")
    ratings_loss: Literal["mse", "ccc", "gaussian-nll"] = setting("mse", "on standardised ratings")
    trainable: str = setting("all", "`all`, `head` (frozen backbone), or the number of last stages that learn")
    layer_decay: float = setting(1.0, "learning-rate factor from each stage to the one before it", low=0, high=1)
    dropout: float = setting(0.0, "before the heads", low=0, high=0.95)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """The task's own network(s): ``[model]``. The baseline is one of them, a regulated model has two."""

    kind: Literal["classifier", "regulated"] = setting("regulated", "one classifier, or Emotional Regulation")
    backbone: str = setting("resnet20", "images -> features, see `affekt.list_backbones()`")
    initial: str = setting("random", "`random`, `imagenet`, or a path to a weights file or model folder")
    image_size: int | None = setting(None, "input side in pixels; absent: that of the target's pictures", low=8)
    width: int | None = setting(None, "channels of the first stage (our CIFAR ResNets)", low=1)
    dropout: float = setting(0.0, "before the classification head", low=0, high=0.95)


@dataclass(frozen=True, kw_only=True)
class RegulationSettings:
    """Emotional Regulation (arXiv:2606.13081): ``[regulation]``. Each key is one of the paper's open readings."""

    influence: Literal["initialised", "concatenated", "added", "modulated", "shared"] = setting("initialised", "how the second encoder is influenced")
    regulator: Literal["constant", "random", "intensity", "valence", "learned", "per_class", "scalar"] = setting("learned", "affect state -> regulation weight r")
    start: Literal["balanced", "random"] = setting("balanced", "learned regulators start at r = 0.5, or at random")
    constant: float = setting(0.5, "r of the constant regulator", low=0, high=1)
    mix: Literal["probability", "logit"] = setting("probability", "what r balances")
    losses: Literal["all", "regulated"] = setting("all", "each branch has a loss of its own, or only the regulated prediction")
    emotional: Literal["frozen", "fine-tuned"] = setting("frozen", "whether the emotional encoder learns the task too")
    pretrained: bool = setting(True, "false: the emotional encoder keeps its initial weights (no affective training)")
    regulator_data: Literal["train", "held-out"] = setting("train", "pictures that the regulator learns from")
    held_out: float = setting(0.1, "share of train cut off for `held-out`", low=0.01, high=0.5)
    affect_cache: bool = setting(False, "compute the affect state of each un-augmented picture once")


@dataclass(frozen=True, kw_only=True)
class WeightingSettings:
    """How named losses become one: ``[weighting]``."""

    name: str = setting("sum", "see `affekt.list_weightings()`")
    learning_rate: float | None = setting(None, "of learned weights; absent: that of the network", low=0)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """An experiment. Sections that are absent have their defaults; ``[conditions.NAME]`` holds keys to change."""

    name: str = setting("", "of the experiment")
    about: str = setting("", "one paragraph for people")
    seed: int = setting(0, "of a single run", low=0)
    affective: DataSettings = field(default_factory=DataSettings)
    emotional: EmotionalSettings = field(default_factory=EmotionalSettings)
    target: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    regulation: RegulationSettings = field(default_factory=RegulationSettings)
    weighting: WeightingSettings = field(default_factory=WeightingSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    conditions: dict[str, dict[str, Value]] = setting({}, "name -> changed keys, e.g. {\"training.epochs\" = 30}")


# ------------------------------------------------------------------------------------------------ reading


def load_recipe(path: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Read a recipe and apply ``key=value`` overrides (``--set``).

    Raises:
        RecipeError: no such file, not TOML, or a wrong key, type or range: place, value and nearest right ones.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"recipe {path}: no such file; ready ones: affekt recipes") from None
    except IsADirectoryError:
        raise RecipeError(f"recipe {path}: a folder; give the .toml file in it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"recipe {path}: not readable as TOML: {error}") from None
    recipe = from_dict(Recipe, document)
    return override(recipe, overrides)


def override(recipe: Recipe, overrides: Iterable[str]) -> Recipe:
    """A recipe with ``a.b=value`` changes; values are TOML, and a bare word is a string.

    Raises:
        RecipeError: no ``=``, or what the changed recipe raises.
    """
    changes: dict[str, Any] = {}
    for item in overrides:
        key, equals, text = item.partition("=")
        if not equals or not key.strip():
            raise RecipeError(f'--set "{item}": write KEY=VALUE, e.g. --set training.epochs=3')
        changes[key.strip()] = _toml_value(text.strip())
    return change(recipe, changes)


def change(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """A recipe with dotted keys changed; ``None`` puts a key back to its default.

    Raises:
        RecipeError: a key that does not exist, a value of another type or out of range.
    """
    document = to_dict(recipe)
    for dotted, value in changes.items():
        _check_key(dotted)
        *parents, last = dotted.split(".")
        table = document
        for part in parents:
            table = table.setdefault(part, {})
        if value is None:
            table.pop(last, None)
        else:
            table[last] = value
    return from_dict(Recipe, document)


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _check_key(dotted: str) -> None:
    """Say at once when the first part of a dotted key that is unknown is a misspelling, with the nearest whole keys."""
    known = list(keys())
    free = ("conditions.", "affective.options.", "target.options.")
    if dotted in known or dotted.startswith(free):
        return
    if any(k.startswith(dotted + ".") for k in known):
        raise RecipeError(f'key "{dotted}" is a section; set one of its keys, e.g. {first_key(dotted)}')
    close = nearest(dotted, known) or [k for k in known if k.endswith("." + dotted.rsplit(".", 1)[-1])][:3]
    raise RecipeError(f'key "{dotted}": unknown.' + (f" Nearest: {', '.join(close)}." if close else ""))


def first_key(section: str) -> str:
    return next(k for k in keys() if k.startswith(section + "."))


def keys(kind: type = Recipe, prefix: str = "") -> Iterator[str]:
    """Every dotted key of a recipe, in order; free tables (options, conditions) count as one key."""
    hints = typing.get_type_hints(kind)
    for f in fields(kind):
        if is_dataclass(hints[f.name]):
            yield from keys(cast(type, hints[f.name]), f"{prefix}{f.name}.")
        else:
            yield prefix + f.name


def from_dict(kind: type[T], document: Mapping[str, Any], place: str = "") -> T:
    """A settings dataclass from a TOML table; ``place`` is the dotted name of the table, for messages."""
    hints = typing.get_type_hints(kind)
    known = {f.name: f for f in fields(cast(Any, kind))}
    for key in document:
        if key not in known:
            raise RecipeError(_unknown_key(key, place, known))
    values = {}
    for key, value in document.items():
        where = f"{place}.{key}" if place else key
        if is_dataclass(hints[key]):
            if not isinstance(value, Mapping):
                raise RecipeError(f"{_at(where)} = {value!r}: a table [{where}] was expected")
            values[key] = from_dict(cast(type, hints[key]), value, where)
        else:
            values[key] = _checked(value, hints[key], where, known[key].metadata)
    return kind(**values)


def _unknown_key(key: str, place: str, known: Iterable[str]) -> str:
    known = list(known)
    close = nearest(key, known)
    elsewhere = [k for k in keys() if k.rsplit(".", 1)[-1] == key]
    hint = f" Nearest: {', '.join(close)}." if close else ""
    hint += f" Did you mean {' or '.join(elsewhere[:3])}?" if elsewhere else ""
    table = f"[{place}]" if place else "the recipe"
    return f'{table} has no key "{key}".{hint} It has: {", ".join(known)}'


def _at(where: str) -> str:
    table, _, key = where.rpartition(".")
    return f"[{table}] {key}" if table else key


def _checked(value: Any, hint: Any, where: str, metadata: Mapping[str, Any]) -> Any:
    """``value`` as the type ``hint`` asks for, within the range that ``metadata`` states."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType and type(None) in arguments:
        inner = next(a for a in arguments if a is not type(None))
        return None if value is None else _checked(value, inner, where, metadata)
    if origin is Literal:
        if value not in arguments or isinstance(value, bool):
            close = nearest(str(value), map(str, arguments), n=1)
            hint_text = f" Nearest: {close[0]}." if close else ""
            raise RecipeError(f"{_at(where)} = {value!r}: no such choice.{hint_text} Choices: {', '.join(arguments)}")
        return value
    if origin is tuple:
        return _checked_tuple(value, arguments, where, metadata)
    if origin is dict:
        return _checked_table(value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise RecipeError(f"{_at(where)} = {value!r}: {_TYPE_NAMES[hint]} was expected")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_range(value, where, metadata)
    return value


_TYPE_NAMES = {
    str: "a string", int: "a whole number", float: "a number", bool: "true or false",
}  # fmt: skip


def _check_range(value: float, where: str, metadata: Mapping[str, Any]) -> None:
    low, high = metadata.get("low"), metadata.get("high")
    inside = value == value and (low is None or value >= low) and (high is None or value <= high)  # noqa: PLR0124 - NaN
    if not inside:
        span = f"from {low} to {high}" if None not in (low, high) else f"{low} or more" if high is None else f"at most {high}"
        raise RecipeError(f"{_at(where)} = {value!r}: out of range; {span}")


def _checked_tuple(value: Any, arguments: tuple[Any, ...], where: str, metadata: Mapping[str, Any]) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise RecipeError(f'{_at(where)} = {value!r}: a list was expected, e.g. ["{value}"]')
    if arguments[-1] is Ellipsis:
        return tuple(_checked(v, arguments[0], where, metadata) for v in value)
    if len(value) != len(arguments):
        raise RecipeError(f"{_at(where)} = {value!r}: {len(arguments)} numbers were expected")
    return tuple(_checked(v, a, where, metadata) for v, a in zip(value, arguments, strict=True))


def _checked_table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise RecipeError(f"{_at(where)} = {value!r}: a table [{where}] was expected")
    if where == "conditions":
        return {name: _checked_condition(keys_, f"conditions.{name}") for name, keys_ in value.items()}
    return {k: _plain(v, f"{where}.{k}") for k, v in value.items()}


def _checked_condition(value: Any, where: str) -> dict[str, Any]:
    """A condition's changes as flat dotted keys, whether written ``"a.b" = 1`` or ``a.b = 1`` (a nested table in TOML)."""
    if not isinstance(value, Mapping):
        raise RecipeError(f"[{where}] = {value!r}: a table of keys to change was expected")
    flat = {key: _plain(v, f"{where}.{key}") for key, v in _flatten(value)}
    for key in flat:
        _check_key(key)
    return flat


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_plain(v, where) for v in value)
    if not isinstance(value, (str, int, float, bool)):
        raise RecipeError(f"{_at(where)} = {value!r}: a string, number, true, false or a list of these was expected")
    return value


# ------------------------------------------------------------------------------------------------ writing


def to_dict(settings: Any) -> dict[str, Any]:
    """The complete table of a settings dataclass, defaults included; keys that are None are left out."""
    table: dict[str, Any] = {}
    for f in fields(settings):
        value = getattr(settings, f.name)
        if is_dataclass(value):
            table[f.name] = to_dict(value)
        elif isinstance(value, Mapping):
            table[f.name] = {k: dict(v) if isinstance(v, Mapping) else v for k, v in value.items()}
        elif value is not None:
            table[f.name] = value
    return table


def to_toml(recipe: Recipe) -> str:
    """The complete recipe as TOML; ``from_dict(Recipe, tomllib.loads(text))`` gives the same recipe back."""
    return "\n".join(_toml_lines(to_dict(recipe), "")).strip() + "\n"


def _toml_lines(table: Mapping[str, Any], name: str) -> Iterator[str]:
    scalars = {k: v for k, v in table.items() if not isinstance(v, Mapping)}
    if name and (scalars or not table):
        yield f"\n[{name}]"
    for key, value in scalars.items():
        yield f"{_toml_key(key)} = {_toml_text(value)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _toml_lines(value, f"{name}.{_toml_key(key)}" if name else _toml_key(key))


def _toml_key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else _toml_string(key)


def _toml_string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def _toml_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _toml_string(value)
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_toml_text(v) for v in value) + "]"
    return repr(value)


def differing_keys(one: Recipe, other: Recipe) -> list[str]:
    """Dotted keys in which two recipes differ: what is printed when a folder holds another recipe."""
    a, b = dict(_flatten(to_dict(one))), dict(_flatten(to_dict(other)))
    return [k for k in sorted(a.keys() | b.keys()) if a.get(k) != b.get(k)]


def replace(settings: T, **changes: Any) -> T:
    """``dataclasses.replace`` for any settings."""
    return cast(T, dataclasses.replace(cast(Any, settings), **changes))
