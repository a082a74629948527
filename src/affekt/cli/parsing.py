"""The parser: one sub-parser a verb, errors that name the nearest right word."""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from affekt import __version__
from affekt.errors import UsageError, unknown

VERBS = (
    "quickstart",
    "pretrain",
    "train",
    "study",
    "plan",
    "report",
    "evaluate",
    "predict",
    "look",
    "probe",
    "compare-humans",
    "data",
    "stimuli",
    "recipes",
    "convert",
    "doctor",
    "completion",
)
"""One file a verb in this folder; each offers ``register(subparsers)`` and imports what is heavy only when it runs."""


ELSEWHERE = {
    **dict.fromkeys(("--launcher", "--backend", "--scheduler", "--cluster"), "--executor"),
    **dict.fromkeys(("--num-workers", "--jobs", "--n-jobs", "--processes"), "--workers"),
    **dict.fromkeys(("--devices", "--gpu", "--gpu-ids"), "--gpus"),
    **dict.fromkeys(("--output", "--output-dir", "--out-dir", "--save-dir", "--work-dir", "--logdir"), "--out"),
    **dict.fromkeys(("--data", "--data-dir", "--data-path", "--dataset-root"), "--data-root"),
    **dict.fromkeys(("--override", "--cfg-options", "--opts"), "--set"),
    **dict.fromkeys(("--random-seed", "--manual-seed"), "--seed"),
}
"""What other tools call an option -> what it is called here, where its letters would not say so."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises :class:`UsageError` with the nearest right words instead of printing usage."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As the base class, but left-over arguments are refused here, where the verb's own options are known."""
        parsed, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(self._unknown_option(rest))
        return parsed, rest

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{_with_nearest(message)} ({self.prog} --help)")

    def _unknown_option(self, rest: Sequence[str]) -> str:
        options = [o for action in self._actions for o in action.option_strings if o.startswith("--")]
        wrong = next((r for r in rest if r.startswith("-")), rest[0]).partition("=")[0]
        if not wrong.startswith("-"):
            return f'"{wrong}": one argument too many'
        meant = [word for word in (ELSEWHERE.get(wrong.replace("_", "-")),) if word in options]
        return unknown("option", wrong, options, meant=meant)


_INVALID_CHOICE = re.compile(
    r"(?:argument (?P<what>\S+): )?invalid choice: '(?P<wrong>.*?)' \(choose from (?P<all>.*)\)"
)


def _with_nearest(message: str) -> str:
    """argparse's "invalid choice" in the words of the other errors."""
    match = _INVALID_CHOICE.search(message)
    if match is None:
        return message
    known = [word.strip(" '\"") for word in match["all"].split(",")]
    return unknown((match["what"] or "argument").lower(), match["wrong"], known)


def build_parser() -> Parser:
    """The whole command; verbs are imported here, what they need is not."""
    parser = Parser(
        prog="affekt",
        description="Emotion-augmented deep learning: networks that learn from affective pictures, and classifiers "
        "regulated by the affect a picture elicits.",
        epilog="affekt VERB --help says more. Start with: affekt quickstart",
    )
    parser.add_argument("--version", action="version", version=f"affekt {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", dest="verb", required=True)
    for verb in VERBS:
        importlib.import_module(f"affekt.cli.{verb.replace('-', '_')}").register(verbs)
    _describe(verbs)
    return parser


def _describe(verbs: argparse._SubParsersAction[Any]) -> None:
    """A verb's one line in ``affekt --help`` heads its own help too."""
    for line in verbs._choices_actions:
        described = verbs.choices[line.dest]
        described.description = described.description or line.help


Path = tuple[str, ...]


def parsers(parser: argparse.ArgumentParser, path: Path = ()) -> dict[Path, argparse.ArgumentParser]:
    """Every parser by the words that lead to it: ``()``, ``("train",)``, ``("data", "list")`` ..."""
    found = {path: parser}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                found |= parsers(child, (*path, name))
    return found
