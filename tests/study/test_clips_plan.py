"""Plans of studies of clips: parameters and operations counted, twenty steps timed, bytes as a run leaves them."""

import json
from dataclasses import replace

import pytest
from clip_files import write

from affekt.cli import main
from affekt.errors import RecipeError
from affekt.recipe import TrainingSettings, load_recipe, override
from affekt.study import plan, train
from affekt.study.clips.costs import remarks
from affekt.study.clips.probing import cosine_seconds, estimate_clips
from affekt.study.costs import items_seen
from affekt.study.estimating import Clock, evaluations, training_seconds
from affekt.study.probing import probe

pytest.importorskip("soundfile")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def recipe(path):
    return override(load_recipe(path), ["training.epochs=1"])


def test_operations_are_those_of_the_layers_for_every_clip_of_every_fold(recipe):
    costs = plan(recipe).costs
    mels, features, columns = 8, 8, 100  # of one second: 25 frames of 4 columns
    steps = [(mels, 5, columns), (features, 4, columns // 2), (features, 4, columns // 4)]
    forward = sum(2 * n * features * kernel * length for n, kernel, length in steps)
    heads = 2 * features * (2 + 2)
    # Backward, as much again for the weights and for what was put in, but not for the spectrogram itself.
    first = 2 * mels * features * 5 * columns
    assert costs["uniform"].step == pytest.approx(3 * (forward + heads) - first)
    seen = sum(items_seen(recipe.training, items) for items in (24, 24, 24))  # 8 of 32 are for validation
    assert costs["uniform"].training == costs["uniform"].step * seen
    assert costs["emotion-only"].step == pytest.approx(costs["uniform"].step - 3 * heads / 2)


def test_parameters_are_those_of_the_run(recipe, tmp_path):
    trained = train(override(recipe, ["clips.fold=0"]), out=tmp_path / "run")
    held = json.loads((trained.folder / "result.json").read_text())["parameters"]
    cost = plan(recipe).costs["uniform"]
    assert {"trainable": cost.trainable, "total": cost.total} == held


@pytest.mark.parametrize(
    "change", [["clips.window=2.0"], ["training.epochs=2"]], ids=["twice as long", "twice as often"]
)
def test_what_is_twice_as_much_costs_twice(recipe, change):
    once, twice = plan(recipe).costs["uniform"], plan(override(recipe, change)).costs["uniform"]
    assert twice.training == pytest.approx(2 * once.training)
    assert twice.total == once.total


def test_a_recurrent_layer_counts_on_every_machine(recipe):
    lstm = plan(override(recipe, ["network.recurrent=lstm", "network.hidden=8", "network.layers=1"])).costs["uniform"]
    products = 25 * 2 * 4 * 8 * (8 + 8)
    assert lstm.step - plan(recipe).costs["uniform"].step == pytest.approx(3 * products, rel=0.1)


def test_a_network_that_cannot_be_made_is_refused_with_its_condition(recipe):
    odd = {"network.audio_options": {"mels": 4}}
    with pytest.raises(RecipeError, match=r"\[conditions.odd\]: .*audio_options.mels = 4, but \[clips\] mels = 8"):
        plan(replace(recipe, conditions={**recipe.conditions, "odd": odd}))


def test_every_condition_is_tried_and_counts_its_seeds_and_folds(recipe):
    tried = []
    found = {e.name: e for e in probe(plan(recipe), data_root=None, said=tried.append)}
    assert tried == list(found) == ["uniform", "softmax", "emotion-only", "voice-only", "leaky"]
    assert {(e.jobs, e.folds) for e in found.values()} == {(2, 3)}
    for of in found.values():
        training = training_seconds(recipe.training, {"train": 24, "validation": 8, "test": 16}, of.step)
        assert of.seconds > 3 * training  # and the decoding


def test_the_bytes_are_those_that_a_run_leaves(recipe, tmp_path):
    whole = plan(override(recipe, ["study.conditions=['uniform']", "study.comparisons=[]"]))
    found = estimate_clips("uniform", whole.jobs, None)
    run = train(whole.jobs[0].recipe, out=tmp_path / "run")
    left = sum(p.stat().st_size for p in run.folder.rglob("*.safetensors"))
    assert found.disk == pytest.approx(left, rel=0.5) and left > found.disk  # with the names of the weights
    assert found.passing > found.disk  # the folds' checkpoints
    assert not list(run.folder.rglob("checkpoints"))


def test_cosines_between_gradients_take_a_backward_pass_of_each_task(recipe):
    # Two epochs, each with all 24 clips, 6 batches: a third of a step forward, two thirds back for each of two tasks.
    twice = override(recipe, ["training.epochs=2"])
    assert cosine_seconds(twice, 2, items=24, step=3.0) == pytest.approx(2 * 6 * (1.0 + 2 * 2.0))
    assert cosine_seconds(twice, 1, items=24, step=3.0) == 0
    assert cosine_seconds(override(twice, ["weighting.gradient_cosine=false"]), 2, items=24, step=3.0) == 0


def test_seconds_of_a_training_are_its_steps_and_a_third_of_one_for_each_batch_that_is_scored():
    engine = TrainingSettings(epochs=4, batch_size=10, evaluate_every=3)
    assert evaluations(engine) == 2
    # 10 steps an epoch; 20 clips of validation twice; all 150 once.
    sizes = {"train": 100, "validation": 20, "test": 30}
    assert training_seconds(engine, sizes, 6.0) == pytest.approx(40 * 6.0 + (40 + 150) / 10 * 2.0)


def test_items_are_scored_in_smaller_batches_where_there_are_fewer():
    engine = TrainingSettings(epochs=4, batch_size=10)
    assert training_seconds(engine, {"train": 5, "test": 10}, 6.0) == pytest.approx(4 * 6.0 + (5 + 10) / 5 * 2.0)


def test_the_first_steps_are_not_counted():
    assert Clock(times=[0, 9, 18, 27, 28, 29]).step == 1
    assert Clock(times=[0, 9]).step == 9


def test_clips_that_are_kept_decoded_count_as_memory(recipe):
    asked = ["study.conditions=['uniform']", "study.comparisons=[]"]
    kept, read_anew = (
        estimate_clips("uniform", plan(override(recipe, [*asked, *more])).jobs, None).memory
        for more in ([], ["clips.memory=0"])
    )
    assert kept > 0 == read_anew


def test_transforms_are_spoken_of_where_a_convolution_is_by_fft(recipe):
    raw = override(recipe, ["network.audio=raw"])
    direct = override(raw, ["network.audio_options.convolution=direct"])
    assert [len(remarks({"c": of})) for of in (recipe, raw, direct)] == [1, 2, 1]
    assert "convolution by FFT" in remarks({"c": raw})[1]


def test_the_command_says_it_all_and_writes_nothing(path, tmp_path, capsys):
    words = [str(path), "--out", str(tmp_path / "st"), "--set", "study.conditions=['uniform', 'leaky']"]
    words += ["--set", "study.comparisons=[]"]
    assert main(["plan", *words]) == 0
    said = capsys.readouterr().out
    assert said.count("2 x 3 folds") == 2 and "operations are counted on clips of 1 s" in said
    assert main(["plan", *words, "--json", "--seeds", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(t["name"], t["jobs"], t["folds"]) for t in found["trainings"]] == [("uniform", 1, 3), ("leaky", 1, 3)]
    assert found["seconds"] == pytest.approx(sum(t["jobs"] * t["seconds"] for t in found["trainings"]))
    parts = found["trainings"]
    assert found["disk"] == sum(t["jobs"] * t["disk"] for t in parts) + max(t["passing"] for t in parts)
    assert main(["plan", *words, "--no-probe"]) == 0
    assert "seconds a step" not in capsys.readouterr().out
    assert not (tmp_path / "st").exists()
