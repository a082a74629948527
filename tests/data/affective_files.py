"""Small affective sets in exactly the layout of the published ones, for the tests of their readers."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

EMOSET_ORDER = ("amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness")
OASIS_HEADER = ",Theme,Category,Source,Valence_mean,Valence_SD,Valence_N,Arousal_mean,Arousal_SD,Arousal_N"


def picture(path: Path, colour: tuple[int, int, int] = (200, 100, 50), mode: str = "RGB") -> Path:
    """A small picture of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 10), colour).convert(mode).save(path)
    return path


def pictures(folder: Path, names: Iterable[str]) -> Path:
    for number, name in enumerate(names):
        picture(folder / name, (number % 256, 80, 160))
    return folder


def write_csv(path: Path, rows: Sequence[Sequence[object]], delimiter: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def oasis(root: Path, rows: Sequence[str]) -> Path:
    """``rows`` without their leading number; line ends are single carriage returns, without one at the end."""
    lines = [OASIS_HEADER, *(f"I{number},{row}" for number, row in enumerate(rows, 1))]
    root.mkdir(parents=True, exist_ok=True)
    (root / "OASIS.csv").write_bytes("\r".join(lines).encode())
    pictures(root / "images", [f"{row.split(',')[0].strip()}.jpg" for row in rows])
    return root


def abstract(root: Path, rows: Sequence[tuple[str, Sequence[int]]], header: str = "") -> Path:
    """Single-quoted strings; the first header cell is empty."""
    columns = "'Amusement','Anger','Awe','Content','Disgust','Excitement','Fear','Sad'"
    lines = [f"{header},{columns}", *(f"'{name}',{','.join(map(str, votes))}" for name, votes in rows)]
    pictures(root, [name for name, _ in rows])
    (root / "ABSTRACT_groundTruth.csv").write_text("\r\n".join(lines) + "\r\n")
    return root


def emod(root: Path, numbers: Sequence[int], present: Sequence[int], columns: int = 15) -> Path:
    """Row i: id, two columns of other things, valence 1+i, arousal 2+i, dominance 3+i, weight 1 at i mod 9."""
    from scipy.io import savemat

    table = np.zeros((len(numbers), columns))
    for row, number in enumerate(numbers):
        table[row, :6] = (float(number), -7, 99, 1 + row, 2 + row, 3 + row)
        table[row, 6 + row % 9] = 1.0
    root.mkdir(parents=True, exist_ok=True)
    savemat(root / "allfindata1019_renamed.mat", {"allfindata1019": table})
    pictures(root / "EMOdImages1019", [f"{number}.jpg" for number in present])
    return root


def emoset(
    root: Path,
    items: Mapping[str, Sequence[tuple[str, str]]],
    order: Sequence[str] = EMOSET_ORDER,
    annotations: Mapping[str, Mapping[str, object]] | None = None,
) -> Path:
    """``items``: list name (train, val, test) -> (emotion, id); ``annotations``: id -> attributes (absent: no file)."""
    numbers = {name: number for number, name in enumerate(order)}
    info = {"emotion": {"label2idx": numbers, "idx2label": {str(n): name for name, n in numbers.items()}}}
    root.mkdir(parents=True, exist_ok=True)
    (root / "info.json").write_text(json.dumps(info))
    for split, entries in items.items():
        rows = [[e, i, f"image/{e}/{i}.jpg", f"annotation/{e}/{i}.json"] for e, i in entries]
        (root / f"{split}.json").write_text(json.dumps(rows))
        for emotion, name in entries:
            picture(root / "image" / emotion / f"{name}.jpg")
            if annotations and name in annotations:
                path = root / "annotation" / emotion / f"{name}.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps({"image_id": name, "emotion": emotion, **annotations[name]}))
    return root


FERPLUS_HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
FERPLUS_FOLDERS = {"Training": "FER2013Train", "PublicTest": "FER2013Valid", "PrivateTest": "FER2013Test"}


def ferplus(
    root: Path, rows: Sequence[tuple[str, str, Sequence[int]]], suffix: str = ".png", test: bool = True
) -> Path:
    """``rows``: (usage, name without suffix or empty, ten votes)."""
    lines = [FERPLUS_HEADER]
    for usage, name, votes in rows:
        lines.append(f"{usage},{name + '.png' if name else ''},{','.join(map(str, votes))}")
        if name and (test or usage != "PrivateTest"):
            picture(root / FERPLUS_FOLDERS[usage] / f"{name}{suffix}", mode="L")
    (root / "fer2013new.csv").write_text("\n".join(lines) + "\n")
    return root
