"""Window: means, the first fault, and a way through JSON."""

import json

import torch

from affekt.training.window import Window


def window(length=3, *, with_norm=False):
    return Window(("a", "b"), length, torch.device("cpu"), with_norm=with_norm)


def test_rows_are_read_as_they_were_added():
    found = window(with_norm=True)
    found.add(torch.tensor([1.0, 2.0, 3.0]), torch.tensor(0.5))
    assert found.columns == ("a", "b", "loss", "gradient_norm")
    assert found.read().tolist() == [[1.0, 2.0, 3.0, 0.5]]
    assert not found.full
    found.clear()
    assert found.read().shape == (0, 4)


def test_the_first_fault_has_its_row_and_name():
    found = window()
    found.add(torch.tensor([1.0, 2.0, 3.0]))
    assert found.fault(found.read()) is None
    found.add(torch.tensor([1.0, float("inf"), float("inf")]))
    found.add(torch.tensor([float("nan")] * 3))
    fault = found.fault(found.read())
    assert fault is not None
    assert (fault.row, fault.name, fault.value) == (1, "b", float("inf"))


def test_rows_survive_json_to_the_bit():
    found, back = window(), window()
    found.add(torch.rand(3) / 3)
    back.load(json.loads(json.dumps(found.read().tolist())))
    assert torch.equal(found.read(), back.read())
    back.load(found.read().tolist(), empty=True)
    assert back.read().tolist() == [[0.0] * 3]
