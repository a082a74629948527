"""``affekt stimuli``: manipulated pictures with their tables, for an experiment with people."""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.data_reading import add_reader, progress, settings_of
from affekt.cli.face_boxes import add_boxes
from affekt.cli.face_boxes import read as read_boxes
from affekt.cli.options import add_json, natural, positive
from affekt.cli.printing import say, write_json, write_record
from affekt.cli.stimulus_pairs import landmarks_of, pairs_of, scaled_of
from affekt.errors import DataError, UsageError, unknown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from affekt.data import Dataset, Stimuli
    from affekt.data.stimulus_folder import Condition, Written


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("stimuli", help="manipulated pictures with tables, to show to people and networks")
    parser.add_argument("source", metavar="SOURCE", help="a folder of pictures, or a data set (affekt data list)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for it, new or empty")
    parser.add_argument(
        "--manipulation",
        action="append",
        required=True,
        metavar="NAME",
        dest="manipulations",
        help="eyes, mouth, bubbles, inversion, noise ...; repeatable",
    )
    parser.add_argument(
        "--strengths",
        action="append",
        type=numbers,
        required=True,
        metavar="X,X",
        help="e.g. 0,0.5,1; one for all manipulations, or one after each of them",
    )
    parser.add_argument("--morph", type=Path, metavar="PAIRS.csv", help="pairs for morph: ids in columns first, second")
    parser.add_argument(
        "--landmarks",
        type=Path,
        metavar="TABLE.csv",
        help="of the faces of --morph, which are then warped to each other: columns id, x, y, a row a point, in order",
    )
    add_boxes(parser, "; of faces that do not fill the picture, for eyes and mouth")
    parser.add_argument("--subjects", type=positive, default=1, metavar="N", help="orders in trials.csv (default: 1)")
    parser.add_argument("--limit", type=positive, metavar="N", help="N source pictures, drawn stratified by the seed")
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="of all that is drawn (default: 0)")
    parser.add_argument("--image-size", type=positive, metavar="N", help="pixels a side (default: the first picture's)")
    parser.add_argument(
        "--split",
        choices=("train", "validation", "test", "all"),
        default="all",
        help="of a data set (default: all)",
    )
    add_reader(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas between them."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}": numbers with commas between them were expected') from None


def run(args: argparse.Namespace) -> int:
    """Write the folder and say what is in it."""
    from affekt.data.stimulus_folder import write_stimuli

    conditions = _conditions(args.manipulations, args.strengths)
    morphs = any(condition.manipulation == "morph" for condition in conditions)
    if morphs != (args.morph is not None):
        raise UsageError("morph needs both: write --manipulation morph --strengths ... --morph PAIRS.csv")
    if args.landmarks is not None and not morphs:
        raise UsageError("--landmarks: are for --manipulation morph")
    _check_boxes(args.boxes, conditions)
    landmarks = None if args.landmarks is None else landmarks_of(args.landmarks)
    source = _source(args)
    chosen = _chosen(source, args.limit, args.seed)
    pairs = pairs_of(args.morph, source) if morphs else []
    say(*(f"note: {note}" for note in (*source.notes, *scaled_of(source, pairs))))
    with progress("pictures") as step:
        done = write_stimuli(
            source,
            args.out,
            conditions,
            chosen=chosen,
            pairs=pairs,
            seed=args.seed,
            subjects=args.subjects,
            landmarks=landmarks,
            boxes=_boxes(args.boxes, source, chosen),
            progress=step,
        )
    _print(args, done)
    return 0


def _print(args: argparse.Namespace, done: Written) -> None:
    """What is in the folder, as a record or as JSON."""
    record = {
        "folder": str(args.out),
        "pictures": done.pictures,
        "sources": done.sources,
        "pairs": done.pairs,
        "subjects": args.subjects,
        "trials": done.trials,
        "seed": args.seed,
    }
    if args.json:
        write_json({**record, "conditions": done.conditions})
    else:
        write_record({**record, "conditions": ", ".join(done.conditions)})


def _conditions(names: Sequence[str], strengths: Sequence[tuple[float, ...]]) -> list[Condition]:
    """Every manipulation with its strengths.

    Raises:
        UsageError: an unknown name, a strength out of range, lists of strengths that do not go with the manipulations.
    """
    from affekt.data.manipulations import find
    from affekt.data.stimulus_folder import Condition

    if len(strengths) not in (1, len(names)):
        raise UsageError(
            f"--strengths: {len(strengths)} lists for {len(names)} manipulations; write one for all, or one for each"
        )
    each = strengths if len(strengths) == len(names) else [*strengths] * len(names)
    found = []
    for manipulation, values in zip(map(find, names), each, strict=True):
        for value in values:
            manipulation.check(value)
            found.append(Condition(manipulation=manipulation.name, strength=value))
    return found


def _check_boxes(path: Path | None, conditions: Sequence[Condition]) -> None:
    """
    Raises:
        UsageError: face boxes without a manipulation that has a use for them.
    """
    from affekt.data.manipulations import MANIPULATIONS

    if path is not None and not any(MANIPULATIONS[one.manipulation].faces for one in conditions):
        having = " or ".join(name for name, one in MANIPULATIONS.items() if one.faces)
        raise UsageError(f"--boxes: are for --manipulation {having}")


def _boxes(path: Path | None, source: Stimuli, chosen: Sequence[int]) -> dict[str, NDArray[np.float64]] | None:
    from affekt.data.face_boxes import boxes_of_stimuli

    return None if path is None else boxes_of_stimuli(read_boxes(path), source, chosen)


def _source(args: argparse.Namespace) -> Stimuli:
    """The source pictures: of a data set if there is one of that name, else of a folder (``./name`` is always one)."""
    from affekt.data import dataset, list_datasets

    try:
        described = dataset(args.source)
    except UsageError:
        if Path(args.source).is_dir():
            return _folder(args)
        known = unknown("folder or data set", args.source, list_datasets(), everything="affekt data list, or a folder")
        raise UsageError(known) from None
    return _of_set(described, args)


def _folder(args: argparse.Namespace) -> Stimuli:
    from affekt.data.loose_pictures import read_loose

    if args.split != "all" or args.options or args.root is not None:
        raise UsageError(f"{args.source}: a folder of pictures; --split, --option and --root are for data sets")
    return _sized(read_loose(Path(args.source), image_size=args.image_size or 1), args.image_size)


def _of_set(described: Dataset, args: argparse.Namespace) -> Stimuli:
    from affekt.data import dataset_folder, make_splits

    size = {} if args.image_size is None else {"image_size": args.image_size}
    settings = settings_of(described, args, **size)
    found = described.stimuli(dataset_folder(settings, args.data_root), settings)
    if args.split != "all":
        parts = make_splits(found, settings, args.seed).parts
        if args.split not in parts:
            raise UsageError(unknown(f"{described.name}: split", args.split, parts))
        found = parts[args.split]
    return _sized(found, args.image_size)


def _sized(source: Stimuli, image_size: int | None) -> Stimuli:
    """Pictures in files as squares of the size asked for, else of the first one's shorter side."""
    import numpy as np
    from PIL import Image

    from affekt.data.packs import PackedPictures, of_files

    files = source.pictures
    if image_size is not None or not of_files(files):
        return source
    if isinstance(files, PackedPictures):
        held, name = io.BytesIO(files.raw(np.array([0]))[0]), source.ids[0]
    else:
        held = name = files.paths[0]
    try:
        with Image.open(held) as image:
            side = min(image.size)
    except (OSError, ValueError, SyntaxError):
        raise DataError(f"{name}: cannot be read as a picture; replace it or leave it out") from None
    note = f"squares of {side} pixels, the shorter side of {source.ids[0]}; --image-size asks for others"
    return replace(source, pictures=files.sized(side, files.fit), notes=(*source.notes, note))


def _chosen(source: Stimuli, limit: int | None, seed: int) -> list[int]:
    from affekt.data.stratifying import draw_stratified, strata

    if limit is None or limit >= len(source):
        return list(range(len(source)))
    rows: list[int] = draw_stratified(
        source.ids, strata(source.labels, len(source)), limit, "stimuli limit", seed
    ).tolist()
    return rows
