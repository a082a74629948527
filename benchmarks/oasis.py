"""Held-out valence and arousal on OASIS from ImageNet weights: python benchmarks/oasis.py --initial WEIGHTS --out
FOLDER

Five folds grouped by theme, and five folds over pictures (which leak the theme: "Dog 1" ... "Dog 31"). Three learners
on the same folds: ridge regression on frozen features of the un-augmented picture, an affect network with a frozen
backbone, and the same fine-tuned. Every picture is predicted once, by the fold that did not see it; r and its 95 %
interval (bootstrap over themes) are over all 900 pictures. Runs that are finished in FOLDER are read, not trained
again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from affekt import AffectNetwork
from affekt.data import open_stimuli
from affekt.perception.ridge import fit_ridge
from affekt.recipe import Recipe, load_recipe, override
from affekt.study import pretrain

DIMENSIONS = ("valence", "arousal")
FOLDS = 5
Floats = NDArray[np.float64]


def ridge(features: Floats, targets: Floats, held_out: Floats) -> Floats:
    """Predictions for ``held_out``; the penalty of each target minimises its leave-one-out error in training."""
    return np.stack([fit_ridge(features, target).predict(held_out) for target in targets.T], axis=1)


def frozen_features(recipe: Recipe, data_root: Path | None) -> tuple[list[str], Floats, Floats, list[str]]:
    """ids, features of the un-augmented pictures, ratings and groups of the whole set."""
    splits = open_stimuli(override(recipe, ["affective.folds=5"]).affective, data_root=data_root)
    network = AffectNetwork(
        recipe.emotional.backbone,
        {"ratings": DIMENSIONS},
        recipe.affective.image_size,
        initial=recipe.emotional.initial,
    ).eval()
    ids: list[str] = []
    groups: list[str] = []
    features, ratings = [], []
    for part in splits.parts.values():
        for start in range(0, len(part), 50):
            rows = np.arange(start, min(start + 50, len(part)))
            with torch.inference_mode():
                features.append(network(part.images(rows)).features.double().numpy())
        ids += part.ids.tolist()
        groups += part.groups.tolist()
        ratings.append(np.stack([part.labels.ratings[d] for d in DIMENSIONS], axis=1).astype(float))
    return ids, np.concatenate(features), np.concatenate(ratings), groups


def correlation(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def interval(predicted: Floats, rated: Floats, groups: NDArray[np.str_], draws: int = 2000) -> tuple[float, float]:
    """95 % percentile interval of r over draws of themes."""
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    found = []
    for _ in range(draws):
        rows = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        found.append(correlation(predicted[rows], rated[rows]))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--initial", required=True, help="MobileNetV2 ImageNet weights, a file")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--recipe", default=str(Path(__file__).parents[1] / "recipes" / "oasis.toml"))
    parser.add_argument("--set", action="append", default=[], help="recipe key=value for all runs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--units", nargs="+", choices=("group", "item"), default=["group", "item"])
    parser.add_argument("--only", choices=("ridge", "frozen", "fine-tuned"), action="append")
    args = parser.parse_args()
    recipe = override(load_recipe(args.recipe), [f"emotional.initial={args.initial}", *args.set])
    ids, features, ratings, groups = frozen_features(recipe, args.data_root)
    place = {name: i for i, name in enumerate(ids)}
    learners = {
        "ridge": [],
        # The head alone: from a random start, since the ridge start would be the ridge regression again.
        "frozen": [
            "emotional.trainable=head",
            "emotional.head_start=random",
            "emotional.training.learning_rate=3e-3",
        ],
        "fine-tuned": [],
    }
    print(
        f"{'folds':8} {'learner':11} {'dimension':8} {'r':>6} {'95 % interval':>15} {'mean of folds':>14} {'n':>4}",
        flush=True,
    )
    for unit in args.units:
        for learner, changes in learners.items():
            if args.only and learner not in args.only:
                continue
            predicted = np.full_like(ratings, np.nan)
            folds: list[NDArray[np.int64]] = []
            for fold in range(FOLDS):
                changed = override(
                    recipe,
                    # Nothing is selected any more: all pictures outside of the fold are for training.
                    [
                        f"affective.split_by={unit}",
                        f"affective.folds={FOLDS}",
                        f"affective.fold={fold}",
                        "affective.validation=0",
                        *changes,
                    ],
                )
                splits = open_stimuli(changed.affective, data_root=args.data_root, seed=args.seed)
                held = np.array([place[i] for i in splits["test"].ids.tolist()])
                if learner == "ridge":
                    seen = np.setdiff1d(np.arange(len(ids)), held)
                    predicted[held] = ridge(features[seen], ratings[seen], features[held])
                else:
                    out = args.out / f"{unit}-{learner}-fold{fold}-seed{args.seed}"
                    result = pretrain(changed, out=out, seed=args.seed, data_root=args.data_root)
                    with np.load(result.folder / "predictions.npz") as stored:
                        held = np.array([place[i] for i in stored["test/ids"].tolist()])
                        predicted[held] = stored["test/ratings"]
                folds.append(held)
            for column, dimension in enumerate(DIMENSIONS):
                p, y = predicted[:, column], ratings[:, column]
                low, high = interval(p, y, np.array(groups))
                each = np.mean([correlation(p[f], y[f]) for f in folds])
                span = f"{low:.3f} .. {high:.3f}"
                print(
                    f"{unit:8} {learner:11} {dimension:8} {correlation(p, y):6.3f} {span:>15} {each:14.3f} {len(y):4}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
