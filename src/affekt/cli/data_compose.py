"""``affekt data compose``: films of utterances of one set and faces of another, to check the path of both at once."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from affekt.cli.data_reading import of_clips, progress
from affekt.cli.options import add_data_root, add_json, natural, positive
from affekt.cli.printing import say, write_json, write_record
from affekt.errors import UsageError


def register_compose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sound", default="emodb", metavar="NAME", help="set of clips (default: emodb)")
    parser.add_argument("--faces", default="ferplus", metavar="NAME", help="set of faces (default: ferplus)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder, absent or empty")
    parser.add_argument("--clips", type=positive, metavar="N", help="how many (default: one an utterance)")
    parser.add_argument("--size", type=positive, default=96, metavar="N", help="pixels a side, even (default: 96)")
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="of split and pairs (default: 0)")
    parser.add_argument("--sound-root", type=Path, metavar="DIR", help="folder of the clips (default: by --data-root)")
    parser.add_argument("--faces-root", type=Path, metavar="DIR", help="folder of the faces (default: by --data-root)")
    add_data_root(parser)
    add_json(parser)
    parser.set_defaults(run=compose)


def compose(args: argparse.Namespace) -> int:
    """``affekt data compose --out DIR``."""
    from affekt.data import dataset, dataset_folder, describe
    from affekt.data.audiovisual.composing import compose_clips

    heard = of_clips(describe(args.sound))
    if heard is None:
        raise UsageError(f"--sound {args.sound}: pictures; give a set of clips (affekt data list, kind audiovisual)")
    seen = dataset(args.faces)
    clip_settings = heard.settings(features=("audio",), tasks=("emotion",), **_root(args.sound_root))
    face_settings = seen.settings(image_size=args.size, **_root(args.faces_root))
    clips = heard.clips(dataset_folder(clip_settings, args.data_root), clip_settings)
    faces = seen.stimuli(dataset_folder(face_settings, args.data_root), face_settings)
    with progress("clips") as step:
        done = compose_clips(clips, faces, args.out, clips=args.clips, seed=args.seed, progress=step)
    say(*(f"note: {note}" for note in (*clips.notes, *faces.notes)))
    record: dict[str, Any] = {"folder": str(done.folder), "composed clips": done.clips, **done.counts}
    if args.json:
        write_json({**record, "emotions": list(done.emotions), "dropped": done.dropped})
    else:
        write_record(record | {"emotions": ", ".join(done.emotions)} | done.dropped)
    return 0


def _root(root: Path | None) -> dict[str, str]:
    return {} if root is None else {"root": str(root)}
