"""Weighting in the trainer: rules of every kind, their memory, the weights of every step, collapse, cosines."""

import json
from importlib.util import find_spec

import pytest
import torch
from test_training_engine import engine, parts
from test_training_resume import Interrupted, Interrupting
from tiny import TinyTask, data, same, task, trainer, weights

from affekt.errors import DataError, TrainingError, UsageError
from affekt.training import read_weights
from affekt.training.weights import weights_record
from affekt.weighting import GradientWeighting, create_weighting, gradient_cosine

NAMES = ("class", "size")
RULES = {
    "softmax": {"floor": 0.1, "normalise": "running"},
    "uw": {},
    "uw-so": {"temperature": 20.0, "normalise": "first"},
    "dwa": {},
    "famo": {},
    "imtl-l": {},
    "random": {},
    "mgda": {},
    "gradvac": {},
    "graddrop": {},
    "excess-mtl": {},
    "pcd": {},
}
OURS = ("softmax", "uw", "uw-so")
needs_torchjd = pytest.mark.skipif(find_spec("torchjd") is None, reason="torchjd is not installed")


class Plain(GradientWeighting):
    """The sum of the gradients: what descent on the sum of the losses does."""

    name = "plain"

    def _aggregate(self, matrix):
        return matrix.sum(0), torch.ones_like(matrix[:, 0])


class Unsaid(Plain):
    """A rule that cannot say its weights."""

    name = "unsaid"
    has_weights = False

    def _aggregate(self, matrix):
        return matrix.sum(0), None


def lines(folder, kind="train"):
    found = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [line for line in found if line["kind"] == kind]


def run(folder, name, *, progress=None, of=None, **keys):
    found = of or task(dropout=0.3)
    weighting = create_weighting(name, found.loss_names, **RULES[name])
    result = trainer(folder, of=found, progress=progress, weighting=weighting, **keys).fit()
    return result, weights(found) | weights(weighting)


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in OURS else needs_torchjd) for n in RULES])
def test_interrupted_is_undisturbed(tmp_path, name):
    keys = {"checkpoint_every": 3, "accumulate": 2, "ema": 0.9}
    expected, expected_weights = run(tmp_path / "whole", name, **keys)
    for steps in (4, 5):
        with pytest.raises(Interrupted):
            run(tmp_path / "parts", name, progress=Interrupting(steps), **keys)
        torch.rand(3)  # nothing may hang on the global generator
    found, found_weights = run(tmp_path / "parts", name, **keys)
    assert found == expected
    assert same(found_weights, expected_weights)
    assert (tmp_path / "parts" / "log.jsonl").read_bytes() == (tmp_path / "whole" / "log.jsonl").read_bytes()
    for path in (tmp_path / "whole" / "checkpoints" / "step-15").iterdir():
        assert (tmp_path / "parts" / "checkpoints" / "step-15" / path.name).read_bytes() == path.read_bytes(), path.name


def test_rules_on_gradients_step_as_rules_on_losses_do():
    for keys in ({}, {"accumulate": 3}, {"clip": 0.1}, {"optimiser": "adamw"}, {"channels_last": False}):
        one, other = task("layer"), task("layer")
        trainer(of=one, weighting=Plain(NAMES), **keys).fit()
        trainer(of=other, weighting=create_weighting("sum", NAMES), **keys).fit()
        a, b = weights(one), weights(other)
        assert all(torch.allclose(a[k], b[k], atol=1e-6) for k in a), keys


def test_frozen_parts_and_a_head_of_one_task():
    class Two(TinyTask):
        """``size`` is of a layer before the head, which ``class`` alone reaches."""

        def losses(self, batch):
            found = super().losses(batch)
            return found | {"size": 0.01 * self.model[:4](batch.images).float().square().mean()}

    found, plain = Two(task("layer").model), Two(task("layer").model)
    for each in (found, plain):
        each.model[0].requires_grad_(False)
    before = weights(found)
    trainer(of=found, weighting=Plain(NAMES)).fit()
    trainer(of=plain, weighting=create_weighting("sum", NAMES)).fit()
    after = weights(found)
    assert torch.equal(before["model.0.weight"], after["model.0.weight"])
    assert not torch.equal(before["model.6.weight"], after["model.6.weight"])
    assert all(torch.allclose(after[k], v, atol=1e-6) for k, v in weights(plain).items())


