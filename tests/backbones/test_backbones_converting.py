"""Foreign weights files: converted whole, refused when they would run something."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from affekt.backbones import convert, create_backbone
from affekt.errors import CheckpointError, UsageError


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("reader", ["convert", "initial"])
def test_a_hostile_pickle_is_refused_and_nothing_of_it_runs(tmp_path: Path, zipped: bool, reader: str) -> None:
    mark, path = tmp_path / "ran", tmp_path / "hostile.pth"
    hostile = {"conv1.weight": torch.zeros(1), "extra": Hostile(mark)}
    torch.save(hostile, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError) as caught:
        if reader == "convert":
            convert(path, tmp_path / "out.safetensors")
        else:
            create_backbone("resnet8", in_size=32, initial=path)
    message = str(caught.value)
    assert "refused" in message and "nothing of it was run" in message and "system" in message and "\n" not in message
    assert not mark.exists() and not (tmp_path / "out.safetensors").exists()


def test_a_bare_hostile_pickle(tmp_path: Path) -> None:
    mark, path = tmp_path / "ran", tmp_path / "hostile.pt"
    path.write_bytes(pickle.dumps(Hostile(mark)))
    with pytest.raises(CheckpointError):
        convert(path, tmp_path / "out.safetensors")
    assert not mark.exists()


def test_nested_checkpoint_of_a_parallel_model(tmp_path: Path) -> None:
    weight = torch.randn(3, 4)
    state = {"module.a.weight": weight, "module.a.bias": torch.zeros(3)}
    torch.save({"state_dict": state, "epoch": 7, "optimizer": {"lr": 0.1}}, tmp_path / "c.pth")
    report = convert(tmp_path / "c.pth", tmp_path / "c.safetensors")
    found = load_file(tmp_path / "c.safetensors")
    assert set(found) == {"a.weight", "a.bias"} and torch.equal(found["a.weight"], weight)
    assert report.dropped == ("epoch (int)", "optimizer (dict)")
    assert report.tensors == 2 and report.values == 15
    assert "2 tensors, 15 values; left out: epoch (int), optimizer (dict)" in str(report)


def test_shared_and_strided_tensors(tmp_path: Path) -> None:
    base = torch.arange(12.0).reshape(3, 4)
    torch.save({"a": base, "b": base, "t": base.T, "view": base[:, 1:3]}, tmp_path / "s.pt")
    convert(tmp_path / "s.pt", tmp_path / "s.safetensors")
    found = load_file(tmp_path / "s.safetensors")
    assert torch.equal(found["a"], base) and torch.equal(found["b"], base)
    assert torch.equal(found["t"], base.T) and torch.equal(found["view"], base[:, 1:3])


def test_parameters_and_kinds_survive(tmp_path: Path) -> None:
    state = {"p": torch.nn.Parameter(torch.ones(2)), "h": torch.ones(2, dtype=torch.bfloat16), "n": torch.tensor(3)}
    torch.save(state, tmp_path / "k.pt")
    convert(tmp_path / "k.pt", tmp_path / "k.safetensors")
    found = load_file(tmp_path / "k.safetensors")
    assert found["h"].dtype == torch.bfloat16 and found["n"].dtype == torch.int64 and not found["p"].requires_grad


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "a.pt")
    (tmp_path / "a.safetensors").write_text("mine")
    with pytest.raises(UsageError, match="exists already and is not overwritten"):
        convert(tmp_path / "a.pt", tmp_path / "a.safetensors")
    assert (tmp_path / "a.safetensors").read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not a weights file", "no weights file that torch can read"),
        (b"", "no weights file that torch can read"),
        ([1, 2], "holds list, no state dict"),
        ({"epoch": 3}, "no tensors in it, only epoch (int)"),
    ],
)
def test_what_is_no_state_dict(tmp_path: Path, content: object, said: str) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(CheckpointError) as caught:
        convert(path, tmp_path / "x.safetensors")
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.pth"]


def test_truncated_file(tmp_path: Path) -> None:
    torch.save({"a": torch.randn(1000)}, tmp_path / "t.pth")
    data = (tmp_path / "t.pth").read_bytes()
    (tmp_path / "t.pth").write_bytes(data[: len(data) // 2])
    with pytest.raises(CheckpointError, match="no weights file that torch can read"):
        convert(tmp_path / "t.pth", tmp_path / "t.safetensors")


def test_no_such_source(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        convert(tmp_path / "none.pth", tmp_path / "none.safetensors")


def test_damaged_safetensors(tmp_path: Path) -> None:
    (tmp_path / "d.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(CheckpointError, match="no readable safetensors file"):
        create_backbone("resnet8", in_size=32, initial=tmp_path / "d.safetensors")
