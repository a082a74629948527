"""``affekt look`` on pictures: a folder with a drawing and a map of each, and one table."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from affekt.cli.data_reading import progress
from affekt.cli.face_boxes import read as read_boxes
from affekt.cli.look_method import looker
from affekt.cli.look_tables import as_dict, write_overlaps
from affekt.cli.named_files import Unread
from affekt.cli.pictures import Picture, batches, named
from affekt.cli.printing import say, write, write_json, write_table
from affekt.data.disk import whole_folder
from affekt.data.face_boxes import boxes_of_files, check_own, in_square, upright_size
from affekt.data.stimulus_folder import stems
from affekt.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from affekt.cli.models import Found
    from affekt.data.audiovisual.boxes import FaceBoxes
    from affekt.humans.looking import Overlap

BATCH = 8
"""Pictures at a time: gradients of a large network take much memory."""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A picture with its map.

    Attributes:
        path: as it was given.
        name: of its files.
        asked: class or rating; empty with attention, which answers nothing.
        answer: its log-probability, or the rating.
        looked: ``(S, S)`` float32.
        shares: region -> share of the map, NaN where it has nothing above zero.
        box: ``(4,)`` left, top, right, bottom of the face, in pixels of the square that the model sees.
    """

    path: str
    name: str
    asked: str
    answer: float | None
    looked: NDArray[np.float32]
    shares: dict[str, float]
    box: NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        found = {"image": self.path, "asked": self.asked, "answer": self.answer} if self.asked else {"image": self.path}
        return found | self.shares | {"png": f"{self.name}.png", "npy": f"{self.name}.npy"}


def look_at_pictures(args: argparse.Namespace) -> int:
    """Write the folder, print the table; 1 if any picture could not be read, after all others."""
    from affekt.cli.models import find_model

    found = find_model(args.model)
    boxes = None if args.boxes is None else read_boxes(args.boxes)
    failed: list[Picture] = []
    with whole_folder(args.out) as folder:
        done = list(_all(args, found, folder, failed, boxes))
        if not done:
            raise DataError(f"none of the {len(failed)} pictures could be read; the first: {failed[0].error}")
        _write_csv(folder / "look.csv", done)
    for picture in failed:
        say(f"affekt: error: {picture.error}")
    if failed:
        say(f"affekt: {len(failed)} of the pictures could not be read; the others are done")
    regions = _regions(done, args.regions)
    if args.json:
        errors = [{"image": p.path, "error": p.error} for p in failed]
        pictures = [each.to_dict() for each in done]
        write_json(
            {
                "folder": str(args.out),
                "pictures": pictures,
                "errors": errors,
                "regions": {name: as_dict(overlap) for name, overlap in regions.items()},
            }
        )
    else:
        say(f"affekt: drawings, maps and look.csv: {args.out}")
        _print(done, regions)
    return 1 if failed else 0


def _all(
    args: argparse.Namespace, found: Found, folder: Path, failed: list[Picture], boxes: FaceBoxes | None
) -> Iterator[Looked]:
    items = list(named(args.images, recursive=args.recursive))
    if boxes is not None:
        check_own(boxes, [item for item in items if not isinstance(item, Unread)])
    names = iter(stems(_short([item.path if isinstance(item, Unread) else item for item in items])))
    done = 0
    with progress("pictures") as step:
        for batch in batches(items, image_size=found.image_size, fit=found.fit, size=BATCH):
            of_batch = [(picture, next(names)) for picture in batch]
            failed += [picture for picture in batch if picture.pixels is None]
            good = [pair for pair in of_batch if pair[0].pixels is not None]
            if good:
                faces = _faces([picture.path for picture, _ in good], found, boxes)
                yield from _looked(args, found.model, folder, good, faces)
            done += len(batch)
            if step is not None:
                step("pictures", done, len(items))


def _short(paths: list[str]) -> list[tuple[str]]:
    """The paths without the folders that all of them share."""
    parts = [Path(path).parts for path in paths]
    shared = 0
    while all(len(p) > shared + 1 for p in parts) and len({p[shared] for p in parts}) == 1:
        shared += 1
    return [("/".join(p[shared:]),) for p in parts]


