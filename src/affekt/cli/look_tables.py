"""Tables of ``affekt look``: measures beside what they are held against, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from affekt.cli.printing import write_table

if TYPE_CHECKING:
    from affekt.humans.agreement import Estimate
    from affekt.humans.looking import Overlap

RIVALS = {"uniform": "chance", "centre": "centre bias", "shuffled": "other pictures"}


def write_overlaps(what: str, overlaps: Mapping[str, Overlap]) -> None:
    """One row a measure, or region: its mean with its 95 % interval, and the difference from each rival."""
    rivals = [name for name in RIVALS if any(name in o.against for o in overlaps.values())]
    header = [what, "network", *(RIVALS[r] for r in rivals), *(f"less {RIVALS[r]}" for r in rivals[1:] or rivals)]
    rows = []
    for name, overlap in overlaps.items():
        against = [overlap.against.get(r) for r in rivals]
        values = ["" if a is None else _number(a.value) for a in against]
        differences = ["" if a is None else _with_interval(a.difference) for a in against]
        label = f"{name} (less is better)" if overlap.less_is_better else name
        rows.append([label, _with_interval(overlap.value), *values, *(differences[1:] or differences)])
    write_table(header, rows)


def as_dict(overlap: Overlap) -> dict[str, Any]:
    """For JSON."""
    return {
        **_dict(overlap.value),
        "undefined": overlap.undefined,
        "less_is_better": overlap.less_is_better,
        "against": {name: {**_dict(a.value), "difference": _dict(a.difference)} for name, a in overlap.against.items()},
    }


def _dict(estimate: Estimate) -> dict[str, Any]:
    ends = estimate.interval() or (None, None)
    found: dict[str, Any] = {"value": estimate.value, "low": ends[0], "high": ends[1]}
    return found | ({"reason": estimate.reason} if estimate.reason else {})


def _number(estimate: Estimate) -> str:
    return "-" if estimate.value is None else f"{estimate.value:.3f}"


def _with_interval(estimate: Estimate) -> str:
    ends = estimate.interval()
    return _number(estimate) + ("" if ends is None else f" [{ends[0]:.3f}, {ends[1]:.3f}]")