@pytest.mark.parametrize("number", [2, 3])
def test_parts_add_up_to_the_whole_batch_for_rules_on_gradients(number):
    class Inverse(Plain):
        """Not linear in the gradients: each by its length."""

        def _aggregate(self, matrix):
            weights = 1 / matrix.norm(dim=1)
            return weights @ matrix, weights

    whole, split = engine(weighting=Inverse(NAMES)), engine(weighting=Inverse(NAMES))
    for step, (one, several) in enumerate(zip(parts(whole, 1), parts(split, number), strict=True)):
        expected, found = whole.step(one, step)[0], split.step(several, step)[0]
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    for a, b in zip(whole.learned, split.learned, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_weights_of_every_step_are_in_the_log(tmp_path):
    for every in (1, 4):
        weighting = create_weighting("softmax", NAMES)
        folder = tmp_path / str(every)
        trainer(folder, weighting=weighting, weighting_learning_rate=0.5, log_every=every).fit()
    each = [line["weights"] for line in lines(tmp_path / "1")]
    assert each[0] == {"class": 0.5, "size": 0.5}  # what the first step was made with
    assert all("weights_of_steps" not in line for line in lines(tmp_path / "1"))  # one step a line
    one, four = (read_weights(tmp_path / str(every)) for every in (1, 4))
    assert one.tasks == four.tasks == NAMES
    assert one.steps.tolist() == four.steps.tolist() == list(range(1, 16))
    assert four.weights == pytest.approx(one.weights, abs=1e-6)
    assert one.weights.sum(1) == pytest.approx(1)
    assert one.weights[-1, 1] > 0.6
    assert lines(tmp_path / "4")[-1]["weights"]["size"] == pytest.approx(one.weights[-1, 1])


def test_weights_that_stay_are_written_once_a_line(tmp_path):
    trainer(tmp_path, weighting=create_weighting("uniform", NAMES), log_every=5).fit()
    assert all("weights_of_steps" not in line for line in lines(tmp_path))
    found = read_weights(tmp_path)
    assert found.steps.tolist() == list(range(1, 16))
    assert found.weights.tolist() == [[0.5, 0.5]] * 15


def test_order_of_the_weightings_tasks_does_not_matter(tmp_path):
    for folder, names in (("one", NAMES), ("other", NAMES[::-1])):
        weighting = create_weighting("constant", names, weights={"class": 1.0, "size": 3.0})
        trainer(tmp_path / folder, weighting=weighting).fit()
    assert (tmp_path / "one" / "log.jsonl").read_text() == (tmp_path / "other" / "log.jsonl").read_text()
    assert lines(tmp_path / "one")[0]["weights"] == {"class": 1.0, "size": 3.0}
    for folder, names in (("a", NAMES), ("b", NAMES[::-1])):
        weighting = create_weighting("uw-so", names, normalise="running", temperature=3.0)
        trainer(tmp_path / folder, weighting=weighting).fit()
    assert read_weights(tmp_path / "a").weights == pytest.approx(read_weights(tmp_path / "b").weights, abs=1e-6)


def test_rules_that_cannot_say_their_weights(tmp_path):
    trainer(tmp_path, weighting=Unsaid(NAMES)).fit()
    assert all("weights" not in line for line in lines(tmp_path))
    assert read_weights(tmp_path) is None


def test_what_is_read_from_a_damaged_log_is_an_error(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_weights(tmp_path)
    (tmp_path / "log.jsonl").write_text('{"kind": "train", "step": 1, "weights": {"a":\n')
    with pytest.raises(DataError, match=r"log\.jsonl: damaged"):
        read_weights(tmp_path)


def test_record_of_weights():
    assert weights_record((), torch.zeros(2, 0)) == {}
    assert weights_record(["a"], torch.tensor([[1.0], [1.0]])) == {"weights": {"a": 1.0}}
    found = weights_record(["a", "b"], torch.tensor([[0.25, 0.75], [1 / 3, 0.5]]))
    assert found["weights_of_steps"] == {"a": [0.25, 0.333333], "b": [0.75, 0.5]}
    assert found["weights"] == {"a": pytest.approx(1 / 3), "b": 0.5}


def collapsing(folder, progress=None):
    weighting = create_weighting("softmax", NAMES)
    keys = {"epochs": 60, "checkpoint_every": 20, "evaluate_every": 30, "log_every": 7}
    return trainer(folder, weighting=weighting, weighting_learning_rate=1.0, progress=progress, **keys).fit()


def test_collapse_is_said_once_also_over_an_interruption(tmp_path, caplog):
    collapsing(tmp_path / "whole")
    (line,) = lines(tmp_path / "whole", "collapse")
    assert line["task"] == "class"
    low = read_weights(tmp_path / "whole").weights[:, 0] < 0.05
    first = int(low.argmax()) + 1  # it never rises again
    assert low[first - 1 :].all()
    assert line["step"] == first + 199
    assert line["share"] < 0.05
    (said,) = [r.message for r in caplog.records if "hardly learned" in r.message]
    assert said.startswith('weighting "softmax": class has had under 0.05 of the weight for 200 steps')
    with pytest.raises(Interrupted):
        collapsing(tmp_path / "parts", Interrupting(175))
    collapsing(tmp_path / "parts")
    assert (tmp_path / "parts" / "log.jsonl").read_bytes() == (tmp_path / "whole" / "log.jsonl").read_bytes()


@needs_torchjd
def test_the_second_look_of_famo_learns_nothing():
    class Counting(TinyTask):
        seen: tuple = ()

        def losses(self, batch):
            self.seen = (*self.seen, (batch.step, torch.is_grad_enabled()))
            return super().losses(batch)

    found = Counting(task("batch", dropout=0.5).model)
    trainer(of=found, epochs=1, weighting=create_weighting("famo", NAMES), data={"train": data()["train"]}).fit()
    assert found.seen == tuple((step, grad) for step in range(5) for grad in (True, False))
    assert found.model[1].num_batches_tracked == 5


@needs_torchjd
def test_dwa_is_told_of_epochs(tmp_path):
    trainer(tmp_path, epochs=4, weighting=create_weighting("dwa", NAMES), log_every=5).fit()
    found = read_weights(tmp_path).weights
    assert (found[:10] == 1).all()
    assert (found[10:] != 1).all()
    assert found.sum(1) == pytest.approx(2)
    assert found[10:15] == pytest.approx(found[10:11].repeat(5, 0))


def test_compiled_models_and_gradients_of_tasks_do_not_go_together():
    with pytest.raises(UsageError, match=r'compile = true: weighting "plain" asks .* set compile = false'):
        trainer(weighting=Plain(NAMES), compile=True)
    with pytest.raises(UsageError, match="compile = true: gradient_cosine = true asks"):
        trainer(gradient_cosine=True, compile=True)


def test_cosines_stand_at_validations_and_change_nothing(tmp_path):
    one, other = task("batch", dropout=0.3), task("batch", dropout=0.3)
    result = trainer(tmp_path / "one", of=one, gradient_cosine=True, evaluation_batch_size=7, select="last").fit()
    trainer(tmp_path / "other", of=other, select="last").fit()
    assert same(weights(one), weights(other))
    found = [line["gradient_cosine"]["class ~ size"] for line in lines(tmp_path / "one", "validation")]
    assert len(found) == 3
    assert all(-1 <= value <= 1 for value in found)
    assert [h["gradient_cosine"]["class ~ size"] for h in result.history] == found
    assert "gradient_cosine" not in lines(tmp_path / "other", "validation")[0]


def test_cosine_is_that_of_the_un_augmented_pictures(tmp_path):
    class Keeping(TinyTask):
        kept: tuple = ()

        def losses(self, batch):
            if batch.split == "train" and batch.step == -1:
                self.kept = (batch, self.training)
            return super().losses(batch)

    found = Keeping(task("batch", dropout=0.3).model)
    trainer(tmp_path, of=found, epochs=1, gradient_cosine=True).fit()
    batch, training = found.kept
    assert not training
    assert len(batch) == 40
    found.eval()
    expected = gradient_cosine(found.losses(batch), found.parameters())["class", "size"]
    assert lines(tmp_path, "validation")[0]["gradient_cosine"]["class ~ size"] == pytest.approx(expected, abs=1e-5)


def test_another_rule_or_setting_is_another_training(tmp_path):
    trainer(tmp_path, weighting=create_weighting("softmax", NAMES, floor=0.1)).fit()
    with pytest.raises(UsageError, match=r"keys that differ: weighting.floor \(weighting.floor is 0.1 there"):
        trainer(tmp_path, weighting=create_weighting("softmax", NAMES)).fit()
    with pytest.raises(UsageError, match=r"weighting\.name"):
        trainer(tmp_path, weighting=Plain(NAMES)).fit()


def test_a_weight_that_is_no_number_is_named():
    class Broken(Plain):
        def _aggregate(self, matrix):
            weights = torch.full_like(matrix[:, 0], float("nan"))
            return matrix.sum(0), weights

    with pytest.raises(TrainingError, match=r"step 1 \(epoch 1\): weight of class is nan"):
        trainer(weighting=Broken(NAMES)).fit()


def test_a_module_of_ones_own_still_does():
    class Mine(torch.nn.Module):
        def forward(self, losses):
            return losses["class"] + 2 * losses["size"]

    one, other = task("layer"), task("layer")
    trainer(of=one, weighting=Mine()).fit()
    trainer(of=other, weighting=create_weighting("constant", NAMES, weights=[1, 2])).fit()
    a, b = weights(one), weights(other)
    assert all(torch.allclose(a[k], b[k], atol=1e-6) for k in a)
