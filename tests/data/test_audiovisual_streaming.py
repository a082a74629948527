"""Streaming: the windows of a file are those of the whole, decoded once, and memory does not grow with the file."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from audiovisual_files import cut, grey_frames, noise, tone, write_media, write_wav
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affekt.data.audiovisual import read_audio, read_frames
from affekt.data.audiovisual.containers import OnePass, open_sound_track
from affekt.data.audiovisual.media import ClipSource, FileMedia
from affekt.data.audiovisual.reading import Reading
from affekt.data.audiovisual.streaming import Tracks, WindowStream, tracks_of
from affekt.data.audiovisual.timeline import windows
from affekt.errors import DataError, UsageError

SOUND = Reading(features=("audio",), window=2.0)
FACES = Reading(features=("faces",), window=2.0, size=32)
BOTH = Reading(features=("audio", "faces"), window=2.0, size=32)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of noise and of pictures that grow brighter."""
    pytest.importorskip("av")
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_media(path, grey_frames(75), noise(3.0, 48_000))


class TestSound:
    @settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        rate=st.sampled_from([8_000, 16_000, 22_050, 44_100]),
        window=st.integers(5, 50),
        hop=st.integers(8, 50),
        seconds=st.floats(0.1, 4.0),
    )
    def test_windows_are_stretches_of_the_whole(
        self, tmp_path: Path, rate: int, window: int, hop: int, seconds: float
    ) -> None:
        pytest.importorskip("soundfile")
        path = write_wav(tmp_path / "a.wav", noise(seconds, rate), rate)
        whole = read_audio(path)
        hop = min(hop, window)
        reading = Reading(features=("audio",), window=window / 25)
        found = list(WindowStream(path, reading, hop=hop / 25))
        for number, part in enumerate(found):
            begin = number * hop * 640
            expected = whole[begin : begin + window * 640]
            assert part.start == pytest.approx(number * hop / 25)
            assert part.end == pytest.approx(part.start + len(expected) / 16_000)
            assert part.audio is not None and part.audio.dtype == np.float32 and len(part.audio) % 640 == 0
            assert part.audio[: len(expected)] == pytest.approx(expected, abs=1e-5)
            assert not part.audio[len(expected) :].any()
        spans = windows(len(whole) / 16_000, window / 25, hop / 25)
        # A rest behind the last window that is shorter than a frame is none.
        assert len(found) in (len(spans), len(spans) - 1)
        assert len(whole) / 16_000 - found[-1].end < 0.04

    @pytest.mark.parametrize(("seconds", "ends"), [(2.0, [2]), (2.039, [2]), (2.04, [2, 2.04]), (0.01, [0.01])])
    def test_a_rest_shorter_than_a_frame_is_no_window(self, tmp_path: Path, seconds: float, ends: list[float]) -> None:
        pytest.importorskip("soundfile")
        path = write_wav(tmp_path / "a.wav", noise(seconds, 16_000))
        assert [part.end for part in WindowStream(path, SOUND)] == pytest.approx(ends)

    @pytest.mark.parametrize(("name", "codec"), [("a.mp4", "aac"), ("a.mp3", "libmp3lame"), ("a.mkv", "flac")])
    def test_coded_sound_is_that_of_the_whole(self, tmp_path: Path, name: str, codec: str) -> None:
        pytest.importorskip("av")
        path = write_media(tmp_path / name, None, noise(5.0, 44_100), rate=44_100, audio=codec)
        whole = read_audio(path)
        for part in WindowStream(path, SOUND, hop=1.2):
            first, last = round(part.start * 16_000), round(part.end * 16_000)
            assert part.audio is not None
            assert part.audio[: last - first] == pytest.approx(whole[first:last], abs=1e-4)
        assert part.end == pytest.approx(len(whole) / 16_000, abs=0.04)

    def test_a_window_ends_where_the_file_does_not_where_its_codec_does(self, tmp_path: Path) -> None:
        """AAC comes in pieces of 1,024 samples; a clip read with a limit, as in training, has the declared length."""
        pytest.importorskip("av")
        path = write_media(tmp_path / "a.mp4", grey_frames(50), tone(300, 2.0, 48_000))
        clip = FileMedia(sources=[ClipSource(name="a", audio=str(path), video=str(path))], reading=BOTH).read(0)
        (window,) = WindowStream(path, BOTH)
        assert clip.audio is not None and window.audio is not None and window.faces is not None
        assert clip.audio.tolist() == pytest.approx(window.audio.tolist(), abs=1e-6) and len(clip.audio) == 32_000
        assert np.array_equal(clip.faces, window.faces)

    def test_one_pass_forgets_what_lies_before(self, film: Path) -> None:
        with open_sound_track(film) as track:
            expected = track.read(0, None)
        with open_sound_track(film) as track:
            once = track.forward()
            assert isinstance(once, OnePass)
            for start, stop in ((0, 10_000), (5_000, 20_000), (90_000, 91_000), (140_000, None)):
                assert np.array_equal(once.read(start, stop), expected[:, start:stop])
                assert once._kept.shape[1] < 20_000

    def test_an_hour_of_sound_takes_no_more_memory_than_a_minute(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")
        peaks = {}
        for seconds in (60, 3600):
            path = sparse_wav(tmp_path / f"{seconds}.wav", seconds)
            tracemalloc.start()
            count = sum(1 for _ in WindowStream(path, Reading(features=("audio",), window=6.0)))
            peaks[seconds] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert count == seconds // 6
        assert peaks[3600] < 1.2 * peaks[60] < 8e6


def sparse_wav(path: Path, seconds: int, rate: int = 16_000) -> Path:
    """Silence that takes no room on the disk."""
    size = 2 * seconds * rate
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    with path.open("wb") as file:
        file.write(struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size))
        file.truncate(44 + size)
    return path


