"""Which training pictures whitening layers are computed from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import stimuli

from affekt.regulation import ClassificationTask, Classifier
from affekt.training import whitening
from affekt.training.whitening import whiten_by


class Noting:
    """Pictures that note which of them are read."""

    def __init__(self, pictures):
        self.pictures, self.read_rows = pictures, []

    def __len__(self):
        return len(self.pictures)

    def read(self, indices):
        self.read_rows += [indices.tolist()]
        return self.pictures.read(indices)


@pytest.mark.parametrize(
    ("most", "chunk", "expected"),
    [(5, 2, [[0, 4], [8, 12], [16]]), (100, 15, [list(range(15)), list(range(15, 20))])],
)
def test_evenly_spread_and_in_chunks(monkeypatch, most, chunk, expected):
    monkeypatch.setattr(whitening, "PICTURES", most)
    monkeypatch.setattr(whitening, "CHUNK", chunk)
    made = stimuli(20, size=12)
    noting = Noting(made.pictures)
    model = Classifier("resnet9-whitened-w2", 3, 12)
    whiten_by(model, replace(made, pictures=noting))
    assert noting.read_rows == expected and model.backbone.trunk.whitening.filled


def test_only_training_pictures_fill_a_layer_and_without_one_none_are_read():
    made = stimuli(20, size=12)
    task = ClassificationTask(Classifier("resnet9-whitened-w2", 3, 12))
    task.prepare("validation", made)
    assert not task.model.backbone.trunk.whitening.filled
    task.prepare("train", made)
    assert task.model.backbone.trunk.whitening.filled
    noting = Noting(made.pictures)
    ClassificationTask(Classifier("resnet9-w2", 3, 12)).prepare("train", replace(made, pictures=noting))
    assert noting.read_rows == []


def test_autocast_changes_nothing():
    made = stimuli(20, size=12)
    one, other = (Classifier("resnet9-whitened-w2", 3, 12) for _ in range(2))
    whiten_by(one, made)
    with torch.autocast("cpu", torch.bfloat16):
        whiten_by(other, made)
    filters = [model.backbone.trunk.whitening.weight for model in (one, other)]
    assert torch.equal(*filters) and np.isfinite(filters[0].numpy()).all()
