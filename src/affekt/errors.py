"""Errors that speak to a user: one line that says what was asked, what was found and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class AffektError(Exception):
    """A user's mistake or a damaged input; the command prints its message as one line and exits with ``exit_code``.

    Attributes:
        common: whether all processes that share a training find the same, so that one of them may say it for all.
    """

    exit_code = 1
    common = False


class UsageError(AffektError):
    """The call itself is wrong: an unknown name, an argument out of range (exit 2)."""

    exit_code = 2
    common = True


class RecipeError(UsageError):
    """A recipe that cannot be read or that asks for something that does not exist (exit 2)."""


class DataError(AffektError):
    """A data set that is missing, incomplete or damaged."""


class AlteredError(DataError):
    """A pack that is not what it was when it was made. Unlike a file that does not decode, it is not passed over."""


class CheckpointError(AffektError):
    """A checkpoint or model folder that is missing, truncated or altered."""


class TrainingError(AffektError):
    """A training that cannot go on (NaN or Inf in a loss, a full disk)."""


class MissingExtra(AffektError):  # noqa: N818 - reads as what it is
    """An optional package is not installed; the message is the ``pip install`` line that brings it."""

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(f'{package} is not installed; get it with: pip install "affekt[{extra}]"')


def nearest(name: str, known: Iterable[str], n: int = 3) -> list[str]:
    """The ``n`` known names closest to a mistyped ``name``, best first; the known names that contain it come too."""
    known = sorted(set(known))
    lowered = {k.lower(): k for k in known}
    found = [lowered[m] for m in difflib.get_close_matches(name.lower(), lowered, n=n, cutoff=0.5)]
    found += [k for k in known if name and name.lower() in k.lower() and k not in found]
    return found[:n]


def unknown(
    what: str, name: str, known: Iterable[str], *, everything: str | None = None, meant: Sequence[str] = ()
) -> str:
    """The message for an unknown name: ``what "name": unknown. Nearest: a, b. All: ...``.

    ``everything`` replaces the full list where that would be long, e.g. ``"affekt data list"``; ``meant``, names that
    mean the same, the nearest by letters.
    """
    known = sorted(set(known))
    close = list(meant) or nearest(name, known)
    hint = f" Nearest: {', '.join(close)}." if close else ""
    return f'{what} "{name}": unknown.{hint} All: {everything or ", ".join(known)}'


def first(items: Iterable[object], total: int | None = None, n: int = 5) -> str:
    """``a, b, c, d, e and 12 more``: the first ``n`` of many offenders, for a message of one line."""
    listed = [str(i) for i in items]
    total = len(listed) if total is None else total
    rest = total - min(n, len(listed))
    return ", ".join(listed[:n]) + (f" and {rest} more" if rest > 0 else "")
