"""Small audio-visual networks and clips that the tests share: 32 samples beside each frame of 16 pixels."""

import pytest
import torch

from affekt.multimodal import AudioVisualNetwork

TASKS = {"gender": 2, "emotion": 4}
RAW = {"channels": 4, "kernels": [5, 12], "pool": 2}
SAMPLES = 32


@pytest.fixture
def network():
    """Make a small network, in evaluation mode."""

    def make(tasks=TASKS, audio="raw", video="resnet8", **options):
        torch.manual_seed(1)
        if audio == "raw":
            options.setdefault("audio_options", RAW)
        elif audio == "log-mel":
            options.setdefault("audio_options", {"mels": 2, "features": 6})
        options = {"video_size": 16, "hidden": 8, "rate": 800, "width": 4, **options}
        return AudioVisualNetwork(tasks, audio, video, **options).eval()

    return make


@pytest.fixture
def clips():
    """Make (audio, frames, lengths) of clips of these lengths, with noise behind their ends."""

    def make(lengths=(3, 5, 1, 4), size=16, seed=0):
        g = torch.Generator().manual_seed(seed)
        n, longest = len(lengths), max(lengths)
        audio = torch.rand(n, longest * SAMPLES, generator=g) * 2 - 1
        frames = torch.randint(0, 256, (n, longest, 3, size, size), generator=g, dtype=torch.uint8)
        return audio, frames, torch.tensor(lengths)

    return make
