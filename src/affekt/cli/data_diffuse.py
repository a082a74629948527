"""``affekt data diffuse``: a derived set, its pictures re-made by an image-to-image model or noised."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from affekt.cli.data_reading import add_reading, progress, settings_of
from affekt.cli.options import add_json, natural, positive
from affekt.cli.printing import say, write_json, write_record
from affekt.errors import UsageError

if TYPE_CHECKING:
    from affekt.data.diffusing import Derived, Method


def register_diffuse(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder; what is there is not made again"
    )
    parser.add_argument("--model", metavar="MODEL", help="image-to-image model of diffusers: a folder or hub name")
    parser.add_argument("--noise", type=positive, metavar="T", help="no model: T of 1000 steps of forward noising")
    parser.add_argument(
        "--strength", type=float, default=0.5, metavar="X", help="0 keeps the picture, 1 forgets it (default: 0.5)"
    )
    parser.add_argument("--steps", type=positive, default=50, metavar="N", help="denoising steps (default: 50)")
    parser.add_argument("--guidance", type=float, default=7.5, metavar="X", help="guidance scale (default: 7.5)")
    parser.add_argument("--prompt", metavar="TEXT", help="with {label} for what people felt")
    parser.add_argument(
        "--image-size", type=positive, metavar="N", help="pixels a side (default: 512, or 224 with --noise)"
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="the first N pictures only")
    parser.add_argument("--copies", type=positive, default=1, metavar="N", help="made of each picture (default: 1)")
    parser.add_argument("--batch", type=positive, default=4, metavar="N", help="made at a time (default: 4)")
    parser.add_argument(
        "--seed", type=natural, default=0, metavar="N", help="of the noise of each picture (default: 0)"
    )
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, cuda:1 (default: the GPU if there is one)")
    add_json(parser)
    parser.set_defaults(run=diffuse)


def diffuse(args: argparse.Namespace) -> int:
    """``affekt data diffuse NAME --out DIR``."""
    if (args.model is None) == (args.noise is None):
        raise UsageError("diffuse: write one of --model MODEL (image to image) and --noise T (forward noising)")
    import numpy as np

    from affekt.data import dataset, dataset_folder
    from affekt.data.diffusing import diffuse as make

    described = dataset(args.name)
    size = args.image_size or (224 if args.model is None else 512)
    settings = settings_of(described, args, image_size=size)
    source = described.stimuli(dataset_folder(settings, args.data_root), settings)
    if args.limit is not None:
        source = source.take(np.arange(min(args.limit, len(source))))
    method = _method(args)
    say(*(f"note: {note}" for note in source.notes))
    with progress("pictures") as step:
        done = make(
            source,
            args.out,
            method,
            name=described.name,
            seed=args.seed,
            copies=args.copies,
            batch=args.batch,
            progress=step,
        )
    _print_derived(done, args.json)
    return 0


def _method(args: argparse.Namespace) -> Method:
    from affekt.data.diffusion_methods import ForwardNoise, ImageToImage, load_pipeline

    if args.model is None:
        return ForwardNoise(step=args.noise)
    wording = {} if args.prompt is None else {"prompt": args.prompt}
    chosen = {"strength": args.strength, "steps": args.steps, "guidance": args.guidance, **wording}
    ImageToImage(pipeline=None, model=args.model, **chosen)  # a wrong setting is said before a model is loaded
    return ImageToImage(pipeline=load_pipeline(args.model, device=args.device), model=args.model, **chosen)


def _print_derived(done: Derived, as_json: bool) -> None:
    record: dict[str, str | int] = {
        "folder": str(done.folder),
        "made": done.made,
        "kept": done.kept,
        "refused": len(done.refused),
    }
    write_json({**record, "refused": list(done.refused)}) if as_json else write_record(record)
    if done.refused:
        say(f"note: the model's safety checker blanked {len(done.refused)} pictures; they are not in derived.csv")
