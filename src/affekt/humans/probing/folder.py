"""Folder: what a probe leaves on disk, and whether a call belongs to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affekt.errors import AffektError, UsageError, first
from affekt.humans.probing.keeping import key_of
from affekt.humans.probing.settings import differing
from affekt.saving.environment import environment
from affekt.saving.whole import write_text

PROBE, ENVIRONMENT, RESULTS, COMPARISON = "probe.json", "environment.json", "results.jsonl", "comparison.json"

Line = dict[str, Any]


@dataclass(frozen=True)
class ProbeFolder:
    """``probe.json`` says what every line has in common; ``results.jsonl`` has a line for each subject, layer and
    unit; ``predictions/`` and ``features/`` hold what they were made from, and what a later call goes on from."""

    path: Path

    def claim(self, facts: Mapping[str, Any]) -> None:
        """Make the folder that of these facts; nothing happens where it already is.

        Raises:
            UsageError: the folder holds other files, or a probe of other facts (the keys that differ).
            AffektError: the folder cannot be written, or its ``probe.json`` is damaged.
        """
        held = self.path / PROBE
        if held.exists():
            self._same(_read_json(held), facts)
            return
        if self.path.exists() and (not self.path.is_dir() or not all(_of_a_claim(p.name) for p in self.path.iterdir())):
            raise UsageError(f"{self.path}: not empty and not a probe of affekt; give another folder with --out")
        write_text(self.path / ENVIRONMENT, json.dumps(environment(), indent=2) + "\n")
        write_text(held, json.dumps(facts, indent=2, allow_nan=False) + "\n")

    def _same(self, held: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
        keys = differing(held, json.loads(json.dumps(asked)))
        if keys:
            detail = f"{keys[0]} is {_get(held, keys[0])!r} there, {_get(asked, keys[0])!r} here"
            raise UsageError(
                f"{self.path}: holds a probe of other settings; keys that differ: {first(keys)} ({detail}). "
                "Give another folder with --out, or the same settings"
            )

    def lines(self) -> list[Line]:
        """Every line of ``results.jsonl``.

        Raises:
            AffektError: the file is damaged.
        """
        path = self.path / RESULTS
        if not path.exists():
            return []
        try:
            return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines() if text.strip()]
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise AffektError(f"{path}: damaged ({error}); delete it, and the same call writes it anew") from None

    def add(self, lines: Sequence[Line]) -> None:
        """Put lines in, in place of those of the same subject, layer and unit; the file is rewritten at once."""
        kept = {_line_key(line): line for line in [*self.lines(), *lines]}
        text = "".join(json.dumps(line, allow_nan=False, ensure_ascii=False) + "\n" for line in kept.values())
        write_text(self.path / RESULTS, text)

    def features(self, key: str) -> Path:
        return self.path / "features" / f"{key}.safetensors"

    def predictions(self, name: str) -> Path:
        return self.path / "predictions" / name

    def write_comparison(self, comparison: Mapping[str, Any]) -> None:
        write_text(self.path / COMPARISON, json.dumps(comparison, indent=1, allow_nan=False, ensure_ascii=False) + "\n")

    def tidy(self) -> None:
        """Remove half-written files of a process that was killed; the caller holds the folder's lock."""
        for folder in ("", "features", "predictions"):
            for path in (self.path / folder).glob("*.[0-9]*.tmp"):
                path.unlink(missing_ok=True)


def _line_key(line: Line) -> str:
    return key_of(line["identity"], line["layer"], line["unit"])


def _of_a_claim(name: str) -> bool:
    """Whether a file may lie in a folder without a probe: a call is about to claim it, or was killed there."""
    return name.startswith((ENVIRONMENT, f"{PROBE}."))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise AffektError(f"{path}: damaged ({error}); give another folder with --out") from None


def _get(table: Mapping[str, Any], dotted: str) -> Any:
    value: Any = table
    for part in dotted.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
