"""Readers of sets of clips, on files in the layout of the published ones, and on real ones where they are at hand."""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from audiovisual_files import grey_frames, noise, tone, touch, write_media, write_wav

from affekt.affect import CATEGORIES
from affekt.data import dataset, describe, list_datasets
from affekt.data.audiovisual import ClipDataset, clip_dataset, crema_d, iemocap, open_clips, ravdess
from affekt.data.audiovisual.finding import by_stem, files_below
from affekt.errors import DataError, UsageError
from affekt.recipe import ClipSettings

NAMES = [name for name in list_datasets() if describe(name).kind == "audiovisual"]
REAL = os.environ.get("AFFEKT_DATA")


def words(clips, task: str) -> list[str]:  # type: ignore[no-untyped-def]
    """The class of each clip, in words."""
    labels = clips.labels[task]
    return [labels.classes[i] if i >= 0 else "" for i in labels.index]


def opened(name: str, root: Path, **settings: object):  # type: ignore[no-untyped-def]
    return clip_dataset(name).open(root, "all", **settings)


class TestDescriptions:
    def test_all_sets_are_there(self) -> None:
        assert NAMES == ["audiovisual-table", "crema-d", "emodb", "iemocap", "ravdess"]

    @pytest.mark.parametrize("name", NAMES)
    def test_they_are_whole(self, name: str) -> None:
        found = clip_dataset(name)
        assert isinstance(found, ClipDataset)
        for text in (found.title, found.licence, found.citation, found.homepage, found.layout, *found.tasks.values()):
            assert text
            assert "\n" not in text
        assert set(found.categories) <= set(CATEGORIES)
        assert all("default" in about for about in found.options.values())

    @pytest.mark.parametrize("name", [name for name in NAMES if clip_dataset(name).expected])
    def test_gender_is_said_to_be_an_annotation_of_so_many_people(self, name: str) -> None:
        """What the label is: recorded sex or gender of actors, not a fact about a voice or a face."""
        assert re.search(r"(sex|gender) of the actor .*annotation", clip_dataset(name).tasks["gender"])
        assert re.search(r"\(\d{4}\)", clip_dataset(name).citation)

    def test_gender_is_no_task_unless_it_is_asked_for(self) -> None:
        assert ClipSettings().tasks == ("emotion",)

    @pytest.mark.parametrize("name", NAMES)
    def test_no_folder_an_empty_one_and_an_unknown_option(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=f"{name}: no folder .*It must hold: "):
            opened(name, tmp_path / "absent")
        with pytest.raises(DataError) as caught:
            opened(name, tmp_path)
        assert "\n" not in str(caught.value)
        with pytest.raises(UsageError, match=f'{name}: setting "fulders": unknown'):
            opened(name, tmp_path, fulders=3)

    def test_pictures_and_clips_are_told_apart(self) -> None:
        with pytest.raises(UsageError, match='data set "crema-d": clips with sound, not pictures; open it with'):
            dataset("crema-d")
        with pytest.raises(UsageError, match='data set "oasis": pictures, not clips'):
            clip_dataset("oasis")
        assert clip_dataset("EmoDB").name == "emodb"

    def test_settings_are_keys_or_options_and_checked(self) -> None:
        found = clip_dataset("ravdess").settings(rate=8_000, vocal="song", tasks="gender")
        assert (found.rate, dict(found.options), found.tasks) == (8_000, {"vocal": "song"}, ("gender",))
        assert clip_dataset("ravdess").settings(options={"rate": 8_000, "vocal": "song"}).rate == 8_000
        with pytest.raises(UsageError, match=r"\[ravdess\] rate = 10: out of range"):
            clip_dataset("ravdess").settings(rate=10)


EMODB = ("03a01Fa", "03a01Wb", "08b09Ac", "16a02Na", "10b10La", "14a05Td", "13a07Ea")


