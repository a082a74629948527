"""Small clips on disk and a recipe around them: six speakers, two emotions by pitch, two voices by loudness."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

RECIPE = """
name = "small-clips"
[clips]
name = "audiovisual-table"
root = "{root}"
tasks = ["emotion", "voice"]
rate = 4000
window = 1.0
mels = 8
workers = 0
validation = 0.2
folds = 3
[network]
audio = "log-mel"
video = "none"
audio_options = {{features = 8}}
recurrent = "mean"
dropout = 0.2
[training]
epochs = 2
batch_size = 4
optimiser = "adamw"
learning_rate = 0.01
precision = "fp32"
threads = 1
log_every = 1
checkpoint_every = 2
[weighting]
name = "softmax"
gradient_cosine = true
[study]
seeds = 2
draws = 200
comparisons = ["softmax - uniform", "uniform - emotion-only"]
[conditions.uniform]
"weighting.name" = "uniform"
[conditions.softmax]
[conditions.emotion-only]
"network.tasks" = ["emotion"]
[conditions.voice-only]
"network.tasks" = ["voice"]
[conditions.leaky]
"clips.split_by" = "leaky"
"weighting.name" = "uniform"
"""

SPEAKERS = 6
CLIPS = 4
"""Of each speaker and emotion."""


def write(root: Path) -> Path:
    """48 clips of 0.2 to 0.4 s and their table; returns the recipe's path."""
    rng = np.random.default_rng(0)
    rows = ["path,speaker,emotion,voice"]
    for speaker in range(SPEAKERS):
        voice = ("soft", "loud")[speaker % 2]
        for emotion, hertz in (("anger", 900), ("sadness", 300)):
            for take in range(CLIPS):
                name = f"s{speaker}-{emotion}-{take}.wav"
                time = np.arange(int(rng.integers(800, 1600))) / 4000
                pitch = hertz * rng.uniform(0.9, 1.1)
                amplitude = {"soft": 0.05, "loud": 0.5}[voice] * rng.uniform(0.8, 1.2)
                wav(root / name, amplitude * np.sin(2 * np.pi * pitch * time) + rng.normal(0, 0.01, len(time)))
                rows.append(f"{name},s{speaker},{emotion},{voice}")
    (root / "table.csv").write_text("\n".join(rows) + "\n")
    path = root / "small.toml"
    path.write_text(RECIPE.format(root=root))
    return path


def wav(path: Path, samples: np.ndarray, rate: int = 4000) -> None:
    """16-bit mono wav by hand."""
    data = np.clip(np.rint(samples * 2**15), -(2**15), 2**15 - 1).astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
