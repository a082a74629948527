"""Subjects: what can be probed - a network by name, a saved model, a baseline - and the controls that go with them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from affekt.backbones import create_backbone
from affekt.backbones.naming import match, resolve
from affekt.errors import UsageError, unknown
from affekt.humans.probing.baselines import BASELINES
from affekt.humans.probing.extractors import Extractor, OfBackbone, OfBaseline, check_backbone, of_model
from affekt.humans.probing.settings import Fit, ProbeSettings
from affekt.randomness import torch_seed
from affekt.saving import file_digest

RANDOM = "random"
CONTROLS = (RANDOM, *BASELINES)
"""``random``: each network again, with random weights; and the baselines without a network."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Something with features.

    Attributes:
        name: for people; unique in a probe.
        identity: what its features follow from, beside pictures, layers and settings: for JSON, without a path.
        image_size, fit: how pictures are read for it.
        open: (layers) -> what computes them.
        twin: makes the same with random weights; None where that is no control.
        control: whether it is one.
    """

    name: str
    identity: Mapping[str, Any]
    image_size: int
    fit: Fit
    open: Callable[[Sequence[str]], Extractor]
    twin: Callable[[], Subject] | None = None
    control: bool = False


def named(text: str, settings: ProbeSettings, *, initial: str = "imagenet") -> list[Subject]:
    """Networks by name: ``"vgg16"``, ``"vgg16=random"``, ``"vgg16=weights.pth"``, or a pattern: ``"timm:resnet*"``.

    Args:
        initial: ``"imagenet"``, ``"random"`` or a path, where the name does not say.

    Raises:
        UsageError: an unknown name, a pattern that nothing matches, a path that does not exist.
    """
    name, start = split(text)
    start = start or initial
    if any(sign in name for sign in "*?["):
        names = match(name)
        if not names:
            raise UsageError(f'model pattern "{name}": no network of that name; see affekt.list_backbones("vgg*")')
        return [by_name(one, start, settings) for one in names]
    return [by_name(name, start, settings)]


def split(text: str) -> tuple[str, str]:
    """``"resnet18+se(reduction=8)=random"`` -> name and initial weights, which are empty where it does not say."""
    name, equals, start = text.rpartition("=")
    return (name, start) if equals and ")" not in start else (text, "")


def by_name(name: str, initial: str, settings: ProbeSettings) -> Subject:
    """A network by name, of ours, torchvision's or timm's; raises as :func:`named`."""
    resolve(name)
    known = initial in ("imagenet", RANDOM)
    if not known and not Path(initial).is_file():
        raise UsageError(f'{name}: initial = "{initial}": no such file; write imagenet, random, or a path that exists')
    identity: dict[str, Any] = {"network": name, "initial": initial if known else Path(initial).name}
    identity |= {} if known else {"weights": file_digest(Path(initial))}
    identity |= {"seed": settings.seed} if initial == RANDOM else {}

    def opened(layers: Sequence[str]) -> Extractor:
        seed = settings.seed if initial == RANDOM else None
        backbone = create_backbone(name, initial=initial, in_size=settings.image_size, seed=seed)
        return OfBackbone(backbone.eval(), settings.image_size, layers, settings)

    return Subject(
        name=f"{name} ({identity['initial']})",
        identity=identity,
        image_size=settings.image_size,
        fit=settings.fit,
        open=opened,
        twin=None if initial == RANDOM else lambda: _as_control(by_name(name, RANDOM, settings)),
    )


def saved(name: str, model: Any, settings: ProbeSettings, *, image_size: int, fit: Fit) -> Subject:
    """A loaded model of ours, in evaluation mode.

    Args:
        name: for people.
        image_size, fit: how its pictures were read in training.

    Raises:
        UsageError: a model without a backbone.
    """
    check_backbone(name, model)
    identity = {"model": type(model).__name__, "initial": "saved", "weights": digest_of(model)}

    def opened(layers: Sequence[str]) -> Extractor:
        return of_model(model, layers, settings, name=name)

    def twin() -> Subject:
        with torch_seed("probe", settings.seed):
            fresh = type(model).from_config(model.config()).eval()
        return _as_control(saved(f"{name} (random)", fresh, settings, image_size=image_size, fit=fit))

    return Subject(name=name, identity=identity, image_size=image_size, fit=fit, open=opened, twin=twin)


def baseline(name: str, settings: ProbeSettings) -> Subject:
    """``"pixels"`` or ``"low-level"``."""
    return Subject(
        name=name,
        identity={"baseline": name},
        image_size=settings.image_size,
        fit=settings.fit,
        open=lambda _layers: OfBaseline(BASELINES[name]),
        control=True,
    )


def with_controls(subjects: Sequence[Subject], controls: Sequence[str], settings: ProbeSettings) -> list[Subject]:
    """The subjects, each with random weights too unless that was asked for already, and the baselines.

    Raises:
        UsageError: an unknown control, two subjects of one name.
    """
    for control in controls:
        if control not in CONTROLS:
            raise UsageError(unknown("control", control, (*CONTROLS, "none")))
    found = list(subjects)
    if RANDOM in controls:
        made = [subject.twin() for subject in subjects if subject.twin is not None]
        # Two sets of weights of one network have the same twin, and it may have been asked for by name.
        twins = {twin.name: twin for twin in made if twin.name not in {subject.name for subject in subjects}}
        found += twins.values()
    found += [baseline(name, settings) for name in BASELINES if name in controls]
    twice = sorted({s.name for s in found if sum(s.name == other.name for other in found) > 1})
    if twice:
        raise UsageError(f"{twice[0]}: named twice; give each model once, files of other names and folders of others")
    return found


def digest_of(module: nn.Module) -> str:
    """SHA-256 of a module's parameters and buffers with their names."""
    hashed = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        hashed.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        hashed.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return hashed.hexdigest()


def _as_control(subject: Subject) -> Subject:
    return replace(subject, control=True, twin=None)
