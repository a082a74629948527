"""Creating: a weighting by its name - ours, then torchjd's."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Sequence
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

EXAMPLES = {"constant": "weights = [1.0, 2.0]", "single": 'task = "emotion"'}


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
        return WEIGHTINGS[name](tasks, **options)
    rule = _torchjd.find_rule(name)
    assert rule is not None
    return _torchjd.create(name, rule, tasks, options)


def check_weighting(name: str, options: Collection[str] = ()) -> None:
    """See that there is such a rule, with such options and no other that it needs, before its tasks are known.

    Raises:
        UsageError, MissingExtra: as :func:`create_weighting`.
    """
    rule = None if name in WEIGHTINGS else _torchjd.find_rule(name)
    if rule is not None:
        known, example = _torchjd.options_of(rule), rule.example
    elif name in WEIGHTINGS:
        parameters = list(inspect.signature(WEIGHTINGS[name]).parameters.values())[1:]
        known, example = {p.name: p.default is p.empty for p in parameters}, EXAMPLES.get(name, "")
    else:
        raise UsageError(unknown("weighting", name, list_weightings()))
    for option in options:
        if option not in known:
            raise UsageError(f'weighting "{name}" has no option "{option}"; it has {", ".join(known) or "none"}')
    missing = [option for option, needed in known.items() if needed and option not in options]
    if missing:
        say = f", e.g. {example}" if example else ""
        raise UsageError(f'weighting "{name}" needs {", ".join(missing)}: set it in [weighting.options]{say}')
    if rule is not None:
        _torchjd.see_solver(rule)


def list_weightings() -> list[str]:
    """The names that :func:`create_weighting` knows: ours, then torchjd's (extra ``weights``)."""
    return [*WEIGHTINGS, *RULES]
