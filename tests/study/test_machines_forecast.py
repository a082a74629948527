"""Forecasts of a study: seconds by hand, totals that add up, what a change makes of them, and sets on paper."""

import math
from dataclasses import replace

import pytest
from small_machine import CORE as MACHINE

from affekt.errors import DataError, UsageError
from affekt.recipe import DataSettings, Recipe, load_recipe, override
from affekt.study.conditions import apply_condition
from affekt.study.machines.changes import candidates, changes
from affekt.study.machines.counting import COUNTER, changes_by_flops
from affekt.study.machines.forecasting import Forecast, Shapes, _key
from affekt.study.machines.plans import plan_on, timed_jobs
from affekt.study.machines.predicting import step_seconds
from affekt.study.paper import facts_on_paper, labels_on_paper, sizes_on_paper
from affekt.study.study_plan import StudyPlan

RECIPE = """
name = "small"
[affective]
name = "abstract"
image_size = 32
[emotional]
backbone = "resnet8"
categories = "votes"
[emotional.training]
epochs = 2
batch_size = 32
[target]
name = "cifar10"
image_size = 32
[model]
backbone = "resnet8"
[training]
epochs = 4
batch_size = 100
"""
NAMES = ("baseline", "ensemble-2", "mixture", "learn-e-reg", "rand-learn-e-reg")
SHAPES = Shapes()


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "small.toml"
    path.write_text(RECIPE)
    return load_recipe(path)


def planned(recipe, seeds=2, names=NAMES):
    facts = facts_on_paper(recipe)
    return StudyPlan(
        recipe=recipe,
        conditions={name: apply_condition(recipe, name, facts=facts) for name in names},
        costs={},
        inapplicable={},
        seeds=tuple(range(seeds)),
        declared=tuple(range(seeds)),
        facts=facts,
    )


def forecast(recipe, machine=MACHINE):
    return Forecast(machine=machine, facts=facts_on_paper(recipe), sizes=sizes_on_paper, shapes=SHAPES)


def test_seconds_of_a_training_by_hand(recipe):
    study, by = planned(recipe), forecast(recipe)
    job = next(job for job in study.jobs if job.name == "baseline")
    training = by._training(job)
    shape = by._shape(job, training)
    step, look = (step_seconds(done, MACHINE) for done in (shape.steps[0][1], shape.scoring))
    # 45,000 of 50,000 pictures, 450 steps an epoch; 5,000 are validated every epoch, all 60,000 scored at the end.
    expected = 4 * 450 * step + (4 * 10 + 90 + 10 + 20) * look + 4 * shape.checkpoint / 1e8
    assert by.seconds(job) == pytest.approx(expected)
    assert by.fitting(job) == pytest.approx(expected - 120 * look)
    assert by.estimate("baseline", [job]).step == step


def test_networks_of_one_shape_are_built_once_and_said_once(recipe):
    said = []
    by = replace(forecast(recipe), shapes=Shapes(said=said.append))
    by.estimates(planned(recipe))
    assert said == ["baseline", "mixture", "emotional encoder", "learn-e-reg"]
    changes(planned(recipe), by)  # other batches and precisions are counted, of trainings that were named
    assert len(said) == len({*said}) == 4


def key_of(recipe, name="learn-e-reg"):
    job = planned(recipe, 1, (name,)).jobs[-1]
    return _key(job, forecast(recipe)._training(job), "fp32")


@pytest.mark.parametrize(
    "change",
    [
        "training.batch_size=50",
        "training.evaluation_batch_size=50",
        "training.accumulate=2",
        "training.optimiser=adamw",
        "training.sizes=[16, 32]",
        "augmentation.flip=0.0",
        "target.image_size=24",
        "model.backbone=resnet14",
        "emotional.backbone=resnet14",
        "emotional.image_size=24",
        "regulation.affect_cache=true",
        "regulation.influence=concatenated",
    ],
)
def test_what_changes_the_work_of_a_step_is_counted_anew(recipe, change):
    assert key_of(override(recipe, [change])) != key_of(recipe)
    assert key_of(recipe, "held-out-regulator") != key_of(recipe)


@pytest.mark.parametrize("change", ["seed=7", "training.learning_rate=0.01", "training.epochs=9"])
def test_what_does_not_is_not(recipe, change):
    assert key_of(override(recipe, [change])) == key_of(recipe) == key_of(recipe, "rand-learn-e-reg")


def test_totals_add_up_and_runs_wait_for_their_encoder(recipe):
    study = planned(recipe)
    found = plan_on(study, forecast(recipe), [1, 2, 50])
    assert found.work == pytest.approx(sum(e.jobs * e.seconds for e in found.estimates))
    assert found.packings[1].seconds == pytest.approx(found.work)
    assert found.packings[2].seconds < found.packings[1].seconds
    assert found.disk == sum(e.jobs * e.disk for e in found.estimates)
    seconds, _ = timed_jobs(study, forecast(recipe))
    chain = max(seconds[job.needs[0]] + seconds[job.folder] for job in study.jobs if job.name == "learn-e-reg")
    assert found.packings[50].seconds >= chain
    assert {e.name: e.jobs for e in found.estimates} == {
        "baseline": 2, "ensemble member": 2, "mixture": 2, "emotional encoder": 2, "learn-e-reg": 2,
        "rand-learn-e-reg": 2,
    }  # fmt: skip


