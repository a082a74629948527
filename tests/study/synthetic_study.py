"""A study's folder without a training: the files and their layout are exact, the predictions made up but structured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

CLASSES = ("airplane", "automobile", "bird", "cat")
STATES = ("valence", "arousal")
CHAIN = ("baseline", "mixture", "scalar-gate", "learn-e-reg")
ADDS = ("", "a second branch with a loss", "a learned balance", "the affect in their labels")
RECIPE = 'name = "synthetic"\nabout = "made up"\n'


def write(
    root: Path,
    *,
    conditions: Sequence[str] = ("baseline", "mixture", "learn-e-reg"),
    seeds: Sequence[int] = (0, 1, 2),
    n: int = 200,
    classes: Sequence[str] = CLASSES,
    epochs: int = 4,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Write a study of these conditions (all but "baseline" and "wide-..." have two branches); returns its folder.

    Args:
        n: test items.
        changes: keys of comparison.json to replace.
    """
    root.mkdir(parents=True, exist_ok=True)
    (root / "recipe.toml").write_text(RECIPE)
    accuracy = {
        name: [_run(root, name, s, n, classes, epochs, rank) for s in seeds] for rank, name in enumerate(conditions)
    }
    held = comparison(accuracy, seeds=seeds, n=n, classes=classes)
    (root / "comparison.json").write_text(json.dumps(held | dict(changes or {})))
    return root


def two_branches(name: str) -> bool:
    return name != "baseline" and not name.startswith("wide")


def _run(root: Path, name: str, seed: int, n: int, classes: Sequence[str], epochs: int, rank: int) -> float:
    """One run's folder; returns its test accuracy in percent."""
    rng = np.random.default_rng((rank, seed))
    folder = root / "runs" / name / f"seed-{seed}"
    folder.mkdir(parents=True)
    category = np.arange(n) % len(classes)
    arrays: dict[str, Any] = {}
    for split in ("validation", "test"):
        arrays |= _split(rng, split, category, len(classes), 1.0 + 0.01 * rank, branches=two_branches(name))
    np.savez(folder / "predictions.npz", **arrays)
    accuracy = float((arrays["test/log_probabilities"].argmax(axis=1) == category).mean())
    (folder / "recipe.toml").write_text(RECIPE)
    machine = {"system": "Linux", "machine": "x86_64", "processor": "A processor", "cores": 2, "gpus": []}
    (folder / "environment.json").write_text(
        json.dumps({"versions": {"affekt": "0.1.0", "python": "3.11.7"}, **machine})
    )
    with (folder / "log.jsonl").open("w") as log:
        for epoch in range(1, epochs + 1):
            losses = {"regulated": 2 / epoch}
            log.write(json.dumps({"kind": "train", "epoch": epoch, "step": 10 * epoch, "losses": losses}) + "\n")
            reached = accuracy * (1 - np.exp(-epoch)) + 0.01 * float(rng.normal())
            record = {"kind": "validation", "epoch": epoch, "step": 10 * epoch, "metrics": {"accuracy": reached}}
            log.write(json.dumps(record | {"losses": losses}) + "\n")
    (folder / "result.json").write_text("{}")
    return 100 * accuracy


def _split(
    rng: np.random.Generator, split: str, category: np.ndarray, k: int, skill: float, *, branches: bool
) -> dict[str, Any]:
    n = len(category)
    ids = np.array([f"{split}/{c}/{i:05d}.jpg" for i, c in enumerate(category)])
    wanted = np.eye(k)[category]
    first, second = (rng.normal(size=(n, k)) + skill * 1.5 * wanted for _ in range(2))
    found: dict[str, Any] = {f"{split}/ids": ids, f"{split}/groups": ids, f"{split}/label/category": category}
    affect = rng.normal(size=(n, 2)) + category[:, None] / k
    r = 1 / (1 + np.exp(-1.5 * affect[:, :1] + 0.4))
    mixed = (1 - r) * _softmax(first) + r * _softmax(second) if branches else _softmax(first)
    found[f"{split}/log_probabilities"] = np.log(mixed).astype(np.float32)
    if branches:
        found |= {
            f"{split}/non_emotional": first.astype(np.float32),
            f"{split}/influenced": second.astype(np.float32),
            f"{split}/regulation": r.astype(np.float32),
            f"{split}/affect": affect.astype(np.float32),
        }
    return found


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def comparison(
    accuracy: Mapping[str, Sequence[float]], *, seeds: Sequence[int], n: int, classes: Sequence[str]
) -> dict[str, Any]:
    """comparison.json of these accuracies in percent; what needs a bootstrap is made up."""
    names = list(accuracy)
    mean = {name: float(np.mean(values)) for name, values in accuracy.items()}
    chain = list(CHAIN)
    links = [_link(a, b, adds, mean) for a, b, adds in zip(chain, chain[1:], ADDS[1:], strict=False)]
    return {
        "format": 1,
        "name": "synthetic",
        "about": "Numbers made up to look at the report.",
        "affekt_version": "0.1.0",
        "method": "learn-e-reg",
        "metric": "accuracy",
        "unit": "pictures",
        "n_items": n,
        "n_groups": n,
        "margin": 0.5,
        "alpha": 0.05,
        "draws": 2000,
        "seeds": {"declared": list(seeds), "added": []},
        "runs": {"finished": len(names) * len(seeds), "declared": len(names) * len(seeds)},
        "failed": [],
        "inapplicable": {},
        "state_names": list(STATES),
        "classes": list(classes),
        "conditions": [_condition(name, i, accuracy[name], seeds, classes) for i, name in enumerate(names)],
        "comparisons": [_comparison("learn-e-reg", name, accuracy, seeds) for name in names if name != "learn-e-reg"]
        if "learn-e-reg" in names
        else [],
        "attribution": {
            "chain": chain,
            "seeds": list(seeds),
            "missing": [name for name in chain if name not in names],
            "whole": _between(chain[0], chain[-1], mean),
            "links": links,
        },
        "verdict": {
            "sentence": "learn-e-reg and baseline cannot be told apart on these pictures.",
            "against_control": "Against mixture, its closest control, the difference is open too.",
            "rules": "better / worse: the Holm-adjusted p of no difference is below 0.05.",
        },
        "notes": ["A note of the study."],
        "provenance": [{"name": "CIFAR-10 (JPEG)", "licence": "unknown", "citation": "Krizhevsky (2009)."}],
        "citation": "@software{affekt,\n  title = {affekt}\n}",
    }


