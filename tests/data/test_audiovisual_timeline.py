"""The timeline: samples beside pictures, windows; and the log-mel spectrogram beside them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from audiovisual_files import noise, tone
from hypothesis import given
from hypothesis import strategies as st

from affekt.data.audiovisual.reading import Reading
from affekt.data.audiovisual.spectrogram import COLUMNS, FLOOR, LOWEST, filterbank, log_mel
from affekt.data.audiovisual.timeline import frames_in, samples_per_frame, whole_frames, windows
from affekt.errors import UsageError


class TestFrames:
    def test_640_samples_a_picture(self) -> None:
        assert samples_per_frame(16_000, 25) == 640
        assert samples_per_frame(16_000, 12.5) == 1_280
        assert samples_per_frame(44_100, 25) == 1_764

    def test_a_frame_rate_that_does_not_divide_names_those_that_do(self) -> None:
        with pytest.raises(
            UsageError, match=r"fps = 30: does not divide rate = 16000 \(533\.33 samples a picture\)"
        ) as e:
            samples_per_frame(16_000, 30)
        assert "10, 12.5, 20, 25, 32, 40, 50" in str(e.value)

    def test_frames_cover_the_sound(self) -> None:
        assert [frames_in(samples / 16_000, 25) for samples in (1, 640, 641, 48_000, 48_001)] == [1, 1, 2, 75, 76]

    def test_a_window_is_a_whole_number_of_pictures(self) -> None:
        assert whole_frames("window", 6.0, 25) == 150
        with pytest.raises(UsageError, match=r"window = 1\.5 s: 37\.5 pictures at fps = 25; .* e\.g\. 1\.48 or 1\.52"):
            Reading(window=1.5)

    @pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf])
    def test_a_window_of_no_length_is_named_as_it_was_written(self, seconds: float) -> None:
        with pytest.raises(UsageError, match=rf"^window = {seconds:g} s: write a number of seconds above 0$"):
            Reading(window=seconds)

    @pytest.mark.parametrize(("rate", "fps"), [(0, 25.0), (16_000, 0.0), (16_000, -5.0), (16_000, math.nan)])
    def test_no_sample_or_no_picture_a_second(self, rate: int, fps: float) -> None:
        with pytest.raises(UsageError, match=rf"^fps = {fps}, rate = {rate}: write numbers above 0"):
            samples_per_frame(rate, fps)

    def test_features_that_do_not_exist(self) -> None:
        with pytest.raises(UsageError, match=r'feature "mel": unknown\. Nearest: log-mel'):
            Reading(features=("mel",))
        with pytest.raises(UsageError, match="features: none"):
            Reading(features=())


class TestWindows:
    @given(st.integers(1, 3_000), st.integers(1, 300), st.integers(1, 300))
    def test_every_moment_lies_in_a_window_and_none_is_superfluous(self, frames: int, window: int, hop: int) -> None:
        hop = min(hop, window)
        seconds = frames / 25
        found = windows(seconds, window / 25, hop / 25)
        starts, ends = found.T
        assert starts[0] == 0
        assert ends[-1] == pytest.approx(seconds)
        np.testing.assert_allclose(np.diff(starts), hop / 25)
        assert (starts[1:] <= ends[:-1] + 1e-9).all()
        assert ((ends - starts) <= window / 25 + 1e-9).all()
        assert (ends > starts).all()
        # The end is reached once: the window before the last one does not reach it.
        assert (ends[:-1] < seconds + 1e-9).all()
        assert len(found) == 1 or ends[-2] < seconds - 1e-9 or hop == window

    def test_by_hand(self) -> None:
        assert windows(10, 6, 3).tolist() == [[0, 6], [3, 9], [6, 10]]
        assert windows(12, 6, 6).tolist() == [[0, 6], [6, 12]]
        assert windows(2, 6, 6).tolist() == [[0, 2]]


class TestLogMel:
    def test_the_filterbank_is_the_formula(self) -> None:
        """Band by band, frequency by frequency, from the definition."""
        rate, size, bands = 16_000, 512, 20
        bank = filterbank(rate, size, bands)
        top, bottom = (2595 * math.log10(1 + f / 700) for f in (rate / 2, LOWEST))
        points = [700 * (10 ** ((bottom + (top - bottom) * k / (bands + 1)) / 2595) - 1) for k in range(bands + 2)]
        for band in range(bands):
            low, middle, high = points[band : band + 3]
            for line in range(size // 2 + 1):
                hertz = line * rate / size
                if low < hertz <= middle:
                    expected = (hertz - low) / (middle - low)
                elif middle < hertz < high:
                    expected = (high - hertz) / (high - middle)
                else:
                    expected = 0.0
                assert bank[line, band] == pytest.approx(expected, abs=1e-6)

    def test_a_column_is_the_formula(self) -> None:
        """One column by a sum over samples: a Hann window of 25 ms about (m + 1/2) * 160, a plain Fourier transform."""
        sound = noise(0.2, 16_000, seed=3)
        found = log_mel(torch.from_numpy(sound)[None], bands=16)[0].numpy()
        column, bank = 9, filterbank(16_000, 512, 16)
        middle = round((column + 0.5) * 160)
        hann = np.array([0.5 - 0.5 * math.cos(2 * math.pi * n / 400) for n in range(400)])
        piece = np.zeros(512)
        piece[56:456] = sound[middle - 200 : middle + 200].astype(np.float64) * hann
        phases = np.exp(-2j * np.pi * np.outer(np.arange(257), np.arange(512)) / 512)
        power = np.abs(phases @ piece) ** 2
        np.testing.assert_allclose(found[column], np.log(power @ bank + FLOOR), atol=1e-3)

    def test_four_columns_a_picture_and_a_tone_in_its_band(self) -> None:
        sound = torch.from_numpy(np.stack([tone(500, 0.4, 16_000), tone(4_000, 0.4, 16_000)]))
        found = log_mel(sound)
        assert found.shape == (2, COLUMNS * 10, 64)
        bank = filterbank(16_000, 512, 64)
        for row, hertz in enumerate((500, 4_000)):
            assert abs(int(found[row, 20].argmax()) - int(bank[hertz * 512 // 16_000].argmax())) <= 1

    def test_a_click_is_in_its_column(self) -> None:
        sound = torch.zeros(1, 6_400)
        sound[0, 3_280] = 1.0
        assert int(log_mel(sound)[0].mean(dim=1).argmax()) == 3_280 // 160

    def test_silence_is_the_floor_and_twice_as_loud_is_log_four(self) -> None:
        assert torch.allclose(log_mel(torch.zeros(1, 640)), torch.tensor(math.log(FLOOR)))
        sound = torch.from_numpy(noise(0.4, 16_000))[None]
        difference = log_mel(2 * sound) - log_mel(sound)
        assert torch.allclose(difference, torch.tensor(math.log(4.0)), atol=1e-3)

    def test_lengths_and_bands_that_cannot_be(self) -> None:
        with pytest.raises(UsageError, match="6401 samples in frames of 640"):
            log_mel(torch.zeros(1, 6_401))
        with pytest.raises(UsageError, match="mels = 250: some bands would hold no frequency"):
            filterbank(16_000, 512, 250)
