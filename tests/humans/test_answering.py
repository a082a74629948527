"""What a network says of pictures is what it says of each of them alone."""

import numpy as np
import pytest
import torch
from few_pictures import few_pictures

import affekt
from affekt.affect import RatingScale
from affekt.errors import DataError
from affekt.humans import answering
from affekt.humans.answering import answer

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def stimuli():
    return few_pictures()


def images(stimuli):
    return stimuli.images(np.arange(7)).float() / 255


def test_an_affect_network_gives_both_heads_and_features(stimuli, monkeypatch):
    monkeypatch.setattr(answering, "BATCH", 3)
    heads = {"categories": ["anger", "awe", "fear"], "ratings": ["valence", "arousal"]}
    network = affekt.AffectNetwork("resnet8-w4", heads, 32, scale=(1, 9)).eval()
    network.rating_mean += 5
    steps = []
    found, features = answer(network, stimuli, name="n", device=CPU, step=lambda *s: steps.append(s))
    with torch.no_grad():
        out = network(images(stimuli))
    assert found.categories == ("anger", "awe", "fear") and found.scale == RatingScale(1, 9)
    assert found.probabilities == pytest.approx(out.category_probabilities.numpy(), abs=1e-5)
    assert found.ratings["arousal"] == pytest.approx(out.rating_values[:, 1].numpy(), abs=1e-4)
    assert features.features == pytest.approx(out.features.numpy(), abs=1e-4)
    assert found.ids.tolist() == features.ids.tolist() == stimuli.ids.tolist()
    assert steps == [("n", 3, 7), ("n", 5, 7), ("n", 7, 7)]


def test_a_classifier_and_a_regulated_model(stimuli):
    classifier = affekt.Classifier("resnet8-w4", 2, 32, classes=("cat", "dog")).eval()
    found, features = answer(classifier, stimuli, name="c", device=CPU)
    with torch.no_grad():
        expected = classifier(images(stimuli)).softmax(dim=1)
    assert found.categories == ("cat", "dog") and features is not None
    assert found.probabilities == pytest.approx(expected.numpy(), abs=1e-5)
    emotional = affekt.AffectNetwork("resnet8-w4", {"ratings": ["valence"]}, 32)
    regulated = affekt.EmotionalRegulation("resnet8-w4", 3, 32, emotional, regulator="intensity").eval()
    found, features = answer(regulated, stimuli, name="r", device=CPU)
    with torch.no_grad():
        expected = regulated(images(stimuli)).log_probabilities.exp()
    assert found.categories == ("0", "1", "2") and features is None
    assert found.probabilities == pytest.approx(expected.numpy(), abs=1e-5)


def test_answers_that_are_not_finite_are_refused(stimuli):
    network = affekt.AffectNetwork("resnet8-w4", {"ratings": ["valence"]}, 32)
    network.rating_mean += float("nan")
    with pytest.raises(DataError, match="n: ratings that are not finite on 7 of 7 pictures"):
        answer(network, stimuli, name="n", device=CPU)
