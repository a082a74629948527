"""Compiling: the words of the setting, the cache of compiled code, and, on a GPU, graphs that train as eager does."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from test_training_resume import Interrupted, Interrupting
from tiny import settings, stimuli, task, trainer, weights
from torch import nn
from torch._dynamo.utils import counters

from affekt import AffectNetwork, EmotionalRegulation
from affekt.errors import RecipeError, UsageError
from affekt.recipe import Recipe, change
from affekt.regulation import RegulationTask
from affekt.training import Trainer
from affekt.training.compiling import CACHE, compile_model, keep_compiled, own_gradients
from affekt.weighting import create_weighting

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
CPU = torch.device("cpu")


@pytest.mark.parametrize("word", [True, False, "graphs", "blocks"])
def test_words_of_the_setting(word):
    assert change(Recipe(), {"training.compile": word}).training.compile is word


@pytest.mark.parametrize("word", ["graph", "true", 1, 0])
def test_other_words_are_refused(word):
    with pytest.raises(
        RecipeError, match=r"\[training\] compile = .*: no such choice.* Choices: false, true, graphs, blocks"
    ):
        change(Recipe(), {"training.compile": word})


def test_what_cannot_be_compiled_names_the_word():
    with pytest.raises(UsageError, match='compile = "graphs": gradient_cosine = true asks'):
        trainer(gradient_cosine=True, compile="graphs")


def test_without_a_gpu_there_are_no_graphs_and_it_is_said(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv(CACHE, str(tmp_path))
    model = nn.Linear(2, 2)
    assert not compile_model(model, "graphs", CPU)
    assert model._compiled_call_impl is not None
    assert "cpu has no CUDA graphs; compiled without" in caplog.text


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer = nn.Linear(width, width)

    def forward(self, x):
        return self.layer(x)


def compiled_parts(tmp_path, monkeypatch, model, how):
    monkeypatch.setenv(CACHE, str(tmp_path))
    compile_model(model, how, CPU)
    return [name for name, module in model.named_modules() if module._compiled_call_impl is not None]


def test_repeated_blocks_are_compiled_by_themselves(tmp_path, monkeypatch):
    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(*(Block(4) for _ in range(4))), Block(8), nn.Linear(8, 2))
    assert compiled_parts(tmp_path, monkeypatch, model, "blocks") == ["1.0", "1.1", "1.2", "1.3"]


def test_without_enough_that_are_alike_it_is_the_whole(tmp_path, monkeypatch):
    model = nn.Sequential(*(Block(4) for _ in range(3)), Block(8))
    assert compiled_parts(tmp_path, monkeypatch, model, "blocks") == [""]


def test_branches_have_their_backbones_compiled(tmp_path, monkeypatch):
    found = compiled_parts(tmp_path, monkeypatch, regulated().model, "blocks")
    assert found == ["emotional.backbone", "non_emotional.backbone", "influence.encoder.backbone"]


@pytest.mark.parametrize("how", [True, "graphs"])
def test_else_it_is_the_whole(tmp_path, monkeypatch, how):
    assert compiled_parts(tmp_path, monkeypatch, nn.Sequential(*(Block(4) for _ in range(4))), how) == [""]


def test_every_shape_has_a_graph_of_its_own(tmp_path, monkeypatch):
    """More of them than torch compiles by itself, and none made for shapes that are yet to come."""
    monkeypatch.setenv(CACHE, str(tmp_path))
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    torch._dynamo.reset()
    counters.clear()
    model = nn.Linear(2, 2)
    with torch._dynamo.config.patch(recompile_limit=8):
        compile_model(model, True, CPU)
        for size in range(1, 13):
            model(torch.zeros(size, 2))
    assert counters["stats"]["unique_graphs"] == 12


def test_gradients_get_memory_of_their_own():
    one, other = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    (2 * one).sum().backward()
    shared = one.grad
    own_gradients([one, other])
    assert other.grad is None
    shared.zero_()
    assert one.grad.tolist() == [2.0, 2.0, 2.0]


@pytest.fixture
def unset(monkeypatch):
    monkeypatch.setenv(CACHE, "kept, to be put back")
    monkeypatch.delenv(CACHE)


@pytest.mark.usefixtures("unset")
class TestCache:
    def test_lies_in_a_folder_of_this_torch_and_this_processor(self, tmp_path, caplog):
        found = keep_compiled(tmp_path / "compiled", CPU)
        assert found.is_dir()
        assert found.name.startswith(f"torch-{torch.__version__}-")
        assert os.environ[CACHE] == str(found)
        assert not caplog.text

    def test_of_another_torch_or_processor_is_not_used_and_it_is_said_once(self, tmp_path, monkeypatch, caplog):
        first = keep_compiled(tmp_path, CPU)
        monkeypatch.delenv(CACHE)
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "SIMPLE")
        second = keep_compiled(tmp_path, CPU)
        assert second != first
        assert f"is not used: {first.name}" in caplog.text
        caplog.clear()
        monkeypatch.delenv(CACHE)
        monkeypatch.setattr(torch, "__version__", "9.9.9")
        third = keep_compiled(tmp_path, CPU)
        assert third not in (first, second)
        assert all(f.name in caplog.text for f in (first, second))
        caplog.clear()
        monkeypatch.delenv(CACHE)
        assert keep_compiled(tmp_path, CPU) == third
        assert not caplog.text

    def test_what_the_environment_says_is_followed(self, tmp_path, monkeypatch):
        monkeypatch.setenv(CACHE, str(tmp_path / "mine"))
        assert keep_compiled(tmp_path / "compiled", CPU) is None
        assert os.environ[CACHE] == str(tmp_path / "mine")
        assert not (tmp_path / "compiled").exists()

    def test_a_place_that_torch_chose_for_want_of_one_is_none(self, tmp_path, monkeypatch):
        from torch._inductor.runtime.cache_dir_utils import cache_dir

        monkeypatch.delenv(CACHE, raising=False)
        cache_dir()
        assert CACHE in os.environ
        found = keep_compiled(tmp_path / "compiled", CPU)
        assert os.environ[CACHE] == str(found)

    def test_a_place_that_cannot_be_written_is_done_without(self, tmp_path):
        (tmp_path / "file").write_text("")
        assert keep_compiled(tmp_path / "file", CPU) is None
        assert CACHE not in os.environ


REUSED = """
import sys, torch
sys.path.insert(0, sys.argv[1])
from tiny import task, trainer, weights
from torch._dynamo.utils import counters
torch.set_num_threads(1)
found = task("layer")
trainer(of=found, epochs=1, compile=True, threads=1).fit()
print(counters["inductor"]["fxgraph_cache_hit"] + counters["aot_autograd"]["autograd_cache_hit"],
      torch.cat([w.flatten() for w in weights(found).values()]).double().sum().item())
