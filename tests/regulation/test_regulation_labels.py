"""Labels that do not fit are refused in words, in anybody's loop."""

import pytest
import torch

import affekt
from affekt.errors import UsageError


@pytest.fixture(scope="module")
def model():
    emotional = affekt.AffectNetwork("resnet8", {"ratings": ["valence"]}, 32)
    return affekt.EmotionalRegulation("resnet8", num_classes=3, image_size=32, emotional=emotional)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.zeros(2, dtype=torch.int64), r"labels \(2,\) int64: for 4 pictures write \(4,\) int64"),
        (torch.zeros(4), r"labels \(4,\) float32: for 4 pictures"),
        (torch.zeros(4, 2), r"or \(4, 3\) float shares"),
        (torch.tensor([0, 1, 2, 3]), "labels from 0 to 3: classes are 0 to 2"),
        (torch.tensor([0, 1, 2, -2]), "labels from -2 to 2"),
    ],
)
def test_labels_that_do_not_fit_are_refused(model, labels, message):
    with pytest.raises(UsageError, match=message):
        model.losses(model(torch.rand(4, 3, 32, 32)), labels)


def test_unknown_labels_and_shares_are_taken(model):
    out = model(torch.rand(4, 3, 32, 32))
    for labels in (torch.tensor([0, -1, 2, 1]), torch.full((4, 3), 1 / 3)):
        assert all(loss.isfinite() for loss in model.losses(out, labels).values())
