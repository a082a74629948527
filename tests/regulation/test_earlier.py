"""Earlier learners: their rules by hand and by property, their fitting, and the classifier around them."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import affekt
from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError, TrainingError, UsageError
from affekt.regulation.earlier import LEARNERS, EarlierClassifier, UnitScaling, create_learner, fit_learner
from affekt.regulation.earlier.emnn import Rates, emotional_step
from affekt.regulation.earlier.learner import TEMPERATURES, best_temperature

SMALL = {"emnn": {"num_hidden": 5}, "back-propagation": {"num_hidden": 5}, "bel": {}, "linear": {}}
every_learner = pytest.mark.parametrize("name", LEARNERS)
seeds = st.integers(0, 2**31)


def learner(name, num_features=4, num_classes=3, seed=0, **options):
    return create_learner(name, num_features, num_classes, seed=seed, **SMALL[name] | options)


def patterns(n=30, num_features=4, num_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.random((n, num_features), dtype=np.float32)
    return torch.from_numpy(features), torch.from_numpy(rng.integers(0, num_classes, n))


def clusters(n=60, seed=0, noise=0.05):
    """Three classes, each with a feature of its own that is high."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    features = 0.2 + 0.6 * np.eye(4)[labels] + noise * rng.standard_normal((n, 4))
    return torch.from_numpy(features.clip(0, 1)).float(), torch.from_numpy(labels)


def state(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k].nan_to_num(-9), b[k].nan_to_num(-9)) for k in a)


# EmNN


def by_hand():
    """Two inputs, one hidden neuron, two outputs; one emotional weight a neuron; no change before it is 0."""
    values = {
        "hidden": [[0.5, -0.25, 0.1]],
        "hidden_previous": [[0.02, -0.02, 0.04]],
        "hidden_emotional": [[0.3]],
        "hidden_emotional_previous": [[0.08]],
        "output": [[0.4, -0.2], [-0.6, 0.2]],
        "output_previous": [[0.01, 0.02], [-0.01, -0.02]],
        "output_emotional": [[0.1], [-0.1]],
        "output_emotional_previous": [[0.04], [-0.04]],
    }
    return {name: np.array(value) for name, value in values.items()}


def test_emotional_step_by_hand():
    """x = (0.2, 0.6), Y = 0.4, class 0, eta = alpha = 0.5, mu = 0.7, k = 0.25.

    h = sigmoid(0.1 - 0.15 + 0.1 + 0.12) = 0.542398; o = sigmoid(0.4 h - 0.2 + 0.04) = 0.514236 and
    sigmoid(-0.6 h + 0.2 - 0.04) = 0.458734; deltas 0.121343 and -0.113902; of the hidden neuron
    h (1 - h) (0.4 * 0.121343 + 0.6 * 0.113902) = 0.0290095.
    """
    weights = by_hand()
    squares = emotional_step(weights, np.array([0.2, 0.6, 1.0]), 0.4, np.array([1.0, 0.0]), Rates(0.5, 0.5, 0.7, 0.25))
    assert squares == pytest.approx(0.4464040, abs=1e-6)
    # 0.5 + 0.5 * 0.0290095 * 0.2 + 0.5 * 0.02, and so on
    np.testing.assert_allclose(weights["hidden"], [[0.5129010, -0.2512971, 0.1345048]], atol=1e-6)
    # 0.3 + 0.7 * 0.0290095 * 0.4 + 0.25 * 0.08
    np.testing.assert_allclose(weights["hidden_emotional"], [[0.3281227]], atol=1e-6)
    np.testing.assert_allclose(weights["output"], [[0.4379080, -0.1293287], [-0.6358902, 0.1330488]], atol=1e-6)
    # 0.1 + 0.7 * 0.1213426 * 0.4 + 0.25 * 0.04, and -0.1 - 0.7 * 0.1139024 * 0.4 - 0.25 * 0.04
    np.testing.assert_allclose(weights["output_emotional"], [[0.1439759], [-0.1418927]], atol=1e-6)
    np.testing.assert_allclose(weights["hidden_emotional_previous"], [[0.0281227]], atol=1e-6)
    np.testing.assert_allclose(
        weights["output_previous"], [[0.0379080, 0.0706713], [-0.0358902, -0.0669512]], atol=1e-6
    )


