"""Reading: a study folder as the report needs it - comparison, recipe, machines, learning curves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affekt.errors import AffektError, first
from affekt.report.numbers import known
from affekt.study.content import Comparison
from affekt.study.report.joint import Joint, read_joint
from affekt.study.scores import PERMUTED

FORMAT = 1


@dataclass(frozen=True)
class Run:
    """One run's folder."""

    condition: str
    seed: int
    path: Path


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study folder.

    Attributes:
        comparison: the content of ``comparison.json``.
        runs: those whose folder is there, conditions in the comparison's order, then by seed.
        recipe: the text of ``recipe.toml``; empty where there is none.
        environments: the different machines and versions, each with how many runs it did.
        curves: condition -> seed -> epochs and validation accuracy in percent.
        joint: the conditions with two losses or more, and what became of these.
        notes: what could not be read.
    """

    path: Path
    comparison: Comparison
    runs: Sequence[Run]
    recipe: str = ""
    environments: Sequence[tuple[str, int]] = ()
    curves: Mapping[str, Mapping[int, tuple[list[float], list[float]]]] = field(default_factory=dict)
    joint: Sequence[Joint] = ()
    notes: Sequence[str] = ()


def read_study(path: Path) -> Study:
    """Read a study's folder; files of single runs that are damaged are left out with a note.

    Raises:
        AffektError: no ``comparison.json``, a damaged one, or one of another format.
    """
    comparison = _comparison(path / "comparison.json")
    notes: list[str] = []
    named = list(_runs(path, comparison))
    runs = [run for run in named if run.path.is_dir()]
    gone = [run for run in named if not run.path.is_dir() and not run.condition.endswith(PERMUTED)]
    if gone:
        names = first(f"{run.condition} (seed {run.seed})" for run in gone)
        notes.append(f"Without a folder, so in no figure of curves or single items: {names}.")
    recipe = path / "recipe.toml"
    curves: dict[str, dict[int, tuple[list[float], list[float]]]] = {}
    for run in runs:
        try:
            curve = _curve(run.path / "log.jsonl", str(comparison.get("metric") or "accuracy"))
        except FileNotFoundError:  # ensembles and learners on frozen features keep no log
            continue
        except (OSError, ValueError, TypeError, KeyError) as error:
            why = error.strerror if isinstance(error, OSError) else error  # a page names no path of the machine
            notes.append(f"{run.condition}, seed {run.seed}: log.jsonl cannot be read ({why}); its curve is left out.")
            continue
        curves.setdefault(run.condition, {})[run.seed] = curve
    joint, unread = read_joint([(run.condition, run.seed, run.path) for run in runs])
    return Study(
        path=path,
        comparison=comparison,
        runs=runs,
        recipe=recipe.read_text(encoding="utf-8", errors="replace") if recipe.exists() else "",
        environments=environments([run.path for run in runs]),
        curves=curves,
        joint=joint,
        notes=[*notes, *unread],
    )


def _comparison(path: Path) -> Comparison:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AffektError(f"{path}: not there; a study writes it: affekt study RECIPE --out {path.parent}") from None
    except (ValueError, OSError) as error:
        raise AffektError(f"{path}: damaged ({error}); delete it and call affekt study again") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        seen = found.get("format") if isinstance(found, dict) else type(found).__name__
        raise AffektError(f"{path}: format {seen!r}; this affekt reads format {FORMAT}; call affekt study again")
    return found


def _runs(path: Path, comparison: Comparison) -> Iterator[Run]:
    """The runs that the comparison is about: a folder that it does not name is somebody else's."""
    for condition in comparison.get("conditions") or ():
        name = str(condition.get("name", ""))
        for seed in condition.get("seeds") or ():
            yield Run(name, int(seed), path / "runs" / name / f"seed-{seed}")


def _curve(path: Path, metric: str) -> tuple[list[float], list[float]]:
    """Epochs, and the validation's accuracy after each in percent."""
    epochs, values = [], []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if '"validation"' not in line:
                continue
            record = json.loads(line)
            value = record["metrics"].get(metric) if record.get("kind") == "validation" else None
            if known(value):
                epochs.append(float(record["epoch"]))
                values.append(100 * float(value))
    return epochs, values


def environments(folders: Sequence[Path]) -> list[tuple[str, int]]:
    """The different machines and versions of runs, each with how many it did."""
    found: dict[str, int] = {}
    for folder in folders:
        try:
            held = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
            words = _environment(held)
        except (OSError, ValueError, AttributeError, TypeError):
            words = "not recorded"
        found[words] = found.get(words, 0) + 1
    return sorted(found.items(), key=lambda pair: -pair[1])


def _environment(held: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in (held.get("versions") or {}).items())
    machine = [str(held[key]) for key in ("system", "machine", "processor") if held.get(key)]
    machine += [f"{held['cores']} cores"] if held.get("cores") else []
    return "; ".join(filter(None, [versions, ", ".join([*machine, *map(str, held.get("gpus") or ())])]))
