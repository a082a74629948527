"""``affekt probe``: how well frozen features of networks predict people's ratings, beside people's ceiling."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.data_reading import add_reader, settings_of
from affekt.cli.layers import layers, names, words
from affekt.cli.options import add_json, natural, positive
from affekt.cli.printing import say, write_json
from affekt.cli.probe_table import print_probe
from affekt.cli.running import progress
from affekt.errors import UsageError

if TYPE_CHECKING:
    from affekt.data import Stimuli
    from affekt.humans.probing import ProbeSettings, Subject

CONTROLS = ("random", "pixels", "low-level")


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("probe", help="do frozen features of networks predict people's ratings?")
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="+",
        help="a network's name, NAME=INITIAL, a pattern in quotes, or a saved model's folder",
    )
    parser.add_argument("--humans", required=True, metavar="SET", help="a data set with ratings: oasis, or table ...")
    parser.add_argument("--initial", default="imagenet", metavar="X", help="imagenet (default), random or a file")
    parser.add_argument("--layers", type=layers, default=("last",), metavar="X,X", help="last, map, stages, or modules")
    parser.add_argument("--pool", choices=("mean", "flat"), default="mean", help="mean over places, or every number")
    parser.add_argument("--project", type=natural, default=0, metavar="N", help="length of longer layers, at random")
    parser.add_argument("--unit", choices=("group", "item"), default="group", help="held out whole; item leaks")
    parser.add_argument("--dimensions", type=names, default=(), metavar="X,X", help="of the ratings (default: all)")
    parser.add_argument("--controls", type=words((*CONTROLS, "none")), default=CONTROLS, metavar="X,X",
                        help="random, pixels, low-level (default: all), or none")  # fmt: skip
    parser.add_argument("--against", metavar="MODEL", help="what the others are compared with (default: the first)")
    parser.add_argument("--folds", type=positive, default=5, metavar="N", help="outer folds (default: 5)")
    parser.add_argument("--inner-folds", type=positive, default=5, metavar="N", help="for the penalty (default: 5)")
    parser.add_argument("--repeats", type=positive, default=5, metavar="N", help="cuts into folds (default: 5)")
    parser.add_argument("--resamples", type=positive, default=1000, metavar="N", help="of intervals (default: 1000)")
    parser.add_argument("--image-size", type=positive, default=224, metavar="N", help="pixels a side (default: 224)")
    parser.add_argument("--fit", choices=("crop", "squash"), default="crop", help="to a square (default: crop)")
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="of all that is drawn (default: 0)")
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda:0 ...")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for it; one that was stopped goes on")
    add_reader(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Probe, print; 1 where a model could not be probed, after all others."""
    from affekt.humans.probing import ProbeSettings, probe

    settings = ProbeSettings(
        dimensions=args.dimensions,
        image_size=args.image_size,
        fit=args.fit,
        pool=args.pool,
        project=args.project,
        folds=args.folds,
        inner_folds=args.inner_folds,
        repeats=args.repeats,
        seed=args.seed,
        resamples=args.resamples,
    )
    people = _people(args)
    found = probe(
        _subjects(args, settings),
        people,
        args.out if args.out is not None else Path("probes") / people.name,
        settings,
        layers=args.layers,
        unit=args.unit,
        against=args.against,
        device=args.device,
        progress=progress(),
    )
    if args.json:
        write_json(found.to_dict())
    else:
        print_probe(found)
    say(*(f"affekt: error: {name}: {why}" for name, why in found.failed.items()))
    return 1 if found.failed else 0


def _people(args: argparse.Namespace) -> Stimuli:
    """The rated pictures: a data set by name, or a table by its path."""
    from affekt.cli.options import data_root
    from affekt.data import dataset, dataset_folder

    name, root = args.humans, data_root(args)
    if Path(name).is_file() and args.root is None:
        args.root, name = Path(name), "table"
    elif Path(name).suffix.lower() in (".csv", ".tsv") and args.root is None:
        raise UsageError(f"--humans {name}: no such table")
    described = dataset(name)
    settings = settings_of(described, args, image_size=args.image_size, fit=args.fit)
    return described.stimuli(dataset_folder(settings, root), settings)


def _subjects(args: argparse.Namespace, settings: ProbeSettings) -> list[Subject]:
    from affekt.humans.probing import with_controls

    if "none" in args.controls and len(args.controls) > 1:
        raise UsageError(f"--controls {','.join(args.controls)}: none stands alone")
    controls = [control for control in args.controls if control != "none"]
    subjects = [subject for text in args.models for subject in _subject(text, args.initial, settings)]
    return with_controls(subjects, controls, settings)


def _subject(text: str, initial: str, settings: ProbeSettings) -> list[Subject]:
    """A saved model where there is a folder of that name (or it is a hub repository's), else networks by name."""
    from affekt.humans.probing import named, saved

    if not Path(text).exists() and ("/" not in text or "=" in text or ":" in text):
        return named(text, settings, initial=initial)
    if Path(text).is_file():
        raise UsageError(f"{text}: a file; say which network its weights are of: NAME={text}, e.g. resnet18={text}")
    from affekt.cli.models import find_model

    found = find_model(text)
    name = text.rstrip("/") if not Path(text).is_absolute() else "/".join(Path(text).parts[-3:])
    return [saved(name, found.model, settings, image_size=found.image_size, fit=found.fit)]