def test_emnn_answers_as_its_step_computes_them():
    model = create_learner("emnn", 2, 2, num_hidden=1, emotional_weights=1)
    for name, value in by_hand().items():
        model.state_dict()[name].copy_(torch.from_numpy(value))
    torch.testing.assert_close(model.scores(torch.tensor([[0.2, 0.6]])), torch.tensor([[0.5142359, 0.4587344]]))


def test_emotional_weights_of_a_neuron_act_as_their_sum():
    model = learner("emnn", emotional_weights=2)
    one = learner("emnn", emotional_weights=1)
    found = state(model)
    for layer in ("hidden", "output"):
        found[f"{layer}_emotional"] = found[f"{layer}_emotional"].sum(dim=1, keepdim=True)
        found[f"{layer}_emotional_previous"] = found[f"{layer}_emotional_previous"][:, :1]
    one.load_state_dict(found)
    features, _ = patterns()
    torch.testing.assert_close(one.scores(features), model.scores(features))


def test_an_epoch_has_the_anxiety_and_confidence_of_the_one_before():
    features, labels = patterns(8)
    model = learner("emnn").double()
    inputs = np.concatenate([features.double().numpy(), np.ones((8, 1))], axis=1)
    targets = np.eye(3)[labels]
    mean = inputs[:, :4].mean()
    first = mean + ((targets - model.scores(features.double()).numpy()) ** 2).mean()
    expected = {name: t.numpy().copy() for name, t in model.state_dict().items()}
    anxiety, confidence = first, 0.0
    for _ in range(3):
        numbers = model.fit_epoch(features, labels, range(8))
        rates = Rates(0.1, 0.5, anxiety, confidence)
        squares = sum(emotional_step(expected, inputs[i], inputs[i, :4].mean(), targets[i], rates) for i in range(8))
        anxiety, confidence = mean + squares / 24, first - mean - squares / 24
        assert numbers["error"] == pytest.approx(squares / 24)
        assert numbers["anxiety"] == pytest.approx(anxiety)
        assert numbers["confidence"] == pytest.approx(confidence, abs=1e-9)
    for name in ("hidden", "hidden_emotional", "output", "output_emotional"):
        np.testing.assert_allclose(model.state_dict()[name], expected[name], atol=1e-9)


@settings(max_examples=15)
@given(seed=seeds)
def test_anxiety_falls_and_confidence_rises_as_the_error_falls(seed):
    features, labels = patterns(12, seed=seed)
    model = learner("emnn", seed=seed).double()
    rows = [model.fit_epoch(features, labels, range(12)) for _ in range(4)]
    for before, after in pairwise(rows):
        fall = before["error"] - after["error"]
        assert before["anxiety"] - after["anxiety"] == pytest.approx(fall, abs=1e-9)
        assert after["confidence"] - before["confidence"] == pytest.approx(fall, abs=1e-9)


@settings(max_examples=10)
@given(seed=seeds, momentum=st.floats(0, 0.9))
def test_without_emotion_it_is_back_propagation_with_momentum(seed, momentum):
    features, labels = patterns(6, seed=seed)
    model = learner("emnn", seed=seed, emotional=False, momentum=momentum, learning_rate=0.3).double()
    hidden = model.hidden.detach().clone().requires_grad_()
    output = model.output.detach().clone().requires_grad_()
    optimiser = torch.optim.SGD([hidden, output], lr=0.3, momentum=momentum)
    one = torch.ones(1, dtype=torch.float64)
    for _ in range(2):
        model.fit_epoch(features, labels, range(6))
        for x, label in zip(features.double(), labels, strict=True):
            answer = torch.sigmoid(output @ torch.cat([torch.sigmoid(hidden @ torch.cat([x, one])), one]))
            loss = 0.5 * ((torch.eye(3, dtype=torch.float64)[label] - answer) ** 2).sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    torch.testing.assert_close(model.hidden.data, hidden.detach())
    torch.testing.assert_close(model.output.data, output.detach())
    assert not model.hidden_emotional.any() and not model.output_emotional.any()


def test_anxiety_and_confidence_of_zero_leave_the_emotional_weights_alone():
    weights = by_hand()
    emotional_step(weights, np.array([0.2, 0.6, 1.0]), 0.4, np.array([1.0, 0.0]), Rates(0.5, 0.5, 0.0, 0.0))
    assert weights["hidden_emotional"] == [[0.3]]
    assert weights["output_emotional"].tolist() == [[0.1], [-0.1]]