def test_trials_of_learning_rates_come_before_the_runs(recipe):
    study = planned(override(recipe, ["study.learning_rates=[0.01, 0.1]"]), names=("baseline",))
    seconds, needs = timed_jobs(study, forecast(recipe))
    trials = {folder for folder in seconds if folder.startswith("tuning/")}
    assert len(trials) == 2
    assert trials <= {*needs["runs/baseline/seed-0"]}
    assert all(seconds[trial] < seconds["runs/baseline/seed-0"] for trial in trials)  # test is not scored


@pytest.mark.parametrize(
    ("key", "factor"), [("overhead", 10.0), ("launch", 10.0), ("bandwidth", 0.1), ("writing", 0.1)]
)
def test_a_slower_machine_is_never_quicker(recipe, key, factor):
    study = planned(recipe, seeds=1, names=("baseline",))
    slower = replace(MACHINE, **{key: factor * getattr(MACHINE, key)})
    assert plan_on(study, forecast(recipe, slower), [1]).work > plan_on(study, forecast(recipe), [1]).work


def test_pictures_that_do_not_fit_in_memory_are_decoded_beside_the_step(recipe):
    large = override(recipe, ["target.memory=0"])
    (before,), (after,) = (plan_on(planned(r, 1, ("baseline",)), forecast(r), [1]).estimates for r in (recipe, large))
    assert after.step == pytest.approx(before.step + 100 / (300 * 2))


@pytest.mark.parametrize("decoding", [3.0, 3e9])
def test_a_gpu_waits_for_the_slower_of_step_and_decoding(recipe, decoding):
    gpu, large = replace(MACHINE, device="cuda", decoding=decoding), override(recipe, ["target.memory=0"])
    (alone,), (read,) = (
        plan_on(planned(r, 1, ("baseline",)), forecast(r, gpu), [1]).estimates for r in (recipe, large)
    )
    assert read.step == pytest.approx(max(alone.step, 100 / (decoding * 2)))
    assert (read.step > alone.step) == (decoding < 100)


def test_changes_halve_what_they_say_and_say_what_is_asked(recipe):
    found = {change.overrides: change for change in changes(planned(recipe), forecast(recipe))}
    assert found["study.seeds=1",].factor == pytest.approx(0.5)
    assert "1 of 2 seeds" in found["study.seeds=1",].asks
    shorter = found["training.epochs=2", "emotional.training.epochs=1"]
    assert 0.5 <= shorter.factor < 0.56
    assert found["target.train_limit=22500",].factor < 0.62
    low = found["training.precision=bf16", "emotional.training.precision=bf16"]
    assert low.asks == "" and low.factor < 0.9
    kept = found['study.conditions=["baseline", "mixture", "learn-e-reg"]',]
    assert "without 2 controls" in kept.asks and kept.factor < 0.7
    factors = [change.factor for change in changes(planned(recipe), forecast(recipe))]
    assert factors == sorted(factors) and all(factor < 1 for factor in factors)


def test_without_a_machine_seconds_are_flops(recipe):
    (job,), large = planned(recipe, 1, ("baseline",)).jobs, override(recipe, ["target.memory=0"])
    by = forecast(recipe, COUNTER)
    shape = by._shape(job, by._training(job))
    expected = 4 * 450 * shape.steps[0][1].flops.sum() + (4 * 10 + 120) * shape.scoring.flops.sum()
    assert by.seconds(job) == pytest.approx(expected)
    assert forecast(large, COUNTER).seconds(job) == by.seconds(job)  # neither decoding nor writing is an operation
    low = override(recipe, ["training.precision=bf16"])
    assert forecast(low, COUNTER).seconds(planned(low, 1, ("baseline",)).jobs[0]) == pytest.approx(expected)


def test_changes_by_flops_are_those_that_compute_less(recipe):
    few = override(recipe, ["target.train_limit=300"])  # of which batches of 200 would leave 100 out
    by = changes_by_flops(planned(few), sizes=sizes_on_paper, shapes=SHAPES)
    found = {change.overrides: change for change in by}
    assert found["study.seeds=1",].factor == pytest.approx(0.5)
    assert found["training.epochs=2", "emotional.training.epochs=1"].factor < 1
    named = {key.partition("=")[0] for overrides in found for key in overrides}
    assert not named & {"training.precision", "training.batch_size"}
    assert all(change.asks for change in by)


def test_what_cannot_be_here_or_saves_nothing_is_no_change(recipe):
    only = replace(MACHINE, rates={"fp32": 1e11})
    named = {key for change in changes(planned(recipe, seeds=1), forecast(recipe, only)) for key in change.overrides}
    assert not any("bf16" in key or "seeds" in key or "image_size" in key for key in named)


