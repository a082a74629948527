"""Front ends for sound: numbers against independent formulas, padding, options, what is refused."""

import numpy as np
import pytest
import torch

from affekt.errors import UsageError
from affekt.multimodal import AUDIO, create_audio

SMALL = {
    "raw": {"channels": 4, "kernels": (5, 12), "pool": 2},
    "log-mel": {"mels": 2, "features": 6},
}


def small(name, **options):
    torch.manual_seed(0)
    return create_audio(name, rate=800, fps=25, options=SMALL[name] | options).eval()


@pytest.mark.parametrize("name", SMALL)
def test_padding_says_nothing(name):
    part = small(name)
    audio = torch.rand(3, 6 * 32) * 2 - 1
    lengths = torch.tensor([6, 2, 4])
    together = part(audio, lengths)
    assert together.shape == (3, 6, part.num_features)
    for row, length in enumerate(lengths.tolist()):
        alone = part(audio[row : row + 1, : length * 32], torch.tensor([length]))
        torch.testing.assert_close(together[row : row + 1, :length], alone, rtol=1e-4, atol=1e-5)


def test_raw_hears_by_either_convolution_the_same():
    one, other = small("raw"), small("raw", convolution="direct")
    other.load_state_dict(one.state_dict())
    audio, lengths = torch.rand(2, 5 * 32) - 0.5, torch.tensor([5, 3])
    torch.testing.assert_close(one(audio, lengths)[0], other(audio, lengths)[0])
    torch.testing.assert_close(one(audio, lengths)[1, :3], other(audio, lengths)[1, :3])


def test_raw_keeps_the_largest_of_neighbouring_channels_and_may_be_linear_before():
    part = small("raw", rectify=False)
    for layer in (part.first, part.second):
        torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(part.first.bias)
    part.second.bias.data = torch.tensor([-3.0, -2.0, 5.0, 1.0])
    found = part(torch.zeros(1, 64), torch.tensor([2]))
    assert torch.equal(found, torch.tensor([-2.0, 5.0]).repeat(1, 2, 16))
    assert small("raw").second.weight.shape == (4, 4, 12)


def test_each_number_of_raw_stands_in_its_own_frame():
    part = small("raw")
    quiet, loud = torch.zeros(1, 8 * 32), torch.zeros(1, 8 * 32)
    loud[0, 4 * 32 + 16] = 1.0  # in the middle of frame 4; the kernels reach 12 + 5 samples, no more than a frame
    lengths = torch.tensor([8])
    changed = (part(quiet, lengths) != part(loud, lengths)).any(2)[0]
    assert changed[4] and not changed[[0, 1, 2, 6, 7]].any()


# --- log-mel: an independent formula, bin by bin ---


def mel(hertz):
    return 1127.01048 * np.log(1 + hertz / 700)  # the natural-logarithm form of HTK's