def test_initial_weights_are_uniform_in_their_range():
    model = create_learner("emnn", 400, 3, num_hidden=50)
    assert model.hidden.abs().max() <= 1 / 20
    assert model.hidden.abs().mean() == pytest.approx(1 / 40, rel=0.05)
    assert create_learner("emnn", 400, 3, initial_range=0.35).hidden.abs().max() == pytest.approx(0.35, rel=0.01)


# BEL


def test_bel_by_hand():
    """a = 0.2, b = 0.1; s = (0.5, 1) of class 0 twice, then s = (1, 0) of class 1.

    First, all is 0: dV_0 = 0.2 s = (0.1, 0.2), dW_0 = -0.1 s = (-0.05, -0.1). Then A_0 = 0.25, O_0 = -0.125,
    E_0 = 0.375: dV_0 = 0.2 * 0.75 s = (0.075, 0.15), dW_0 = -0.1 * 0.625 s = (-0.03125, -0.0625). Last, A_0 = 0.175,
    O_0 = -0.08125, E_0 = 0.25625 for no reward: V_0 stays, dW_0 = 0.1 * 0.25625 s; class 1 begins.
    """
    model = create_learner("bel", 2, 2, amygdala_rate=0.2, orbitofrontal_rate=0.1)
    features = torch.tensor([[0.5, 1.0], [1.0, 0.0]])
    numbers = model.fit_epoch(features, torch.tensor([0, 1]), [0, 0, 1])
    torch.testing.assert_close(model.amygdala.data, torch.tensor([[0.175, 0.35], [0.2, 0.0]]))
    torch.testing.assert_close(model.orbitofrontal.data, torch.tensor([[-0.055625, -0.1625], [-0.1, 0.0]]))
    # (1 + 0.625^2 + 0.25625^2 + 1) / 6
    assert numbers["error"] == pytest.approx(0.4093815)
    # E_0 of (0.5, 1): 0.0875 + 0.35 + 0.0278125 + 0.1625; of class 1: 0.1 + 0.05
    torch.testing.assert_close(model.scores(features[:1]), torch.tensor([[0.6278125, 0.15]]))


def test_bel_with_the_short_way_through_the_thalamus():
    """max(s) = 1 is a third input of the amygdala alone."""
    model = create_learner("bel", 2, 2, amygdala_rate=0.2, orbitofrontal_rate=0.1, thalamus=True)
    model.fit_epoch(torch.tensor([[0.5, 1.0]]), torch.tensor([0]), [0])
    torch.testing.assert_close(model.amygdala.data, torch.tensor([[0.1, 0.2, 0.2], [0.0, 0.0, 0.0]]))
    torch.testing.assert_close(model.orbitofrontal.data, torch.tensor([[-0.05, -0.1], [0.0, 0.0]]))
    # A of (0.4, 0.2): 0.04 + 0.04 + 0.2 * 0.4; O: -0.02 - 0.02
    torch.testing.assert_close(model.scores(torch.tensor([[0.4, 0.2]])), torch.tensor([[0.2, 0.0]]))


@settings(max_examples=25)
@given(seed=seeds, a=st.floats(0.001, 3), b=st.floats(0.001, 0.4), thalamus=st.booleans())
def test_the_amygdala_never_unlearns(seed, a, b, thalamus):
    features, labels = patterns(10, seed=seed)
    model = learner("bel", amygdala_rate=a, orbitofrontal_rate=b, thalamus=thalamus)
    for epoch in range(4):
        before = model.amygdala.clone()
        # Other labels in every epoch: what was rewarded no longer is.
        model.fit_epoch(features, (labels + epoch) % 3, range(10))
        assert (model.amygdala >= before).all()


def test_the_amygdalas_rate_counts_the_thalamus():
    """|s|^2 = 2.25 with max(s): dV = 0.1 / 2.25 s, but dW = -0.1 / 1.25 s."""
    model = create_learner("bel", 2, 2, thalamus=True)
    model.fit_epoch(torch.tensor([[0.5, 1.0]]), torch.tensor([0]), [0])
    torch.testing.assert_close(model.amygdala[0].data, torch.tensor([0.05, 0.1, 0.1]) / 2.25)
    torch.testing.assert_close(model.orbitofrontal[0].data, torch.tensor([-0.04, -0.08]))


