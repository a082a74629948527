"""Speeds: what a training waits for beside its steps - pictures that are decoded and checkpoints that are written."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image

from affekt.data.pictures import FilePictures
from affekt.recipe import TrainingSettings
from affekt.regulation import ClassificationTask, Classifier
from affekt.study.machines.cases import CLASSES, noise
from affekt.training import Trainer


def decoding_speed(pictures: int = 48) -> float:
    """Pictures a second that a core decodes: JPEG of 640 x 480 to squares of 256 pixels."""
    draw = np.random.default_rng(0)
    # Smooth, as photographs are: noise is several times as large a file.
    coarse = draw.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "picture.jpg"
        Image.fromarray(coarse).resize((640, 480), Image.Resampling.BICUBIC).save(path, quality=90)
        files = FilePictures([path] * pictures, image_size=256)
        files.read_array(np.arange(2))
        begun = time.process_time()
        files.read_array(np.arange(pictures))
        return pictures / (time.process_time() - begun)


def writing_speed(device: torch.device) -> float:
    """Bytes a second of a checkpoint as a training writes it."""
    settings = TrainingSettings(epochs=2, batch_size=8, learning_rate=1e-6, device=str(device), precision="fp32")
    task = ClassificationTask(Classifier("resnet18", CLASSES, 32))
    with TemporaryDirectory() as folder:
        Trainer(task, {"train": noise(32, 8)}, settings, folder=folder).fit()
        lines = [json.loads(line) for line in (Path(folder) / "timing.jsonl").read_text().splitlines()]
        last = max(Path(folder).glob("checkpoints/step-*"), key=lambda path: path.stat().st_mtime)
        size = sum(file.stat().st_size for file in last.iterdir())
    took = [end["seconds"] - begun["seconds"] for begun, end in pairwise(lines) if end["kind"] == "checkpoint"]
    return size / max(float(min(took)), 1e-3)
