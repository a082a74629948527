"""Resume: an interrupted training ends, bit for bit, as the one that nobody disturbed."""

import json

import pytest
import torch
from tiny import TinyTask, data, same, settings, task, trainer, weights

from affekt.recipe import AugmentationSettings
from affekt.training import Trainer
from affekt.training.progress import NoProgress
from affekt.weighting import create_weighting

CASES = {
    "sgd": {},
    "plain sgd": {"momentum": 0.0},
    "adam": {"optimiser": "adam"},
    "adamw": {"optimiser": "adamw", "weight_decay": 0.1},
    "average": {"ema": 0.9},
    "average, last": {"ema": 0.9, "select": "last"},
    "parts": {"accumulate": 3},
    "one-cycle": {"schedule": "one-cycle"},
    "warm-up": {"warmup": 1.5},
    "step": {"schedule": "step", "step_every": 1},
    "clip": {"clip": 0.1},
    "early stop": {"early_stop": 1, "epochs": 8, "learning_rate": 0.0},
    "bf16": {"precision": "bf16"},
    "one log line": {"log_every": 1000},
    "rare validation": {"evaluate_every": 2},
    "channels first": {"channels_last": False},
    "weighting": {"weighting": "softmax", "weighting_learning_rate": 0.3},
    "mixing": {"augmentation": AugmentationSettings(padding=1, cutout=2, mixup=0.3, brightness=0.2)},
    "held-out": {"data": data(held_out=7)},
    "rest of an epoch": {"data": data(21)},
}


class Interrupted(Exception):  # noqa: N818
    pass


class Interrupting(NoProgress):
    """Ends the training after so many steps, as a crash would: nothing of the trainer's is called any more."""

    def __init__(self, steps):
        self.left = steps

    def advance(self, items):
        self.left -= 1
        if self.left < 0:
            raise Interrupted


def run(folder, case, *, progress=None, of=None, **more):
    keys = case | more
    found = of or task(dropout=0.3)
    name = keys.pop("weighting", None)
    weighting = None if name is None else create_weighting(name, tasks=found.loss_names)
    result = trainer(folder, of=found, progress=progress, weighting=weighting, **keys).fit()
    return result, weights(found) | ({} if weighting is None else {"a": weighting.a.detach().clone()})


@pytest.mark.parametrize(("name", "every"), [(name, 3) for name in CASES] + [("sgd", None), ("average", 1)])
def test_interrupted_is_undisturbed(tmp_path, name, every):
    case = {"checkpoint_every": every} | CASES[name]
    expected, expected_weights = run(tmp_path / "whole", case)
    for steps in (2, 5, 4) if every else (7, 6):
        try:
            run(tmp_path / "parts", case, progress=Interrupting(steps))
        except Interrupted:
            torch.rand(3)  # nothing may hang on the global generator
    found, found_weights = run(tmp_path / "parts", case)
    assert found == expected
    assert same(found_weights, expected_weights)
    assert (tmp_path / "parts" / "log.jsonl").read_bytes() == (tmp_path / "whole" / "log.jsonl").read_bytes()
    last = f"checkpoints/step-{expected.steps}"
    for path in (tmp_path / "whole" / last).iterdir():
        assert (tmp_path / "parts" / last / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_folder_makes_no_difference(tmp_path):
    assert run(tmp_path, {})[0] == run(None, {})[0]
    assert same(run(tmp_path, {})[1], run(None, {})[1])


def test_a_finished_training_is_not_done_again(tmp_path):
    expected, expected_weights = run(tmp_path, {"ema": 0.9})

    class Idle(TinyTask):
        def losses(self, batch):
            raise AssertionError("a step was made")

    log = (tmp_path / "log.jsonl").read_bytes()
    found, found_weights = run(tmp_path, {"ema": 0.9}, of=Idle(task(dropout=0.3, seed=5).model))
    assert (found, same(found_weights, expected_weights)) == (expected, True)
    assert (tmp_path / "log.jsonl").read_bytes() == log


def test_damaged_checkpoint_costs_steps_only(tmp_path, caplog):
    expected, expected_weights = run(tmp_path / "whole", {})
    with pytest.raises(Interrupted):
        run(tmp_path / "parts", {}, progress=Interrupting(12))
    path = tmp_path / "parts" / "checkpoints" / "step-10" / "optimiser.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    found, found_weights = run(tmp_path / "parts", {})
    assert "step-10: damaged: optimiser.safetensors (altered)" in caplog.text
    assert (found, same(found_weights, expected_weights)) == (expected, True)
    assert (tmp_path / "parts" / "log.jsonl").read_bytes() == (tmp_path / "whole" / "log.jsonl").read_bytes()


def test_number_of_threads_is_kept(tmp_path):
    class Counting(TinyTask):
        seen: tuple = ()

        def losses(self, batch):
            self.seen = (*self.seen, torch.get_num_threads())
            return super().losses(batch)

    before = torch.get_num_threads()
    first, second = Counting(task().model), Counting(task().model)
    torch.set_num_threads(2)
    try:
        with pytest.raises(Interrupted):
            trainer(tmp_path, of=first, progress=Interrupting(7)).fit()
        torch.set_num_threads(1)
        trainer(tmp_path, of=second).fit()
    finally:
        torch.set_num_threads(before)
    assert set(first.seen) == set(second.seen) == {2}


def test_lost_log_lines_are_said(tmp_path, caplog):
    with pytest.raises(Interrupted):
        trainer(tmp_path, progress=Interrupting(7)).fit()
    (tmp_path / "log.jsonl").write_text("")
    trainer(tmp_path).fit()
    assert "earlier lines are lost" in caplog.text
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])["step"] == 6


def test_other_versions_are_said(tmp_path, caplog, monkeypatch):
    with pytest.raises(Interrupted):
        trainer(tmp_path, progress=Interrupting(7)).fit()
    monkeypatch.setattr("affekt.training.trainer.__version__", "0.0.0")
    trainer(tmp_path).fit()
    assert "step-5: written with affekt" in caplog.text


def test_workers_make_no_difference(tmp_path):
    """Pictures decoded as they are read, in this process."""
    one, two = task(), task()
    Trainer(one, data(), settings(), memory_gib=0).fit()
    Trainer(two, data(), settings(), memory_gib=4).fit()
    assert same(weights(one), weights(two))