def test_what_is_no_longer_rewarded_is_inhibited():
    model = create_learner("bel", 2, 2, amygdala_rate=0.2, orbitofrontal_rate=0.1)
    features = torch.tensor([[0.5, 1.0]])
    learned = [model.fit_epoch(features, torch.tensor([0]), [0] * 50) for _ in range(2)][-1]
    response, amygdala = model.scores(features), model.amygdala[0].clone()
    later = model.fit_epoch(features, torch.tensor([1]), [0] * 50)
    assert response[0, 0] > 0.9 and model.scores(features)[0, 0] < 0.1
    assert torch.equal(model.amygdala[0], amygdala)
    assert later["inhibition"] > learned["inhibition"] and later["amygdala"] > learned["amygdala"]


def test_rates_that_are_not_given_fit_the_length_of_the_patterns():
    """|s|^2 = 1.25: a = b = 0.1 / 1.25 = 0.08, so that dV = 0.08 s and dW = -0.08 s."""
    model = create_learner("bel", 2, 2)
    model.fit_epoch(torch.tensor([[0.5, 1.0]]), torch.tensor([0]), [0])
    torch.testing.assert_close(model.amygdala[0].data, torch.tensor([0.04, 0.08]))
    torch.testing.assert_close(model.orbitofrontal[0].data, torch.tensor([-0.04, -0.08]))


# The plain head


def test_linear_by_hand():
    """p = (0.5, 0.5); dw = 0.2 * 0.5 * (0.5, 1, 1) for class 0, the opposite for class 1."""
    model = create_learner("linear", 2, 2, learning_rate=0.2)
    model.fit_epoch(torch.tensor([[0.5, 1.0]]), torch.tensor([0]), [0])
    torch.testing.assert_close(model.head.data, torch.tensor([[0.05, 0.1, 0.1], [-0.05, -0.1, -0.1]]))
    # logits 0.025 + 0.1 + 0.1 and the opposite
    expected = torch.log_softmax(torch.tensor([[0.225, -0.225]]), dim=1)
    torch.testing.assert_close(model.log_probabilities(torch.tensor([[0.5, 1.0]])), expected)


def test_linear_rate_that_is_not_given_fits_the_length_of_the_patterns():
    """|x|^2 = 2.25 with the bias: rate = 0.5 / 2.25, and dw = rate * 0.5 * (0.5, 1, 1)."""
    model = create_learner("linear", 2, 2)
    model.fit_epoch(torch.tensor([[0.5, 1.0]]), torch.tensor([0]), [0])
    torch.testing.assert_close(model.head[0].data, torch.tensor([0.25, 0.5, 0.5]) / 4.5)


def test_linear_steps_are_down_the_cross_entropy():
    features, labels = patterns(5)
    model = learner("linear", learning_rate=0.3)
    head = torch.zeros(3, 5, requires_grad=True)
    for x, label in zip(features, labels, strict=True):
        loss = torch.nn.functional.cross_entropy(head @ torch.cat([x, torch.ones(1)]), label)
        head = (head - 0.3 * torch.autograd.grad(loss, head)[0]).detach().requires_grad_()
    model.fit_epoch(features, labels, range(5))
    torch.testing.assert_close(model.head.data, head.detach())


# What all share


@every_learner
def test_separable_patterns_are_learned(name):
    model = learner(name)
    features, labels = clusters()
    result = fit_learner(model, features, labels, epochs=25)
    fresh, known = clusters(seed=1)
    right = (model.log_probabilities(fresh).argmax(dim=1) == known).float().mean()
    assert right > 0.9 and result.best["accuracy"] > 0.9
    assert result.history[-1]["error"] < result.history[0]["error"]
    assert result.history[-1]["loss"] < 0.5 < math.log(3)


@every_learner
def test_log_probabilities_are_those_of_a_distribution(name):
    model = learner(name)
    features, labels = patterns()
    numbers = model.fit_epoch(features, labels, range(30))
    logs = model.log_probabilities(features)
    torch.testing.assert_close(logs.exp().sum(dim=1), torch.ones(30))
    torch.testing.assert_close(logs, torch.log_softmax(model.scores(features) / model.temperature, dim=1))
    assert numbers["loss"] == pytest.approx(float(-logs[torch.arange(30), labels].mean()), rel=1e-5)
    assert numbers["accuracy"] == pytest.approx(float((logs.argmax(dim=1) == labels).float().mean()))


