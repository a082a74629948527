"""Augmentation of clips: each change does what its name says, and depends on (seed, epoch, item) alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from audiovisual_files import noise, tone
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from affekt.data.audiovisual.augmentation import (
    ClipAugmentation,
    add_noise,
    change_gain,
    change_speed,
    drop_frames,
    reverberate,
    rooms,
    spec_augment,
)
from affekt.data.audiovisual.augmentation.noise import normals, rms
from affekt.data.audiovisual.batch import ClipBatch
from affekt.data.audiovisual.spectrogram import log_mel
from affekt.errors import UsageError
from affekt.recipe import ClipAugmentationSettings

EVERYTHING = ClipAugmentationSettings(
    speed=(0.9, 1.0, 1.1), reverberation=0.7, noise=0.7, gain=(-6.0, 3.0), frame_drop=0.3, time_masks=2,
    frequency_masks=2,
)  # fmt: skip


def batch(items: list[int], lengths: list[int], *, mel: bool = True) -> ClipBatch:
    """Clips whose content is a function of the item alone."""
    longest = max(lengths)
    audio = torch.zeros(len(items), 640 * longest)
    faces = torch.zeros((len(items), longest, 3, 4, 4), dtype=torch.uint8)
    for row, (item, length) in enumerate(zip(items, lengths, strict=True)):
        audio[row, : 640 * length] = torch.from_numpy(noise(length / 25, 16_000, seed=item))
        faces[row, :length] = torch.arange(1, length + 1, dtype=torch.uint8)[:, None, None, None]
    spectrum = log_mel(audio)
    for row, length in enumerate(lengths):
        spectrum[row, 4 * length :] = 0
    return ClipBatch(
        indices=np.array(items),
        lengths=torch.tensor(lengths),
        audio=audio,
        log_mel=spectrum if mel else None,
        faces=faces,
        labels={},
    )


def inside(audio: Tensor, lengths: list[int]) -> Tensor:
    return torch.arange(audio.shape[1]) < 640 * torch.tensor(lengths)[:, None]


class TestPurity:
    @settings(max_examples=5)
    @given(st.integers(0, 1_000), st.integers(0, 50), st.integers(0, 10_000))
    def test_a_clip_is_changed_alike_whatever_stands_beside_it(self, seed: int, epoch: int, item: int) -> None:
        augment = ClipAugmentation(EVERYTHING)
        alone = augment(batch([item], [9]), seed=seed, epoch=epoch)
        among = augment(batch([item + 5, item, item + 9], [14, 9, 3]), seed=seed, epoch=epoch)
        n = int(alone.lengths[0])
        assert int(among.lengths[1]) == n
        assert alone.audio is not None
        assert among.audio is not None
        assert alone.faces is not None
        assert among.faces is not None
        assert alone.log_mel is not None
        assert among.log_mel is not None
        torch.testing.assert_close(among.audio[1, : 640 * n], alone.audio[0], atol=2e-6, rtol=1e-4)
        assert torch.equal(among.faces[1, :n], alone.faces[0])
        quiet = alone.log_mel[0] > -15  # below, rounding of the sound shows
        torch.testing.assert_close(among.log_mel[1, : 4 * n][quiet], alone.log_mel[0][quiet], atol=1e-2, rtol=1e-3)
        assert not among.audio[1, 640 * n :].any()
        assert not among.faces[1, n:].any()
        assert not among.log_mel[1, 4 * n :].any()

    @pytest.mark.parametrize("change", [{"seed": 2}, {"epoch": 1}, {"item": 8}])
    def test_another_seed_epoch_or_item_is_another_draw(self, change: dict[str, int]) -> None:
        augment = ClipAugmentation(ClipAugmentationSettings(noise=1.0, snr=(0.0, 0.0)))
        silent = torch.full((1, 6_400), 0.1)

        def drawn(seed: int = 1, epoch: int = 0, item: int = 7) -> Tensor:
            made = ClipBatch(indices=np.array([item]), lengths=torch.tensor([10]), audio=silent, labels={})
            audio = augment(made, seed=seed, epoch=epoch).audio
            assert audio is not None
            return audio - silent

        assert torch.equal(drawn(), drawn())
        assert abs(float(torch.corrcoef(torch.cat([drawn(), drawn(**change)]))[0, 1])) < 0.1

    def test_nothing_is_done_by_default(self) -> None:
        made = batch([1, 2], [3, 4])
        found = ClipAugmentation(ClipAugmentationSettings())(made, seed=0, epoch=0)
        assert found.audio is made.audio
        assert found.faces is made.faces
        assert found.log_mel is made.log_mel

    def test_the_batch_itself_is_not_changed(self) -> None:
        made, copy = batch([1, 2], [9, 4]), batch([1, 2], [9, 4])
        ClipAugmentation(EVERYTHING)(made, seed=0, epoch=0)
        assert torch.equal(made.audio, copy.audio)  # type: ignore[arg-type]
        assert torch.equal(made.faces, copy.faces)  # type: ignore[arg-type]
        assert torch.equal(made.log_mel, copy.log_mel)  # type: ignore[arg-type]


class TestNoise:
    @given(st.lists(st.floats(-10, 40), min_size=1, max_size=4))
    def test_the_ratio_is_exact_over_the_clips_own_length(self, asked: list[float]) -> None:
        lengths = [4 + 3 * i for i in range(len(asked))]
        made = batch(list(range(len(asked))), lengths, mel=False)
        assert made.audio is not None
        within = inside(made.audio, lengths)
        items = torch.arange(len(asked))
        noisy = add_noise(made.audio, within, items, torch.tensor(asked), seed=0, epoch=0)
        power = (made.audio.square().sum(1) / (noisy - made.audio).square().sum(1)).log10() * 10
        torch.testing.assert_close(power, torch.tensor(asked), atol=0.02, rtol=0)
        assert not (noisy * ~within).any()

    def test_silence_stays_silent_and_infinity_adds_nothing(self) -> None:
        zeros = torch.zeros(1, 640)
        everywhere = torch.ones_like(zeros, dtype=torch.bool)
        item = torch.tensor([3])
        assert not add_noise(zeros, everywhere, item, torch.tensor([0.0]), seed=0, epoch=0).any()
        sound = torch.from_numpy(noise(0.04, 16_000))[None]
        assert torch.equal(add_noise(sound, everywhere, item, torch.tensor([torch.inf]), seed=0, epoch=0), sound)

    def test_draws_are_normal_and_do_not_depend_on_their_number(self) -> None:
        drawn = normals(torch.tensor([5]), 40_000, seed=0, epoch=0, name="x")[0]
        assert abs(float(drawn.mean())) < 0.02
        assert abs(float(drawn.std()) - 1) < 0.02
        assert abs(float((drawn**4).mean()) - 3) < 0.15
        assert torch.equal(normals(torch.tensor([5]), 100, seed=0, epoch=0, name="x")[0], drawn[:100])


def test_gain_is_in_decibels_and_full_scale_is_the_end() -> None:
    sound = torch.full((2, 4), 0.2)
    torch.testing.assert_close(change_gain(sound, torch.tensor([20.0, -6.0206]))[:, 0], torch.tensor([2.0, 0.1]))
    made = ClipBatch(indices=np.array([0]), lengths=torch.tensor([1]), audio=torch.full((1, 640), 0.5), labels={})
    found = ClipAugmentation(ClipAugmentationSettings(gain=(20.0, 20.0)))(made, seed=0, epoch=0).audio
    assert found is not None
    assert float(found.max()) == 1.0


class TestSpeed:
    @pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 2.0])
    def test_sound_is_shorter_and_higher_pictures_follow(self, factor: float) -> None:
        audio = torch.from_numpy(tone(1_000, 2.0, 16_000))[None]
        faces = torch.arange(50, dtype=torch.uint8)[None, :, None, None, None].expand(1, 50, 3, 2, 2)
        factors = torch.tensor([factor], dtype=torch.float64)
        heard, seen, lengths = change_speed(audio, faces, torch.tensor([50]), factors, 640)
        n = math.ceil(50 / factor - 1e-9)
        assert lengths.tolist() == [n]
        assert heard is not None
        assert seen is not None
        assert heard.shape == (1, 640 * n)
        assert seen.shape == (1, n, 3, 2, 2)
        inner = heard[0, 4_000:12_000] if factor < 2 else heard[0, 2_000:14_000]
        spectrum = torch.fft.rfft(inner * torch.hann_window(len(inner))).abs()
        assert float(spectrum.argmax()) * 16_000 / len(inner) == pytest.approx(1_000 * factor, abs=4)
        assert seen[0, :, 0, 0, 0].tolist() == [min(49, int((k + 0.5) * factor)) for k in range(n)]

    def test_a_tone_that_would_pass_half_the_rate_is_gone(self) -> None:
        audio = torch.from_numpy(tone(6_000, 1.0, 16_000))[None]
        heard, _, _ = change_speed(audio, None, torch.tensor([25]), torch.tensor([2.0], dtype=torch.float64), 640)
        assert heard is not None
        assert float(heard[0, 1_000:7_000].abs().max()) < 1e-3

    def test_padding_is_not_played(self) -> None:
        made = batch([1, 2], [10, 4], mel=False)
        heard, seen, lengths = change_speed(
            made.audio, made.faces, made.lengths, torch.tensor([1.0, 0.8], dtype=torch.float64), 640
        )
        assert lengths.tolist() == [10, 5]
        assert heard is not None
        assert seen is not None
        assert made.audio is not None
        assert torch.equal(heard[0], made.audio[0])
        assert not heard[1, 640 * 5 :].any()
        assert seen[1, 4, 0, 0, 0] == 4  # the last picture, not padding


class TestReverberation:
    def test_a_room_decays_by_60_db_in_its_time(self) -> None:
        decay = torch.tensor([0.2, 0.5])
        room = rooms(torch.tensor([1, 2]), decay, 16_000, seed=0, epoch=0)
        assert room.shape == (2, 8_000)
        assert room[:, 0].tolist() == [1.0, 1.0]
        for row, seconds in enumerate(decay.tolist()):
            tail = room[row, 1:].double().square()
            remaining = tail.flip(0).cumsum(0).flip(0).log10() * 10  # Schroeder (1965)
            half = round(0.5 * seconds * 16_000)
            fallen = float(remaining[0] - remaining[half])
            assert fallen == pytest.approx(30, abs=2.5)
            assert not room[row, round(seconds * 16_000) + 1 :].any()

    def test_it_is_a_convolution_at_the_level_it_had(self) -> None:
        made = batch([1], [5], mel=False)
        assert made.audio is not None
        room = rooms(torch.tensor([1]), torch.tensor([0.1]), 16_000, seed=0, epoch=0)
        everywhere = torch.ones_like(made.audio, dtype=torch.bool)
        wet = reverberate(made.audio, everywhere, room)
        expected = np.convolve(made.audio[0].double().numpy(), room[0].double().numpy())[: made.audio.shape[1]]
        expected *= np.sqrt(np.mean(made.audio[0].double().numpy() ** 2) / np.mean(expected**2))
        np.testing.assert_allclose(wet[0].numpy(), expected, atol=1e-5)
        torch.testing.assert_close(rms(wet, everywhere), rms(made.audio, everywhere))

    def test_silence_stays_silent(self) -> None:
        room = rooms(torch.tensor([1]), torch.tensor([0.1]), 16_000, seed=0, epoch=0)
        zeros = torch.zeros(1, 640)
        assert not reverberate(zeros, torch.ones_like(zeros, dtype=torch.bool), room).any()


def test_dropped_frames_show_the_one_before() -> None:
    faces = torch.arange(200, dtype=torch.uint8)[None, :, None, None, None].expand(3, 200, 3, 2, 2)
    found = drop_frames(faces, torch.tensor([200] * 3), torch.tensor([4, 5, 6]), 0.3, seed=0, epoch=0)[
        :, :, 0, 0, 0
    ].long()
    number = torch.arange(200)
    lost = found != number
    assert not lost[:, 0].any()
    assert 0.2 < float(lost.float().mean()) < 0.4
    assert torch.equal(found, torch.where(lost, 0, number).cummax(dim=1).values)
    assert not torch.equal(found[0], found[1])


class TestSpecAugment:
    def masked(self, **changes: object) -> tuple[Tensor, Tensor]:
        spectrum = torch.randn(16, 200, 64, generator=torch.Generator().manual_seed(0))
        asked = {"time_masks": 1, "time_mask": 0.2, "frequency_masks": 0, "frequency_mask": 8} | changes
        columns = torch.tensor([200, 100] * 8)
        found = spec_augment(spectrum, columns, torch.arange(16), seed=0, epoch=0, **asked)  # type: ignore[arg-type]
        return spectrum, found

    def test_a_stretch_of_time_at_the_clips_mean(self) -> None:
        before, after = self.masked()
        changed = (before != after).all(dim=2)
        assert changed.any(dim=1).sum() > 8
        for row, columns in enumerate([200, 100] * 8):
            where = changed[row].nonzero()[:, 0]
            if not len(where):
                continue
            assert int(where[-1] - where[0]) + 1 == len(where) <= 0.2 * columns
            assert int(where[-1]) < columns
            torch.testing.assert_close(
                after[row, where], before[row, :columns].mean().expand(len(where), 64), atol=1e-5, rtol=0
            )
            assert torch.equal(after[row, ~changed[row]], before[row, ~changed[row]])

    def test_a_band_of_frequency(self) -> None:
        before, after = self.masked(time_masks=0, frequency_masks=1)
        for row, columns in enumerate([200, 100] * 8):
            bands = (before[row, :columns] != after[row, :columns]).all(dim=0).nonzero()[:, 0]
            assert len(bands) <= 8
            assert not len(bands) or int(bands[-1] - bands[0]) + 1 == len(bands)
            assert torch.equal(before[row, columns:], after[row, columns:])

    def test_every_width_occurs(self) -> None:
        spectrum = torch.randn(400, 10, 64)
        found = spec_augment(
            spectrum, torch.full((400,), 10), torch.arange(400), time_masks=0, time_mask=0.0, frequency_masks=1,
            frequency_mask=4, seed=0, epoch=0,
        )  # fmt: skip
        widths = (found != spectrum).all(dim=1).sum(dim=1)
        assert sorted(set(widths.tolist())) == [0, 1, 2, 3, 4]


class TestSettings:
    def test_ranges_the_wrong_way_round(self) -> None:
        with pytest.raises(UsageError, match=r"snr = \[30, 5\]: write the smaller number first"):
            ClipAugmentation(ClipAugmentationSettings(snr=(30.0, 5.0)))

    def test_changes_to_sound_need_the_sound(self) -> None:
        made = batch([1], [3])
        only = ClipBatch(indices=made.indices, lengths=made.lengths, log_mel=made.log_mel, labels={})
        with pytest.raises(UsageError, match='add "audio" to the features'):
            ClipAugmentation(ClipAugmentationSettings(noise=1.0))(only, seed=0, epoch=0)
        masks = ClipAugmentation(ClipAugmentationSettings(frequency_masks=2))(only, seed=0, epoch=0)
        assert masks.log_mel is not None

    def test_the_log_mel_is_that_of_the_changed_sound(self) -> None:
        found = ClipAugmentation(ClipAugmentationSettings(gain=(-6.0, -6.0)))(batch([1], [6]), seed=0, epoch=0)
        assert found.audio is not None
        assert found.log_mel is not None
        torch.testing.assert_close(found.log_mel, log_mel(found.audio))

    def test_probabilities(self) -> None:
        made = batch(list(range(40)), [4] * 40, mel=False)
        found = ClipAugmentation(ClipAugmentationSettings(noise=0.5))(made, seed=0, epoch=0)
        assert found.audio is not None
        assert made.audio is not None
        changed = (found.audio != made.audio).any(dim=1)
        assert 10 < int(changed.sum()) < 30
