"""The task: named losses for the engine, metrics by hand, and a training that learns both tasks."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from affekt.data.stimuli import Labels
from affekt.errors import DataError, UsageError
from affekt.multimodal import AudioVisualBatch, AudioVisualTask, Draw
from affekt.multimodal.metrics import confusions, task_metrics
from affekt.recipe import TrainingSettings
from affekt.training.distributed import join
from affekt.training.engine import Engine, Objective
from affekt.training.evaluation import evaluate
from affekt.training.plan import Plan
from affekt.training.task import Batch
from affekt.weighting import create_weighting

CPU = torch.device("cpu")


@pytest.fixture
def batch(clips):
    """Make a batch of four clips."""

    def make(**other):
        audio, frames, lengths = clips()
        labels = {"gender": torch.tensor([0, 1, 1, -1]), "emotion": torch.tensor([0, 1, 2, 3])}
        found = AudioVisualBatch(
            images=frames, audio=audio, lengths=lengths, labels=labels, items=torch.arange(4), epoch=0, step=7
        )
        return replace(found, **other)

    return make


def test_losses_and_outputs_are_the_networks(network, batch, clips):
    task = AudioVisualTask(network(), label_smoothing=0.1).eval()
    out = task.model(*clips())
    losses = task(batch())
    assert tuple(losses) == task.loss_names == ("gender", "emotion")
    expected = task.model.losses(out, batch().labels, 0.1)
    assert all(torch.equal(losses[name], expected[name]) for name in losses)
    scored, outputs = task.score(batch())
    assert all(torch.equal(scored[name], losses[name]) for name in losses)
    assert torch.equal(outputs["emotion/log_probabilities"], out.log_probabilities["emotion"])
    assert outputs.keys() == task.outputs(batch()).keys()


def test_modality_dropout_is_drawn_by_seed_step_and_item(network, batch, clips):
    task = AudioVisualTask(network(modality_dropout=0.9, dropout=0.0), seed=5).train()
    task.model.seeing.eval()
    expected = task.model(*clips(), draw=Draw(seed=5, step=7, items=torch.arange(4)))
    found = task(batch())
    reference = task.model.losses(expected, batch().labels)
    assert all(torch.equal(found[name], reference[name]) for name in found)
    losses = {task(batch(step=step))["emotion"].item() for step in range(6)}
    assert len(losses) > 1


def test_given_one_alone(network, batch, clips):
    model = network()
    audio, frames, lengths = clips()
    by_sound = AudioVisualTask(model, given="audio").eval().outputs(batch())["emotion/log_probabilities"]
    assert torch.equal(by_sound, model(audio, None, lengths).log_probabilities["emotion"])
    by_face = AudioVisualTask(model, given="video").eval().outputs(batch())["emotion/log_probabilities"]
    assert torch.equal(by_face, model(None, frames, lengths).log_probabilities["emotion"])
    with pytest.raises(UsageError, match='given = "video": this network reads none'):
        AudioVisualTask(network(video=None), given="video")
    with pytest.raises(UsageError, match=r'given "sound": unknown\.'):
        AudioVisualTask(model, given="sound")


def test_a_batch_without_pictures(network, batch, clips):
    task = AudioVisualTask(network()).eval()
    audio, _, lengths = clips()
    found = task.outputs(batch(images=torch.zeros(4, 0, 3, 1, 1)))["gender/log_probabilities"]
    assert torch.equal(found, task.model(audio, None, lengths).log_probabilities["gender"])


def test_a_batch_of_pictures_alone_is_refused(network):
    plain = Batch(images=torch.zeros(2, 3, 16, 16), labels={}, items=torch.arange(2))
    with pytest.raises(UsageError, match=r"a Batch; give an affekt\.multimodal\.AudioVisualBatch"):
        AudioVisualTask(network()).losses(plain)


# --- metrics ---

LOGS = np.log([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.5, 0.3, 0.2], [0.9, 0.05, 0.05]])
TARGET = np.array([0, 1, 1, 2, -1])


def test_metrics_by_hand():
    found = task_metrics({"e": LOGS, "g": LOGS[:, :2]}, {"e": TARGET, "g": np.full(5, -1)}, {"e": "abc", "g": "xy"})
    assert found["e/accuracy"] == 0.5
    assert found["e/balanced_accuracy"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found["e/nll"] == pytest.approx(-np.log([0.7, 0.3, 0.8, 0.2]).mean())
    assert found["e/n"] == 4 and found["g/n"] == 0
    cells = {k.removeprefix("e/confusion/"): v for k, v in found.items() if k.startswith("e/confusion/") and v}
    assert cells == {"a/a": 1, "b/a": 1, "b/b": 1, "c/a": 1}
    assert np.isnan(found["g/accuracy"])


def test_metrics_of_all_tasks():
    logs = {"e": LOGS, "g": LOGS[:, :2]}
    found = task_metrics(logs, {"e": TARGET, "g": np.array([0, 0, 1, 1, 0])}, {"e": "abc", "g": "xy"})
    assert found["accuracy"] == pytest.approx((0.5 + 0.8) / 2)
    assert found["balanced_accuracy"] == pytest.approx((0.5 + (1 + 1 / 2) / 2) / 2)
    assert found["nll"] == pytest.approx(found["e/nll"] + found["g/nll"])


def test_confusions_against_torchmetrics():
    reference = pytest.importorskip("torchmetrics.functional.classification")
    rng = np.random.default_rng(0)
    logs, target = rng.normal(size=(60, 5)), rng.integers(0, 5, 60)
    expected = reference.multiclass_confusion_matrix(torch.tensor(logs), torch.tensor(target), 5)
    assert np.array_equal(confusions(logs, target), expected.numpy())
    recall = reference.multiclass_recall(torch.tensor(logs), torch.tensor(target), 5, average="macro")
    found = task_metrics({"t": logs}, {"t": target}, {"t": "abcde"})
    assert found["t/balanced_accuracy"] == pytest.approx(float(recall))


def test_of_many_classes_there_are_no_confusions():
    logs = np.zeros((3, 13))
    assert not any("confusion" in name for name in task_metrics({"t": logs}, {"t": [0, 1, 2]}, {"t": range(13)}))


def test_metrics_of_labels_by_name(network):
    task = AudioVisualTask(network(classes={"gender": ["male", "female"]}))
    four = np.pad(LOGS, ((0, 0), (0, 1)), constant_values=-9)
    outputs = {"gender/log_probabilities": LOGS[:, :2], "emotion/log_probabilities": four}
    labels = Labels(extra={"gender": np.array([0, 0, 1, 1, 0]), "emotion": TARGET})
    found = task.metrics(outputs, labels)
    assert found["gender/confusion/female/male"] == 1 and found["emotion/confusion/2/0"] == 1
    assert task.monitor in found and task.higher_is_better
    with pytest.raises(DataError, match='no labels of the task "emotion"; these clips have gender'):
        task.metrics(outputs, Labels(extra={"gender": TARGET}))


# --- in the engine ---


def test_classes_count_alike_where_training_adds_their_shares(network):
    """On clips that say nothing, the best answer is the classes' shares - and with them added, that all are alike."""
    shares = {"gender": [0.9, 0.1]}
    task = AudioVisualTask(network(tasks={"gender": 2}, audio="log-mel", video=None), shares=shares)
    for parameter in task.model.heads.parameters():
        torch.nn.init.zeros_(parameter)
    batch = AudioVisualBatch(
        images=torch.empty(10, 0, 3, 1, 1), audio=torch.zeros(10, 32), items=torch.arange(10),
        labels={"gender": torch.tensor([0] * 9 + [1])},
    )  # fmt: skip
    task.train()
    expected = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    assert task.losses(batch)["gender"].item() == pytest.approx(expected, rel=1e-5)
    task.eval()
    assert task.losses(batch)["gender"].item() == pytest.approx(np.log(2), rel=1e-5)
    assert task.outputs(batch)["gender/log_probabilities"].exp().allclose(torch.tensor(0.5))
    assert "log_shares_gender" not in task.state_dict()


