"""``affekt quickstart``: the main job, small, on data that pip brings."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.options import add_json, add_seed
from affekt.cli.printing import Cell, say, write, write_json, write_table
from affekt.cli.running import progress, record

if TYPE_CHECKING:
    from affekt.recipe import Recipe
    from affekt.study import RunResult
    from affekt.study.figures import Curve, Regulated

CONDITIONS = ("baseline", "learn-e-reg")
FIGURE = "quickstart"
SHOWN = 12
"""Pictures in each row of the figure."""

SHOWN_SIZE = 72
"""Their side in pixels: what the package holds, larger than what the networks see."""


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("quickstart", help="the main job, small, on emoji: minutes on two cores")
    parser.add_argument("--out", type=Path, default=Path("quickstart"), metavar="DIR", help="default: ./quickstart")
    add_seed(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Emoji with people's labels -> emotional encoder -> two conditions -> a table and a figure."""
    from affekt.cli.shipped import find
    from affekt.recipe import load_recipe
    from affekt.study import pretrain, train

    recipe = load_recipe(find("quickstart"))
    recipe = recipe if args.seed is None else replace(recipe, seed=args.seed)
    say("1 of 3: an emotional encoder from emoji and the sentiment that people gave them")
    emotional = pretrain(recipe, out=args.out / "emotional", progress=progress())
    runs = {}
    for number, name in enumerate(CONDITIONS, start=2):
        say(f"{number} of 3: {name} on the groups that Unicode puts emoji in")
        runs[name] = train(recipe, condition=name, out=args.out / name, emotional=emotional.model, progress=progress())
    figure = draw(recipe, runs, args.out / FIGURE)
    if args.json:
        named = {name: record(result) for name, result in {"emotional": emotional, **runs}.items()}
        write_json({"runs": named, "figure": [str(file) for file in figure]})
    else:
        print_results(emotional, runs)
        write(f"\nfigure: {figure[0]}")
    return 0


def print_results(emotional: RunResult, runs: dict[str, RunResult]) -> None:
    """What the encoder learned, then the conditions side by side, on test pictures."""
    write("Emotional encoder, test emoji that it never saw:")
    write_table(("metric", "value"), emotional.metrics["test"].items())
    write("\nEmoji groups, test emoji:")
    metrics = [runs[name].metrics["test"] for name in CONDITIONS]
    # r by class is what the figure shows.
    names = list(dict.fromkeys(name for found in metrics for name in found if not name.startswith("regulation/of/")))
    rows: list[list[Cell]] = [[name, *(found.get(name) for found in metrics)] for name in names]
    write_table(("metric", *CONDITIONS), [*rows, ["seconds", *(runs[name].seconds for name in CONDITIONS)]])
    write("\nOne seed of one small set: this shows that everything works, and proves nothing.")


def draw(recipe: Recipe, runs: dict[str, RunResult], path: Path) -> list[Path]:
    """The figure of both conditions; PNG and SVG."""
    from affekt.data import dataset
    from affekt.study.figures import overview

    curves = [curve(name, result) for name, result in runs.items()]
    shown = regulated(recipe, runs[CONDITIONS[-1]].folder)
    terms = dataset(recipe.target.name).licence
    return overview(curves, shown, path, title=f"Emoji groups, seed {recipe.seed}", credit=terms, pictures=SHOWN)


def curve(name: str, result: RunResult) -> Curve:
    """A condition's validations, from its log."""
    from affekt.study.figures import Curve

    lines = (result.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    found = [line for line in map(json.loads, lines) if line["kind"] == "validation"]
    return Curve(
        name=name,
        epochs=[line["epoch"] for line in found],
        accuracy=[line["metrics"]["accuracy"] for line in found],
        test=result.metrics["test"]["accuracy"],
    )


def regulated(recipe: Recipe, folder: Path) -> Regulated:
    """r of each test picture, from the run's predictions, and the pictures that the figure shows."""
    import numpy as np

    from affekt.study.building import target_data
    from affekt.study.figures import Regulated, extremes

    with np.load(folder / "predictions.npz", allow_pickle=False) as found:
        ids, r = found["test/ids"], found["test/regulation"].mean(axis=1).astype(np.float64)
        category = found["test/label/category"]
    larger = replace(recipe, target=replace(recipe.target, image_size=SHOWN_SIZE))
    test = target_data(larger, seed=recipe.seed, data_root=None).splits["test"]
    row = {name: index for index, name in enumerate(test.ids.tolist())}
    needed = np.concatenate(extremes(r, SHOWN))
    rows = np.array([row[ids[index]] for index in needed.tolist()], dtype=np.int64)
    pixels = test.images(rows).permute(0, 2, 3, 1).numpy()
    classes = test.labels.categories
    return Regulated(
        regulation=r,
        category=category,
        categories=classes,
        captions=[classes[k] for k in category.tolist()],
        images=dict(zip(needed.tolist(), pixels, strict=True)),
    )