def independent_log_mel(sound, rate, samples, bands):
    """One clip, by a discrete Fourier sum written out and triangles from their corners."""
    width, hop = round(0.025 * rate), samples // 4
    size = 2 ** int(np.ceil(np.log2(max(width, hop))))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / width)
    corners = 700 * np.expm1(np.linspace(mel(20), mel(rate / 2), bands + 2) / 1127.01048)
    hertz = np.arange(size // 2 + 1) * rate / size
    bank = [np.interp(hertz, corners[k : k + 3], [0, 1, 0], left=0, right=0) for k in range(bands)]
    columns = []
    for m in range(len(sound) // hop):
        first = m * hop + hop // 2 - size // 2 + (size - width) // 2
        cut = [sound[i] if 0 <= i < len(sound) else 0.0 for i in range(first, first + width)]
        times = np.arange(width)
        spectrum = np.array([np.sum(cut * window * np.exp(-2j * np.pi * f * times / rate)) for f in hertz])
        columns.append([np.log(np.sum(b * np.abs(spectrum) ** 2) + 1e-10) for b in bank])
    return np.array(columns)


@pytest.mark.parametrize(("rate", "samples", "bands"), [(16000, 640, 40), (8000, 320, 12)])
def test_log_mel_against_the_formula_written_out(rate, samples, bands):
    sound = np.random.default_rng(0).uniform(-1, 1, 2 * samples)
    part = create_audio("log-mel", rate=rate, fps=rate / samples, options={"mels": bands})
    ours = part.spectrogram(torch.tensor(sound, dtype=torch.float32)[None])
    assert ours.shape == (1, 8, bands)
    np.testing.assert_allclose(ours[0].numpy(), independent_log_mel(sound, rate, samples, bands), atol=1e-3)


def test_a_tone_is_loudest_in_the_band_whose_middle_it_is():
    corners = 700 * np.expm1(np.linspace(mel(20), mel(8000), 66) / 1127.01048)
    times = torch.arange(16000) / 16000
    for band in (20, 45, 60):
        tone = torch.sin(2 * torch.pi * float(corners[band + 1]) * times)[None]
        assert (create_audio("log-mel").spectrogram(tone)[0, 10:-10].argmax(1) == band).all()


def test_silence_is_the_floor():
    silence = create_audio("log-mel").spectrogram(torch.zeros(1, 640))
    torch.testing.assert_close(silence, torch.full((1, 4, 64), float(np.log(1e-10))))


def test_more_bands_than_frequencies_are_refused():
    with pytest.raises(UsageError, match="mels = 200: some bands would hold no frequency at 16000 Hz; write fewer"):
        create_audio("log-mel", options={"mels": 200})


def test_a_spectrogram_is_made_in_float32_whatever_autocast_says():
    part, audio = create_audio("log-mel"), torch.rand(1, 1280) - 0.5
    with torch.autocast("cpu", torch.bfloat16):
        cast = part.spectrogram(audio)
    assert torch.equal(cast, part.spectrogram(audio))


def test_a_spectrogram_stands_for_its_sound():
    part = small("log-mel")
    audio, lengths = torch.rand(2, 5 * 32) - 0.5, torch.tensor([5, 5])
    made = part.spectrogram(audio)
    assert made.shape == (2, 20, 2)
    torch.testing.assert_close(part(made, lengths), part(audio, lengths))


def test_what_stands_behind_the_end_of_a_spectrogram_says_nothing():
    part = small("log-mel")
    made, lengths = torch.randn(1, 20, 2), torch.tensor([3])
    other = made.clone()
    other[:, 12:] = 99.0
    assert torch.equal(part(made, lengths)[:, :3], part(other, lengths)[:, :3])


def test_steps_of_log_mel_stand_in_the_middle_of_their_frame():
    """A spectrogram that is the same forwards and backwards in time gives, with kernels that are, such features."""
    part = small("log-mel")
    for step in part.steps:
        weight = step.convolution.weight.data
        step.convolution.weight.data = weight + weight.flip(2)
    made = torch.randn(1, 24, 2)
    made = made + made.flip(1)
    found = part(made, torch.tensor([6]))
    torch.testing.assert_close(found, found.flip(1), rtol=1e-4, atol=1e-5)


def test_names():
    assert set(AUDIO) == {"raw", "log-mel", "speech"}
    with pytest.raises(
        UsageError, match=r'audio "wav2vec": unknown\..* speech:<model of the hub.*"speech:facebook/wav'
    ):
        create_audio("wav2vec")
    with pytest.raises(
        UsageError, match=r"audio_options.features belongs to \"log-mel\"; write audio_options = \{\} .*trai"
    ):
        create_audio("speech:facebook/wav2vec2-base", options={"features": 96})
    with pytest.raises(UsageError, match=r'audio "logmel": unknown\. Nearest: log-mel'):
        create_audio("logmel")
    with pytest.raises(UsageError, match='audio = "raw:x": raw has no models; write "raw"'):
        create_audio("raw:x")
    with pytest.raises(UsageError, match='audio = "speech": of which encoder'):
        create_audio("speech")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": 80}, r'audio = "raw": option "kernel": unknown\. Nearest: kernels'),
        ({"kernels": [80]}, "two numbers of taps"),
        ({"pool": 7}, "channels = 40, pool = 7: the pool must divide the channels"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(UsageError, match=message):
        create_audio("raw", options=options)


@pytest.mark.parametrize(
    ("name", "rate", "fps", "message"),
    [
        ("raw", 16000, 30, r"fps = 30: does not divide rate = 16000 \(533\.33 samples"),
        ("raw", 800, 32, "25 samples a frame; an even number is asked"),
        ("log-mel", 16000, 32000 / 1004, "each a multiple of 4 samples"),
    ],
)
def test_rates_that_do_not_divide(name, rate, fps, message):
    with pytest.raises(UsageError, match=message):
        create_audio(name, rate=rate, fps=fps, options=SMALL[name])


def test_shapes_that_are_no_sound():
    part = small("raw")
    with pytest.raises(UsageError, match=r"audio of shape \(1, 33\): give \(B, T \* 32\)"):
        part(torch.zeros(1, 33), torch.tensor([1]))
    with pytest.raises(UsageError, match=r"write audio.flatten\(1\)"):
        part(torch.zeros(1, 2, 32), torch.tensor([2]))
    with pytest.raises(UsageError, match=r"or a log-mel spectrogram, \(B, 4 T, 2\)"):
        small("log-mel")(torch.zeros(1, 8, 3), torch.tensor([2]))
