"""torchjd: its scalarisers and aggregators as weightings; imported only when one of them is named."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from affekt.errors import MissingExtra, UsageError, unknown
from affekt.randomness import torch_seed
from affekt.weighting._aggregated import Aggregated
from affekt.weighting._base import Weighting
from affekt.weighting._scalarised import Scalarised
from affekt.weighting._torchjd_rules import AGGREGATORS, RULES, SCALARISERS, Rule

PREFIX = "torchjd:"
"""Forces a class of torchjd by its own name, ``torchjd:aggregation.Mean``, whatever we call it."""

OURS = {"shape": len, "n_tasks": len}
"""Parameters that follow from the tasks."""


def find_rule(name: str) -> Rule | None:
    """The rule of this name; None where it is none of torchjd's.

    Raises:
        UsageError: ``torchjd:`` and no such class.
        MissingExtra: ``torchjd:``, which has to be looked into.
    """
    if not name.startswith(PREFIX):
        return RULES.get(name)
    place, _, kind = name.removeprefix(PREFIX).rpartition(".")
    classes = [f"{place}.{kind}" for place in (SCALARISERS, AGGREGATORS) for kind in kinds(place)]
    if f"{place}.{kind}" not in classes:
        raise UsageError(unknown("weighting", name, [PREFIX + known for known in classes]))
    plain = Rule(place="aggregation" if place == AGGREGATORS else "scalarization", kind=kind, about="", paper="")
    return next((rule for rule in RULES.values() if (rule.place, rule.kind) == (place, kind)), plain)


def kinds(place: str) -> list[str]:
    """The classes in one of torchjd's two modules that can be made."""
    module = _imported(place)
    base = module.Scalarizer if place == SCALARISERS else module.Aggregator
    found = [(name, getattr(module, name)) for name in module.__all__]
    abstract = ("WeightedAggregator", "GramianWeightedAggregator", base.__name__)
    return [name for name, kind in found if issubclass(kind, base) and name not in abstract]


def options_of(rule: Rule) -> dict[str, bool]:
    """The options of a rule that a user can set, and whether one has to."""
    found = _parameters(rule).items()
    return {name: p.default is p.empty for name, p in found if name not in OURS}


def see_solver(rule: Rule) -> None:
    """
    Raises:
        MissingExtra: the solver that the rule uses is not installed.
    """
    if rule.solver and importlib.util.find_spec(rule.solver) is None:
        raise MissingExtra("weights", rule.solver)


def create(name: str, rule: Rule, tasks: Sequence[str], options: Mapping[str, Any]) -> Weighting:
    """A weighting around a class of torchjd.

    Raises:
        UsageError: an option's value that cannot be.
        MissingExtra: torchjd, or the solver that this rule uses, is not installed.
    """
    given = {key: _value(value) for key, value in options.items()}
    filled = {key: count(tasks) for key, count in OURS.items() if key in _parameters(rule)}
    kind: type[nn.Module] = getattr(_imported(rule.place), rule.kind)
    try:
        made = kind(**filled, **given)
    except (ImportError, NameError):  # the latter where a solver is there and its own parts are not
        raise MissingExtra("weights", rule.solver or rule.kind) from None
    except (ValueError, TypeError) as error:
        raise _refused(f'"{name}"', error) from None
    adapter = Aggregated if rule.place == AGGREGATORS else Scalarised
    weighting = adapter(tuple(tasks), name=name, rule=rule, made=made, settings=options)
    _try(name, rule, kind(**filled, **given), len(weighting.tasks))
    return weighting


def _try(name: str, rule: Rule, made: nn.Module, n: int) -> None:
    """Use a rule once, so that what cannot work with so many tasks is said before a training begins.

    Raises:
        UsageError: it cannot.
    """
    if rule.place == AGGREGATORS and n == 1:  # never asked then
        return
    with torch_seed("weighting", 0), torch.no_grad():
        try:
            made(torch.rand(n, n + 2) + 0.5 if rule.place == AGGREGATORS else torch.rand(n) + 0.5)
        except (ValueError, RuntimeError, IndexError, TypeError) as error:
            raise _refused(f'"{name}" for {n} tasks', error) from None


def _refused(what: str, error: Exception) -> UsageError:
    return UsageError(f"weighting {what}: {' '.join(str(error).split())}")


def _value(value: Any) -> Any:
    """As torchjd takes it: lists are tensors there."""
    return torch.tensor(value, dtype=torch.float32) if isinstance(value, list | tuple) else value


def _parameters(rule: Rule) -> Mapping[str, inspect.Parameter]:
    kind = getattr(_imported(rule.place), rule.kind, None)
    if kind is None:
        raise UsageError(f"torchjd has no {rule.kind}: this needs torchjd 0.18 or later")
    return inspect.signature(kind).parameters


def _imported(place: str) -> Any:
    """One of torchjd's modules.

    Raises:
        MissingExtra: torchjd is not installed.
    """
    if importlib.util.find_spec("torchjd") is None:
        raise MissingExtra("weights", "torchjd")
    return importlib.import_module(f"torchjd.{place}")
