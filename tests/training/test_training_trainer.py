"""Trainer: what fit and evaluate do with the splits, the log, early stop, held-out pictures and broken numbers."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import TinyTask, data, same, settings, stimuli, task, trainer, weights

from affekt.errors import MissingExtra, TrainingError, UsageError
from affekt.recipe import AugmentationSettings
from affekt.training import Trainer
from affekt.training.progress import NoProgress
from affekt.weighting import create_weighting


def lines(folder, name="log.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


class Recording(TinyTask):
    """Keeps what it is given; its validation score follows a script."""

    def __init__(self, model, script=()):
        super().__init__(model)
        self.batches, self.prepared, self.script, self.kept = [], [], list(script), []

    def losses(self, batch):
        self.batches.append(batch)
        return super().losses(batch)

    def prepare(self, split, images):
        self.prepared.append((split, len(images), images.images(np.array([1])).shape))

    def metrics(self, outputs, labels):
        self.kept.append(weights(self))
        return {"accuracy": self.script.pop(0)} if self.script else super().metrics(outputs, labels)


def test_test_split_is_never_touched_in_fit():
    found = Recording(task().model)
    run = trainer(of=found, data=data() | {"test": stimuli(6, name="test")})
    run.fit()
    assert {b.split for b in found.batches} == {"train", "validation"}
    assert found.prepared == [("train", 40, (1, 3, 8, 8)), ("validation", 20, (1, 3, 8, 8))]
    assert run.evaluate("test").outputs["probabilities"].shape == (6, 3)
    assert found.prepared[2:] == [("test", 6, (1, 3, 8, 8))]


def test_batches_are_what_the_plan_and_the_seed_say():
    found = Recording(task().model)
    run = trainer(of=found, data={"train": stimuli(21)}, batch_size=8, epochs=2, seed=3)
    run.fit()
    assert [(b.epoch, b.step, len(b)) for b in found.batches] == [(0, 0, 8), (0, 1, 8), (1, 2, 8), (1, 3, 8)]
    again = Recording(task().model)
    trainer(of=again, data={"train": stimuli(21)}, batch_size=8, epochs=2, seed=3).fit()
    other = Recording(task().model)
    trainer(of=other, data={"train": stimuli(21)}, batch_size=8, epochs=2, seed=4).fit()
    assert all(a.images.equal(b.images) for a, b in zip(found.batches, again.batches, strict=True))
    assert not any(a.images.equal(b.images) for a, b in zip(found.batches, other.batches, strict=True))
    assert found.batches[0].images.min() >= 0
    assert found.batches[0].images.max() <= 1


def test_evaluation_sees_every_item_once_in_order():
    found = Recording(task().model)
    splits = data()
    run = trainer(of=found, data=splits, evaluation_batch_size=7)
    scored = run.evaluate("validation")
    assert torch.cat([b.items for b in found.batches]).tolist() == list(range(20))
    assert not any(b.images.requires_grad or b.step != -1 for b in found.batches)
    expected = splits["validation"].images(np.arange(20)).float() / 255
    assert torch.allclose(torch.cat([b.images for b in found.batches]), expected)
    found.eval()
    whole = found.losses(replace(found.batches[0], images=expected, labels={"category": _labels(splits)}))
    assert scored.losses["class"] == pytest.approx(whole["class"].item(), abs=1e-6)
    assert scored.metrics["accuracy"] == (scored.outputs["probabilities"].argmax(1) == _labels(splits).numpy()).mean()


def _labels(splits):
    return torch.from_numpy(splits["validation"].labels.category)


def test_evaluation_leaves_every_mode_as_it_was():
    found = task()
    found.train()
    found.model[1].eval()
    trainer(of=found).evaluate("validation")
    assert found.model[0].training
    assert not found.model[1].training


def test_best_weights_are_left_in_the_task():
    found = Recording(task().model, [0.2, 0.9, 0.5, 0.9])
    result = trainer(of=found, epochs=4).fit()
    assert (result.best_epoch, result.best_score, result.epochs, result.steps) == (2, 0.9, 4, 20)
    assert [entry["selected"] for entry in result.history] == [True, True, False, False]
    assert same(weights(found), found.kept[1])


def test_last_weights_where_asked():
    found = Recording(task().model, [0.2, 0.9, 0.5])
    result = trainer(of=found, select="last").fit()
    assert result.best_epoch == 2
    assert same(weights(found), found.kept[2])


def test_average_is_what_is_evaluated_and_kept():
    plain, averaged = Recording(task().model), Recording(task().model)
    trainer(of=plain, select="last").fit()
    trainer(of=averaged, select="last", ema=0.9).fit()
    assert same(weights(averaged), averaged.kept[-1])
    assert not same(weights(averaged), weights(plain))
    assert torch.equal(plain.batches[-2].images, averaged.batches[-2].images)


def test_early_stop():
    found = Recording(task().model, [0.2, 0.9, 0.5, 0.6, 0.95])
    result = trainer(of=found, epochs=9, early_stop=2).fit()
    assert (result.epochs, result.best_epoch, result.stopped_early) == (4, 2, True)
    assert same(weights(found), found.kept[1])


def test_validation_every_so_many_epochs_and_at_the_end():
    assert [h["epoch"] for h in trainer(epochs=5, evaluate_every=2).fit().history] == [2, 4, 5]


def test_without_validation_the_last_weights_count():
    result = trainer(data={"train": stimuli()}).fit()
    assert (result.best_epoch, result.history, result.epochs) == (None, [], 3)


def test_log_holds_means_and_no_clock(tmp_path):
    found = Recording(task().model)
    weighting = create_weighting("softmax", tasks=found.loss_names)
    trainer(tmp_path, of=found, epochs=2, log_every=4, weighting=weighting, clip=1.0).fit()
    log = lines(tmp_path)
    assert [(x["kind"], x["step"], x["epoch"]) for x in log] == [
        ("train", 4, 1), ("validation", 5, 1), ("train", 8, 2), ("train", 10, 2), ("validation", 10, 2),
    ]  # fmt: skip
    assert list(log[0]) == [
        "kind", "step", "epoch", "learning_rate", "losses", "weights", "weights_of_steps", "gradient_norm",
    ]  # fmt: skip
    assert set(log[0]["losses"]) == {"class", "size", "loss"}
    assert sum(log[0]["weights"].values()) == pytest.approx(1)
    assert list(log[1]) == ["kind", "epoch", "step", "metrics", "losses", "selected"]
    assert "seconds" not in (tmp_path / "log.jsonl").read_text()
    timing = lines(tmp_path, "timing.jsonl")
    assert timing[0]["kind"] == "start"
    assert all(x["seconds"] >= 0 and x["memory_bytes"] > 0 for x in timing)


def test_log_line_is_the_mean_over_its_steps(tmp_path):
    trainer(tmp_path / "each", log_every=1, epochs=1).fit()
    trainer(tmp_path / "all", log_every=5, epochs=1).fit()
    each = [x["losses"]["class"] for x in lines(tmp_path / "each") if x["kind"] == "train"]
    (line,) = [x for x in lines(tmp_path / "all") if x["kind"] == "train"]
    assert line["losses"]["class"] == pytest.approx(np.mean(each))


def test_held_out_companion_comes_with_every_step():
    found = Recording(task().model)
    trainer(of=found, data=data(held_out=6), epochs=1).fit()
    train = [b for b in found.batches if b.split == "train"]
    held = [b.held_out for b in train]
    assert [(h.split, len(h), h.step) for h in held] == [("held-out", 8, s) for s in range(5)]
    assert sorted(torch.cat([h.items for h in held])[:36].tolist()) == sorted(list(range(6)) * 6)
    assert found.prepared[1][:2] == ("held-out", 6)


def test_mixing_names_partner_and_share():
    found = Recording(task().model)
    trainer(of=found, augmentation=AugmentationSettings(padding=1, mixup=0.5), epochs=1).fit()
    batch = found.batches[0]
    assert batch.labels["category"].shape == (8, 3)
    assert torch.allclose(batch.labels["category"].sum(1), torch.ones(8))
    assert batch.partner.shape == batch.share.shape == (8,)
    assert found.batches[-1].labels["category"].shape == (20,)


class Poisoned(TinyTask):
    """Its loss breaks at a step of the training."""

    at = 6
    value = float("nan")

    def losses(self, batch):
        losses = super().losses(batch)
        return losses | {"size": losses["size"] * self.value} if batch.step == self.at else losses


@pytest.mark.parametrize("log_every", [1, 4, 1000])
def test_nan_stops_before_anything_is_scored_or_kept(tmp_path, log_every):
    splits = data()
    run = trainer(tmp_path, of=Poisoned(task().model), data=splits, log_every=log_every)
    with pytest.raises(TrainingError) as caught:
        run.fit()
    listed = ", ".join(_items_of_step(splits, 6)[:5])
    assert str(caught.value) == (
        f'step 7 (epoch 2): loss "size" is nan; items {listed} and 3 more; '
        "lower [training] learning_rate (here 0.02), or set clip (here none)"
    )
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-5"]
    assert [x["step"] for x in lines(tmp_path) if x["kind"] == "validation"] == [5]
    assert "NaN" not in (tmp_path / "log.jsonl").read_text()


def _items_of_step(splits, step):
    found = Recording(task().model)
    trainer(of=found, data=splits).fit()
    batch = next(b for b in found.batches if b.step == step)
    return splits["train"].ids[batch.items.numpy()].tolist()


def test_infinite_loss_names_the_recipe_line():
    found = Poisoned(task().model)
    found.value = float("inf")
    run = trainer(of=found, recipe_hint="[emotional.training] learning_rate", clip=2.0, data=data(held_out=9))
    with pytest.raises(TrainingError, match=r'loss "size" is inf; items tiny.*; held-out items held-.*') as caught:
        run.fit()
    assert "lower [emotional.training] learning_rate (here 0.02), or set clip (here 2)" in str(caught.value)


class BrokenGradient(TinyTask):
    """The last step of an epoch has a sound loss and an infinite gradient."""

    def losses(self, batch):
        losses = super().losses(batch)
        if batch.step == 4:
            weight = self.model[0].weight
            losses["size"] = losses["size"] + (weight * 0).sum().abs().sqrt()
        return losses


def test_broken_weights_are_neither_scored_nor_kept(tmp_path):
    found = BrokenGradient(task().model)
    with pytest.raises(TrainingError, match=r"step 5 \(epoch 1\): weight task.model.0.weight became NaN or infinite"):
        trainer(tmp_path, of=found, log_every=100).fit()
    assert not (tmp_path / "checkpoints").exists()
    assert not lines(tmp_path)


def test_undefined_validation_is_null_and_never_selected(tmp_path, caplog):
    class Undefined(TinyTask):
        def metrics(self, outputs, labels):
            return {"accuracy": float("nan")}

        def losses(self, batch):
            losses = super().losses(batch)
            return losses if self.training else losses | {"size": losses["size"] * float("inf")}

    result = trainer(tmp_path, of=Undefined(task().model)).fit()
    assert result.best_epoch is None
    assert result.history[0]["metrics"] == {"accuracy": None}
    assert "validation after epoch 1: loss size is NaN or infinite" in caplog.text


def test_splits_that_are_missing_are_named():
    with pytest.raises(UsageError, match='no "train" in the data; it has validation'):
        Trainer(task(), {"validation": stimuli()}, settings()).fit()
    with pytest.raises(UsageError, match='early_stop: no "validation" in the data'):
        Trainer(task(), {"train": stimuli()}, settings(early_stop=1)).fit()
    with pytest.raises(UsageError, match="accumulate = 9: more parts than 8 items a batch"):
        Trainer(task(), {"train": stimuli()}, settings(accumulate=9, batch_size=8)).fit()
    with pytest.raises(UsageError, match=r'split "tset": unknown. Nearest: test'):
        Trainer(task(), {"test": stimuli()}, settings()).evaluate("tset")


def test_unknown_device_is_named():
    with pytest.raises(UsageError, match=r'device = "cuda:77": not on this machine; write auto or cpu'):
        trainer(device="cuda:77")
    with pytest.raises(UsageError, match=r'device = "gpu"'):
        trainer(device="gpu")


def test_threads_are_set_for_the_run_and_put_back():
    class Counting(TinyTask):
        def losses(self, batch):
            self.threads = torch.get_num_threads()
            return super().losses(batch)

    before = torch.get_num_threads()
    found = Counting(task().model)
    trainer(of=found, threads=before + 1, epochs=1).fit()
    assert found.threads == before + 1
    assert torch.get_num_threads() == before


def test_score_in_one_pass_is_used():
    class Once(TinyTask):
        passes = 0

        def score(self, batch):
            self.passes += 1
            return {"class": torch.tensor(1.5)}, self.outputs(batch)

    found = Once(task().model)
    assert trainer(of=found, evaluation_batch_size=8).evaluate("validation").losses == {"class": 1.5}
    assert found.passes == 3


def test_progress_is_told(tmp_path):
    class Telling(NoProgress):
        def __init__(self):
            self.told, self.items = [], 0

        def start(self, total, done):
            self.told.append((total, done))

        def advance(self, items):
            self.items += items

        def say(self, text):
            self.told.append(text)

        def stop(self):
            self.told.append("stop")

    progress = Telling()
    trainer(progress=progress, epochs=2).fit()
    assert progress.told[0] == (80, 0)
    assert progress.items == 80
    assert progress.told[1].startswith("epoch 1 of 2: validation accuracy ")
    assert progress.told[-1] == "stop"


def test_tensorboard_events_hold_the_curves(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trainer(tmp_path, tensorboard=True, epochs=1).fit()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [e.step for e in events.Scalars("train/class")] == [2, 4, 5]
    assert [e.step for e in events.Scalars("validation/accuracy")] == [5]


def test_missing_tensorboard_is_the_install_line(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtra, match=r'pip install "affekt\[tensorboard\]"'):
        trainer(tmp_path, tensorboard=True).fit()
