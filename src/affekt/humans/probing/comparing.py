"""Comparing: subjects against one of them, on the same pictures and draws, p adjusted for the number of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from affekt.errors import UsageError, unknown
from affekt.humans.agreement import Estimate, compare_models
from affekt.multiplicity import holm


def differences(estimates: Mapping[str, Mapping[str, Estimate]], against: str) -> list[dict[str, Any]]:
    """r of every entry less that of ``against``, in every dimension, for JSON.

    Holm's adjustment (1979) is over all of them, dimensions together: they are read together.

    Args:
        estimates: dimension -> entry -> r, from one bootstrap a dimension.

    Raises:
        UsageError: no such entry.
    """
    found: list[dict[str, Any]] = []
    for dimension, of_entries in estimates.items():
        if against not in of_entries:
            raise UsageError(unknown("--against", against, of_entries))
        pairs = [(entry, against) for entry in of_entries if entry != against]
        found += [{"dimension": dimension, **asdict(d)} for d in compare_models(of_entries, pairs)]
    adjusted = holm([1.0 if d["p"] is None else d["p"] for d in found])
    return [{**d, "p_holm": None if d["p"] is None else p} for d, p in zip(found, adjusted, strict=True)]


def entry_of(subject: str, layer: str, alone: bool) -> str:
    """How a line is called in a table: by its subject, with the layer where the subject has several."""
    return subject if alone else f"{subject}, {layer}"


def check_against(asked: str, subjects: Sequence[str]) -> None:
    """Before anything is computed: whether an entry can come of that name.

    Raises:
        UsageError: no subject's name begins so, or begins it.
    """
    if not any(name.startswith(asked) or asked.startswith(f"{name}, ") for name in subjects):
        raise UsageError(unknown("--against", asked, subjects))


def resolve_against(asked: str | None, entries: Sequence[str]) -> str:
    """The entry that is meant: that of this name, else the first that begins so; the first where none is asked for.

    Raises:
        UsageError: no entry begins so.
    """
    if asked is None or asked in entries:
        return asked or entries[0]
    begun = [entry for entry in entries if entry.startswith(asked)]
    if not begun:
        raise UsageError(unknown("--against", asked, entries))
    return begun[0]
