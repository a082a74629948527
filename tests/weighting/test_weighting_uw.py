"""UW: its rest point, and torchjd's as an independent implementation."""

import pytest
import torch
from rules import named

from affekt.weighting import create_weighting


def test_at_rest_the_weight_is_half_the_inverse_of_the_loss():
    weighting = create_weighting("uw", ["task0", "task1"]).double()
    losses = [2.0, 0.1]
    with torch.no_grad():
        weighting.s.copy_(torch.tensor(losses).log())
    weighting(named(losses)).backward()
    assert weighting.s.grad.tolist() == pytest.approx([0, 0], abs=1e-7)
    assert [w.item() for w in weighting.weights(named(losses)).values()] == pytest.approx([0.25, 5.0])
    # ½ sum (L / L + log L)
    assert weighting(named(losses)).item() == pytest.approx(0.5 * (2 + torch.tensor(losses).log().sum().item()))


def test_is_torchjds():
    scalarization = pytest.importorskip("torchjd.scalarization")
    ours, theirs = create_weighting("uw", ["task0", "task1", "task2"]), scalarization.UW(3)
    s = torch.tensor([0.3, -1.2, 2.0])
    ours.s.data, theirs.log_var.data = s.clone(), s.clone()
    values = torch.tensor([1.0, 0.2, 3.0])
    a, b = ours(named(values, torch.float32)), theirs(values)
    a.backward()
    b.backward()
    torch.testing.assert_close(a, b)
    torch.testing.assert_close(ours.s.grad, theirs.log_var.grad)
