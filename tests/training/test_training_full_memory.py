"""Full memory: batches halved where the settings allow it, else one line with the batch that fits; nothing lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from test_training_resume import Interrupted, Interrupting
from tiny import TinyTask, network, same, trainer, weights

from affekt.errors import TrainingError
from affekt.randomness import torch_seed
from affekt.recipe import AugmentationSettings
from affekt.training.distributed import Processes
from affekt.training.full_memory import is_full
from affekt.weighting import create_weighting


class SmallMemory(TinyTask):
    """Has room for so many pictures at once; more are a forward pass, running statistics and all, that ends badly."""

    room = 4
    room_in_evaluation = 10**6
    full_from = 0

    def losses(self, batch):
        found = super().losses(batch)
        room = self.room if self.model.training else self.room_in_evaluation
        if len(batch) > room and (batch.step >= self.full_from or not self.model.training):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return found


def small(norm="layer", dropout=0.0, **attributes):
    with torch_seed("tiny", 0):
        task = SmallMemory(network(norm, dropout))
    for name, value in attributes.items():
        setattr(task, name, value)
    return task


def large(norm="layer", dropout=0.0):
    return small(norm, dropout, room=10**6)


@pytest.mark.parametrize("norm", ["layer", "batch"])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_halved_is_what_accumulate_would_have_given(tmp_path, norm, dropout):
    halved, asked = small(norm, dropout), large(norm, dropout)
    first = trainer(tmp_path / "a", of=halved, halve_when_full=True, ema=0.8, clip=0.5, optimiser="adamw")
    result = first.fit()
    trainer(tmp_path / "b", of=asked, accumulate=2, ema=0.8, clip=0.5, optimiser="adamw").fit()
    assert same(weights(halved), weights(asked))
    assert (tmp_path / "a/log.jsonl").read_bytes() == (tmp_path / "b/log.jsonl").read_bytes()
    assert result.halvings == [{"step": 1, "parts": 2}]
    assert first.notes == ("memory was full: batches of 8 in 2 parts from step 1 on",)


def test_mixing_is_that_of_the_parts():
    halved, asked = small(), large()
    mixed = AugmentationSettings(padding=1, mixup=0.4)
    trainer(of=halved, halve_when_full=True, augmentation=mixed).fit()
    trainer(of=asked, accumulate=2, augmentation=mixed).fit()
    assert same(weights(halved), weights(asked))


@pytest.mark.parametrize("rule", ["softmax", "gradvac", "dwa"])
def test_weightings_see_the_batch_once(rule):
    if rule != "softmax":
        pytest.importorskip("torchjd")
    halved, asked = small(), large()
    names = halved.loss_names
    trainer(of=halved, halve_when_full=True, weighting=create_weighting(rule, tasks=names)).fit()
    trainer(of=asked, accumulate=2, weighting=create_weighting(rule, tasks=names)).fit()
    assert same(weights(halved), weights(asked))


class FullInTheSecondPart(TinyTask):
    """Once, when the first part has had its gradients."""

    calls = 0

    def losses(self, batch):
        self.calls += 1
        if self.calls == 2:
            raise MemoryError
        return super().losses(batch)


def test_gradients_of_parts_that_fitted_do_not_count_twice():
    pytest.importorskip("torchjd")
    with torch_seed("tiny", 0):
        halved = FullInTheSecondPart(network("layer"))
    asked = large()
    for of, parts in ((halved, 2), (asked, 4)):
        rule = create_weighting("gradvac", tasks=of.loss_names)
        trainer(of=of, halve_when_full=True, accumulate=parts, weighting=rule).fit()
    assert same(weights(halved), weights(asked))


def test_in_the_middle_of_an_epoch_and_more_than_once(tmp_path):
    task = small(room=2, full_from=7)
    found = trainer(tmp_path, of=task, halve_when_full=True).fit()
    assert found.halvings == [{"step": 8, "parts": 2}, {"step": 8, "parts": 4}]
    assert found.steps == 15
    whole = large()
    trainer(of=whole).fit()
    assert all(
        torch.allclose(a, b, atol=1e-5) for a, b in zip(weights(task).values(), weights(whole).values(), strict=True)
    )
    halved = [json.loads(line) for line in (tmp_path / "timing.jsonl").read_text().splitlines()]
    assert [(r["step"], r["parts"]) for r in halved if r["kind"] == "halved"] == [(8, 2), (8, 4)]


def test_a_resume_goes_on_in_as_many_parts(tmp_path):
    undisturbed = small(full_from=7)
    trainer(tmp_path / "a", of=undisturbed, halve_when_full=True, checkpoint_every=2).fit()
    cut = Interrupting(10)
    with pytest.raises(Interrupted):
        trainer(tmp_path / "b", of=small(full_from=7), progress=cut, halve_when_full=True, checkpoint_every=2).fit()
    resumed = large()  # there is room now; the training stays what it was
    found = trainer(tmp_path / "b", of=resumed, halve_when_full=True, checkpoint_every=2).fit()
    assert found.halvings == [{"step": 8, "parts": 2}]
    assert same(weights(resumed), weights(undisturbed))
    assert (tmp_path / "a/log.jsonl").read_bytes() == (tmp_path / "b/log.jsonl").read_bytes()


def test_a_training_that_failed_goes_on_once_halving_is_allowed(tmp_path):
    with pytest.raises(TrainingError):
        trainer(tmp_path, of=small(full_from=7)).fit()
    task, whole = small(full_from=7), small(full_from=7)
    assert trainer(tmp_path, of=task, halve_when_full=True).fit().halvings == [{"step": 8, "parts": 2}]
    trainer(of=whole, halve_when_full=True).fit()
    assert same(weights(task), weights(whole))


def test_without_leave_one_line_names_the_batch_that_fits():
    with pytest.raises(TrainingError) as error:
        trainer(of=small(room=3), batch_size=16, recipe_hint="[emotional.training] learning_rate").fit()
    assert str(error.value) == (
        "step 1 (epoch 1): the memory of cpu is full with 16 items at once; 2 items at once fit (tried): set "
        "[emotional.training] accumulate = 8 (the same batch in parts), batch_size = 2, or halve_when_full = true"
    )


def test_what_fits_is_tried_beside_what_the_optimiser_keeps():
    class WithOptimiser(SmallMemory):
        calls = 0

        def losses(self, batch):
            self.calls += 1
            self.room = 4 if self.calls < 4 else 2  # less from the second step on
            return super().losses(batch)

    with torch_seed("tiny", 0):
        task = WithOptimiser(network("layer"))
    with pytest.raises(TrainingError, match="2 items at once fit"):
        trainer(of=task).fit()


@pytest.mark.parametrize("allowed", [True, False])
def test_not_even_one_item(allowed):
    with pytest.raises(TrainingError, match="full with 1 item at once; take a smaller network or smaller pictures"):
        trainer(of=small(room=0), halve_when_full=allowed).fit()


def test_parts_are_never_more_than_items():
    found = trainer(of=small(room=1), batch_size=6, halve_when_full=True, epochs=1).fit()
    assert found.halvings == [{"step": 1, "parts": 2}, {"step": 1, "parts": 4}, {"step": 1, "parts": 6}]


def test_of_several_processes_none_halves_by_itself():
    """The others wait for it in the middle of a step."""
    run = trainer(of=small(room=3), halve_when_full=True, recipe_hint="[emotional.training] learning_rate")
    run.processes = Processes(0, 2)
    with pytest.raises(TrainingError, match=r"over all processes; set \[emotional.training\] accumulate = 2 "):
        run.fit()


def test_other_errors_are_left_alone():
    class Broken(TinyTask):
        def losses(self, batch):
            raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        trainer(of=Broken(network()), halve_when_full=True).fit()


def test_evaluation_is_halved_where_it_may_be():
    roomy, narrow = large(), small(room=10**6, room_in_evaluation=6)
    asked = trainer(of=roomy, evaluation_batch_size=5)
    asked.fit()
    found = trainer(of=narrow, evaluation_batch_size=20, halve_when_full=True)
    found.fit()
    assert same(weights(narrow), weights(roomy))
    assert found.evaluate("validation").losses == asked.evaluate("validation").losses
    assert found.notes == ("memory was full: evaluated 5 items at once",)


def test_evaluation_names_what_fits():
    task = small(room=10**6, room_in_evaluation=6)
    with pytest.raises(TrainingError) as error:
        trainer(of=task, evaluation_batch_size=20).fit()
    assert str(error.value) == (
        "validation: the memory of cpu is full with 20 items at once in evaluation; 5 fit (tried): set [training] "
        "evaluation_batch_size = 5, or halve_when_full = true"
    )


def test_not_even_one_item_in_evaluation():
    task = small(room=10**6, room_in_evaluation=0)
    with pytest.raises(TrainingError, match="full with 20 items at once in evaluation; not even one fits"):
        trainer(of=task, evaluation_batch_size=20).evaluate("validation")
    run = trainer(of=task, evaluation_batch_size=20, halve_when_full=True)
    with pytest.raises(TrainingError, match=r"^the memory of cpu is full \(CUDA out of memory. .*\); take a smaller"):
        run.evaluate("validation")
    assert run.notes == ("memory was full: evaluated 1 items at once",)


def test_of_several_processes_none_evaluates_fewer_by_itself():
    run = trainer(of=small(room=10**6, room_in_evaluation=6), evaluation_batch_size=20, halve_when_full=True)
    run._scoring.processes = Processes(0, 2)
    with pytest.raises(TrainingError, match=r"^the memory of cpu is full \(CUDA"):
        run.evaluate("validation")
    assert run.notes == ()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("could not create a memory object"),
        RuntimeError("could not create a primitive"),
    ],
)
def test_errors_of_a_full_memory(error):
    assert is_full(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("shapes do not match"),
        RuntimeError("could not create a primitive descriptor for a convolution"),
        ValueError("out of memory"),
        OSError("full"),
    ],
)
def test_other_errors(error):
    assert not is_full(error)


LIMITED = """
import resource, sys
import torch
sys.path.insert(0, sys.argv[1])
from tiny import data, settings, stimuli, task
from affekt.errors import TrainingError
from affekt.training import Trainer
from affekt.training.full_memory import is_full

torch.set_num_threads(1)
model = torch.nn.Sequential(torch.nn.Conv2d(3, 128, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
                            torch.nn.Flatten(), torch.nn.Linear(128, 3))
found = task()
found.model = model
pictures = {"train": stimuli(128, size=32)}
pages = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (pages + 80 * 2**20,) * 2)
run = Trainer(found, pictures, settings(epochs=1, batch_size=128, select="last", halve_when_full=sys.argv[2] == "yes"))
try:
    print(run.fit().halvings)
except TrainingError as error:
    print("refused:", error)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("allowed", ["yes", "no"])
def test_a_cpu_that_may_not_have_more(allowed):
    words = [sys.executable, "-c", LIMITED, str(Path(__file__).parent), allowed]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    if allowed == "yes":
        assert done.stdout.startswith("[{'step': 1, 'parts': 2}")
    else:
        assert done.stdout.startswith("refused: step 1 (epoch 1): the memory of cpu is full with 128 items at once; ")
        assert "fit (tried)" in done.stdout