@every_learner
def test_temperature_is_learned_for_scores_and_one_for_logits(name):
    model = learner(name)
    features, labels = clusters()
    model.fit_epoch(features, labels, range(60))
    expected = 1.0 if name == "linear" else best_temperature(model.scores(features), labels)
    assert float(model.temperature) == pytest.approx(expected)
    assert name == "linear" or float(model.temperature) < 0.9


@settings(max_examples=10)
@given(seed=seeds)
def test_no_other_temperature_is_likelier(seed):
    rng = np.random.default_rng(seed)
    scores, labels = torch.from_numpy(rng.standard_normal((20, 3))), torch.from_numpy(rng.integers(0, 3, 20))

    def loss(temperature):
        return float(torch.nn.functional.cross_entropy(scores / temperature, labels))

    best = best_temperature(scores, labels)
    assert loss(best) <= min(map(loss, np.geomspace(*TEMPERATURES, 50))) + 1e-4


@every_learner
def test_same_seed_and_order_same_bits(name):
    features, labels = patterns()
    found = []
    for _ in range(2):
        model = learner(name, seed=3)
        torch.rand(1)  # no global generator is read
        np.random.rand(1)
        fit_learner(model, features, labels, epochs=2, seed=5)
        found.append(state(model))
    assert same(*found)


@every_learner
def test_another_order_other_weights(name):
    features, labels = patterns()
    found = []
    for order in (range(30), range(29, -1, -1)):
        model = learner(name)
        model.fit_epoch(features, labels, order)
        found.append(state(model))
    assert not same(*found)


@every_learner
def test_only_the_rows_of_the_order_are_learned(name):
    features, labels = patterns()
    whole, part = learner(name), learner(name)
    whole.fit_epoch(features, labels, [4])
    labels[:4] = (labels[:4] + 1) % 3
    part.fit_epoch(features, labels, [4])
    # EmNN's first anxiety, and with it the emotional step, is that of all patterns.
    changing = {"temperature", *(n for n in state(whole) if "emotional" in n), "first_anxiety", "anxiety", "confidence"}
    assert all(torch.equal(state(whole)[n], state(part)[n]) for n in state(whole).keys() - changing)


def test_seed_decides_the_initial_weights():
    assert not torch.equal(learner("emnn", seed=0).hidden, learner("emnn", seed=1).hidden)
    assert torch.equal(learner("emnn", seed=1).output, learner("emnn", seed=1).output)


@every_learner
def test_no_optimiser_moves_the_weights_and_they_are_counted(name):
    model = learner(name)
    assert [p for p in model.parameters() if p.requires_grad] == []
    sizes = {"emnn": 5 * 7 + 3 * 8, "back-propagation": 5 * 7 + 3 * 8, "bel": 24, "linear": 15}
    assert sum(p.numel() for p in model.parameters()) == sizes[name]


def test_back_propagation_is_emnn_without_its_emotion():
    features, labels = patterns()
    plain, emotional = learner("back-propagation"), learner("emnn")
    assert torch.equal(plain.hidden, emotional.hidden)
    assert torch.equal(plain.output, emotional.output)
    silent = learner("emnn", emotional=False)
    for model in (plain, emotional, silent):
        model.fit_epoch(features, labels, range(len(features)))
    assert same(state(plain), state(silent))
    assert not torch.equal(plain.hidden, emotional.hidden)
    assert not plain.hidden_emotional.any()
    assert plain.num_learned == 5 * 5 + 3 * 6 == emotional.num_learned - 2 * 8


@every_learner
def test_an_equal_learner_from_its_settings(name):
    model = learner(name)
    again = create_learner(name, 4, 3, **model.settings)
    assert again.settings == model.settings and same(state(again), state(model))


# Fitting


def noise():
    return patterns(12, seed=7)


@every_learner
def test_the_best_epoch_on_validation_is_kept(name):
    features, labels = patterns(40)
    model, short = learner(name), learner(name)
    result = fit_learner(model, features, labels, epochs=8, validation=noise())
    found = [row["validation/accuracy"] for row in result.history]
    assert result.best_epoch == 1 + int(np.argmax(found)) and result.best == result.history[result.best_epoch - 1]
    assert result.best_epoch < 8  # otherwise nothing is shown
    fit_learner(short, features, labels, epochs=result.best_epoch)
    assert same(state(model), state(short))
    assert [row["epoch"] for row in result.history] == list(range(1, 9))


