"""What comparing and reporting cost: python benchmarks/study.py [--conditions 20] [--seeds 10] [--items 10000]

Writes made-up predictions of a finished study into a temporary folder (about 1.3 MB a run), then times reading and
checking them, the bootstrap with every comparison and the attribution, and the report; and prints the largest memory
that this process had.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from affekt.recipe import Recipe, to_toml
from affekt.study.comparison import compare_folder
from affekt.study.conditions import ORDER
from affekt.study.frame import Frame
from affekt.study.report import write_report
from affekt.study.results import hash_of, read
from affekt.study.scores import read_scores

CLASSES = tuple(f"class {k}" for k in range(10))


def write_run(study: Path, condition: str, seed: int, items: int) -> dict[str, Any]:
    """One run's files; returns its line of results.jsonl."""
    folder = study / "runs" / condition / f"seed-{seed}"
    folder.mkdir(parents=True)
    rng = np.random.default_rng([ORDER.index(condition), seed])
    category = np.arange(items) % 10
    logits = rng.normal(size=(2, items, 10)) + 2.0 * np.eye(10)[category]
    state, r = rng.normal(size=(items, 2)), rng.random((items, 1))
    p = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    names = np.array([f"{i:05d}" for i in range(items)])
    arrays: dict[str, Any] = {"ids": names, "groups": names, "label/category": category}
    arrays["log_probabilities"] = np.log((1 - r) * p[0] + r * p[1]).astype(np.float32)
    if condition not in ("baseline", "wide-total", "longer"):
        arrays |= {"non_emotional": logits[0].astype(np.float32), "influenced": logits[1].astype(np.float32)}
        arrays |= {"regulation": r.astype(np.float32), "affect": state.astype(np.float32)}
        arrays |= {"permuted_correct": rng.random(items), "permuted_nll": rng.random(items)}
    np.savez(folder / "predictions.npz", **{f"test/{name}": values for name, values in arrays.items()})
    lines = [
        {"kind": "validation", "epoch": e, "step": e, "metrics": {"accuracy": e / 20}, "losses": {}} for e in range(15)
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "result.json").write_text("{}")
    (folder / "recipe.toml").write_text(to_toml(Recipe()))
    (folder / "environment.json").write_text("{}")
    metrics = {"accuracy": 0.7, "regulation/mean": 0.5, "regulation/sd": 0.1, "regulation/saturated": 0.0}
    return {
        "condition": condition,
        "seed": seed,
        "folder": f"runs/{condition}/seed-{seed}",
        "predictions": hash_of(folder / "predictions.npz"),
        "metrics": {"test": metrics},
        "parameters": {"trainable": 1, "total": 1},
        "flops": {"training": 1.0, "pretraining": 0.0},
        "seconds": 1.0,
    }


def timed(name: str, work: Callable[[], Any]) -> Any:
    """Do it and print how long it took."""
    begun = time.perf_counter()
    found = work()
    print(f"{name:42s} {time.perf_counter() - begun:6.1f} s", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("conditions", 20), ("seeds", 10), ("items", 10_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    names = [*ORDER[: args.conditions - 1], "learn-e-reg"]
    with tempfile.TemporaryDirectory() as temporary:
        study = Path(temporary)
        records = [write_run(study, name, seed, args.items) for name in names for seed in range(args.seeds)]
        (study / "results.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
        (study / "recipe.toml").write_text(to_toml(Recipe()))
        print(f"{args.conditions} conditions x {args.seeds} seeds x {args.items} items")
        timed("reading, hashes, calibration", lambda: read_scores(study, read(study)[0]))
        frame = Frame(
            recipe=Recipe(),
            conditions=tuple(names),
            inapplicable={},
            seeds=tuple(range(args.seeds)),
            declared=tuple(range(args.seeds)),
            classes=CLASSES,
            state_names=("valence", "arousal"),
            provenance=(),
        )
        whole = time.perf_counter()
        timed("the same, bootstrap and attribution", lambda: compare_folder(study, frame))
        timed("report", lambda: write_report(study))
        print(f"{'from predictions to the report':42s} {time.perf_counter() - whole:6.1f} s")
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
