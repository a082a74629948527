"""Faults of published readers of emotional speech, each of which has inflated somebody's result; none is to return."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
from audiovisual_files import noise, touch, write_wav

import affekt.data.audiovisual as room
from affekt.data.audiovisual import clip_dataset, open_clips, read_audio
from affekt.data.audiovisual.faces import ByRule
from affekt.data.audiovisual.iemocap import parse_turns
from affekt.recipe import ClipSettings


def iemocap(root: Path) -> Path:
    """Three sessions, each with a dialog in which the woman and one in which the man wears the markers."""
    for session in (1, 2, 3):
        for markers in "FM":
            dialog = f"Ses0{session}{markers}_impro01"
            names = [f"{dialog}_{speaker}{n:03d}" for n in range(4) for speaker in "FM"]
            emotions = ("neu", "ang", "hap", "sad")
            lines = [f"[{n}.0 - {n + 1}.0]\t{name}\t{emotions[n % 4]}\t[3, 3, 3]" for n, name in enumerate(names)]
            path = root / f"Session{session}" / "dialog" / "EmoEvaluation" / f"{dialog}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines))
            touch(root / f"Session{session}", [f"sentences/wav/{dialog}/{name}.wav" for name in names])
            touch(root / f"Session{session}", [f"dialog/avi/DivX/{dialog}.avi"])
    return root


@pytest.mark.parametrize("by", ["speaker", "session"])
@pytest.mark.parametrize("seed", range(5))
def test_no_speaker_is_in_train_and_test(tmp_path: Path, by: str, seed: int) -> None:
    splits = open_clips(
        ClipSettings(name="iemocap", root=str(iemocap(tmp_path)), split_by=by, validation=0.0, test=0.3),  # type: ignore[arg-type]
        seed=seed,
    )
    assert not set(splits.train.groups) & set(splits.test.groups)


class TestWhereTheSpeakerIs:
    """The half of the picture and the channel come from who was recorded how, not from the label that is learned."""

    def test_a_side_does_not_tell_the_gender(self, tmp_path: Path) -> None:
        """Published: women are cut from the left, men from the right; so the crop is the label."""
        clips = clip_dataset("iemocap").open(iemocap(tmp_path), "all", tasks=("emotion", "gender"))
        gender = clips.labels["gender"].index
        left = np.array([source.half == "left" for source in clips.media.sources])
        for value in (0, 1):
            assert left[gender == value].mean() == 0.5
        assert [source.channel for source in clips.media.sources] == [source.half for source in clips.media.sources]

    def test_two_speakers_of_one_dialog_are_never_on_one_side(self, tmp_path: Path) -> None:
        clips = clip_dataset("iemocap").open(iemocap(tmp_path), "all")
        sides: dict[tuple[str, str], set[str]] = {}
        for source, dialog, speaker in zip(clips.media.sources, clips.columns["dialog"], clips.groups, strict=True):
            sides.setdefault((dialog, speaker), set()).add(source.half)
        assert all(len(found) == 1 for found in sides.values())
        for dialog in {dialog for dialog, _ in sides}:
            assert set.union(*(found for (d, _), found in sides.items() if d == dialog)) == {"left", "right"}

    def test_without_the_task_gender_everything_is_read_alike(self, tmp_path: Path) -> None:
        root = iemocap(tmp_path)
        with_gender, without = (
            clip_dataset("iemocap").open(root, "all", tasks=tasks) for tasks in (("emotion", "gender"), ("emotion",))
        )
        assert with_gender.media.sources == without.media.sources
        assert set(without.labels) == {"emotion"}

    def test_the_side_is_a_function_of_the_turns_name(self) -> None:
        (turn,) = parse_turns("[0.0 - 1.0]\tSes04M_script02_2_F011\tfea\t[3, 3, 3]", "a.txt")
        assert (turn.side, turn.speaker, turn.markers, turn.dialog) == ("right", "F", "M", "Ses04M_script02_2")

    def test_no_rule_of_cropping_is_given_a_label(self) -> None:
        assert list(inspect.signature(ByRule.__call__).parameters) == ["self", "picture", "_seconds"]
        for name in ("faces", "channels", "video", "sound", "media", "containers", "sound_files"):
            source = Path(inspect.getfile(room)).with_name(f"{name}.py").read_text()
            words = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
            assert not words & {"gender", "labels", "emotion", "sex"}, name


class TestTheLevelOfSound:
    """Published: sound divided by its *variance*, so that a soft voice comes out louder than a loud one."""

    @pytest.mark.parametrize("loudness", [1.0, 0.5, 0.01])
    def test_half_as_loud_is_half_as_large(self, tmp_path: Path, loudness: float) -> None:
        pytest.importorskip("soundfile")
        sound = (np.rint(noise(1.0, 16_000) * 2**13) / 2**15).astype(np.float32)
        path = write_wav(tmp_path / "a.wav", sound * np.float32(loudness))
        np.testing.assert_allclose(read_audio(path), sound * loudness, atol=2**-16 + 1e-9)

    def test_silence_is_not_divided_by_nothing(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")
        write_wav(tmp_path / "03a01Fa.wav", np.zeros(8_000, np.float32))
        found = clip_dataset("emodb").open(tmp_path, "all", features=("audio", "log-mel")).read(0)
        assert found.audio is not None
        assert found.log_mel is not None
        assert not found.audio.any()
        assert np.isfinite(found.log_mel).all()
        assert "silence" in found.notes[0]
