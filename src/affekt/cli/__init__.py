"""The command ``affekt <verb>``: parse, call, print.

Results go to stdout (a table, or ``--json``), progress and log to stderr. Exit codes: 0 done, 1 failed, 2 wrong call or
recipe, 130 interrupted. A user's mistake is one line, never a traceback; ``AFFEKT_DEBUG=1`` shows the traceback.
Nothing here imports torch before a verb needs it, so that ``affekt --help`` answers at once.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence

from affekt.cli.parsing import build_parser
from affekt.cli.torchrun import said_by_another
from affekt.errors import AffektError

__all__ = ["main"]

INTERRUPTED, BROKEN_PIPE = 130, 141
"""What a shell reports for a process ended by SIGINT and by SIGPIPE."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with ``argv`` (default: the process's own) and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = os.environ.get("AFFEKT_DEBUG", "") not in ("", "0")
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        return _close_quietly()
    except KeyboardInterrupt:
        return _say("interrupted; run the same command again to go on", INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        message, code = _one_line(error)
        return code if said_by_another(error) else _say(message, code)
    return code


def _run(arguments: list[str]) -> int:
    """Parse and call the verb; argparse's own exits (``--help``, ``--version``) become a code."""
    if arguments[:1] == ["__complete"]:
        from affekt.cli.completion import answer

        return answer(arguments[1:])
    warnings.formatwarning = _warning
    try:
        parsed = build_parser().parse_args(arguments or ["--help"])
        return int(parsed.run(parsed) or 0)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1


def _warning(message: Warning | str, *_: object, **__: object) -> str:
    """A library's warning as a line of log: where in the code it was said is of no use to a user."""
    return f"affekt: warning: {_flat(str(message))}\n"


def _one_line(error: Exception) -> tuple[str, int]:
    """What to say of an exception, and the exit code."""
    if isinstance(error, AffektError):
        return f"error: {_flat(str(error))}", error.exit_code
    if isinstance(error, OSError) and error.strerror:
        place = f": {error.filename}" if error.filename else ""
        return f"error: {error.strerror}{place}", 1
    what = f"{type(error).__name__}: {_flat(str(error))}".removesuffix(": ")
    return f"error: {what} (unexpected; see the traceback with AFFEKT_DEBUG=1 and please report it)", 1


def _flat(text: str) -> str:
    return " ".join(text.split())


def _say(message: str, code: int) -> int:
    print(f"affekt: {message}", file=sys.stderr)  # noqa: T201 - the one place where the command speaks of failure
    return code


def _close_quietly() -> int:
    """The reader of stdout has gone (``| head``): say nothing, also not when Python flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE
