"""Published sets of people's answers: small copies of them, and the real ones where they are."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from people_files import cifar10h, crema_d, ferplus, oasis, table

from affekt.affect import FERPLUS, RatingScale
from affekt.data import dataset
from affekt.errors import AffektError, DataError, UsageError
from affekt.humans.people import Ratings, Votes, read_people

DATA = os.environ.get("AFFEKT_DATA", "")
real = pytest.mark.skipif(not DATA, reason="AFFEKT_DATA (a folder with oasis, ferplus, crema_d) is not set")

CLIPS = (
    (100001, (4, 0, 1, 0, 5, 0), "1001_DFA_ANG_XX"),
    (100002, (0, 0, 0, 9, 1, 0), "1002_IEO_HAP_LO"),
    (200001, (7, 1, 0, 0, 1, 0), "1001_DFA_ANG_XX"),
    (200002, (0, 0, 0, 4, 2, 0), "1002_IEO_HAP_LO"),
    (300001, (8, 0, 0, 0, 0, 2), "1001_DFA_ANG_XX"),
    (300002, (0, 0, 1, 9, 0, 0), "1002_IEO_HAP_LO"),
)


def votes(name: str, root: Path | str, **options: object) -> Votes:
    found = read_people(name, data_root=root, options=options)
    assert isinstance(found, Votes)
    return found


def refused(name: str, root: Path, **options: object) -> str:
    with pytest.raises(AffektError) as caught:
        read_people(name, data_root=root, options=options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ------------------------------------------------------------------------------------------------ OASIS


def test_oasis_without_its_pictures(tmp_path: Path) -> None:
    oasis(
        tmp_path / "oasis",
        "Dog 1,Animal,Pixabay,6.5,1.1,100,4.5,1.7,101",
        "Dog 12 ,Animal,Pixabay,5.123456789,1.2,102,4.0,1.6,103",
    )
    found = read_people("OASIS", data_root=tmp_path)
    assert isinstance(found, Ratings)
    assert found.ids.tolist() == ["Dog 1", "Dog 12"]
    assert found.groups.tolist() == ["dog", "dog"]
    assert found.scale == RatingScale(1, 7)
    assert found.means["valence"].tolist() == [6.5, 5.123456789]
    assert found.sds["arousal"].tolist() == [1.7, 1.6]
    assert found.counts["valence"].tolist() == [100, 102]
    assert found.facts["theme_category"].tolist() == ["animal", "animal"]
    assert found.raters == {}
    assert found.licence == dataset("oasis").licence


def test_oasis_outside_its_scale(tmp_path: Path) -> None:
    oasis(tmp_path / "oasis", "Dog 1,Animal,Pixabay,7.5,1.1,100,4.5,1.7,101")
    assert "valence: 1 rating(s) outside the scale 1 to 7 (first: 7.5)" in refused("oasis", tmp_path)


# ------------------------------------------------------------------------------------------------ FER+


def test_ferplus_keeps_ties_and_leaves_out_what_nobody_recognised(tmp_path: Path) -> None:
    ferplus(
        tmp_path / "ferplus",
        ("a.png", (8, 1, 0, 0, 0, 0, 0, 0, 1, 0)),
        ("b.png", (5, 5, 0, 0, 0, 0, 0, 0, 0, 0)),
        ("c.png", (2, 1, 0, 0, 0, 0, 0, 0, 0, 7)),
        ("d.png", (0, 0, 0, 0, 0, 0, 0, 0, 1, 9)),
        ("", (0, 0, 0, 0, 0, 0, 0, 0, 0, 10)),
    )
    found = votes("fer+", tmp_path)
    assert found.ids.tolist() == found.groups.tolist() == ["a", "b"]
    assert found.categories == FERPLUS
    assert found.votes.tolist() == [[8, 1, 0, 0, 0, 0, 0, 0], [5, 5, 0, 0, 0, 0, 0, 0]]
    assert found.right.tolist() == ["neutral", ""]
    assert found.truth is None
    assert found.accuracy is None
    assert any("2 faces mostly unknown or no face left out" in note for note in found.notes)
    assert votes("ferplus", tmp_path, ties="drop").ids.tolist() == ["a"]
    unclear = votes("ferplus", tmp_path, unknown="keep")
    assert unclear.ids.tolist() == ["a", "b", "c"]
    assert "1 faces without a vote for any category left out" in unclear.notes


# ------------------------------------------------------------------------------------------------ CREMA-D


@pytest.mark.parametrize(
    ("options", "first", "accuracy"),
    [({}, [7, 1, 0, 0, 1, 0], 11 / 15), ({"modality": "voice"}, [4, 0, 1, 0, 5, 0], 13 / 20),
     ({"modality": "both"}, [8, 0, 0, 0, 0, 2], 17 / 20)],
)  # fmt: skip
def test_crema_d_by_modality(tmp_path: Path, options: dict[str, str], first: list[int], accuracy: float) -> None:
    crema_d(tmp_path / "crema_d", *CLIPS)
    found = votes("crema-d", tmp_path, **options)
    assert found.ids.tolist() == ["1001_DFA_ANG_XX", "1002_IEO_HAP_LO"]
    assert found.groups.tolist() == ["1001", "1002"]
    assert found.categories == ("anger", "disgust", "fear", "happiness", "neutral", "sadness")
    assert found.votes[0].tolist() == first
    assert found.right.tolist() == ["anger", "happiness"]
    assert found.modality == options.get("modality", "face")
    assert {name: values.tolist() for name, values in found.facts.items()} == {
        "sentence": ["DFA", "IEO"], "level": ["XX", "LO"], "sex": ["male", "female"],
    }  # fmt: skip
    assert found.accuracy == pytest.approx(accuracy)


def test_crema_d_where_its_repository_has_it_and_without_actors(tmp_path: Path) -> None:
    crema_d(tmp_path / "crema-d" / "processedResults", *CLIPS)
    assert "sex" not in votes("CREMA_D", tmp_path).facts


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(400001, (1, 0, 0, 0, 0, 0), "1001_DFA_ANG_XX")], 'row number "400001" (line 2) begins with none of 1'),
        ([(200001, (1, 0, 0, 0, 0, 0), "1001_DFA_JOY_XX")], "1 name(s) are no clip's: 1001_DFA_JOY_XX"),
        ([(200001, (0, 0, 0, 0, 0, 0), "1001_DFA_ANG_XX")], "votes that sum to zero (line 2)"),
    ],
)
def test_crema_d_that_cannot_be(tmp_path: Path, rows: list[tuple[int, tuple[int, ...], str]], message: str) -> None:
    crema_d(tmp_path / "crema_d", *rows)
    assert message in refused("crema-d", tmp_path)


def test_crema_d_without_a_column(tmp_path: Path) -> None:
    table(
        tmp_path / "crema_d" / "tabulatedVotes.csv", ",A,D,F,H,N,fileName", (200001, 1, 0, 0, 0, 0, "1001_DFA_ANG_XX")
    )
    assert 'tabulatedVotes.csv: no column "S"' in refused("crema-d", tmp_path)
    table(tmp_path / "crema_d" / "tabulatedVotes.csv", "A,fileName", (1, "1001_DFA_ANG_XX"))
    assert "no column of row numbers" in refused("crema-d", tmp_path)
    assert 'modality "ears": unknown' in refused("crema-d", tmp_path, modality="ears")


# ------------------------------------------------------------------------------------------------ CIFAR-10H


@pytest.mark.parametrize("folder", ["cifar10h", "cifar10h/data", "cifar10"])
def test_cifar10h_in_the_order_of_the_test_batch(tmp_path: Path, folder: str) -> None:
    cifar10h(tmp_path / folder)
    found = votes("cifar10h", tmp_path)
    assert found.ids[[0, 9999]].tolist() == ["test/00000", "test/09999"]
    assert found.right[:4].tolist() == ["cat", "ship", "ship", "airplane"]
    assert found.votes.sum(axis=1).tolist() == [50] * 10_000
    assert "JPEG files has another order" in found.notes[0]
    assert "JPEG files has another order" in found.advice


def test_cifar10h_ids_are_those_of_the_archives(tmp_path: Path) -> None:
    from affekt.data.targets.cifar import CIFAR10

    tiny = tmp_path / "cifar10" / "cifar-10-batches-bin"
    tiny.mkdir(parents=True)
    record = bytes([3]) + bytes(3072)
    for name in (*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"):
        (tiny / name).write_bytes(record * 3)
    archived = CIFAR10.stimuli(tmp_path / "cifar10", CIFAR10.settings())
    assert archived.split is not None
    cifar10h(tmp_path / "cifar10h")
    assert archived.ids[archived.split == "test"].tolist() == votes("cifar10h", tmp_path).ids[:3].tolist()


def test_cifar10h_that_cannot_be(tmp_path: Path) -> None:
    assert "cifar10h: no cifar10h-counts.npy in" in refused("cifar10h", tmp_path)
    path = cifar10h(tmp_path / "cifar10h") / "cifar10h-counts.npy"
    counts = np.load(path)
    for wrong, message in (
        (counts / counts.sum(axis=1, keepdims=True), "no counts"),
        (counts[:100], "(100, 10) where (10000, 10) counts are asked"),
        (counts[::-1], "in another order than the test batch"),
        (counts[:, ::-1], "in another order than the test batch"),
        (np.array([{"a": 1}], dtype=object), "not readable as a plain .npy array"),
    ):
        np.save(path, wrong)
        assert message in refused("cifar10h", tmp_path)
    path.write_bytes(b"\x93NUMPY")
    assert "not readable as a plain .npy array" in refused("cifar10h", tmp_path)


# ------------------------------------------------------------------------------------------------ names


def test_what_is_no_set_and_no_path(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'people "oassis": unknown\. Nearest: oasis\..*or the path of a table'):
        read_people("oassis", data_root=tmp_path)
    with pytest.raises(DataError, match=r"nowhere\.csv: no such table or folder"):
        read_people("nowhere.csv")
    assert refused("oasis", tmp_path).startswith(f"oasis: no folder {tmp_path / 'oasis'}")
    oasis(tmp_path / "oasis", "Dog 1,Animal,Pixabay,6,1,100,4,1,101")
    assert 'oasis: option "scale": unknown. All: oasis has no options' in refused("oasis", tmp_path, scale="1-9")


def test_a_folder_of_a_sets_name_is_read_as_a_path_with_a_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "oasis").mkdir()
    with pytest.raises(DataError, match="no trial table among no tables"):
        read_people("./oasis", data_root=tmp_path)


# ------------------------------------------------------------------------------------------------ the real ones


@real
@pytest.mark.parametrize(
    ("modality", "by_vote", "by_majority"), [("voice", 0.400, 0.416), ("face", 0.574, 0.663), ("both", 0.631, 0.722)]
)
def test_people_are_as_accurate_on_crema_d_as_is_published(modality: str, by_vote: float, by_majority: float) -> None:
    found = votes("crema-d", DATA, modality=modality)
    assert len(found) == 7442
    assert len(np.unique(found.groups)) == 91
    assert found.accuracy is not None
    assert round(found.accuracy, 3) == by_vote
    names = np.array([*found.categories, ""])
    chosen = Votes(name="x", ids=found.ids, groups=found.groups, categories=found.categories, votes=found.votes).right
    assert round(float((chosen == names[found.truth]).mean()), 3) == by_majority


@real
def test_real_oasis_has_the_ids_of_its_pictures() -> None:
    found = read_people("oasis", data_root=DATA)
    pictures = dataset("oasis").open(Path(DATA) / "oasis", "all")
    assert isinstance(found, Ratings)
    assert found.ids.tolist() == pictures.ids.tolist()
    assert len(np.unique(found.groups)) == 248
    np.testing.assert_allclose(found.means["arousal"], pictures.labels.ratings["arousal"], rtol=1e-6)


@real
def test_real_ferplus_has_the_ids_and_votes_of_its_faces() -> None:
    found = votes("ferplus", DATA)
    faces = dataset("ferplus").open(Path(DATA) / "ferplus", "all", ties="keep")
    place = {name: n for n, name in enumerate(found.ids.tolist())}
    rows = [place[name] for name in faces.ids.tolist()]
    assert faces.labels.votes is not None
    np.testing.assert_array_equal(found.votes[rows], faces.labels.votes)
