"""``affekt data pack`` of a set of pictures: their pixels, or the bytes of their files, in one memory-mapped file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from affekt.cli.data_reading import few, progress, settings_of
from affekt.cli.options import positive
from affekt.cli.printing import say, write_json, write_record
from affekt.errors import UsageError

if TYPE_CHECKING:
    from affekt.data import Stimuli
    from affekt.data.packs.writing import How, Packed

_OF_PICTURES = ("how", "image_size", "fit", "allow_missing")


def add_of_pictures(parser: argparse.ArgumentParser) -> None:
    """--as, --image-size, --fit, --allow-missing: what is kept of pictures."""
    parser.add_argument(
        "--as",
        choices=("bytes", "pixels"),
        dest="how",
        help="pictures: the files' bytes as they are, or decoded (default: bytes, of pictures in files)",
    )
    parser.add_argument("--image-size", type=positive, metavar="N", help="pictures as pixels: of a side")
    parser.add_argument("--fit", choices=("crop", "squash"), help="pictures as pixels: how squares are made of them")
    parser.add_argument("--allow-missing", action="store_true", help="go on without pictures that are missing")


def refuse_of_pictures(args: argparse.Namespace) -> None:
    """
    Raises:
        UsageError: an option of pictures where clips are packed.
    """
    given = [name for name in _OF_PICTURES if getattr(args, name)]
    if given:
        option = {"how": "as"}.get(given[0], given[0]).replace("_", "-")
        raise UsageError(f"--{option}: of pictures, and {args.name} is a set of clips")


def pack_set_of_pictures(args: argparse.Namespace) -> int:
    """``affekt data pack NAME --out DIR`` of a set of pictures: 1 where some cannot be read; the others are packed."""
    from affekt.data import behind, dataset, dataset_folder
    from affekt.data.packs import pack_pictures
    from affekt.data.stratifying import strata

    if args.features is not None:
        raise UsageError(f"--features: of clips, and {args.name} is a set of pictures; write --as pixels or --as bytes")
    described = dataset(args.name)
    changes = {name: getattr(args, name) for name in _OF_PICTURES[1:] if getattr(args, name)}
    settings = settings_of(described, args, **changes)
    stimuli = described.stimuli(dataset_folder(settings, args.data_root), settings)
    if args.limit is not None and args.limit > len(stimuli):
        raise UsageError(f"--limit {args.limit}: {stimuli.name} has {len(stimuli):,} pictures")
    stimuli = few(stimuli, strata(stimuli.labels, len(stimuli)), args.limit)
    how = _how(args, stimuli)
    say(*(f"note: {note}" for note in stimuli.notes))
    with progress("pictures") as step:
        done = pack_pictures(
            stimuli,
            args.out,
            how=how,
            described=behind(settings, args.data_root),
            options=settings.options,
            limit=args.limit,
            workers=args.workers,
            progress=step,
        )
    _print_packed(done, settings.image_size, args.json)
    return 1 if done.problems else 0


def _print_packed(done: Packed, image_size: int, as_json: bool) -> None:
    record: dict[str, Any] = {
        "folder": str(done.folder),
        "as": f"{image_size} px pixels" if done.how == "pixels" else "bytes",
        "pictures": done.pictures,
        "megabytes": done.size / 1e6,
        "left out": len(done.problems),
    }
    if as_json:
        write_json({**record, "as": done.how, "problems": list(done.problems)})
    else:
        write_record(record)
    say(*(f"problem: {problem}" for problem in done.problems))


def _how(args: argparse.Namespace, stimuli: Stimuli) -> How:
    """What --as says; else bytes where there are some.

    Raises:
        UsageError: pixels of files without a size, or a size for bytes.
    """
    from affekt.data.packs import of_files

    files = of_files(stimuli.pictures)
    how: How = args.how or ("bytes" if files and args.image_size is None else "pixels")
    if how == "pixels" and files and args.image_size is None:
        raise UsageError(
            "--as pixels: at which size? Write --image-size N, the image_size of the recipe that reads them"
        )
    if how == "bytes" and (args.image_size is not None or args.fit is not None):
        raise UsageError("--as bytes: keeps files as they are, at any size; leave out --image-size and --fit")
    return how
