"""Below 64 pixels a network made for 224 would be left with one point: what each family does instead.

The last map of every convolutional family is brought to about an eighth of the picture (4 x 4 at 32 px), as in the
CIFAR networks of He et al. (2016):

- ResNets, DenseNets: a 3 x 3 stem of stride 1 without max-pool. Its weights are new, whatever the others start from
  (the kernel of published weights is 7 x 7).
- VGG, AlexNet (at 64 px, too): the last pools go, AlexNet's first convolution has stride 1; the last map is averaged to
  one point, and the linear layers have 512 outputs instead of 4,096 and are new: what they read is not what it was.
- any other convolutional network (MobileNet, EfficientNet, ConvNeXt, RegNet, torchvision's Swin ...): the first
  reductions are taken out - strided convolutions get stride 1, pools go - until the total stride is 8. All kernels keep
  their shape and weights.
- vision transformers: a smaller patch, an eighth of the picture (4 at 32 px); kernels of published weights are resized.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from affekt.backbones.stages import run_watched

SMALL = 64
"""Pictures of fewer pixels than this a side get the changes above."""

TOTAL_STRIDE = 8

_Reduction = tuple[nn.Module, int, int]
_POOLS = (nn.MaxPool2d, nn.AvgPool2d)


def new_conv(conv: nn.Conv2d, **changes: Any) -> nn.Conv2d:
    """A convolution like ``conv`` but for ``changes``, with fresh weights (He et al. 2015, fan out)."""
    arguments: dict[str, Any] = {
        name: getattr(conv, name)
        for name in ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")
    }
    made = nn.Conv2d(**(arguments | {"bias": conv.bias is not None} | changes))
    nn.init.kaiming_normal_(made.weight, mode="fan_out", nonlinearity="relu")
    if made.bias is not None:
        nn.init.zeros_(made.bias)
    return made


def replace(network: nn.Module, name: str, module: nn.Module) -> None:
    """Put ``module`` at the dotted ``name``."""
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module)


class EvenConv(nn.Conv2d):
    """A convolution with an even kernel and stride 1 whose output has the size of its input."""

    def forward(self, input: Tensor) -> Tensor:
        """``(B, C, H, W)`` -> ``(B, C', H, W)``."""
        height, width = (d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True))
        padded = F.pad(input, (width // 2, width - width // 2, height // 2, height - height // 2))
        return F.conv2d(padded, self.weight, self.bias, 1, 0, self.dilation, self.groups)


def fewer_reductions(network: nn.Module, run: Callable[[], object], total: int) -> tuple[str, ...]:
    """Take out the first reductions of a convolutional network until its stride is 8; returns what was changed.

    ``run`` sends pictures of the network's ordinary size through it; ``total`` is its stride from there to the last
    map, which other things than convolutions and pools may reduce, too. Branches that reduce side by side (a block
    and its shortcut) read maps of the same size, by which they are recognised and changed together.
    """
    names = {module: name for name, module in network.named_modules()}
    levels: dict[int, list[_Reduction]] = {}
    for reduction in _reductions(network, run):
        levels.setdefault(reduction[1], []).append(reduction)
    changed: list[str] = []
    for size in sorted(levels, reverse=True):
        if total <= TOTAL_STRIDE:
            break
        total //= _factor(levels[size])
        for module, _, _ in levels[size]:
            _keep_size(network, names[module], module)
            changed.append(names[module])
    return tuple(changed)


def _factor(level: list[_Reduction]) -> int:
    return max(1, round(level[0][1] / level[0][2]))


def _keep_size(network: nn.Module, name: str, module: nn.Module) -> None:
    """Stride 1 with the same kernel for a convolution; a pool goes."""
    if not isinstance(module, nn.Conv2d):
        replace(network, name, nn.Identity())
        return
    module.stride = (1, 1)
    if type(module) is nn.Conv2d and not all(k % 2 for k in module.kernel_size):
        module.__class__ = EvenConv
    elif module.padding == (0, 0):
        module.padding = "same"


def _reductions(network: nn.Module, run: Callable[[], object]) -> list[_Reduction]:
    """Every strided convolution and pool with the height of its input and output, in the order in which they run."""
    found: list[_Reduction] = []

    def note(module: nn.Module, inputs: Any, output: Any) -> None:
        before, after = int(inputs[0].shape[2]), int(output.shape[2])
        if after > 1 and _stride(module) > 1:
            found.append((module, before, after))

    run_watched(run, [(m, note) for m in network.modules() if isinstance(m, (nn.Conv2d, *_POOLS))])
    return found


def _stride(module: nn.Module) -> int:
    stride: Any = module.stride
    return int(stride[0] if isinstance(stride, tuple) else stride)


def patch_size(in_size: int, wanted: float) -> int:
    """The largest patch of at most ``wanted`` pixels that tiles a picture of ``in_size``."""
    return max(p for p in range(1, max(1, int(wanted)) + 1) if in_size % p == 0)
