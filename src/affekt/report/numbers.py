"""Numbers as a reader sees them: signs, digits, and a dash where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, TypeGuard

NONE = "–"
MINUS = "−"


def known(value: Any) -> TypeGuard[float]:
    """Whether a value of comparison.json is a number that can be shown."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def number(value: Any, digits: int = 2) -> str:
    """``12.30``, with a true minus; a dash for what is not known."""
    return f"{value:.{digits}f}".replace("-", MINUS) if known(value) else NONE


def signed(value: Any, digits: int = 2) -> str:
    """``+1.20`` or ``−0.31``: a difference."""
    return f"{value:+.{digits}f}".replace("-", MINUS) if known(value) else NONE


def interval(low: Any, high: Any, digits: int = 2, *, sign: bool = False) -> str:
    """``[1.20, 3.40]``; a dash where an end is missing."""
    if not (known(low) and known(high)):
        return NONE
    text = signed if sign else number
    return f"[{text(low, digits)}, {text(high, digits)}]"


def probability(p: Any) -> str:
    """``.034``, and ``< .001`` below that."""
    if not known(p):
        return NONE
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0") if p < 0.9995 else "1"


def share(value: Any, digits: int = 1) -> str:
    """A share in [0, 1] as ``12.3 %``."""
    return f"{100 * value:.{digits}f} %" if known(value) else NONE


def count(value: Any) -> str:
    """``10,000``."""
    return f"{round(value):,}" if known(value) else NONE


def short_count(value: Any) -> str:
    """``2.7 M``, ``430 k``: parameters and FLOPs."""
    if not known(value):
        return NONE
    for size, unit in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def listed(names: Sequence[object]) -> str:
    """``a, b and c``."""
    words = [str(name) for name in names]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def counted(n: int, one: str, many: str | None = None) -> str:
    """``1 seed``, ``3 seeds``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def shortened(name: str, most: int = 26) -> str:
    """A name that fits beside an axis, cut in its middle as names often differ at the end; tables have it whole."""
    behind = most // 2
    return name if len(name) <= most else f"{name[: most - 1 - behind]}…{name[-behind:]}"