class Clips:
    """24 clips whose gender can be heard and whose emotion can be seen."""

    rows = np.arange(24)
    labels = Labels(extra={"gender": rows % 2, "emotion": rows // 2 % 4})

    def __len__(self):
        return len(self.rows)

    def batch(self, rows, step=-1):
        labels = {name: torch.from_numpy(column[rows]) for name, column in self.labels.extra.items()}
        pitch = torch.tensor([0.3, 1.5])[labels["gender"]]
        colour = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])[labels["emotion"]]
        frames = colour[:, None, :, None, None].expand(-1, 3, -1, 16, 16)
        return AudioVisualBatch(
            images=frames,
            audio=torch.sin(pitch[:, None] * torch.arange(3 * 32)),
            labels=labels,
            items=torch.from_numpy(rows),
            step=step,
        )


class Clipped:
    """What evaluation asks of a feed."""

    clips = Clips()

    def ids(self, split):
        return np.arange(len(self.clips))

    def labels(self, split):
        return self.clips.labels

    def evaluation(self, split, indices):
        return (replace(self.clips.batch(rows), split=split) for rows in indices)


def test_the_engine_trains_both_tasks_with_a_learned_weighting(network):
    data, processes = Clips(), join(CPU)[0]
    task = AudioVisualTask(network(audio="log-mel", recurrent="mean", dropout=0.0))
    weighting = create_weighting("softmax", tasks=task.loss_names)
    plan = Plan(items=len(data), batch_size=12, epochs=30, seed=0)
    settings = TrainingSettings(optimiser="adam", learning_rate=0.01, precision="fp32", device="cpu")
    engine = Engine(Objective(task, weighting), settings, plan, device=CPU, precision="fp32", processes=processes)
    for step in range(plan.steps):
        engine.step([data.batch(plan.batch(step), step)], step)
    assert next(weighting.parameters()).any()
    result = evaluate(
        task, "validation", Clipped(),
        batch_size=7, device=CPU, precision="fp32", processes=processes, seed=0,
    )  # fmt: skip
    assert result.metrics["gender/accuracy"] > 0.9 and result.metrics["emotion/accuracy"] > 0.7  # chance: .5, .25
    assert result.outputs["emotion/log_probabilities"].shape == (24, 4)
    assert result.losses.keys() == {"gender", "emotion"}