def _between(first: str, second: str, mean: Mapping[str, float]) -> dict[str, float] | None:
    if first not in mean or second not in mean:
        return None
    estimate = mean[second] - mean[first]
    return {"estimate": estimate, "low": estimate - 1.2, "high": estimate + 1.2}


def _link(first: str, second: str, adds: str, mean: Mapping[str, float]) -> dict[str, Any]:
    return {"first": first, "second": second, "adds": adds, "difference": _between(first, second, mean)}


def _metric(values: Sequence[float]) -> dict[str, Any]:
    centre, sd = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None
    reach = 1.1 + (sd or 0)
    return {"mean": centre, "low": centre - reach, "high": centre + reach, "sd": sd, "each": list(values)}


def _condition(
    name: str, rank: int, accuracy: Sequence[float], seeds: Sequence[int], classes: Sequence[str]
) -> dict[str, Any]:
    alone = {s: float(np.mean(accuracy)) - d for s, d in (("train", -9.0), ("validation", 1.0), ("test", 2.0))}
    return {
        "name": name,
        "about": f"about {name}",
        "seeds": list(seeds),
        "parameters": {"trainable": 172506 * (rank + 1), "total": 172506 * (1 + rank**2)},
        "flops": {"training": 3.1e13 * (rank + 1), "pretraining": 1e12 * rank},
        "seconds": [209.0 + 31 * rank + s for s in range(len(seeds))],
        "metrics": {
            "accuracy": _metric(accuracy),
            "nll": _metric([1.1 - 0.01 * rank] * len(seeds)),
            "brier": _metric([0.41 - 0.01 * rank] * len(seeds)),
            "ece": _metric([0.047 + 0.003 * rank] * len(seeds)) | {"bias": 0.011},
        },
        "class_accuracy": {label: 60.0 + i for i, label in enumerate(classes)},
        "branches": {"non_emotional": alone, "influenced": {s: v + 1.5 for s, v in alone.items()}}
        if two_branches(name)
        else None,
        "regulation": {
            "mean": 0.47,
            "sd": 0.213,
            "saturated": 0.061,
            "spearman": {"valence": 0.993, "arousal": 0.021},
            "of": {label: 0.4 + 0.02 * i for i, label in enumerate(classes)},
        }
        if two_branches(name)
        else None,
        "agreement": 0.62 if two_branches(name) else None,
    }


def _comparison(
    first: str, second: str, accuracy: Mapping[str, Sequence[float]], seeds: Sequence[int]
) -> dict[str, Any]:
    each = [a - b for a, b in zip(accuracy[first], accuracy[second], strict=True)]
    estimate = float(np.mean(each))
    return {
        "name": f"{first} - {second}",
        "first": first,
        "second": second,
        "estimate": estimate,
        "low": estimate - 1.31,
        "high": estimate + 1.31,
        "p": 0.0421,
        "p_holm": 0.0842,
        "p_equivalent": 0.61,
        "adjusted_low": estimate - 1.7,
        "adjusted_high": estimate + 1.7,
        "verdict": "cannot tell",
        "seeds": list(seeds),
        "each": each,
        "from_seeds": 0.4 if len(seeds) > 1 else None,
        "from_items": 0.5,
        "smallest": 1.87,
        "seeds_needed": {"0.5": 12, "0.2": None} if len(seeds) > 1 else {},
        "mcnemar": [0.2] * len(seeds),
    }
