"""OASIS -> CIFAR-10: python benchmarks/cifar.py --initial WEIGHTS --out FOLDER [--seeds 3] [--records FILE]

Conditions of recipes/cifar10-laptop.toml: the plain network (`baseline`), Emotional Regulation with the features of a
MobileNetV2 that was fine-tuned on OASIS added to the second branch (`learn-e-reg`), and with an emotional encoder of
the task's own backbone and size whose weights the second branch starts from (`own-backbone`). Absolute points, every
seed shown. Runs that are finished in FOLDER, or stand in the records (a JSON file that finished runs are added to), are
read, not trained again. Few seeds and no size-matched control: this
table cannot say that emotion helps, see the study for that.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
from pathlib import Path
from typing import Any

from affekt.recipe import load_recipe, override
from affekt.study import pretrain, train

CONDITIONS = ("baseline", "learn-e-reg", "own-backbone")


def training_seconds(timing: Path) -> float:
    """Seconds of training, interrupted sessions added up; each session's clock starts at its `start` line."""
    total = last = 0.0
    for line in map(json.loads, timing.read_text().splitlines()):
        if line["kind"] == "start":
            total, last = total + last, 0.0
        last = line["seconds"]
    return total + last


def run(condition: str, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """The result of one condition with one seed, trained where it is missing."""
    recipe = override(load_recipe(args.recipe), [f"emotional.initial={args.initial}", *args.set])
    if condition == "own-backbone":
        emotional = None
    else:
        emotional = pretrain(recipe, out=args.out / "emotional" / f"seed-{seed}", seed=seed).model
    out = args.out / condition / f"seed-{seed}"
    train(recipe, condition=condition, seed=seed, out=out, emotional=emotional)
    result: dict[str, Any] = json.loads((out / "result.json").read_text())
    environment = json.loads((out / "environment.json").read_text())
    return {
        "condition": condition,
        "seed": seed,
        "test": result["metrics"]["test"],
        "parameters": result["parameters"],
        "seconds": round(training_seconds(out / "timing.jsonl")),
        "machine": f"{environment['cores']} cores, {environment['processor']}",
        "torch": environment["versions"]["torch"],
        "recipe": recipe_digest(args),
    }


def recipe_digest(args: argparse.Namespace) -> str:
    """Of the recipe's text and the changes to it: records of another recipe are none of ours."""
    text = "\n".join([Path(args.recipe).read_text(), *args.set])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def recorded(args: argparse.Namespace) -> dict[tuple[str, int], dict[str, Any]]:
    """Finished runs of this recipe in the records."""
    if args.records is None or not args.records.exists():
        return {}
    found = json.loads(args.records.read_text())
    return {(r["condition"], r["seed"]): r for r in found if r["recipe"] == recipe_digest(args)}


def write_records(args: argparse.Namespace, runs: dict[tuple[str, int], dict[str, Any]]) -> None:
    """The records with these runs; those of another recipe are replaced."""
    if args.records is not None:
        temporary = args.records.with_suffix(".new")
        temporary.write_text(json.dumps([runs[key] for key in sorted(runs)], indent=1) + "\n")
        temporary.replace(args.records)


def spread(values: list[float]) -> str:
    """Mean ± standard deviation over seeds; one seed has none."""
    deviation = f"± {statistics.stdev(values):.2f}" if len(values) > 1 else "(one seed)"
    return f"{statistics.mean(values):.2f} {deviation}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--initial", required=True, help="MobileNetV2 ImageNet weights, a file")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--recipe", default=str(Path(__file__).parents[1] / "recipes" / "cifar10-laptop.toml"))
    parser.add_argument("--set", action="append", default=[], help="recipe key=value for all runs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--records", type=Path, help="JSON of finished runs, read and added to")
    args = parser.parse_args()
    known = recorded(args)
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in CONDITIONS}
    for seed in range(args.seeds):
        for condition in CONDITIONS:
            if (condition, seed) not in known:
                known[condition, seed] = run(condition, seed, args)
                write_records(args, known)
            results[condition].append(known[condition, seed])
            print(condition, seed, json.dumps(results[condition][-1]["test"]), flush=True)
    test = {name: [r["test"] for r in records] for name, records in results.items()}
    base = [100 * m["accuracy"] for m in test["baseline"]]
    for name in CONDITIONS:
        accuracy = [100 * m["accuracy"] for m in test[name]]
        print(f"\n{name}: test accuracy {spread(accuracy)} %  seeds {', '.join(f'{a:.2f}' for a in accuracy)}")
        print(
            f"  minus baseline, paired by seed: {spread([a - b for a, b in zip(accuracy, base, strict=True)])} points"
        )
        for key in sorted(set(test[name][0]) - {"accuracy"}):
            values = [m[key] for m in test[name]]
            if all(isinstance(v, float) for v in values):
                print(f"  {key}: {statistics.mean(values):.4f} (seeds {', '.join(f'{v:.4f}' for v in values)})")
        print(f"  parameters: {results[name][0]['parameters']}; seconds {[r['seconds'] for r in results[name]]}")


if __name__ == "__main__":
    main()
