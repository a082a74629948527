"""Sound: resampling held against tones, stretches against the whole, channels, formats, and files that are wrong."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from audiovisual_files import cut, level, noise, tone, write_media, write_wav
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.data.audiovisual import clip_dataset, resampling
from affekt.data.audiovisual.channels import mono
from affekt.data.audiovisual.checking import gathered
from affekt.data.audiovisual.memory import in_memory
from affekt.data.audiovisual.resampling import ratio, resample
from affekt.data.audiovisual.sound import decode_sound, read_audio, sound_seconds
from affekt.errors import DataError, UsageError

RATES = (8_000, 11_025, 22_050, 44_100, 48_000, 96_000)
IN_BAND = [(rate, hertz) for rate in RATES for hertz in (100, 1_000, 3_500, 7_100) if hertz < 0.45 * min(rate, 16_000)]


def decibels(samples: np.ndarray, reference: float) -> float:
    return 20 * np.log10(max(level(samples), 1e-12) / reference)


class TestResampling:
    @pytest.mark.parametrize("rates", [(0, 8_000), (8_000, 0), (8_000, -5), (8_000, 16_000.0)])
    def test_rates_that_cannot_be(self, rates: tuple[int, int]) -> None:
        wrong = next(rate for rate in rates if rate != 8_000)
        with pytest.raises(UsageError, match=rf"^rate = {wrong}: write a whole number of samples a second"):
            resample(np.zeros(10, np.float32), *rates)

    def test_several_channels_at_once_are_refused(self) -> None:
        with pytest.raises(UsageError, match=r"samples of shape \(2, 10\): give one channel"):
            resample(np.zeros((2, 10), np.float32), 8_000, 16_000)

    @pytest.mark.parametrize(("rate", "hertz"), IN_BAND)
    def test_a_tone_below_both_nyquist_frequencies_keeps_its_level(self, rate: int, hertz: int) -> None:
        out = resample(tone(hertz, 0.5, rate), rate, 16_000)
        assert len(out) == 8_000
        assert abs(decibels(out, 0.5 / np.sqrt(2))) < 0.01

    @pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
    @pytest.mark.parametrize("hertz", [8_050, 9_000, 10_500])
    def test_a_tone_above_the_new_nyquist_frequency_is_gone_not_folded_back(self, rate: int, hertz: int) -> None:
        assert decibels(resample(tone(hertz, 0.5, rate), rate, 16_000), 0.5 / np.sqrt(2)) < -80

    def test_an_image_of_a_tone_does_not_appear_when_the_rate_rises(self) -> None:
        out = resample(tone(3_000, 1.0, 8_000), 8_000, 16_000)[2_000:-2_000].astype(np.float64)
        spectrum = np.abs(np.fft.rfft(out * np.blackman(len(out))))
        hertz = np.fft.rfftfreq(len(out), 1 / 16_000)
        assert spectrum[abs(hertz - 5_000) < 100].max() < 1e-4 * spectrum[abs(hertz - 3_000) < 100].max()

    @pytest.mark.parametrize("rate", [22_050, 48_000])
    def test_it_is_what_the_sampling_theorem_says(self, rate: int) -> None:
        """An independent way: band-limited noise resampled by its Fourier series, which is exact for periodic sound."""
        rng = np.random.default_rng(1)
        spectrum = np.zeros(rate // 2 + 1, dtype=complex)
        spectrum[50:7_000] = rng.normal(size=6_950) + 1j * rng.normal(size=6_950)
        sound = np.fft.irfft(spectrum, rate)
        exact = np.fft.irfft(spectrum[:8_001], 16_000) * 16_000 / rate
        out = resample(np.tile(sound, 3).astype(np.float32), rate, 16_000)[16_000:32_000]
        np.testing.assert_allclose(out, exact, atol=2e-4 * np.abs(exact).max())

    @given(
        st.sampled_from([(160, 441), (1, 3), (1, 6), (320, 441), (2, 1), (10, 9), (640, 441)]),
        st.integers(1, 3_000),
        st.integers(0, 1_000),
        st.sampled_from([1, 2**22]),
    )
    def test_the_product_of_matrices_is_scipys_filter(
        self, ratio: tuple[int, int], length: int, seed: int, at_once: int
    ) -> None:
        sound = np.random.default_rng(seed).uniform(-1, 1, length).astype(np.float32)
        before, resampling._AT_ONCE = resampling._AT_ONCE, at_once
        try:
            found = resampling.by_matrix(sound, *ratio)
        finally:
            resampling._AT_ONCE = before
        np.testing.assert_allclose(found, resampling.by_scipy(sound, *ratio), atol=3e-6)

    def test_time_zero_stays_where_it_is(self) -> None:
        click = np.zeros(4_801, dtype=np.float32)
        click[2_400] = 1
        assert int(np.abs(resample(click, 48_000, 16_000)).argmax()) == 800

    def test_the_same_rate_is_the_same_array_and_rates_without_a_common_factor_are_refused(self) -> None:
        sound = noise(0.1, 16_000)
        assert resample(sound, 16_000, 16_000) is sound
        assert ratio(44_100, 16_000) == (160, 441)
        with pytest.raises(DataError, match=r"383,999 Hz cannot be brought to 16,000 Hz"):
            ratio(383_999, 16_000)


class TestChannels:
    @given(st.integers(1, 4), st.integers(0, 100))
    def test_rules(self, channels: int, seed: int) -> None:
        sound = np.random.default_rng(seed).uniform(-1, 1, (channels, 50)).astype(np.float32)
        np.testing.assert_allclose(mono(sound, "mean"), sound.mean(axis=0), atol=1e-6)
        np.testing.assert_array_equal(mono(sound, "left"), sound[0])
        np.testing.assert_array_equal(mono(sound, "right"), sound[min(1, channels - 1)])

    def test_another_word(self) -> None:
        with pytest.raises(UsageError, match=r'channel "lefft": unknown\. Nearest: left'):
            mono(np.zeros((2, 4), np.float32), "lefft")  # type: ignore[arg-type]


class TestFiles:
    def test_sixteen_bits_are_read_exactly(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")
        levels = np.arange(-(2**15), 2**15, 7)
        sound = (levels / 2**15).astype(np.float32)
        np.testing.assert_array_equal(read_audio(write_wav(tmp_path / "a.wav", sound)), sound)

    @pytest.mark.parametrize("kind", ["FLAC", "WAV"])
    def test_flac_and_wav_of_many_kinds(self, tmp_path: Path, kind: str) -> None:
        soundfile = pytest.importorskip("soundfile")
        sound = np.stack([tone(440, 1.0, 44_100), tone(440, 1.0, 44_100, 0.1)])
        path = tmp_path / f"a.{kind.lower()}"
        soundfile.write(path, sound.T, 44_100, format=kind, subtype="PCM_24")
        assert abs(level(read_audio(path, channel="left")) - 0.5 / np.sqrt(2)) < 1e-3
        assert abs(level(read_audio(path, channel="right")) - 0.1 / np.sqrt(2)) < 1e-3
        assert abs(level(read_audio(path)) - 0.3 / np.sqrt(2)) < 1e-3
        assert len(read_audio(path)) == 16_000
        assert sound_seconds(path) == 1.0

    @pytest.mark.parametrize(
        ("name", "audio", "rate"),
        [("a.mp3", "libmp3lame", 44_100), ("b.mp3", "libmp3lame", 22_050), ("c.mp4", "aac", 48_000),
         ("d.avi", "pcm_s16le", 48_000), ("e.m4a", "aac", 16_000), ("f.mkv", "pcm_s16le", 32_000)],
    )  # fmt: skip
    def test_coded_sound_keeps_its_length_level_and_place(
        self, tmp_path: Path, name: str, audio: str, rate: int
    ) -> None:
        """A burst of a tone in the second second: encoders delay, and time stamps say by how much."""
        pytest.importorskip("av")
        sound = tone(1_000, 3.0, rate)
        sound[:rate] = 0
        sound[2 * rate :] = 0
        path = write_media(tmp_path / name, samples=np.stack([sound, sound]), rate=rate, audio=audio)
        out = read_audio(path)
        assert abs(len(out) - 48_000) <= 16
        assert np.abs(out[:15_000]).max() < 0.02
        assert np.abs(out[33_000:]).max() < 0.02
        assert abs(level(out[16_500:31_500]) - 0.5 / np.sqrt(2)) < 0.02  # LAME takes five hundredths off
        reference = resample(sound, rate, 16_000)
        shifts = [float(np.dot(out[1_000 + k : 47_000 + k], reference[1_000:47_000])) for k in range(-8, 9)]
        assert abs(int(np.argmax(shifts)) - 8) <= 1

    @pytest.mark.parametrize(("name", "audio"), [("a.mp3", "libmp3lame"), ("b.avi", "pcm_s16le")])
    def test_a_stretch_of_coded_sound_is_that_of_the_whole(self, tmp_path: Path, name: str, audio: str) -> None:
        pytest.importorskip("av")
        path = write_media(tmp_path / name, samples=noise(4.0, 44_100), rate=44_100, audio=audio)
        whole = read_audio(path)
        np.testing.assert_allclose(read_audio(path, start=2.0, end=3.0), whole[32_000:48_000], atol=1e-5)
        np.testing.assert_allclose(read_audio(path, start=3.2), whole[51_200:], atol=1e-5)

    @settings(max_examples=25)
    @given(
        rate=st.sampled_from([8_000, 16_000, 22_050, 44_100, 48_000]),
        start=st.floats(0, 0.6),
        seconds=st.floats(0.001, 0.35),
    )
    def test_a_stretch_is_that_of_the_whole(
        self, tmp_path_factory: pytest.TempPathFactory, rate: int, start: float, seconds: float
    ) -> None:
        pytest.importorskip("soundfile")
        path = tmp_path_factory.mktemp("stretch") / "a.wav"
        write_wav(path, noise(1.0, rate), rate)
        first, stop = round(start * 16_000), max(round((start + seconds) * 16_000), round(start * 16_000) + 1)
        part = read_audio(path, start=start, end=start + seconds)
        np.testing.assert_allclose(part, read_audio(path)[first:stop], atol=4e-6)

    def test_nothing_leaves_full_scale(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")
        square = np.sign(tone(1_000, 0.2, 48_000)) * np.float32(0.999)
        out = read_audio(write_wav(tmp_path / "a.wav", square, 48_000))
        assert np.abs(out).max() == 1.0

    def test_the_cover_of_a_song_and_no_sound_at_all(self, tmp_path: Path) -> None:
        pytest.importorskip("av")
        path = write_media(tmp_path / "a.mp4", frames=np.zeros((5, 48, 64, 3), np.uint8))
        with pytest.raises(DataError, match=r'a\.mp4: no audio track; read its pictures alone \(features = \["faces"'):
            read_audio(path)


class TestBadInput:
    def test_a_wav_that_ends_in_the_middle(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")
        whole = write_wav(tmp_path / "a.wav", noise(2.0, 16_000))
        with pytest.raises(DataError, match=r"ends in the middle: 1\.00 s of the 2\.00 s that its header says"):
            read_audio(cut(whole, tmp_path / "b.wav", 0.5))

    def test_a_wav_whose_writer_did_not_know_its_end_is_whole(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")
        path = write_wav(tmp_path / "a.wav", noise(1.0, 16_000))
        data = bytearray(path.read_bytes())
        data[40:44] = struct.pack("<I", 0xFFFFFFFF)
        path.write_bytes(data)
        assert len(read_audio(path)) == 16_000

    @pytest.mark.parametrize("share", [0.3, 0.6])
    def test_a_flac_that_ends_in_the_middle(self, tmp_path: Path, share: float) -> None:
        soundfile = pytest.importorskip("soundfile")
        soundfile.write(tmp_path / "a.flac", noise(3.0, 16_000), 16_000)
        with pytest.raises(DataError, match=r"ends in the middle|damaged"):
            read_audio(cut(tmp_path / "a.flac", tmp_path / "b.flac", share))

    @pytest.mark.parametrize(
        ("name", "audio", "options", "words"),
        [
            ("a.mp3", "libmp3lame", {}, "ends in the middle"),
            ("a.mp4", "aac", {}, "cannot be opened: it ends in the middle"),
            ("a.mp4", "aac", {"movflags": "faststart"}, "ends in the middle"),
            ("a.mkv", "aac", {}, "ends in the middle"),
        ],
    )
    def test_coded_sound_that_ends_in_the_middle(
        self, tmp_path: Path, name: str, audio: str, options: dict[str, str], words: str
    ) -> None:
        pytest.importorskip("av")
        whole = write_media(tmp_path / name, samples=noise(4.0, 44_100), rate=44_100, audio=audio, options=options)
        with pytest.raises(DataError, match=words):
            read_audio(cut(whole, whole.with_name(f"cut-{name}"), 0.5))

    def test_a_little_is_noted_where_only_the_container_says_a_length(self, tmp_path: Path) -> None:
        pytest.importorskip("av")
        whole = write_media(tmp_path / "a.mkv", samples=noise(4.0, 44_100), rate=44_100)
        found = decode_sound(cut(whole, tmp_path / "b.mkv", 0.93), 16_000)
        assert "s before what its header says" in found.notes[0]

    @pytest.mark.parametrize("content", [b"", b"no sound", b"RIFF\0\0\0\0WAVE"])
    def test_what_is_no_sound(self, tmp_path: Path, content: bytes) -> None:
        pytest.importorskip("soundfile")
        (tmp_path / "a.wav").write_bytes(content)
        with pytest.raises(DataError, match=r"a\.wav: ") as caught:
            read_audio(tmp_path / "a.wav")
        assert "\n" not in str(caught.value)

    def test_missing_empty_and_a_stretch_after_the_end(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")
        with pytest.raises(DataError, match=r"x\.wav: no such file"):
            read_audio(tmp_path / "x.wav")
        with pytest.raises(DataError, match="a folder; give the files in it"):
            read_audio(tmp_path)
        with pytest.raises(DataError, match=r"no sound in it \(0 samples\)"):
            read_audio(write_wav(tmp_path / "a.wav", np.zeros(0, np.float32)))
        path = write_wav(tmp_path / "b.wav", noise(1.0, 16_000))
        with pytest.raises(DataError, match=r"no sound after 2\.00 s"):
            read_audio(path, start=2.0)
        with pytest.raises(DataError, match=r"ends at 1\.00 s; 0\.50 to 1\.50 s was asked for"):
            read_audio(path, start=0.5, end=1.5)
        assert len(read_audio(path, start=0.5, end=1.05)) == 8_000
        with pytest.raises(UsageError, match="ends after it begins"):
            read_audio(path, start=0.5, end=0.5)

    def test_silence_strange_rates_and_many_channels_are_read_and_noted(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")
        silent = decode_sound(write_wav(tmp_path / "a.wav", np.zeros(16_000, np.float32)), 16_000)
        assert (silent.samples == 0).all()
        assert silent.notes == (f"{tmp_path}/a.wav: silence; kept as it is",)
        odd = decode_sound(write_wav(tmp_path / "b.wav", np.stack([tone(300, 1.0, 7_350)] * 6), 7_350), 16_000)
        assert len(odd.samples) == 16_000
        assert abs(level(odd.samples) - 0.5 / np.sqrt(2)) < 1e-3
        assert "an unusual rate of 7,350 Hz; resampled" in odd.notes[0]
        assert "6 channels, made into one" in odd.notes[1]
        with pytest.raises(DataError, match=r"1 channel\(s\) at 200 Hz; 1 or more at 1,000 to 768,000 Hz"):
            read_audio(write_wav(tmp_path / "c.wav", noise(1.0, 200), 200))

    def test_values_that_are_no_numbers(self, tmp_path: Path) -> None:
        soundfile = pytest.importorskip("soundfile")
        sound = noise(0.1, 16_000)
        sound[7] = np.nan
        soundfile.write(tmp_path / "a.wav", sound, 16_000, subtype="FLOAT")
        with pytest.raises(DataError, match="no numbers"):
            read_audio(tmp_path / "a.wav")

    def test_a_limit_is_no_fault_and_says_that_there_was_more(self, tmp_path: Path) -> None:
        pytest.importorskip("soundfile")
        path = write_wav(tmp_path / "a.wav", noise(1.0, 16_000))
        short, long = (decode_sound(path, 16_000, limit=limit) for limit in (0.4, 2.0))
        assert (len(short.samples), short.cut) == (6_400, True)
        assert (len(long.samples), long.cut) == (16_000, False)


class TestWhatIsSaid:
    def test_a_stretch_that_ends_behind_its_file_is_said_though_its_window_is_there(self, tmp_path: Path) -> None:
        path = write_wav(tmp_path / "a.wav", noise(2.0, 16_000))
        assert decode_sound(path, 16_000, end=2.05, limit=1.0).notes == ()
        found = decode_sound(path, 16_000, start=0.5, end=9.0, limit=1.0)
        assert found.notes == (f"{path}: ends at 2.00 s; 0.50 to 9.00 s was asked for",)
        assert len(found.samples) == 16_000

    @pytest.mark.parametrize("name", ["a.wav", "a.mp3"])
    def test_a_file_of_no_bytes(self, name: str, tmp_path: Path) -> None:
        (tmp_path / name).touch()
        with pytest.raises(DataError, match=r"empty \(0 bytes\); copy it anew"):
            read_audio(tmp_path / name)

    def test_one_file_of_several_clips_is_named_once(self) -> None:
        assert gathered([f"dialog.avi: 30 fps, clip {k}" for k in range(3)] + ["b.avi: 30 fps, clip 7"]) == (
            "4 clips: 30 fps, clip 0 (dialog.avi, b.avi)",
        )

    def test_in_memory_what_is_odd_stays_said(self, tmp_path: Path) -> None:
        write_wav(tmp_path / "a.wav", np.zeros(16_000, dtype=np.float32))
        (tmp_path / "t.csv").write_text("path,speaker,word\na.wav,s,x\n")
        clips = clip_dataset("audiovisual-table").open(tmp_path, "all", tasks="word")
        assert in_memory(clips, workers=0)[0].notes == (f"{tmp_path / 'a.wav'}: silence; kept as it is",)
