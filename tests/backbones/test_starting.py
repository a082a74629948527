"""Starting: small networks are made without what torch loads to work with shapes alone."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from affekt.backbones import base
from affekt.backbones.base import meta_forward, shape_forward

QUICK = """
import sys
import affekt
affekt.create_backbone("resnet20", in_size=32)
print("torch._dynamo" in sys.modules, "timm" in sys.modules)
"""


def test_small_networks_are_made_without_torch_s_compiler():
    done = subprocess.run([sys.executable, "-c", QUICK], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.split() == ["False", "False"]


class Odd(nn.Module):
    """Dropout, statistics and two outputs."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout())
        self.body[1].eval()

    def forward(self, images):
        return self.body(images).mean((2, 3))


@pytest.mark.parametrize("cheap", [0, 10**12])
def test_worked_out_or_run_it_gives_the_shapes_and_changes_nothing(monkeypatch, cheap):
    monkeypatch.setattr(base, "CHEAP", cheap)
    monkeypatch.delitem(sys.modules, "torch._dynamo", raising=False)
    module = Odd()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    modes = [part.training for part in module.modules()]
    found = shape_forward(module, nn.Module.__call__, (2, 3, 16, 16))
    assert found.shape == meta_forward(module, nn.Module.__call__, (2, 3, 16, 16)).shape == (2, 4)
    assert found.is_meta == (cheap == 0)
    assert not found.requires_grad
    assert [part.training for part in module.modules()] == modes
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