class TestEmoDB:
    def test_names_say_everything(self, tmp_path: Path) -> None:
        clips = opened("emodb", touch(tmp_path, [f"wav/{n}.wav" for n in EMODB]), tasks=("emotion", "gender"))
        assert clips.ids.tolist() == sorted(EMODB)
        said = dict(zip(clips.ids.tolist(), zip(clips.groups, words(clips, "emotion"), words(clips, "gender"),
                        clips.columns["text"], strict=True), strict=True))  # fmt: skip
        assert said["03a01Fa"] == ("03", "happiness", "male", "a01")
        assert said["03a01Wb"] == ("03", "anger", "male", "a01")
        assert said["08b09Ac"] == ("08", "fear", "female", "b09")
        assert said["16a02Na"] == ("16", "neutral", "female", "a02")
        assert said["10b10La"] == ("10", "boredom", "male", "b10")
        assert said["14a05Td"] == ("14", "sadness", "female", "a05")
        assert said["13a07Ea"] == ("13", "disgust", "female", "a07")
        assert not clips.notes

    def test_gender_of_all_ten(self, tmp_path: Path) -> None:
        speakers = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
        root = touch(tmp_path, [f"wav/{speaker}a01{letter}a.wav" for speaker in speakers for letter in "WF"])
        clips = opened("emodb", root, tasks="gender")
        male = {g for g, word in zip(clips.groups.tolist(), words(clips, "gender"), strict=True) if word == "male"}
        assert male == {"03", "10", "11", "12", "15"}

    def test_flac_is_said_once_and_strangers_are_left_alone(self, tmp_path: Path) -> None:
        root = touch(tmp_path, ["wav/03a01Fa.flac", "wav/03a01Wa.wav", "wav/03a01Wa.flac", "wav/readme.wav"])
        clips = opened("emodb", root)
        assert len(clips) == 2
        assert clips.media.sources[1].audio.endswith("03a01Wa.wav")
        assert clips.notes[:2] == (
            "emodb: 1 of 2 files are .flac where the original has .wav",
            "emodb: 1 file(s) with other names left alone: readme.wav",
        )
        with pytest.raises(DataError, match=r"emodb: no file named like 03a01Fa\.wav in .*; found readme\.wav"):
            opened("emodb", touch(tmp_path / "other", ["readme.wav"]))

    def test_it_has_no_pictures(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"1 of 1 clips have no file with pictures .*affekt data info emodb"):
            opened("emodb", touch(tmp_path, ["wav/03a01Fa.wav"]), features="faces")