def test_the_last_epoch_is_kept_without_validation():
    model = learner("bel")
    result = fit_learner(model, *patterns(), epochs=3)
    assert result.best_epoch == 3 and "validation/accuracy" not in result.best


def test_epochs_have_the_orders_of_the_seed():
    features, labels = patterns()
    model, expected = learner("bel"), learner("bel")
    fit_learner(model, features, labels, epochs=2, seed=4)
    for epoch in range(2):
        expected.fit_epoch(features, labels, affekt.randomness.permutation(30, seed=4, epoch=epoch))
    assert same(state(model), state(expected))


@every_learner
def test_interrupted_it_goes_on_to_the_same_bits(name, tmp_path):
    options = {"seed": 1, "validation": noise()}
    whole, begun, resumed = learner(name), learner(name), learner(name)
    expected = fit_learner(whole, *patterns(), epochs=6, **options)
    fit_learner(begun, *patterns(), epochs=4, folder=tmp_path / "c", **options)
    assert fit_learner(resumed, *patterns(), epochs=6, folder=tmp_path / "c", **options) == expected
    assert same(state(resumed), state(whole))


def test_a_finished_fit_is_read_and_not_done_again(tmp_path, monkeypatch):
    first, second = learner("emnn"), learner("emnn")
    expected = fit_learner(first, *patterns(), epochs=2, folder=tmp_path)
    monkeypatch.setattr(type(second), "fit_epoch", None)
    assert fit_learner(second, *patterns(), epochs=2, folder=tmp_path) == expected
    assert same(state(first), state(second))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 2}, "holds a training of another learner, seed or data; choose another folder"),
        ({"validation": noise()}, "holds a training of another"),
        ({"epochs": 1}, "holds 2 epochs, 1 are asked"),
    ],
)
def test_a_folder_with_another_training_is_refused(changed, message, tmp_path):
    fit_learner(learner("bel"), *patterns(), epochs=2, folder=tmp_path)
    with pytest.raises(UsageError, match=message):
        fit_learner(learner("bel"), *patterns(), **{"epochs": 2, "folder": tmp_path} | changed)


# Scaling


def test_scaling_by_the_training_set():
    scaling = UnitScaling(3)
    scaling.fit(torch.tensor([[1.0, -2.0, 5.0], [3.0, 2.0, 5.0]]))
    found = scaling(torch.tensor([[1.0, 2.0, 5.0], [2.0, 1.0, 6.0], [9.0, -9.0, 4.0]]))
    torch.testing.assert_close(found, torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.75, 0.0], [1.0, 0.0, 0.0]]))


def test_scaling_refuses_what_has_no_range():
    with pytest.raises(UsageError, match="NaN or infinite in 1 of 2 patterns"):
        UnitScaling(1).fit(torch.tensor([[1.0], [math.inf]]))
    with pytest.raises(UsageError, match=r"features \(2, 1\): give \(N, 3\)"):
        UnitScaling(3).fit(torch.zeros(2, 1))


# Errors