"""


def compiled_run(cache):
    environment = {k: v for k, v in os.environ.items() if k != CACHE} | {"XDG_CACHE_HOME": str(cache)}
    words = [sys.executable, "-c", REUSED, str(Path(__file__).parent)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    hits, total = done.stdout.split()
    return int(hits), float(total)


@pytest.mark.slow
def test_compiled_code_is_used_by_the_next_run_also_where_part_of_it_is_damaged(tmp_path):
    hits, total = compiled_run(tmp_path)
    assert hits == 0
    assert compiled_run(tmp_path) == (pytest.approx(4, abs=3), total)
    graphs = [f for f in (tmp_path / "affekt" / "compiled").glob("torch-*/fxgraph/**/*") if f.is_file()]
    assert graphs
    for file in graphs:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert compiled_run(tmp_path)[1] == total
    plain = task("layer")
    trainer(of=plain, epochs=1, threads=1).fit()
    assert sum(float(w.double().sum()) for w in weights(plain).values()) == pytest.approx(total, abs=1e-4)


def regulated(seed=0, dropout=0.0):
    torch.manual_seed(seed)
    emotional = AffectNetwork("resnet8", heads={"ratings": ["valence", "arousal"]}, image_size=32)
    model = EmotionalRegulation("resnet8", 3, 32, emotional, influence="added", regulator="learned", dropout=dropout)
    return RegulationTask(model)


def graphs_and_eager(make, **keys):
    """A training of 20 steps each; seconds a step are left in timing.jsonl."""
    found = []
    for how in (False, "graphs"):
        torch._dynamo.reset()
        made = make()
        splits = {"train": stimuli(320, size=32), "validation": stimuli(50, size=32, name="other")}
        own = {"epochs": 1, "batch_size": 16, "device": "cuda", "compile": how, "evaluation_batch_size": 20} | keys
        rule = create_weighting("softmax", tasks=made.loss_names)
        run = Trainer(made, splits, settings(**own), weighting=rule)
        run.fit()
        found.append((weights(made), run.evaluate("validation")))
    return found


@GPU
@pytest.mark.parametrize("keys", [{}, {"accumulate": 2}, {"ema": 0.9, "clip": 1.0}, {"epochs": 3}], ids=str)
def test_graphs_train_as_eager_does(keys):
    (eager, seen), (graphs, seen_too) = graphs_and_eager(regulated, **keys)
    for name, tensor in eager.items():
        assert torch.allclose(tensor.float(), graphs[name].float(), atol=2e-3, rtol=2e-2), name
    assert seen.losses == pytest.approx(seen_too.losses, abs=5e-3)
    assert seen.rows.tolist() == seen_too.rows.tolist()


@GPU
def test_graphs_go_on_from_a_checkpoint(tmp_path):
    splits = {"train": stimuli(320, size=32), "validation": stimuli(50, size=32, name="other")}
    own = {"batch_size": 16, "device": "cuda", "compile": "graphs", "epochs": 4}
    whole, cut = regulated(), regulated()
    Trainer(whole, splits, settings(**own), folder=tmp_path / "a").fit()
    with pytest.raises(Interrupted):
        Trainer(cut, splits, settings(**own), folder=tmp_path / "b", progress=Interrupting(49)).fit()
    resumed = regulated(seed=1)
    Trainer(resumed, splits, settings(**own), folder=tmp_path / "b").fit()
    a, b = weights(whole), weights(resumed)
    assert all(torch.allclose(a[k].float(), b[k].float(), atol=2e-3, rtol=2e-2) for k in a)


@GPU
def test_memory_of_a_gpu_that_is_full(tmp_path):
    """A batch that does not fit is halved, and what fits is found."""
    from affekt.errors import TrainingError

    model = nn.Sequential(nn.Conv2d(3, 512, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 3))
    own = {"batch_size": 512, "device": "cuda", "epochs": 1, "select": "last"}
    torch.cuda.empty_cache()
    whole = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(2**30 / whole)
    try:
        for allowed in (True, False):
            found = task()
            found.model = model
            run = Trainer(found, {"train": stimuli(512, size=32)}, settings(**own, halve_when_full=allowed))
            if allowed:
                assert run.fit().halvings[0] == {"step": 1, "parts": 2}
            else:
                with pytest.raises(TrainingError, match=r"full with 512 items at once; [0-9]+ items at once fit"):
                    run.fit()
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


@GPU
def test_graphs_are_faster(tmp_path):
    """Small networks wait for their kernels to be launched."""
    times = {}
    for how in (False, "graphs"):
        torch._dynamo.reset()
        own = {"batch_size": 64, "device": "cuda", "compile": how, "epochs": 12, "select": "last", "log_every": 10}
        Trainer(regulated(), {"train": stimuli(1280, size=32)}, settings(**own), folder=tmp_path / str(how)).fit()
        import json

        lines = [json.loads(x) for x in (tmp_path / str(how) / "timing.jsonl").read_text().splitlines()]
        seconds = [line["seconds"] for line in lines if line["kind"] == "train"]
        times[how] = seconds[-1] - seconds[len(seconds) // 2]
    assert times["graphs"] < 0.8 * times[False], times
