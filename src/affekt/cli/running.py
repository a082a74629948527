"""What pretrain, train and quickstart share: where a run goes, its progress, its result as a table."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.printing import say, write_json, write_table

if TYPE_CHECKING:
    from affekt.recipe import Recipe
    from affekt.study.run import RunResult


def out_folder(args: argparse.Namespace, recipe: Recipe, what: str, seed: int) -> Path:
    """``--out``, else ``runs/<recipe>/<what>/seed-<n>`` in the current folder."""
    out: Path | None = args.out
    return out if out is not None else Path("runs") / _named(args, recipe) / what / f"seed-{seed}"


def study_folder(args: argparse.Namespace, recipe: Recipe) -> Path:
    """``--out``, else ``studies/<recipe>`` in the current folder."""
    out: Path | None = args.out
    return out if out is not None else Path("studies") / _named(args, recipe)


def _named(args: argparse.Namespace, recipe: Recipe) -> str:
    # A recipe may come from anybody: its name is one folder, whatever it says.
    return re.sub(r"[^\w.-]+", "-", recipe.name or Path(args.recipe).stem).strip(".-") or "run"


def progress() -> Any:
    """A progress bar on stderr where that is a terminal, lines of log otherwise."""
    from affekt.training.progress import create_progress

    return create_progress()


def print_run(result: RunResult, *, as_json: bool) -> None:
    """Metrics of each split and where the model lies; notes go to stderr. Of several processes, one speaks."""
    from affekt.training.distributed import is_main

    if not is_main():
        return
    say(*(f"note: {note}" for note in result.notes))
    if as_json:
        write_json(record(result))
        return
    splits = list(result.metrics)
    found = dict.fromkeys(name for metrics in result.metrics.values() for name in metrics)
    names = [name for name in found if "/confusion/" not in name]
    write_table(("metric", *splits), ((name, *(result.metrics[s].get(name) for s in splits)) for name in names))
    several = f" (the first of {result.models}, one a fold)" if result.models > 1 else ""
    say(f"{result.seconds:.0f} s; model: {result.model}{several}")


def record(result: RunResult) -> dict[str, Any]:
    """The JSON of a run."""
    return {
        "folder": str(result.folder),
        "model": str(result.model),
        "models": result.models,
        "seconds": result.seconds,
        "metrics": result.metrics,
        "notes": list(result.notes),
    }
