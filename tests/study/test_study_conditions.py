"""Conditions: every one of them trained, and what its recipe and its files say of it."""

import json

import pytest
import small_recipe
from safetensors.torch import save_file

import affekt
from affekt.recipe import load_recipe, override
from affekt.study import apply_condition, train
from affekt.study.conditions import ORDER
from affekt.study.matching import DoesNotApply, classifier_parameters, matched_epochs, matched_width
from affekt.study.studying import study

CHANGES = [
    'study.conditions=["all"]',
    "study.seeds=1",
    "study.draws=200",
    "training.epochs=1",
    "emotional.training.epochs=1",
    "affective.options.extra=['place']",
    "training.threads=1",
    "emotional.training.threads=1",
]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    weights = root / "start.safetensors"
    save_file(affekt.create_backbone("resnet8", in_size=32, seed=1).trunk.state_dict(), weights)
    path = small_recipe.write(root, epochs=1, contrast=6)
    return override(load_recipe(path), [*CHANGES, f"emotional.initial={weights}"])


@pytest.mark.slow
def test_every_condition_runs(recipe, tmp_path):
    result = study(recipe, out=tmp_path / "st")
    assert result.failed == {}
    assert result.comparison["inapplicable"] == {}
    shown = [c["name"] for c in result.comparison["conditions"]]
    assert shown == [*ORDER, "learn-e-reg (e permuted in test)"]
    attribution = result.comparison["attribution"]
    assert attribution["missing"] == []
    assert sum(link["difference"]["estimate"] for link in attribution["links"]) == pytest.approx(
        attribution["whole"]["estimate"]
    )
    for condition in result.comparison["conditions"][:-1]:
        assert condition["parameters"]["trainable"] > 0
        assert condition["flops"]["training"] > 0, condition["name"]
    by_name = {c["name"]: c for c in result.comparison["conditions"]}
    assert by_name["other-task"]["regulation"] is not None
    assert by_name["mixture"]["regulation"]["mean"] == pytest.approx(0.5)
    assert by_name["influenced-only"]["regulation"]["mean"] == pytest.approx(1.0)
    assert by_name["baseline"]["flops"]["pretraining"] == 0 < by_name["transfer"]["flops"]["pretraining"]
    for name in ("emnn", "back-propagation", "bel", "linear-probe"):
        model = affekt.load(tmp_path / "st/runs" / name / "seed-0")
        assert type(model).__name__ == "EarlierClassifier"


def test_transfer_starts_from_the_trained_emotional_encoder(recipe, tmp_path):
    frozen = override(recipe, ["training.learning_rate=1e-12", "training.weight_decay=0", "model.dropout=0"])
    result = train(frozen, condition="transfer", out=tmp_path / "run")
    emotional, classifier = affekt.load(tmp_path / "run/emotional"), affekt.load(result.model)
    theirs, ours = emotional.backbone.state_dict(), classifier.backbone.state_dict()
    for name, tensor in theirs.items():
        if "running" not in name and "tracked" not in name:
            assert (tensor - ours[name]).abs().max() < 1e-6, name


def test_the_pretrained_baseline_has_the_encoders_starting_weights_and_size(recipe):
    found = apply_condition(override(recipe, ["emotional.image_size=24"]), "baseline-pretrained").model
    assert (found.kind, found.backbone, found.image_size) == ("classifier", "resnet8", 24)
    assert found.initial == recipe.emotional.initial


def test_other_task_learns_the_column_and_no_affect(recipe, tmp_path):
    found = apply_condition(recipe, "other-task")
    assert found.affective.labels == "place"
    assert (found.emotional.categories, found.emotional.ratings) == ("cross-entropy", ())
    result = train(recipe, condition="other-task", out=tmp_path / "run")
    metrics = json.loads((tmp_path / "run/emotional/result.json").read_text())["metrics"]["test"]
    assert "accuracy" in metrics
    assert "valence/r" not in metrics
    assert affekt.load(result.model).emotional.state_names == ("indoors", "outdoors")


def test_a_wrong_label_column_names_the_right_ones(recipe, tmp_path):
    with pytest.raises(affekt.errors.RecipeError, match=r'label column "plaice": unknown\. Nearest: place'):
        affekt.study.pretrain(override(recipe, ["affective.labels=plaice"]), out=tmp_path / "run")


class TestMatching:
    def test_a_width_within_two_percent(self, recipe):
        for wanted in (50_000, 100_000, 300_000, 1_000_000):
            width = matched_width(recipe, 10, wanted)
            made = affekt.regulation.Classifier("resnet8", 10, 32, width=width)
            assert sum(p.numel() for p in made.parameters()) == pytest.approx(wanted, rel=0.02)

    def test_no_width_for_given_weights_or_families_without_one(self, recipe):
        with pytest.raises(DoesNotApply, match="has one width"):
            matched_width(override(recipe, ["model.initial=weights.pth"]), 10, 100_000)
        with pytest.raises(DoesNotApply, match="has no width"):
            matched_width(override(recipe, ["model.backbone=mobilenet_v2"]), 10, 100_000)

    def test_five_percent_off_is_not_the_same(self, recipe):
        narrowest = classifier_parameters("resnet8", 10, 32, 1.0)
        with pytest.raises(DoesNotApply, match=r"nearest 1 \(\+5"):
            matched_width(recipe, 10, int(narrowest / 1.05))

    def test_a_width_that_misses_is_said_with_the_nearest(self, recipe):
        with pytest.raises(DoesNotApply, match=r"no width .* within 2% of 100 parameters; nearest 1 \(\+"):
            matched_width(recipe, 10, 100)
        with pytest.raises(DoesNotApply, match="more than 1024 wide"):
            matched_width(recipe, 10, 10**10)

    @pytest.mark.parametrize(("epochs", "mine", "wanted", "found"), [(15, 1.0, 2.7, 40), (1, 1.0, 0.2, 1)])
    def test_epochs(self, epochs, mine, wanted, found):
        assert matched_epochs(epochs, mine, wanted) == found


def test_controls_of_pretraining_need_it_to_be_ours(recipe):
    given = override(recipe, ["emotional.model=somewhere"])
    for name in ("shuffled-emotion", "untrained-emotion"):
        with pytest.raises(DoesNotApply, match="the emotional encoder is given"):
            apply_condition(given, name)