@pytest.mark.skipif(REAL is None, reason="AFFEKT_DATA is not set")
class TestRealEmoDB:
    def test_counts(self) -> None:
        root = Path(REAL or "") / "emodb"
        if not root.is_dir():
            pytest.skip("no emodb in AFFEKT_DATA")
        clips = opened("emodb", root, tasks=("emotion", "gender"))
        assert len(clips) == len(list((root / "wav").iterdir()))
        letters = Counter(path.stem[5] for path in (root / "wav").iterdir())
        emotions = {"W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "happiness", "T": "sadness"}
        counts = clips.labels["emotion"].counts()
        assert {letter: counts[word] for letter, word in emotions.items()} == {k: letters[k] for k in emotions}
        assert len(np.unique(clips.groups)) in (8, 10)
        assert len(np.unique(clips.columns["text"])) == 10

    def test_it_is_heard(self) -> None:
        pytest.importorskip("soundfile")
        root = Path(REAL or "") / "emodb"
        if not root.is_dir():
            pytest.skip("no emodb in AFFEKT_DATA")
        clips = opened("emodb", root)
        for index in (0, len(clips) // 2, len(clips) - 1):
            found = clips.read(index)
            assert found.audio is not None
            assert 0.5 < len(found.audio) / 16_000 <= 6
            assert 0.01 < np.abs(found.audio).max() <= 1


CREMA = ("1001_DFA_ANG_XX", "1002_IEO_HAP_HI", "1002_IEO_HAP_LO", "1003_MTI_NEU_XX")
ACTORS = (
    '"ActorID","Age","Sex","Race","Ethnicity"\n1001,51,"Male","x","y"\n1002,21,"Female","x","y"\n1003,21,"Female",a,b\n'
)


class TestCremaD:
    def test_names_and_actors(self, tmp_path: Path) -> None:
        root = touch(tmp_path, [*(f"AudioWAV/{n}.wav" for n in CREMA), *(f"VideoFlash/{n}.flv" for n in CREMA)])
        (root / "VideoDemographics.csv").write_text(ACTORS)
        clips = opened("crema-d", root, tasks=("emotion", "gender"))
        assert clips.ids.tolist() == list(CREMA)
        assert clips.groups.tolist() == ["1001", "1002", "1002", "1003"]
        assert words(clips, "emotion") == ["anger", "happiness", "happiness", "neutral"]
        assert words(clips, "gender") == ["male", "female", "female", "female"]
        assert clips.columns["level"].tolist() == ["unspecified", "high", "low", "unspecified"]
        assert clips.columns["text"].tolist() == ["DFA", "IEO", "IEO", "MTI"]
        assert clips.media.reading.features == ("audio", "faces")
        source = clips.media.sources[0]
        assert (source.audio, source.video) == (
            str(root / "AudioWAV/1001_DFA_ANG_XX.wav"),
            str(root / "VideoFlash/1001_DFA_ANG_XX.flv"),
        )

    def test_sound_is_in_the_video_where_there_is_no_other(self, tmp_path: Path) -> None:
        clips = opened("crema-d", touch(tmp_path, [f"{n}.mp4" for n in CREMA]))
        assert clips.media.sources[0].audio == clips.media.sources[0].video
        assert opened("crema-d", touch(tmp_path / "b", [f"{n}.wav" for n in CREMA])).media.reading.features == (
            "audio",
        )

    def test_without_the_table_of_actors_there_is_no_gender(self, tmp_path: Path) -> None:
        root = touch(tmp_path, [f"AudioWAV/{n}.wav" for n in CREMA])
        assert "no VideoDemographics.csv: the task gender cannot be had" in opened("crema-d", root).notes[0]
        with pytest.raises(UsageError, match=r'crema-d: task "gender": unknown\. All: emotion'):
            opened("crema-d", root, tasks="gender")

    def test_the_name_that_was_published_short_is_as_in_the_tables(self) -> None:
        found = crema_d.parse_name("1040_ITH_SAD_X")
        assert found is not None
        assert (found["id"], found["level"]) == ("1040_ITH_SAD_XX", "unspecified")
        # No placeholder: the level is XX where it is unspecified, and three letters are no level.
        assert crema_d.parse_name("1040_ITH_SAD_XXX") is None
        assert crema_d.parse_name("1040_ITH_JOY_XX") is None
        assert crema_d.parse_name("1040_ABC_SAD_XX") is None  # a thirteenth sentence

    def test_a_third_word_for_sex_is_refused(self, tmp_path: Path) -> None:
        root = touch(tmp_path, [f"{n}.wav" for n in CREMA])
        (root / "VideoDemographics.csv").write_text(ACTORS.replace("Male", "M"))
        with pytest.raises(DataError, match=r'VideoDemographics\.csv: Sex "M" is none of Male, Female'):
            opened("crema-d", root)

    @pytest.mark.skipif(REAL is None, reason="AFFEKT_DATA is not set")
    def test_every_name_of_the_real_tables(self, tmp_path: Path) -> None:
        source = Path(REAL or "") / "crema_d"
        if not source.is_dir():
            pytest.skip("no crema_d in AFFEKT_DATA")
        with (source / "summaryTable.csv").open(newline="") as file:
            names = [row["FileName"] for row in csv.DictReader(file)]
        root = touch(tmp_path, [f"AudioWAV/{name}.wav" for name in names])
        shutil.copy(source / "VideoDemographics.csv", root)
        clips = opened("crema-d", root, tasks=("emotion", "gender"))
        assert clips.ids.tolist() == sorted(names)
        assert len(clips) == clip_dataset("crema-d").expected == 7442
        assert len(np.unique(clips.groups)) == 91
        assert len(np.unique(clips.columns["text"])) == 12
        counts = clips.labels["emotion"].counts()
        assert counts.pop("neutral") == 1087
        assert set(counts.values()) == {1271}
        women = {g for g, word in zip(clips.groups.tolist(), words(clips, "gender"), strict=True) if word == "female"}
        assert len(women) == 43
        assert (clips.labels["gender"].index >= 0).all()


class TestRavdess:
    def test_seven_fields(self, tmp_path: Path) -> None:
        root = touch(tmp_path, ["Actor_12/03-01-06-01-02-01-12.wav", "Actor_07/03-01-02-02-01-02-07.wav"])
        clips = opened("ravdess", root, tasks=("emotion", "gender"))
        assert clips.ids.tolist() == ["01-02-02-01-02-07", "01-06-01-02-01-12"]
        assert words(clips, "emotion") == ["calm", "fear"]
        assert words(clips, "gender") == ["male", "female"]
        assert clips.groups.tolist() == ["07", "12"]
        assert clips.columns["text"].tolist() == ["01", "02"]
        assert clips.columns["intensity"].tolist() == ["strong", "normal"]

    def test_every_emotion(self, tmp_path: Path) -> None:
        root = touch(tmp_path, [f"Actor_01/03-01-0{e}-01-01-01-01.wav" for e in range(1, 9)])
        expected = "neutral calm happiness sadness anger fear disgust surprise"
        assert words(opened("ravdess", root), "emotion") == expected.split()

    def test_one_performance_is_one_clip_however_many_files(self, tmp_path: Path) -> None:
        names = [f"Actor_01/{m}-01-05-01-01-01-01.{s}" for m, s in (("01", "mp4"), ("02", "mp4"), ("03", "wav"))]
        root = touch(tmp_path, names)
        (source,) = opened("ravdess", root).media.sources
        assert source.audio.endswith("01-01-05-01-01-01-01.mp4")
        assert source.video.endswith("01-01-05-01-01-01-01.mp4")
        (source,) = opened("ravdess", root, features="audio").media.sources
        assert source.audio.endswith("03-01-05-01-01-01-01.wav")
        (root / names[0]).unlink()
        (source,) = opened("ravdess", root).media.sources
        assert (source.audio[-24:], source.video[-24:]) == (names[2][-24:], names[1][-24:])

    def test_speech_or_song(self, tmp_path: Path) -> None:
        root = touch(tmp_path, ["03-01-05-01-01-01-01.wav", "03-02-05-01-01-01-01.wav"])
        assert opened("ravdess", root).columns["vocal"].tolist() == ["speech"]
        assert opened("ravdess", root, vocal="song").columns["vocal"].tolist() == ["song"]
        assert len(opened("ravdess", root, vocal="both")) == 2
        (root / "03-01-05-01-01-01-01.wav").unlink()
        with pytest.raises(DataError, match=r'no speech in .*; write vocal = "both"'):
            opened("ravdess", root)

    @pytest.mark.parametrize(
        "name", ["03-01-09-01-01-01-01", "03-01-05-01-01-01-25", "3-1-5-1-1-1-1", "03-01-05-01-01-01"]
    )
    def test_names_out_of_range(self, name: str) -> None:
        assert ravdess.parse_name(name) is None


EVALUATION = """% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()
A-E3:\tval 3; act 2; dom  2;\t()

[10.0100 - 11.3925]\tSes01F_impro01_M001\tang\t[1.5000, 4.0000, 4.5000]
C-M1:\tAnger; Frustration;\t()

[14.8872 - 18.0175]\tSes01F_impro01_M002\txxx\t[2.5000, 2.5000, 2.5000]
"""
OTHER = """[1.0000 - 2.0000]\tSes01M_script01_1b_F000\thap\t[4.0000, 3.0000, 3.0000]
[3.0000 - 4.0000]\tSes01M_script01_1b_M000\texc\t[4.0000, 6.0000, 3.0000]
"""


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    """Two dialogs of a session, in the one the woman and in the other the man wears the markers."""
    for dialog, text in (("Ses01F_impro01", EVALUATION), ("Ses01M_script01_1b", OTHER)):
        top = tmp_path / "Session1"
        evaluation = top / "dialog" / "EmoEvaluation" / f"{dialog}.txt"
        evaluation.parent.mkdir(parents=True, exist_ok=True)
        evaluation.write_text(text)
        (evaluation.parent / f"._{dialog}.txt").write_bytes(b"\0")  # as archives made on a Mac have them
        touch(top, [f"sentences/wav/{dialog}/{n}.wav" for n in re.findall(r"Ses01\S+", text)])
        touch(top, [f"dialog/avi/DivX/{dialog}.avi", f"dialog/wav/{dialog}.wav"])
    return tmp_path


class TestIemocap:
    def test_turns(self, sessions: Path) -> None:
        clips = opened("iemocap", sessions, tasks=("emotion", "gender"))
        assert clips.ids.tolist() == [
            "Ses01F_impro01_F000",
            "Ses01F_impro01_M001",
            "Ses01M_script01_1b_F000",
            "Ses01M_script01_1b_M000",
        ]
        assert words(clips, "emotion") == ["neutral", "anger", "happiness", "excitement"]
        assert words(clips, "gender") == ["female", "male", "female", "male"]
        assert clips.groups.tolist() == ["Ses01F", "Ses01M", "Ses01F", "Ses01M"]
        assert clips.columns["session"].tolist() == ["01"] * 4
        assert clips.columns["text"].tolist() == ["impro01", "impro01", "script01_1", "script01_1"]
        assert clips.ratings["valence"].tolist() == [2.5, 1.5, 4.0, 4.0]
        assert clips.ratings["arousal"][:3].tolist() == [2.5, 4.0, 3.0]
        assert np.isnan(clips.ratings["arousal"][3])  # outside 1 to 5
        assert clips.ratings["dominance"][1] == 4.5

    def test_a_turn_without_agreement_is_dropped_and_counted(self, sessions: Path) -> None:
        clips = opened("iemocap", sessions)
        assert dict(clips.dropped) == {"emotion no agreement": 1}
        assert "iemocap: 1 clips left out: 1 emotion no agreement" in clips.notes

    def test_four_classes_with_excitement_as_happiness(self, sessions: Path) -> None:
        asked = ("neutral", "anger", "happiness", "exc=happiness")
        clips = opened("iemocap", sessions, emotions=asked)
        assert clips.labels["emotion"].classes == ("neutral", "anger", "happiness")
        assert words(clips, "emotion") == ["neutral", "anger", "happiness", "happiness"]

    def test_where_the_files_are(self, sessions: Path) -> None:
        first, second = opened("iemocap", sessions).media.sources[:2]
        top = sessions / "Session1"
        assert first.audio == str(top / "sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav")
        assert first.video == str(top / "dialog/avi/DivX/Ses01F_impro01.avi")
        assert (first.audio_start, first.video_start) == (0.0, 6.2901)
        assert first.seconds == pytest.approx(8.2357 - 6.2901)
        assert second.video_start == 10.01
        dialog = opened("iemocap", sessions, sound="dialog").media.sources[0]
        assert dialog.audio == str(top / "dialog/wav/Ses01F_impro01.wav")
        assert dialog.audio_start == 6.2901

    def test_the_release_may_be_in_its_own_folder(self, sessions: Path, tmp_path: Path) -> None:
        inner = tmp_path / "outer" / "IEMOCAP_full_release"
        inner.parent.mkdir()
        (sessions / "Session1").rename(inner.parent / "Session1")
        inner.mkdir()
        (inner.parent / "Session1").rename(inner / "Session1")
        assert len(opened("iemocap", inner.parent)) == 4

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            ("[1.0 - 2.0]\tSes01F_impro01_F001\tfoo\t[1, 1, 1]", 'line 1: emotion "foo"; known: neu, hap'),
            ("[1.0 - 2.0] Ses01F_impro01_F001 neu [1, 1, 1]", r"line 1: no turn \(\[start - end\], utterance"),
            ("[1.0 - 2.0]\tutterance1\tneu\t[1, 1, 1]", "line 1: no turn"),
        ],
    )
    def test_lines_that_are_no_turn(self, line: str, problem: str) -> None:
        with pytest.raises(DataError, match=problem):
            list(iemocap.parse_turns(line, "a.txt"))

    def test_turns_that_end_before_they_begin(self, sessions: Path) -> None:
        path = sessions / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
        path.write_text(EVALUATION.replace("[6.2901 - 8.2357]", "[8.2357 - 6.2901]"))
        with pytest.raises(DataError, match=r"1 turn\(s\) end before they begin: Ses01F_impro01_F000"):
            opened("iemocap", sessions)

    def test_halves_and_channels_are_read_from_the_recording(self, sessions: Path) -> None:
        """Sound and pictures of both speakers of one dialog, told apart."""
        pytest.importorskip("av")
        pytest.importorskip("soundfile")
        frames = np.full((300, 48, 96, 3), 60, dtype=np.uint8)
        frames[:, :, 48:] = 200
        write_media(sessions / "Session1/dialog/avi/DivX/Ses01F_impro01.avi", frames)
        both = np.stack([tone(400, 12.0, 16_000, 0.5), tone(400, 12.0, 16_000, 0.1)])
        write_wav(sessions / "Session1/dialog/wav/Ses01F_impro01.wav", both)
        clips = opened("iemocap", sessions, sound="dialog", emotions=("neutral", "anger"), size=16)
        woman, man = (clips.read(i) for i in (0, 1))
        assert woman.audio is not None
        assert man.audio is not None
        assert woman.faces is not None
        assert man.faces is not None
        assert len(woman.faces) == len(woman.audio) // 640 == 49
        assert abs(float(np.abs(woman.audio).max()) - 0.5) < 0.01
        assert abs(float(np.abs(man.audio).max()) - 0.1) < 0.01
        assert np.abs(woman.faces.astype(int) - 60).max() < 12
        assert np.abs(man.faces.astype(int) - 200).max() < 12


