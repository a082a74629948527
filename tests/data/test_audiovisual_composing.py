"""Composing: films with the right voice and face, splits that share neither, the same files for the same seed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from affective_files import ferplus
from audiovisual_files import noise, write_wav

from affekt.data import dataset
from affekt.data.audiovisual import Clips, clip_dataset, compose_clips
from affekt.data.audiovisual.composing import Composed
from affekt.data.audiovisual.emodb import EMOTIONS
from affekt.data.audiovisual.writing import write_film
from affekt.data.stimuli import Stimuli
from affekt.errors import DataError, UsageError

pytest.importorskip("av")
pytest.importorskip("soundfile")

SPEAKERS = ("03", "08", "09", "10", "11")
COLUMN = {"neutral": 0, "happiness": 1, "surprise": 2, "sadness": 3, "anger": 4}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Five speakers, an utterance each of four emotions, one of which (boredom) no face has."""
    root = tmp_path_factory.mktemp("emodb")
    for number, speaker in enumerate(SPEAKERS):
        for letter in "WFNL":
            write_wav(root / "wav" / f"{speaker}a01{letter}a.wav", noise(0.2, 16_000, seed=number))
    return clip_dataset("emodb").open(root, "all", features="audio")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Stimuli:
    """Twelve faces each of anger, happiness, neutral and surprise."""
    rows = []
    for number in range(48):
        votes = [0] * 10
        votes[COLUMN[("anger", "happiness", "neutral", "surprise")[number % 4]]] = 10
        rows.append(("Training", f"fer{number:07d}", votes))
    root = ferplus(tmp_path_factory.mktemp("ferplus"), rows)
    chosen = dataset("ferplus").settings(image_size=32)
    return dataset("ferplus").stimuli(root, chosen)


@pytest.fixture(scope="module")
def made(sound: Clips, faces: Stimuli, tmp_path_factory: pytest.TempPathFactory) -> Composed:
    return compose_clips(sound, faces, tmp_path_factory.mktemp("made") / "composed", clips=20, validation=0.2, test=0.2)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "clips.csv").open() as file:
        return list(csv.DictReader(file))


def test_emotions_are_mapped_by_name_and_what_is_left_out_is_counted(made: Composed) -> None:
    assert set(made.emotions) == {"anger", "happiness", "neutral"}
    assert made.dropped == {"utterances of boredom": 5, "faces of surprise": 12}
    assert made.clips == 20 and sum(made.counts.values()) == 20


def test_voice_and_face_are_of_the_emotion_that_the_table_says(made: Composed, faces: Stimuli) -> None:
    assert faces.labels.category is not None
    felt = dict(zip(faces.ids.tolist(), faces.labels.category.tolist(), strict=True))
    for row in rows(made.folder):
        assert EMOTIONS[row["utterance"][5]] == row["emotion"]
        assert faces.labels.categories[felt[row["face"]]] == row["emotion"]
        assert row["utterance"][:2] == row["speaker"] and row["text"] == row["utterance"][2:5]


def test_splits_share_neither_speakers_nor_faces_and_no_face_is_used_twice(made: Composed) -> None:
    found = rows(made.folder)
    for column in ("speaker", "face"):
        places: dict[str, set[str]] = {}
        for row in found:
            places.setdefault(row[column], set()).add(row["split"])
        assert all(len(splits) == 1 for splits in places.values())
    assert {row["split"] for row in found} == {"train", "validation", "test"}
    assert len({row["face"] for row in found}) == len(found)


def test_the_table_reader_opens_it_with_its_own_split(made: Composed, sound: Clips, faces: Stimuli) -> None:
    table = clip_dataset("audiovisual-table")
    parts = {split: table.open(made.folder, split, size=32) for split in ("train", "validation", "test")}
    assert {split: len(part) for split, part in parts.items()} == made.counts
    row = {entry["path"]: entry for entry in rows(made.folder)}
    for part in parts.values():
        film, entry = part.read(0), row[str(part.ids[0])]
        said = sound.read(sound.ids.tolist().index(entry["utterance"])).audio
        face = faces.images(np.array([faces.ids.tolist().index(entry["face"])]))[0].numpy()
        assert film.audio is not None and film.faces is not None and said is not None
        assert film.notes == () and len(film.audio) == len(said) and len(film.faces) == 5
        # Coded sound and pictures are near what went in, and nearer to it than to any other.
        assert np.corrcoef(film.audio, said)[0, 1] > 0.8
        assert np.abs(film.faces.astype(int) - face).mean() < 3