def _faces(paths: list[str], found: Found, boxes: FaceBoxes | None) -> NDArray[np.float64]:
    """``(B, 4)`` the face in each of the squares that a model sees; without boxes the whole square."""
    size = found.image_size
    if boxes is None:
        return np.tile([0.0, 0.0, size, size], (len(paths), 1))
    each = zip(paths, boxes_of_files(boxes, paths), strict=True)
    return np.stack([in_square(boxes.name, path, box, upright_size(path), size, found.fit) for path, box in each])


def _looked(
    args: argparse.Namespace,
    model: Any,
    folder: Path,
    batch: list[tuple[Picture, str]],
    faces: NDArray[np.float64],
) -> Iterator[Looked]:
    """The pictures of a batch; the map and the drawing of each are written on the way."""
    import torch

    from affekt.humans.looking import FACE, ask, face_mask, overlay, region_share

    pixels = np.stack([picture.pixels for picture, _ in batch if picture.pixels is not None])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    maps = looker(args)(model, images).numpy()
    asked = None if args.method == "attention" else ask(model, images, category=args.category, rating=args.rating)
    height, width = maps.shape[1:]
    masks = {name: face_mask(name, height, width, faces) for name in FACE} if args.regions else {}
    for row, (picture, name) in enumerate(batch):
        done = Looked(
            path=picture.path,
            name=name,
            asked="" if asked is None else asked.names[row],
            answer=None if asked is None else float(asked.values[row]),
            looked=maps[row],
            shares={
                part: float(region_share(maps[row : row + 1].clip(0), mask[row])[0]) for part, mask in masks.items()
            },
            box=faces[row],
        )
        what = args.method if asked is None else f"{args.method}, {done.asked}: {asked.what} {done.answer:.3g}"
        np.save(folder / f"{name}.npy", done.looked)
        drawing = overlay(
            pixels[row],
            done.looked,
            title=f"{name} ({what})",
            boxes=_frames(faces[row], len(pixels[row])) if masks else None,
        )
        (folder / f"{name}.png").write_bytes(drawing)
        yield done


def _frames(face: NDArray[np.float64], size: int) -> dict[str, tuple[float, float, float, float]]:
    """Region -> left, top, right, bottom as shares of the picture."""
    from affekt.humans.looking import FACE

    corner, span = face[:2], face[2:] - face[:2]
    found = {}
    for name, (left, top, right, bottom) in FACE.items():
        x, y = (corner + span * [left, top]) / size
        beyond, below = (corner + span * [right, bottom]) / size
        found[name] = float(x), float(y), float(beyond), float(below)
    return found


def _regions(done: list[Looked], regions: str | None) -> dict[str, Overlap]:
    """What all pictures together say of each region; nothing of a single picture."""
    from affekt.humans.agreement import bootstrap
    from affekt.humans.looking import FACE, face_mask, region_overlap

    if regions is None or len(done) < 2:
        return {}
    maps = np.stack([each.looked for each in done])
    shared = bootstrap(len(done))
    faces = np.stack([each.box for each in done])
    height, width = maps.shape[1:]
    return {name: region_overlap(maps, face_mask(name, height, width, faces), shared)["share"] for name in FACE}


def _print(done: list[Looked], regions: dict[str, Overlap]) -> None:
    records = [{k: v for k, v in each.to_dict().items() if k not in ("png", "npy")} for each in done]
    cells = [[None if isinstance(v, float) and np.isnan(v) else v for v in record.values()] for record in records]
    write_table(list(records[0]), cells)
    if regions:
        write("")
        write_overlaps("share in", regions)
    silent = next((overlap.undefined for overlap in regions.values()), 0)
    if silent:
        say(f"note: {silent} of {len(done)} maps have nothing above zero; they are left out of the means")


def _write_csv(path: Path, done: list[Looked]) -> None:
    with path.open("x", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(done[0].to_dict()), lineterminator="\n")
        table.writeheader()
        table.writerows(each.to_dict() for each in done)