class TestTable:
    def table(self, root: Path, text: str) -> Path:
        (root / "clips.csv").write_text(text)
        return root

    def test_rows(self, tmp_path: Path) -> None:
        touch(tmp_path, ["a.wav", "b.mp4", "sub/c.wav"])
        root = self.table(
            tmp_path,
            "path,start,end,speaker,emotion,gender,valence,site\n"
            "a.wav,0.5,1.5,anna,Happy,f,2,x\na.wav,1.5,2.5,anna,sad,f,3,x\n"
            "b.mp4,,,ben,anger,m,4,y\nsub\\c.wav,,3,cleo,happiness,,5,y\n",
        )
        clips = opened("audiovisual-table", root, tasks=("emotion", "gender", "site"), features="audio", scale="1-5")
        assert clips.ids.tolist() == ["a.wav@0.50-1.50", "a.wav@1.50-2.50", "b.mp4", "sub/c.wav"]
        assert words(clips, "emotion") == ["happiness", "sadness", "anger", "happiness"]
        assert words(clips, "gender") == ["f", "f", "m", ""]
        assert words(clips, "site") == ["x", "x", "y", "y"]
        assert clips.groups.tolist() == ["anna", "anna", "ben", "cleo"]
        assert clips.ratings["valence"].tolist() == [2, 3, 4, 5]
        spans = [(s.audio_start, s.seconds) for s in clips.media.sources]
        assert spans == [(0.5, 1.0), (1.5, 1.0), (0.0, None), (0.0, 3.0)]
        assert clips.media.sources[2].video == str(root / "b.mp4")
        assert clips.media.sources[3].audio == str(root / "sub" / "c.wav")

    def test_a_missing_clip_is_counted_and_named(self, tmp_path: Path) -> None:
        root = self.table(touch(tmp_path, ["a.wav"]), "path,speaker,emotion\na.wav,x,anger\nb.wav,y,fear\n")
        with pytest.raises(
            DataError, match=r"1 of 2 clips have no file with sound \(first: b\.wav\); add the files, or"
        ):
            opened("audiovisual-table", root)
        clips = opened("audiovisual-table", root, allow_missing=True)
        assert (len(clips), clips.missing) == (1, 1)
        assert "left out" in clips.notes[-1]

    def test_an_emotion_nobody_asked_for_is_dropped_and_counted(self, tmp_path: Path) -> None:
        touch(tmp_path, [f"{i}.wav" for i in range(5)])
        rows = zip(range(5), ("anger", "fear", "gloating", "anger", ""), strict=True)
        root = self.table(tmp_path, "path,emotion\n" + "".join(f"{i}.wav,{e}\n" for i, e in rows))
        clips = opened("audiovisual-table", root, emotions=("anger", "fear"))
        assert clips.ids.tolist() == ["0.wav", "1.wav", "3.wav"]
        assert dict(clips.dropped) == {"emotion gloating": 1, "emotion not given": 1}
        with pytest.raises(
            DataError, match=r'emotion category "gloating": unknown.*aliases = \["gloating=<emotion>"\]'
        ):
            opened("audiovisual-table", root)
        merged = opened("audiovisual-table", root, aliases="gloating=happiness")
        assert words(merged, "emotion") == ["anger", "fear", "happiness", "anger"]
        own = opened("audiovisual-table", root, emotions=("anger", "gloating"))
        assert own.labels["emotion"].classes == ("anger", "gloating")

    def test_without_speakers_each_file_is_one_and_it_is_said(self, tmp_path: Path) -> None:
        root = self.table(
            touch(tmp_path, ["a.wav", "b.wav"]),
            "path,start,end,emotion\na.wav,0,1,anger\na.wav,1,2,fear\nb.wav,0,1,fear\n",
        )
        clips = opened("audiovisual-table", root)
        assert len(np.unique(clips.groups)) == 2
        assert "3 of 3 rows name no speaker; each file of theirs counts as one" in clips.notes[0]

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("path,emotion\n,anger\n", r"clips\.csv: 1 row\(s\) name no clip \(line 2\)"),
            (
                "path,emotion\na.wav,anger\na.wav,fear\n",
                r"1 clip\(s\) stand more than once: a\.wav@0\.00-; keep one row",
            ),
            (
                "path,start,end,emotion\na.wav,3,2,anger\n",
                r"1 row\(s\) end before they begin \(first: line 2, 3 to 2 s\)",
            ),
            ("path,start,emotion\na.wav,-1,anger\n", "end before they begin"),
            ("path,start,emotion\na.wav,soon,anger\n", r'column "start": 1 cell\(s\) are no numbers \(first: "soon"'),
            ("path,channel,emotion\na.wav,middle,anger\n", 'column "channel": "middle"; write mean, left, right'),
            ("sound,emotion\na.wav,anger\n", 'no column "path"'),
            ("path,emotion\n", "no rows under its header"),
            ("path,split,emotion\na.wav,exam,anger\n", "'exam' is no split"),
        ],
    )
    def test_tables_that_are_wrong(self, tmp_path: Path, text: str, problem: str) -> None:
        with pytest.raises(DataError, match=problem):
            opened("audiovisual-table", self.table(touch(tmp_path, ["a.wav"]), text))

    def test_columns_by_other_names(self, tmp_path: Path) -> None:
        root = self.table(touch(tmp_path, ["media/a.wav"]), "Datei;von;Gefühl;Wer\na.wav;0,5;anger;x\n")
        clips = opened(
            "audiovisual-table", root, path="Datei", start="von", emotion="Gefühl", speaker="Wer", media="media"
        )
        assert (clips.groups[0], clips.media.sources[0].audio_start) == ("x", 0.5)

    def test_a_column_that_is_no_label(self, tmp_path: Path) -> None:
        root = self.table(touch(tmp_path, ["a.wav"]), "path,emotion,age\na.wav,anger,old\n")
        with pytest.raises(UsageError, match=r'audiovisual-table: task "gender": unknown.*All: age, emotion'):
            opened("audiovisual-table", root, tasks="gender")
        assert words(opened("audiovisual-table", root, tasks="age"), "age") == ["old"]


