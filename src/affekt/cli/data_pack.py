"""``affekt data pack``: the clips of a set decoded once, or its pictures, into a folder of memory-mapped files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.data_pack_pictures import add_of_pictures, pack_set_of_pictures, refuse_of_pictures
from affekt.cli.data_reading import add_reading, few, named, of_clips, progress, reader_option, settings_of
from affekt.cli.options import add_json, natural, positive
from affekt.cli.printing import say, write_json, write_record

if TYPE_CHECKING:
    from affekt.data.audiovisual.packing import Packed


def register_pack(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder: of clips, those that are there are not made again; of pictures, a new one",
    )
    add_of_pictures(parser)
    parser.add_argument(
        "--features", metavar="LIST", help="clips: of audio, log-mel, faces, with commas (default: audio, faces)"
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="N only, drawn evenly over splits and labels")
    parser.add_argument("--workers", type=natural, metavar="N", help="threads that decode (default: by cores)")
    add_json(parser)
    parser.set_defaults(run=pack)


def pack(args: argparse.Namespace) -> int:
    """``affekt data pack NAME --out DIR``: 1 where some cannot be read, as of a check; the others are packed."""
    from affekt.data import dataset_folder

    described = of_clips(named(args.name, "pack"))
    if described is None:
        return pack_set_of_pictures(args)
    refuse_of_pictures(args)
    from affekt.data.audiovisual.packing import pack_clips
    from affekt.data.audiovisual.splits import clip_strata

    changes = {} if args.features is None else {"features": tuple(args.features.replace(" ", "").split(","))}
    settings = settings_of(described, args, **changes)
    clips = described.clips(dataset_folder(settings, args.data_root), settings)
    clips = few(clips, clip_strata(clips), args.limit)
    say(*(f"note: {note}" for note in clips.notes))
    with progress("clips") as step:
        done = pack_clips(clips, args.out, asked=_asked(args), workers=args.workers, progress=step)
    _print_packed(done, args.json)
    return 1 if done.problems else 0


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    """How the pack was asked for, as its record has it."""
    options = dict(map(reader_option, args.options))
    return {"options": options, **({} if args.limit is None else {"limit": args.limit})}


def _print_packed(done: Packed, as_json: bool) -> None:
    from affekt.data.audiovisual.checking import gathered

    record: dict[str, Any] = {
        "folder": str(done.folder),
        "made": done.made,
        "kept": done.kept,
        "hours": done.seconds / 3600,
        "megabytes": done.size / 1e6,
        "left out": len(done.problems),
    }
    notes = gathered(done.notes)
    if as_json:
        write_json({**record, "problems": list(done.problems), "notes": list(notes)})
    else:
        write_record(record)
    say(*(f"note: {note}" for note in notes), *(f"problem: {problem}" for problem in done.problems))
