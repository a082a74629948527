"""Affect task: losses by name, statistics of the training labels, metrics beside those of a constant answer."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from affekt.affect import RatingScale
from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError, UsageError
from affekt.perception import AffectNetwork, AffectTask
from affekt.perception.ridge import fit_ridge
from affekt.training.task import Batch

N = 24
CATEGORIES = ("awe", "fear", "anger")


def labels():
    generator = np.random.default_rng(0)
    votes = generator.integers(0, 6, (N, 3)).astype(np.float32)
    votes[0], votes[1] = 0, [2, 2, 0]
    category = np.where((votes == votes.max(1, keepdims=True)).sum(1) == 1, votes.argmax(1), -1)
    valence = generator.uniform(1, 7, N).astype(np.float32)
    valence[2] = np.nan
    return Labels(
        categories=CATEGORIES, category=category, votes=votes, ratings={"valence": valence}, scale=RatingScale(1, 7)
    )


def task(heads=None, given=None, **options):
    heads = heads or {"categories": CATEGORIES, "ratings": ["valence"]}
    network = AffectNetwork("resnet8", heads, 16, ratings_loss=options.get("ratings_loss") or "mse", width=4)
    return AffectTask(network, given or labels(), **options)


def batch(given=None, **changes):
    given = given or labels()
    named = {
        "category": torch.as_tensor(given.category),
        "votes": torch.as_tensor(given.votes),
        "valence": torch.as_tensor(given.ratings["valence"]),
    }
    images = torch.rand(N, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return Batch(images=images, labels=named | changes, items=torch.arange(N))


@pytest.mark.parametrize("categories", ["cross-entropy", "votes"])
@pytest.mark.parametrize("ratings_loss", ["mse", "ccc", "gaussian-nll"])
def test_named_losses_are_finite_scalars_that_reach_the_network(categories, ratings_loss):
    made = task(categories=categories, ratings_loss=ratings_loss)
    losses = made(batch())
    assert tuple(losses) == made.loss_names == ("categories", "valence")
    assert all(loss.ndim == 0 and torch.isfinite(loss) for loss in losses.values())
    sum(losses.values()).backward()
    gradients = {n: p.grad for n, p in made.named_parameters()}
    assert all(g is not None and torch.isfinite(g).all() for g in gradients.values())
    assert any(g.abs().max() > 0 for n, g in gradients.items() if "backbone" in n)


def test_ratings_are_standardised_with_the_training_labels():
    made = task({"ratings": ["valence"]})
    valence = labels().ratings["valence"]
    assert made.model.rating_mean.item() == pytest.approx(np.nanmean(valence))
    assert made.model.rating_std.item() == pytest.approx(np.nanstd(valence))
    made.eval()
    out = made.model(batch().images)
    z = (torch.as_tensor(valence) - made.model.rating_mean) / made.model.rating_std
    expected = (out.ratings[:, 0] - z)[~torch.isnan(z)].square().mean()
    torch.testing.assert_close(made(batch())["valence"], expected)


def test_without_majority_labels_that_of_the_votes_is_learned():
    made = task().eval()
    assert made(batch())["categories"] == made(replace_labels(batch(), "category"))["categories"]


def replace_labels(given, name):
    return replace(given, labels={k: v for k, v in given.labels.items() if k != name})


def test_shares_of_mixed_pictures_are_taken():
    shares = torch.softmax(torch.randn(N, 3), dim=1)
    assert torch.isfinite(task()(batch(category=shares))["categories"])


def test_label_smoothing_is_of_the_categories():
    plain, smooth = task().eval(), task(label_smoothing=0.2).eval()
    smooth.load_state_dict(plain.state_dict())
    first, second = plain(batch()), smooth(batch())
    assert first["valence"] == second["valence"]
    assert first["categories"] != second["categories"]


def test_metrics_stand_beside_those_of_a_constant_answer():
    made = task().eval()
    outputs = {k: v.detach().numpy() for k, v in made.outputs(batch()).items()}
    assert set(outputs) == {"state", "category_probabilities", "ratings"}
    found = made.metrics(outputs, labels())
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert 0 <= found[f"{name}_of_majority"] <= 1
    valence = labels().ratings["valence"]
    assert found["valence/rmse_of_mean"] == pytest.approx(np.nanstd(valence), rel=1e-5)
    assert found["valence/n"] == N - 1
    assert found["votes/kl_of_mean"] > 0
    assert found["r"] == pytest.approx(found["valence/r"])


def test_a_network_that_answers_the_mean_scores_as_the_mean():
    made = task({"ratings": ["valence"]}).eval()
    outputs = {"ratings": np.full((N, 1), made.model.rating_mean.item())}
    found = made.metrics(outputs, labels())
    assert found["valence/rmse"] == pytest.approx(found["valence/rmse_of_mean"])
    assert np.isnan(found["valence/r"])
    assert found["r"] == 0


def test_a_perfect_network_scores_one():
    made = task({"ratings": ["valence"]}).eval()
    found = made.metrics({"ratings": labels().ratings["valence"][:, None]}, labels())
    assert found["r"] == pytest.approx(1)
    assert found["valence/ccc"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("heads", "monitor"), [({"ratings": ["valence"]}, "r"), ({"categories": CATEGORIES}, "accuracy"), (None, "r")]
)
def test_monitor_follows_the_heads(heads, monitor):
    assert task(heads).monitor == monitor


def test_calibration_runs_over_the_training_pictures():
    made = task()
    pixels = torch.randint(0, 256, (N, 3, 20, 20), dtype=torch.uint8)
    ids = np.array([str(i) for i in range(N)])
    made.calibrate(Stimuli(name="t", ids=ids, pictures=ArrayPictures(pixels), labels=labels(), groups=ids))
    assert made.model.state_mean.abs().min() > 0


def test_frozen_backbone_and_layer_decay_reach_the_optimiser():
    frozen = task(trainable="head").parameter_groups(0.1, 0.01)
    assert sum(p.numel() for g in frozen for p in g["params"]) < 200
    rates = {g["lr"] for g in task(layer_decay=0.5).parameter_groups(0.1, 0.01)}
    assert len(rates) > 2
    assert max(rates) == 0.1


def test_a_few_steps_lower_the_losses():
    torch.manual_seed(0)
    made, given = task(), batch()
    optimiser = torch.optim.Adam(made.parameter_groups(0.01, 0.0))
    before = sum(made(given).values()).item()
    for _ in range(15):
        optimiser.zero_grad()
        sum(made(given).values()).backward()
        optimiser.step()
    assert sum(made(given).values()).item() < 0.7 * before


@pytest.mark.parametrize(
    ("options", "changes", "error", "message"),
    [
        ({"categories": "vote"}, {}, UsageError, 'categories "vote": unknown. Nearest: votes'),
        ({"categories": "votes"}, {"votes": None}, DataError, "these labels hold no votes"),
        ({}, {"ratings": {}}, DataError, "no ratings of valence; they have: none"),
        ({}, {"categories": CATEGORIES[::-1]}, DataError, "network's categories are awe, fear, anger; those of"),
        (
            {},
            {"votes": None, "category": np.full(N, -1)},
            DataError,
            "no stimulus of the training split has a category",
        ),
        ({}, {"ratings": {"valence": np.full(N, 3.0)}}, DataError, "valence: 24 rating"),
    ],
)
def test_labels_that_cannot_teach_are_refused(options, changes, error, message):
    with pytest.raises(error, match=message):
        task(given=replace(labels(), **changes), **options)


def test_a_likelihood_needs_variances():
    network = AffectNetwork("resnet8", {"ratings": ["valence"]}, 16, width=4)
    with pytest.raises(UsageError, match="this network predicts no variances"):
        AffectTask(network, labels(), ratings_loss="gaussian-nll")


def stimuli_of(given):
    rng = np.random.default_rng(1)
    pixels = torch.as_tensor(rng.integers(0, 256, (N, 3, 16, 16)), dtype=torch.uint8)
    names = np.array([f"{i}" for i in range(N)])
    return Stimuli(name="set", ids=names, pictures=ArrayPictures(pixels), labels=given, groups=names)


def test_a_ridge_start_answers_as_the_ridge_regression_of_its_features():
    given = labels()
    made, shown = task(head_start="ridge"), stimuli_of(given)
    before = made.model.heads.category_head.weight.clone()
    made.start(shown)
    assert made.training and torch.equal(made.model.heads.category_head.weight, before)
    made.eval()
    with torch.no_grad():
        out = made.model(shown.images(np.arange(N)))
    fit = fit_ridge(out.features.numpy(), given.ratings["valence"])
    np.testing.assert_allclose(out.rating_values[:, 0], fit.predict(out.features.numpy()), atol=1e-3)


def test_a_random_start_stays_as_it_is():
    made = task()
    before = made.model.heads.rating_head.weight.clone()
    made.start(stimuli_of(labels()))
    assert torch.equal(made.model.heads.rating_head.weight, before)


@pytest.mark.parametrize("kept", [True, False])
def test_batch_norms_are_kept_still_on_demand_and_their_scale_learns(kept):
    made = task(batch_norm="kept" if kept else "learned").train()
    norms = [m for m in made.model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    before = [m.running_mean.clone() for m in norms]
    sum(made(batch()).values()).backward()
    assert all(torch.equal(m.running_mean, b) for m, b in zip(norms, before, strict=True)) == kept
    assert all(m.weight.grad is not None for m in norms)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head_start": "rigde"}, "ridge"),
        ({"batch_norm": "frozen"}, "kept, learned"),
        ({"heads": {"categories": CATEGORIES}, "head_start": "ridge"}, "has none"),
    ],
)
def test_starts_that_cannot_be(options, message):
    with pytest.raises(UsageError, match=message):
        task(**options)


def test_cross_entropy_needs_a_category_and_says_why_there_is_none():
    tied = replace(labels(), votes=np.full((N, 3), 2, dtype=np.float32), category=np.full(N, -1))
    with pytest.raises(DataError, match="every vote ends in a tie"):
        task(given=tied, categories="cross-entropy")
    assert task(given=tied, categories="votes").by_votes


@pytest.mark.parametrize(
    ("module", "message"),
    [(torch.nn.Linear(2, 2), "backbone Linear: give a name, or a module with num_features"), (7, "backbone int: give")],
)
def test_what_does_not_say_its_number_of_features_is_no_backbone(module, message):
    with pytest.raises(UsageError, match=message):
        AffectNetwork(module, {"ratings": ["valence"]}, 16)