def nan_row(features):
    features[3, 1] = math.nan
    return features


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f, y, o: (nan_row(f), y, o), "features: NaN or infinite in row 3 of 30"),
        (lambda f, y, o: (f * 2 - 3, y, o), r"features from -3 to -1.*: scale them to \[0, 1\], e.g. with UnitScaling"),
        (lambda f, y, o: (f[:, :2], y, o), r"features \(30, 2\) float32: give \(N, 4\) floats in \[0, 1\]"),
        (lambda f, y, o: (f.long(), y, o), r"features \(30, 4\) int64"),
        (lambda f, y, o: (f, y + 1, o), "labels from 1 to 3: classes are 0 to 2"),
        (lambda f, y, o: (f, y - 1, o), "labels from -1 to 1: classes are 0 to 2"),
        (lambda f, y, o: (f, y[:5], o), r"labels \(5,\) int64: for 30 patterns write \(30,\) int64"),
        (lambda f, y, o: (f, y.float(), o), r"labels \(30,\) float32"),
        (lambda f, y, o: (f[:0], y[:0], o), "no patterns"),
        (lambda f, y, o: (f, y, [0, 30]), "order: row numbers from 0 to 30, but there are 0 to 29"),
        (lambda f, y, o: (f, y, [-1]), "order: row numbers from -1"),
        (lambda f, y, o: (f, y, []), r"order \(0,\) float64: give the row numbers, 0 to 29"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_weight_moves(change, message):
    features, labels = patterns()
    labels[:3] = torch.arange(3)
    features[0], features[1] = 0, 1
    model = learner("bel")
    with pytest.raises(UsageError, match=message):
        model.fit_epoch(*change(features, labels, range(30)))
    assert not model.amygdala.any()


def test_log_probabilities_refuse_nan_too():
    with pytest.raises(UsageError, match="NaN or infinite in row 3"):
        learner("emnn").log_probabilities(nan_row(patterns()[0]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: create_learner("emn", 4, 3), "Nearest: emnn. All: back-propagation, bel, emnn, linear"),
        (
            lambda: create_learner("bel", 4, 3, num_hidden=3),
            'setting of bel "num_hidden": unknown. All: amygdala_rate, orbitofrontal_rate, thalamus',
        ),
        (lambda: create_learner("bel", 4, 1), "num_classes = 1: a classifier needs two classes or more"),
        (lambda: create_learner("bel", 0, 3), "num_features = 0: a whole number from 1 is asked"),
        (lambda: create_learner("bel", 4, 3, orbitofrontal_rate=0), "orbitofrontal_rate = 0: above 0 is asked"),
        (lambda: create_learner("linear", 4, 3, learning_rate=-1), "learning_rate = -1: above 0 is asked"),
        (lambda: create_learner("emnn", 4, 3, momentum=1), r"momentum = 1: above 0, and in \[0, 1\)"),
        (lambda: create_learner("emnn", 4, 3, emotional_weights=0), "for none, emotional = False"),
        (lambda: fit_learner(learner("bel"), *patterns(), epochs=0), "epochs = 0: a whole number from 1 is asked"),
    ],
)
def test_wrong_calls_are_answered_in_words(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_weights_that_run_away_stop_the_training():
    model = learner("bel", orbitofrontal_rate=50.0)
    with pytest.raises(TrainingError, match="BEL: its weights are no longer finite; lower its rates"):
        model.fit_epoch(*patterns(), list(range(30)) * 3)


# The classifier


def coloured(n=48, seed=0):
    """Noisy pictures of three classes: one colour channel is brighter; their labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    pixels = rng.integers(0, 120, (n, 3, 16, 16))
    pixels[np.arange(n), labels] += 100
    return torch.from_numpy(pixels.astype(np.uint8)), labels


def as_stimuli(pixels, labels):
    ids = np.array([f"p{i}" for i in range(len(labels))])
    names = Labels(categories=("red", "green", "blue"), category=np.asarray(labels, dtype=np.int64))
    return Stimuli(name="t", ids=ids, pictures=ArrayPictures(pixels), labels=names, groups=ids)


def classifier(name="bel", **options):
    options = {"width": 4, "settings": SMALL[name]} | options
    return EarlierClassifier("resnet8", name, 3, 16, **options)


@every_learner
def test_every_learner_learns_from_pictures(name):
    model = classifier(name)
    result = model.fit(as_stimuli(*coloured()), epochs=60, validation=as_stimuli(*coloured(24, seed=1)))
    pixels, labels = coloured(30, seed=2)
    right = (model(pixels).argmax(dim=1).numpy() == labels).mean()
    # A random backbone of four channels is a poor eye; any constant answer gets a third.
    assert right > 0.6 and result.best["validation/accuracy"] > 0.6


def test_pictures_with_labels_are_stimuli_with_classes():
    pixels, labels = coloured()
    found = []
    for train, given_labels in ((as_stimuli(pixels, labels), None), (pixels, labels), (pixels.float() / 255, labels)):
        model = classifier()
        model.fit(train, given_labels, epochs=2, validation=coloured(9, seed=1))
        found.append(model(pixels))
    torch.testing.assert_close(found[0], found[1])
    torch.testing.assert_close(found[0], found[2], atol=1e-4, rtol=1e-4)


def test_stimuli_without_a_class_are_left_out():
    pixels, labels = coloured(12)
    whole, part = classifier(), classifier()
    part.fit(as_stimuli(pixels[3:], labels[3:]), epochs=2)
    whole.fit(as_stimuli(pixels, [-1, -1, -1, *labels[3:]]), epochs=2)
    assert torch.equal(whole(pixels), part(pixels))


def test_fit_begins_anew_and_depends_on_its_seed():
    pixels, labels = coloured(12)
    model = classifier("emnn")
    answers = []
    for seed in (1, 2, 1):
        model.fit(pixels, labels, epochs=1, seed=seed)
        answers.append(model(pixels))
    assert torch.equal(answers[0], answers[2]) and not torch.equal(answers[0], answers[1])


def test_fit_is_a_learner_of_that_seed_on_the_models_features():
    pixels, labels = coloured(12)
    model = classifier("emnn", seed=1)
    model.fit(pixels, labels, epochs=2, seed=2)
    expected = learner("emnn", model.num_features, seed=2)
    fit_learner(expected, model.features(pixels), labels, epochs=2, seed=2)
    assert same(state(expected), state(model.learner))


def test_a_random_backbone_is_a_function_of_the_seed():
    assert same(state(classifier(seed=1).backbone), state(classifier(seed=1).backbone))
    assert not same(state(classifier(seed=1).backbone), state(classifier(seed=2).backbone))


def test_backbone_and_its_statistics_stand_still_and_scaling_is_of_training_pictures():
    model = classifier().train()
    before = state(model.backbone)
    pixels, labels = coloured(12)
    model.fit(pixels, labels, epochs=1, validation=(255 - pixels, labels))
    assert same(before, state(model.backbone)) and not model.backbone.training
    assert not any(p.requires_grad for p in model.parameters())
    features = model.features(pixels)
    torch.testing.assert_close(features.amin(dim=0), torch.zeros(features.shape[1]))
    assert set(features.amax(dim=0).round(decimals=5).tolist()) <= {0.0, 1.0} and (features.amax(dim=0) > 0).any()


@every_learner
def test_saved_and_loaded_it_says_the_same_bit_for_bit(name, tmp_path):
    pixels, labels = coloured(12)
    model = classifier(name, classes=("red", "green", "blue"))
    model.fit(pixels, labels, epochs=2)
    model.save_pretrained(tmp_path / "model")
    loaded = affekt.load(tmp_path / "model")
    assert isinstance(loaded, EarlierClassifier)
    assert loaded.config() == model.config() and loaded.classes == ("red", "green", "blue")
    assert torch.equal(loaded(pixels), model(pixels))
    assert loaded.learner.settings == model.learner.settings


def test_its_checkpoints_are_gone_on_from(tmp_path):
    pixels, labels = coloured(12)
    whole, resumed = classifier("emnn"), classifier("emnn")
    expected = whole.fit(pixels, labels, epochs=3)
    classifier("emnn").fit(pixels, labels, epochs=2, folder=tmp_path)
    assert resumed.fit(pixels, labels, epochs=3, folder=tmp_path) == expected
    assert torch.equal(resumed(pixels), whole(pixels))


def test_the_classifier_refuses_in_words():
    pixels, labels = coloured(6)
    with pytest.raises(UsageError, match=r'learner "emm": unknown\. Nearest: emnn'):
        EarlierClassifier("resnet8", "emm", 3, 16)
    with pytest.raises(UsageError, match="pictures without labels: give labels, or Stimuli with classes"):
        classifier().fit(pixels)
    with pytest.raises(UsageError, match="labels from 0 to 3: classes are 0 to 2"):
        classifier().fit(pixels, np.array([0, 1, 2, 3, 0, 1]))
    nameless = as_stimuli(pixels, labels).take(np.arange(6))
    object.__setattr__(nameless, "labels", Labels())
    with pytest.raises(DataError, match="these pictures have no classes"):
        classifier().fit(nameless)


def test_a_backbone_of_ones_own_is_frozen_and_cannot_be_saved(tmp_path):
    class Mean(torch.nn.Module):
        num_features = 3

        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(()))

        def forward(self, images):
            return self.scale * images.mean(dim=(2, 3))

    model = EarlierClassifier(Mean(), "linear", 3, 16)
    pixels, labels = coloured()
    assert model.fit(pixels, labels, epochs=10).best["accuracy"] > 0.9
    assert not model.backbone.scale.requires_grad
    with pytest.raises(UsageError, match="its backbone was given as a module; give it by name to save the model"):
        model.save_pretrained(tmp_path / "model")
