"""Small files of people and of models, in the layouts of the published ones."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from affekt.errors import AffektError
from affekt.humans.people import read_people

TEST_BATCH = (3, 8, 8, 0, 6, 6, 1, 6, 3, 1)
"""Classes of the first ten test pictures of CIFAR-10."""

CREMA_HEADER = ("", "A", "D", "F", "H", "N", "S", "fileName", "numResponses")


def refused(path: Path, **options: object) -> str:
    """The one line with which a table is refused."""
    with pytest.raises(AffektError) as caught:
        read_people(path, options=options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def table(path: Path, header: str | Sequence[str], *rows: Sequence[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([header.split(",") if isinstance(header, str) else header, *rows])
    return path


def crema_d(folder: Path, *rows: tuple[int, Sequence[int], str]) -> Path:
    """``rows``: number, six votes, clip."""
    table(folder / "tabulatedVotes.csv", CREMA_HEADER, *([n, *votes, clip, sum(votes)] for n, votes, clip in rows))
    table(folder / "VideoDemographics.csv", "ActorID,Age,Sex", (1001, 51, "Male"), (1002, 21, "Female"))
    return folder


def cifar10h(folder: Path, seed: int = 0) -> Path:
    """Fifty votes each, most of them for one class; of the first ten pictures for theirs."""
    rng = np.random.default_rng(seed)
    first = rng.integers(10, size=10_000)
    first[:10] = TEST_BATCH
    counts = np.zeros((10_000, 10), dtype=np.int64)
    counts[np.arange(10_000), first] = 40
    counts[np.arange(10_000), rng.integers(10, size=10_000)] += 10
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "cifar10h-counts.npy", counts)
    return folder


def ferplus(folder: Path, *rows: tuple[str, Sequence[int]]) -> Path:
    """``rows``: picture, ten votes (eight emotions, unknown, NF)."""
    header = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    table(folder / "fer2013new.csv", header, *(["Training", name, *votes] for name, votes in rows))
    return folder


def oasis(folder: Path, *rows: str) -> Path:
    header = ",Theme,Category,Source,Valence_mean,Valence_SD,Valence_N,Arousal_mean,Arousal_SD,Arousal_N"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "OASIS.csv").write_bytes("\r".join([header, *(f"I1,{row}" for row in rows)]).encode())
    return folder
