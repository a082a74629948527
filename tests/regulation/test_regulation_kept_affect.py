"""Kept affect: shared by content, whole or absent, and never another encoder's."""

import os
import threading

import pytest
import torch

from affekt.errors import UsageError
from affekt.regulation import AffectCache
from affekt.training.task import Batch


class Counting(torch.nn.Module):
    """An encoder that counts the pictures it has looked at."""

    def __init__(self, network):
        super().__init__()
        self.network, self.seen = network, 0
        self.mean, self.std, self.image_size = network.mean, network.std, network.image_size
        self.num_features, self.state_names = network.num_features, network.state_names

    def forward(self, images):
        self.seen += len(images)
        return self.network(images)


def batch(pictures, items):
    return Batch(images=pictures()[items], labels={}, items=torch.tensor(items))


def filled(network, stimuli, folder, **options):
    cache = AffectCache(Counting(network.eval()), 16, folder=folder, **options)
    cache.fill("train", stimuli)
    return cache


def test_a_second_run_reads_what_the_first_computed(affect_network, stimuli, pictures, tmp_path):
    network = affect_network()
    first = filled(network, stimuli, tmp_path / "shared", features=True)
    second = filled(network, stimuli, tmp_path / "shared", features=True)
    plain = filled(network, stimuli, None, features=True)
    assert (first.emotional.seen, second.emotional.seen) == (len(stimuli), 0)
    given = batch(pictures, [5, 0, 7])
    for cache in (first, second):
        assert torch.equal(cache.state(given), plain.state(given))
        assert torch.equal(cache.features(given), plain.features(given))


def test_another_split_size_encoder_or_precision_is_computed(affect_network, stimuli, tmp_path):
    network = affect_network()
    filled(network, stimuli, tmp_path)
    assert filled(network, stimuli.take(torch.arange(4).numpy()), tmp_path).emotional.seen == 4
    assert filled(network, stimuli, tmp_path, features=True).emotional.seen == len(stimuli)
    with torch.autocast("cpu", torch.bfloat16):
        assert filled(network, stimuli, tmp_path).emotional.seen == len(stimuli)
    with torch.no_grad():
        next(network.parameters()).add_(1e-3)
    assert filled(network, stimuli, tmp_path).emotional.seen == len(stimuli)


@pytest.mark.parametrize(
    ("what", "other"),
    [
        ("affekt.training.compiling.torch.__version__", "9.9.0+cpu"),
        ("affekt.training.compiling.processor", lambda: "Another processor"),
        ("torch.backends.cpu.get_cpu_capability", lambda: "OTHER"),
    ],
)
def test_another_torch_or_processor_computes_its_own_and_keeps_the_others(
    affect_network, stimuli, tmp_path, monkeypatch, what, other
):
    network = affect_network()
    filled(network, stimuli, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(what, other)
        assert filled(network, stimuli, tmp_path).emotional.seen == len(stimuli)
        assert filled(network, stimuli, tmp_path).emotional.seen == 0
    assert filled(network, stimuli, tmp_path).emotional.seen == 0


@pytest.mark.parametrize("damage", [lambda p: p.write_bytes(p.read_bytes()[:-7]), lambda p: p.write_bytes(b"")])
def test_a_damaged_file_is_computed_anew(affect_network, stimuli, pictures, tmp_path, damage):
    network = affect_network()
    first = filled(network, stimuli, tmp_path)
    (path,) = tmp_path.iterdir()
    damage(path)
    again = filled(network, stimuli, tmp_path)
    assert again.emotional.seen == len(stimuli)
    assert torch.equal(again.state(batch(pictures, [3])), first.state(batch(pictures, [3])))
    assert filled(network, stimuli, tmp_path).emotional.seen == 0


def test_an_interruption_leaves_no_half_file(affect_network, stimuli, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        filled(affect_network(), stimuli, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_several_at_once(affect_network, stimuli, pictures, tmp_path):
    network = affect_network()
    made = []
    threads = [threading.Thread(target=lambda: made.append(filled(network, stimuli, tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = [cache.state(batch(pictures, [1, 2])) for cache in made]
    assert len(states) == 4 and all(torch.equal(state, states[0]) for state in states)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(affect_network, stimuli, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="the affect cache cannot be written"):
        filled(affect_network(), stimuli, tmp_path / "shared")


def test_a_folder_that_is_a_file(affect_network, stimuli, tmp_path):
    (tmp_path / "shared").write_text("")
    with pytest.raises(UsageError, match="the affect cache cannot be written"):
        filled(affect_network(), stimuli, tmp_path / "shared")
