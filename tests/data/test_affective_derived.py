"""Derived sets: labels, groups and splits come from the source set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from affective_files import emod, emoset, oasis, pictures, write_csv

from affekt.data import dataset
from affekt.errors import DataError, UsageError

DERIVED = dataset("derived")
OASIS_ROWS = [
    f"{theme} {n},Object,Pixabay,{3 + n},1,100,{2 + n},1,100" for theme in ("Dog", "Lake", "Car") for n in (1, 2)
]


def derived(root: Path, rows: list[tuple[str, str]]) -> Path:
    pictures(root, [image for image, _ in rows])
    write_csv(root / "derived.csv", [("image", "source_id"), *rows])
    return root


def copies(ids: list[str], n: int = 2) -> list[tuple[str, str]]:
    return [(f"images-{copy}/{name}.png", name) for copy in range(1, n + 1) for name in ids]


def test_labels_and_groups_of_emod_beside_it(tmp_path: Path) -> None:
    emod(tmp_path / "emod", [3, 12, 700], present=[3, 12, 700])
    found = DERIVED.open(derived(tmp_path / "diffused-emod", copies(["12", "3"])), "all", image_size=8)
    assert found.ids.tolist() == ["images-1/12.png", "images-1/3.png", "images-2/12.png", "images-2/3.png"]
    assert found.groups.tolist() == ["12", "3", "12", "3"]
    assert found.labels.ratings["valence"].tolist() == [2, 1, 2, 1]
    assert found.split is None
    assert found.images(np.arange(4)).shape == (4, 3, 8, 8)


def test_siblings_never_stand_in_two_splits(tmp_path: Path) -> None:
    rows = [f"Dog {n},Object,Pixabay,4,1,100,3,1,100" for n in range(1, 3)]
    rows += [
        f"{theme} 1,Object,Pixabay,4,1,100,3,1,100" for theme in ("Lake", "Car", "Owl", "Sun", "Cup", "Fire", "Ant")
    ]
    oasis(tmp_path / "oasis", rows)
    ids = [row.split(",")[0] for row in rows]
    root = derived(tmp_path / "derived", copies(ids, 3))
    parts = {name: DERIVED.open(root, name, source="oasis", seed=1) for name in ("train", "validation", "test")}
    sources = {name: {i.split("/")[1].split(" ")[0] for i in part.ids} for name, part in parts.items()}
    assert not sources["train"] & sources["test"]
    assert not sources["train"] & sources["validation"]
    assert sum(map(len, parts.values())) == 3 * len(ids)


def test_the_groups_of_the_source_are_wider_than_a_picture(tmp_path: Path) -> None:
    oasis(tmp_path / "oasis", OASIS_ROWS)
    found = DERIVED.open(derived(tmp_path / "d", copies(["Dog 1", "Dog 2", "Lake 1"], 1)), "all", source="oasis")
    assert found.groups.tolist() == ["dog", "dog", "lake"]
    assert found.labels.extra["theme_category"].tolist() == ["object"] * 3


def test_the_splits_of_the_source(tmp_path: Path) -> None:
    emoset(
        tmp_path / "emoset", {"train": [("awe", "awe_1")], "val": [("fear", "fear_2")], "test": [("fear", "fear_3")]}
    )
    root = derived(tmp_path / "d", copies(["fear_2", "awe_1", "fear_3"], 1))
    found = DERIVED.open(root, "all", source="emoset")
    assert found.split is not None
    assert found.split.tolist() == ["validation", "train", "test"]
    two = DERIVED.open(root, "all", source="emoset", source_options=["classes=2"])
    assert two.labels.categories == ("positive", "negative")


def test_the_source_is_read_from_the_record_and_from_a_root(tmp_path: Path) -> None:
    oasis(tmp_path / "elsewhere", OASIS_ROWS)
    root = derived(tmp_path / "d", copies(["Dog 1"], 1))
    (root / "derived.json").write_text(json.dumps({"source": "oasis", "seed": 0}))
    found = DERIVED.open(root, "all", source_root=str(tmp_path / "elsewhere"))
    assert found.labels.ratings["valence"].tolist() == [4]


def test_ids_may_be_file_names_of_the_source(tmp_path: Path) -> None:
    emod(tmp_path / "emod", [3], present=[3])
    assert DERIVED.open(derived(tmp_path / "d", [("a.png", "3.jpg")]), "all").groups.tolist() == ["3"]


def test_sources_that_are_not_there(tmp_path: Path) -> None:
    emod(tmp_path / "emod", [3, 12], present=[3])
    root = derived(tmp_path / "d", copies(["3", "12"], 1))
    with pytest.raises(
        DataError, match=r"1 of 2 pictures have a source that emod lacks: 12; complete the source set, or go on"
    ):
        DERIVED.open(root, "all")
    found = DERIVED.open(root, "all", allow_missing=True)
    assert (found.ids.tolist(), found.missing) == (["images-1/3.png"], 1)
    assert any("1 of 2 pictures left out, emod lacks their source: 12" in note for note in found.notes)
    assert any(note.startswith("source 1 of 2 pictures missing") for note in found.notes)


def test_pictures_that_are_not_there(tmp_path: Path) -> None:
    emod(tmp_path / "emod", [3, 12], present=[3, 12])
    root = derived(tmp_path / "d", copies(["3", "12"], 1))
    (root / "images-1" / "3.png").unlink()
    with pytest.raises(DataError, match=r"derived: 1 of 2 pictures missing \(first: images-1/3\.png\)"):
        DERIVED.open(root, "all")
    found = DERIVED.open(root, "all", allow_missing=True)
    assert (found.groups.tolist(), found.missing) == (["12"], 1)
    assert found.labels.ratings["valence"].tolist() == [2]


@pytest.mark.parametrize("image", ["../secret.png", "/etc/secret.png"])
def test_no_picture_outside_the_set(tmp_path: Path, image: str) -> None:
    emod(tmp_path / "emod", [3], present=[3])
    write_csv(tmp_path / "d" / "derived.csv", [("image", "source_id"), (image, "3")])
    with pytest.raises(DataError, match="leads out of the set; write a path below its folder"):
        DERIVED.open(tmp_path / "d", "all")


def test_a_picture_twice(tmp_path: Path) -> None:
    emod(tmp_path / "emod", [3, 12], present=[3, 12])
    with pytest.raises(DataError, match=r"derived\.csv: 1 picture\(s\) stand more than once: a\.png"):
        DERIVED.open(derived(tmp_path / "d", [("a.png", "3"), ("a.png", "12")]), "all")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"source": "cifar10"}, UsageError, 'source = "cifar10": no source of affect labels; write an affective set'),
        ({"source": "emodd"}, UsageError, 'data set "emodd": unknown. Nearest: emod'),
        ({"source": "derived"}, UsageError, 'source = "derived": no source of affect labels'),
        ({"source_options": ["scale"]}, UsageError, '"scale": write name=value'),
        ({"source_options": ["skale=1-9"]}, UsageError, 'emod: option "skale": unknown. Nearest: scale'),
        ({"source": "oasis"}, DataError, "oasis: no folder"),
    ],
)
def test_a_source_that_cannot_be(
    tmp_path: Path, options: dict[str, object], error: type[Exception], message: str
) -> None:
    emod(tmp_path / "emod", [3], present=[3])
    with pytest.raises(error) as caught:
        DERIVED.open(derived(tmp_path / "d", copies(["3"], 1)), "all", **options)
    assert message in str(caught.value)
