"""Creating: a weighting by its name - ours, then torchjd's."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from affekt.errors import UsageError, unknown
from affekt.weighting import _torchjd
from affekt.weighting._base import Weighting
from affekt.weighting._constant import Constant
from affekt.weighting._single import Single
from affekt.weighting._softmax import Softmax
from affekt.weighting._sum import Sum
from affekt.weighting._torchjd_rules import RULES
from affekt.weighting._uniform import Uniform
from affekt.weighting._uw import UW
from affekt.weighting._uw_so import UWSO

WEIGHTINGS: dict[str, type[Weighting]] = {
    kind.name: kind for kind in (Sum, Uniform, Constant, Single, Softmax, UW, UWSO)
}
"""Ours, by name; they need nothing beside torch."""


def create_weighting(name: str, tasks: Sequence[str], **options: Any) -> Weighting:
    """A weighting by name, for losses of the names ``tasks``.

    Args:
        name: see :func:`list_weightings`; or ``torchjd:aggregation.Mean`` and the like: a class of torchjd by its own
            name.
        tasks: the names of the losses; their order is that of the weights.
        options: of the rule; lists become tensors for torchjd.

    Raises:
        UsageError: no such weighting (the nearest are named), no such option, one that is missing or out of range, or
            bad ``tasks``.
        MissingExtra: a rule of torchjd, and torchjd or a solver that it uses is not installed.
    """
    check_weighting(name, options)
    if name in WEIGHTINGS:
        kind = WEIGHTINGS[name]
        missing = [o for o in _required(kind) if o not in options]
        if missing:
            raise UsageError(f'weighting "{name}" needs {", ".join(missing)}: set it in [weighting.options]')
        return kind(tasks, **options)
    rule = _torchjd.find_rule(name)
    assert rule is not None
    return _torchjd.create(name, rule, tasks, options)


def check_weighting(name: str, options: Sequence[str] | dict[str, Any] = ()) -> None:
    """See that there is such a rule with such options, before its tasks are known.

    Raises:
        UsageError, MissingExtra: as :func:`create_weighting`.
    """
    if name in WEIGHTINGS:
        known = list(inspect.signature(WEIGHTINGS[name]).parameters)[1:]
    else:
        rule = _torchjd.find_rule(name)
        if rule is None:
            raise UsageError(unknown("weighting", name, list_weightings()))
        known = _torchjd.option_names(rule)
    for option in options:
        if option not in known:
            raise UsageError(f'weighting "{name}" has no option "{option}"; it has {", ".join(known) or "none"}')


def list_weightings() -> list[str]:
    """The names that :func:`create_weighting` knows: ours, then torchjd's (extra ``weights``)."""
    return [*WEIGHTINGS, *RULES]


def _required(kind: type[Weighting]) -> list[str]:
    parameters = list(inspect.signature(kind).parameters.values())[1:]
    return [p.name for p in parameters if p.default is p.empty]