class TestWindows:
    def test_a_long_file_in_windows_with_a_timeline(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")
        sound = noise(5.3, 16_000)
        write_wav(tmp_path / "a.wav", sound)
        (tmp_path / "t.csv").write_text("path,speaker,emotion\na.wav,x,anger\n")
        clips = opened("audiovisual-table", tmp_path, longer="windows", window=2.0, hop=1.6)
        assert clips.ids.tolist() == ["a.wav@0.00-2.00", "a.wav@1.60-3.60", "a.wav@3.20-5.20", "a.wav@4.80-5.30"]
        np.testing.assert_allclose(clips.columns["start"], [0, 1.6, 3.2, 4.8])
        np.testing.assert_allclose(clips.columns["end"], [2, 3.6, 5.2, 5.3])
        assert clips.columns["clip"].tolist() == ["a.wav"] * 4
        assert clips.groups.tolist() == ["x"] * 4
        levels = (np.rint(sound * 2**15) / 2**15).astype(np.float32)
        for index, (start, end) in enumerate(zip(clips.columns["start"], clips.columns["end"], strict=True)):
            audio = clips.read(index).audio
            assert audio is not None
            part = levels[round(start * 16_000) : round(end * 16_000)]
            np.testing.assert_array_equal(audio[: len(part)], part)
            assert not audio[len(part) :].any()
            assert len(audio) - len(part) < 640

    def test_a_clip_longer_than_the_window_is_cut_and_says_so(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")
        write_wav(tmp_path / "03a01Fa.wav", noise(2.5, 16_000))
        write_wav(tmp_path / "03a01Wa.wav", noise(0.5, 16_000))
        clips = opened("emodb", tmp_path, window=1.0)
        long, short = clips.read(0), clips.read(1)
        assert long.audio is not None
        assert len(long.audio) == 16_000
        assert long.notes == ("03a01Fa: longer than window = 1 s; its beginning is kept",)
        assert short.notes == ()

    def test_a_clip_shorter_than_one_frame(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")
        write_wav(tmp_path / "03a01Fa.wav", noise(0.01, 16_000))
        found = opened("emodb", tmp_path, features=("audio", "log-mel")).read(0)
        assert found.audio is not None
        assert found.log_mel is not None
        assert (found.audio.shape, found.log_mel.shape) == ((640,), (4, 64))
        assert found.notes == ("03a01Fa: 160 samples, less than one frame; zeros follow",)

    def test_without_a_window_there_is_an_end(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")
        write_wav(tmp_path / "03a01Fa.wav", np.zeros(301 * 1_000, np.float32) + 0.1, 1_000)
        with pytest.raises(DataError, match="03a01Fa: longer than 300 s in one clip; write a window, e"):
            opened("emodb", tmp_path, window=None).read(0)

    def test_windows_that_leave_gaps_or_have_no_length(self, tmp_path: Path) -> None:
        root = touch(tmp_path, ["03a01Fa.wav"])
        with pytest.raises(UsageError, match="hop = 3 s: longer than window = 2 s"):
            opened("emodb", root, longer="windows", window=2.0, hop=3.0)
        settings = ClipSettings(name="emodb", root=str(root), longer="windows", window=None)
        with pytest.raises(UsageError, match="how long\\? write a window"):
            open_clips(settings)


def test_files_below_leaves_hidden_ones_alone_and_prefers_suffixes(tmp_path: Path) -> None:
    root = touch(tmp_path, ["b/x.WAV", "a/x.flac", ".hidden/y.wav", "a/.z.wav", "a/notes.txt"])
    assert [path.name for path in files_below(root, (".wav", ".flac"))] == ["x.flac", "x.WAV"]
    assert by_stem(files_below(root, (".wav", ".flac")), (".wav", ".flac"))["x"].name == "x.WAV"


def test_faces_and_sound_have_one_timeline(tmp_path: Path) -> None:
    """Sound decides how long a clip is; a picture stands beside each 640 samples."""
    pytest.importorskip("av")
    write_media(tmp_path / "1001_DFA_ANG_XX.mp4", grey_frames(30), tone(300, 1.3, 48_000), video="libx264")
    found = opened("crema-d", tmp_path, size=8).read(0)
    assert found.audio is not None
    assert found.faces is not None
    assert len(found.audio) == 640 * len(found.faces) == 640 * 33
    assert found.notes == ()