def test_the_same_seed_is_the_same_set_and_another_one_is_not(
    made: Composed, sound: Clips, faces: Stimuli, tmp_path: Path
) -> None:
    again = compose_clips(sound, faces, tmp_path / "again", clips=20, validation=0.2, test=0.2)
    other = compose_clips(sound, faces, tmp_path / "other", clips=20, validation=0.2, test=0.2, seed=1)
    files = sorted(path.relative_to(made.folder) for path in made.folder.rglob("*") if path.is_file())
    assert len(files) == 23
    for file in files:
        assert (again.folder / file).read_bytes() == (made.folder / file).read_bytes()
    assert rows(other.folder) != rows(made.folder)
    # No version of FFmpeg and no date, by which the same clip would be other bytes elsewhere or tomorrow.
    assert not any(b"Lavf" in (made.folder / file).read_bytes() for file in files)


def test_without_a_number_each_utterance_stands_once(sound: Clips, faces: Stimuli, tmp_path: Path) -> None:
    done = compose_clips(sound, faces, tmp_path / "all", validation=0.0, test=0.4)
    used = [row["utterance"] for row in rows(done.folder)]
    assert sorted(used) == sorted(name for name in sound.ids.tolist() if name[5] != "L")
    assert done.counts.keys() == {"train", "test"}


def test_it_says_what_it_is(made: Composed) -> None:
    record = json.loads((made.folder / "composed.json").read_text())
    assert record["composed"] is True and record["sound"] == "emodb" and record["faces"] == "ferplus"
    assert record["clips"] == made.counts and record["dropped"] == made.dropped and record["seed"] == 0
    assert "nothing about the world follows" in (made.folder / "README.md").read_text()


def test_what_cannot_be_composed(made: Composed, sound: Clips, faces: Stimuli, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ferplus: too few faces of \w+ for \d+ train clips; ask for fewer"):
        compose_clips(sound, faces, tmp_path / "many", clips=200)
    with pytest.raises(UsageError, match="exists already and is not overwritten"):
        compose_clips(sound, faces, made.folder)
    surprised = faces.take(np.flatnonzero(faces.labels.category == COLUMN["surprise"]))
    with pytest.raises(DataError, match="emodb and ferplus: no emotion in common"):
        compose_clips(sound, surprised, tmp_path / "none")
    assert not (tmp_path / "many").exists() and not (tmp_path / "none").exists()


@pytest.mark.parametrize("option", ["size", "features"])
def test_settings_that_films_cannot_have(option: str, sound: Clips, faces: Stimuli, tmp_path: Path) -> None:
    if option == "size":
        root = Path(faces.pictures.paths[0]).parents[1]  # type: ignore[attr-defined]
        odd = dataset("ferplus").stimuli(root, dataset("ferplus").settings(image_size=31))
        with pytest.raises(UsageError, match="faces of 31 x 31 pixels; films need even numbers"):
            compose_clips(sound, odd, tmp_path / "odd", clips=5)
    else:
        root = Path(sound.media.sources[0].audio).parents[1]  # type: ignore[attr-defined]
        other = clip_dataset("emodb").open(root, "all", features=("audio", "log-mel"))
        with pytest.raises(UsageError, match="read its sound alone"):
            compose_clips(other, faces, tmp_path / "other")


def test_pictures_of_a_film_begin_with_its_sound_and_keep_their_pace(tmp_path: Path) -> None:
    import av

    write_film(tmp_path / "film.mp4", np.zeros((5, 3, 32, 32), dtype=np.uint8), noise(0.4, 8000), fps=12.5, rate=8000)
    with av.open(str(tmp_path / "film.mp4")) as film:
        times = [frame.time for frame in film.decode(video=0)]
    assert times == pytest.approx([0.0, 0.08, 0.16, 0.24, 0.32])
