"""The method of ``affekt look``, with its settings, from the command line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from affekt.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

OF_METHOD = {
    "category": "--class",
    "rating": "--rating",
    "part": "--part",
    "window": "--window",
    "stride": "--stride",
    "steps": "--steps",
}
"""Settings of a method, as the library and as the command call them."""


def looker(args: argparse.Namespace) -> Callable[[Any, Tensor], Tensor]:
    """``(model, images)`` -> ``(B, H, W)`` by the method and its settings.

    Raises:
        UsageError: a setting of another method.
    """
    from affekt.humans.looking import METHODS as KNOWN

    method = KNOWN[args.method]
    given = {name: getattr(args, name) for name in OF_METHOD if getattr(args, name) is not None}
    for name in given:
        if name not in method.settings:
            from affekt.report.numbers import listed

            having = [each for each, known in KNOWN.items() if name in known.settings]
            verb = "has" if len(having) == 1 else "have"
            raise UsageError(f"{OF_METHOD[name]}: --method {args.method} has no use for it; {listed(having)} {verb}")
    return lambda model, images: method.look(model, images, **given)