class TestPictures:
    def test_windows_are_stretches_of_the_whole(self, film: Path) -> None:
        whole = read_frames(film, size=32)
        found = list(WindowStream(film, FACES, hop=0.8))
        for number, part in enumerate(found):
            assert part.faces is not None and part.audio is None
            assert np.array_equal(part.faces, whole[20 * number : 20 * number + 50])
        assert [part.end for part in found] == pytest.approx([2.0, 2.8, 3.0])

    def test_they_stand_beside_their_sound(self, film: Path) -> None:
        whole = read_frames(film, size=32)
        for part in WindowStream(film, BOTH, hop=0.8):
            first = round(part.start * 25)
            assert part.faces is not None and part.audio is not None and len(part.audio) == 640 * len(part.faces)
            assert np.array_equal(part.faces, whole[first : first + len(part.faces)])

    def test_where_they_end_before_the_sound_the_last_one_stays_then_there_are_none(self, tmp_path: Path) -> None:
        path = write_media(tmp_path / "a.mp4", grey_frames(40), noise(5.0, 48_000))
        stream = WindowStream(path, BOTH)
        first, second, third = stream
        assert first.faces is not None and len(first.faces) == 50
        assert (first.faces[40:] == first.faces[39]).all() and (first.faces[38] != first.faces[39]).any()
        assert second.faces is None and third.faces is None
        assert stream.notes == (f"{path}: pictures end 3.40 s before the sound",)

    def test_where_the_sound_ends_before_them_they_end_with_it(self, tmp_path: Path) -> None:
        path = write_media(tmp_path / "a.mp4", grey_frames(100), noise(1.0, 48_000))
        stream = WindowStream(path, BOTH)
        (window,) = stream
        assert window.faces is not None and len(window.faces) == 25
        assert stream.notes == (f"{path}: sound ends 3.00 s before the pictures; they end with it",)
        silent = WindowStream(path, FACES)
        assert [part.end for part in silent] == pytest.approx([2, 4]) and silent.notes == ()


