"""``affekt convert``: safetensors out of a foreign file, and nothing in that file is run."""

import json
import pickle

import pytest
import torch
from safetensors.torch import load_file


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "net.pth"
    torch.save({"fc.weight": torch.ones(2, 3), "fc.bias": torch.zeros(2)}, path)
    return path


def test_writes_beside_the_source(call, weights):
    answer = call("convert", weights, "--json")
    assert json.loads(answer.out)["tensors"] == 2
    assert load_file(weights.with_suffix(".safetensors"))["fc.weight"].tolist() == [[1.0] * 3] * 2


def test_says_what_was_written(call, weights, tmp_path):
    assert "2 tensors, 8 values" in call("convert", weights, tmp_path / "out.safetensors").out


def test_an_existing_file_is_kept(call, weights):
    target = weights.with_suffix(".safetensors")
    target.write_text("mine")
    answer = call("convert", weights)
    assert (answer.code, target.read_text()) == (2, "mine")
    assert "not overwritten" in answer.error


def test_another_ending_is_refused(call, weights, tmp_path):
    assert "name it" in call("convert", weights, tmp_path / "out.pth").error


class Hostile:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.mark.parametrize("save", [torch.save, lambda o, p: p.write_bytes(pickle.dumps(o))])
def test_a_hostile_pickle_is_refused_and_nothing_of_it_runs(call, tmp_path, save):
    source, proof = tmp_path / "evil.pth", tmp_path / "ran"
    save({"a": Hostile(proof)}, source)
    answer = call("convert", source)
    assert answer.code in (1, 2)
    assert str(source) in answer.error
    assert not proof.exists()
    assert not source.with_suffix(".safetensors").exists()


def test_a_missing_file_is_named(call, tmp_path):
    answer = call("convert", tmp_path / "none.pth")
    assert answer.code == 2
    assert "none.pth" in answer.error
