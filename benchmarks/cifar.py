"""OASIS -> CIFAR-10: python benchmarks/cifar.py --initial WEIGHTS --out FOLDER [--seeds 3]

Conditions of recipes/cifar10-laptop.toml: the plain network (`baseline`), Emotional Regulation with the features of a
MobileNetV2 that was fine-tuned on OASIS added to the second branch (`learn-e-reg`), and with an emotional encoder of
the task's own backbone and size whose weights the second branch starts from (`own-backbone`). Absolute points, every
seed shown. Runs that are finished in FOLDER are read, not trained again. Few seeds and no size-matched control: this
table cannot say that emotion helps, see the study for that.
"""

from __future__ import annotations

import argparse
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
    record: dict[str, Any] = json.loads((out / "result.json").read_text())
    record["seconds"] = training_seconds(out / "timing.jsonl")
    return record


def spread(values: list[float]) -> str:
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values) if len(values) > 1 else float('nan'):.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--initial", required=True, help="MobileNetV2 ImageNet weights, a file")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--recipe", default=str(Path(__file__).parents[1] / "recipes" / "cifar10-laptop.toml"))
    parser.add_argument("--set", action="append", default=[], help="recipe key=value for all runs")
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in CONDITIONS}
    for seed in range(args.seeds):
        for condition in CONDITIONS:
            results[condition].append(run(condition, seed, args))
            print(condition, seed, json.dumps(results[condition][-1]["metrics"]["test"]), flush=True)
    test = {name: [r["metrics"]["test"] for r in records] for name, records in results.items()}
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
        print(f"  parameters: {results[name][0]['parameters']}; seconds {[round(r['seconds']) for r in results[name]]}")


if __name__ == "__main__":
    main()