class TestWhatIsOutOfTheOrdinary:
    def test_tracks(self, tmp_path: Path, film: Path) -> None:
        pytest.importorskip("soundfile")
        silent = write_media(tmp_path / "a.avi", grey_frames(5), None)
        assert tracks_of(film) == Tracks(sound=True, pictures=True)
        assert tracks_of(silent) == Tracks(sound=False, pictures=True)
        assert tracks_of(write_wav(tmp_path / "a.wav", tone(200, 0.1, 8_000))) == Tracks(sound=True, pictures=False)

    def test_no_media(self, tmp_path: Path, film: Path) -> None:
        from PIL import Image

        Image.new("RGB", (40, 40)).save(tmp_path / "p.png")
        (tmp_path / "p.png").rename(tmp_path / "p.mp4")
        (tmp_path / "t.mp4").write_bytes(b"\0" * 5000)
        (tmp_path / "t.txt").write_text("no sound\n" * 50)
        for name, message in (
            ("p.mp4", "a picture; sound or moving pictures are asked"),
            ("t.mp4", "cannot be opened: it ends in the middle, or it holds neither sound nor pictures (Invalid data"),
            ("t.txt", "text, and neither sound nor pictures"),
            ("none.mp4", "no such file"),
            ("", "a folder; give the files in it"),
        ):
            with pytest.raises(DataError) as caught:
                tracks_of(tmp_path / name)
            assert str(caught.value).startswith(f"{tmp_path / name}: {message}")

    @pytest.mark.parametrize("reading", [SOUND, FACES])
    def test_a_file_that_ends_in_the_middle_says_so_when_it_is_there(self, tmp_path: Path, reading: Reading) -> None:
        whole = write_media(tmp_path / "a.avi", grey_frames(250), noise(10.0, 44_100), rate=44_100, audio="libmp3lame")
        part = cut(whole, tmp_path / "b.avi", 0.6)
        with pytest.raises(DataError, match=r"b\.avi: ends in the middle: \d\.\d\d s of the 10\.\d\d s"):
            list(WindowStream(part, reading))

    def test_silence_strange_rates_many_channels_and_less_than_a_frame_are_noted(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")

        def notes(samples: object, rate: int) -> tuple[str, ...]:
            path = write_wav(tmp_path / "a.wav", samples, rate)  # type: ignore[arg-type]
            stream = WindowStream(path, SOUND)
            list(stream)
            return tuple(note.removeprefix(f"{path}: ") for note in stream.notes)

        assert notes(tone(300, 5.0, 16_000), 16_000) == ()
        assert notes(np.zeros(80_000), 16_000) == ("silence; kept as it is",)
        assert notes(np.r_[np.zeros(64_000), tone(300, 1.0, 16_000)], 16_000) == ()
        assert notes(tone(300, 1.0, 17_000), 17_000) == ("an unusual rate of 17,000 Hz; resampled",)
        assert notes(np.stack([tone(300, 1.0, 16_000)] * 5), 16_000) == ("5 channels, made into one",)
        assert notes(tone(3_000, 0.01, 16_000), 16_000) == ("160 samples, less than one frame; zeros follow",)
        assert notes(np.ones(1) / 2, 16_000) == ("1 sample, less than one frame; zeros follow",)

    def test_a_frame_rate_that_does_not_divide_is_noted(self, tmp_path: Path) -> None:
        pytest.importorskip("av")
        path = write_media(tmp_path / "a.mp4", grey_frames(60), None, fps=30)
        stream = WindowStream(path, FACES)
        assert len(list(stream)) == 1
        assert stream.notes == (f"{path}: 30 pictures a second, shown at 25 by the nearest in time",)

    @pytest.mark.parametrize(
        ("window", "hop", "message"),
        [
            (None, None, "how long"),
            (2.0, 2.5, "hop = 2.5 s: write a number above 0, at most window = 2 s"),
            (2.0, -1.0, "hop = -1 s"),
            (2.0, 0.33, "hop = 0.33 s: 8.25 pictures"),
        ],
    )
    def test_windows_that_cannot_be(self, window: float | None, hop: float | None, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            WindowStream(Path("a.wav"), Reading(window=window), hop=hop)