def test_what_is_written_after_set_is_what_was_looked_at(recipe):
    large = override(recipe, ["target.image_size=192"])
    found = {candidate.overrides[0].split("=")[0]: candidate for candidate in candidates(planned(large, 3))}
    for candidate in found.values():
        changed = override(large, [*candidate.overrides])
        study, target = (
            replace(large.study, seeds=changed.study.seeds, conditions=changed.study.conditions),
            large.target,
        )
        rest = replace(changed, study=large.study, target=replace(changed.target, train_limit=target.train_limit))
        assert candidate.recipe(large) == rest
        assert (candidate.seeds or large.study.seeds) == study.seeds
        assert tuple(candidate.kept or large.study.conditions) == tuple(study.conditions)
        assert (candidate.limit or target.train_limit) == changed.target.train_limit
    assert found["model.image_size"].recipe(large).emotional.image_size == 96
    assert found.keys() >= {"training.precision", "training.evaluate_every", "training.batch_size", "study.seeds"}
    assert found.keys() >= {"regulation.affect_cache", "training.epochs", "target.train_limit", "study.conditions"}
    assert "model.image_size" not in {c.overrides[0].split("=")[0] for c in candidates(planned(recipe))}


def test_clips_are_one_line(recipe):
    study = planned(recipe, 1, ("baseline",))
    (job,) = study.jobs
    clips = replace(job, recipe=replace(Recipe(), clips=replace(Recipe().clips, name="emodb"), target=recipe.target))
    with pytest.raises(UsageError, match="for recipes about pictures"):
        forecast(recipe).seconds(clips)


@pytest.mark.parametrize(
    ("changed", "sizes"),
    [
        ([], {"train": 45_000, "validation": 5000, "test": 10_000}),
        (["target.train_limit=1000"], {"train": 1000, "validation": 5000, "test": 10_000}),
        (["target.validation=0.0"], {"train": 50_000, "test": 10_000}),
        (["target.folds=6"], {"train": 45_000, "validation": 5000, "test": 10_000}),
        (
            ["regulation.regulator_data=held-out"],
            {"train": 40_500, "held-out": 4500, "validation": 5000, "test": 10_000},
        ),
    ],
)
def test_sizes_on_paper(recipe, changed, sizes):
    assert sizes_on_paper(override(recipe, changed), "target") == sizes
    assert facts_on_paper(override(recipe, changed)).train == sizes["train"]


def test_a_test_set_on_paper_is_fixed_or_varies_with_the_seed(recipe):
    for changed, fixed, varies in (
        ([], True, False),
        (["target.folds=6"], False, True),
        (["target.folds=6", "target.split_seed=1"], False, False),
    ):
        facts = facts_on_paper(override(recipe, changed))
        assert (facts.test_fixed, facts.test_varies) == (fixed, varies)


def test_sources_on_paper_are_those_of_the_conditions_too(recipe):
    start = {"model.initial": "source", "source.name": "cifar100"}
    (known,) = facts_on_paper(replace(recipe, conditions={"started": start})).sources.values()
    assert (len(known.classes), known.train) == (100, 45_000)
    assert facts_on_paper(recipe).sources == {}


def test_affective_sets_on_paper(recipe):
    assert sizes_on_paper(recipe, "affective") == {"train": 196, "validation": 28, "test": 56}
    emoset = DataSettings(name="emoset")
    assert len(labels_on_paper(emoset).category) == 94_482
    emod, remade = DataSettings(name="emod"), DataSettings(name="diffused-emod", options={"source": "emod"})
    assert {*labels_on_paper(emod).ratings} == {*labels_on_paper(remade).ratings} == {"valence", "arousal", "dominance"}
    assert all(values.std() > 0 for values in labels_on_paper(emod).ratings.values())


def test_a_set_of_anybodys_pictures_is_not_known_on_paper(recipe):
    for name, said in (("folder", "classes"), ("emoji-groups", "size")):
        with pytest.raises(DataError, match=f"its {said} cannot be known without the data; leave out --on-paper"):
            facts_on_paper(override(recipe, [f"target.name={name}"]))
    with pytest.raises(DataError, match="its size cannot be known"):
        facts_on_paper(override(recipe, ["affective.name=table"]))


def test_the_steps_of_small_sets_are_those_of_what_they_have(recipe):
    by, study = forecast(recipe), planned(recipe)
    encoder = next(job for job in study.jobs if job.kind == "pretrain")
    training = by._training(encoder)
    assert (training.batch, training.scored, training.epochs) == (32, 56, 2)
    assert by.seconds(encoder) > 2 * math.floor(196 / 32) * by.estimate("encoder", [encoder]).step


def test_small_pictures_first_cost_less_by_their_share_of_the_epochs(recipe):
    small = override(recipe, ["training.sizes=[16, 32]"])
    by, (job,) = forecast(small), planned(small, 1, ("baseline",)).jobs
    steps = by._shape(job, by._training(job)).steps
    assert [share for share, _ in steps] == [0.5, 0.5]
    assert steps[0][1].flops.sum() < 0.3 * steps[1][1].flops.sum()
    assert by.seconds(job) < forecast(recipe).seconds(planned(recipe, 1, ("baseline",)).jobs[0])
