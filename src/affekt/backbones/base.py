"""Backbone: images -> features, the same face for every network, whoever wrote it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from affekt.backbones.attention.looking import MEMBER, attended, attention_maps
from affekt.backbones.stages import Stage, StageNames
from affekt.errors import UsageError

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class Built:
    """A network as a zoo hands it over: without its classifier, ready for its picture size, with random weights.

    Attributes:
        trunk: ``(B, C, S, S)`` -> ``(B, D)``.
        feature_map: ``(trunk, images)`` -> the last spatial map ``(B, C, H, W)``, or None where there is none.
        head: name of the removed classifier in the ordinary state dict, e.g. ``"fc"``.
        stages: the names of the parameters, stage by stage, from input to output.
        mean, std: the normalisation that the network's published weights expect.
        fixed_size: whether only pictures of exactly ``in_size`` can be read.
        fresh: tensors that published weights cannot fill, because a small picture needs another shape there.
        notes: what was changed for small pictures, one line each.
        grid: rows and columns of patches of a vision transformer.
    """

    trunk: nn.Module
    feature_map: Callable[[nn.Module, Tensor], Tensor | None]
    head: str
    stages: StageNames
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    fixed_size: bool = False
    fresh: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    grid: tuple[int, int] | None = None


class Backbone(nn.Module):
    """A network without classifier. Pictures come normalised with ``mean`` and ``std``; made by ``create_backbone``.

    Attributes:
        name: as it can be given to ``create_backbone`` again (with the zoo in front where that was forced).
        in_size, in_channels: the pictures it was made for; convolutional ones read other sizes, too.
        num_features: D, the length of a feature vector.
        mean, std: one number a channel; the normalisation that the initial weights expect.
        notes: what was changed for small pictures and what initial weights did not fill, one line each.
    """

    def __init__(
        self, built: Built, *, name: str, in_size: int, in_channels: int, num_features: int, has_map: bool
    ) -> None:
        super().__init__()
        self.trunk = built.trunk
        self.name = name
        self.in_size = in_size
        self.in_channels = in_channels
        self.num_features = num_features
        self.mean: tuple[float, ...] = (0.5,) * in_channels
        self.std: tuple[float, ...] = (0.25,) * in_channels
        self.notes = built.notes
        self._fixed_size = built.fixed_size
        self._feature_map = built.feature_map if has_map else None
        self._stages = built.stages

    def forward(self, images: Tensor) -> Tensor:
        """``(B, D)`` features of ``(B, C, S, S)`` normalised images.

        Raises:
            UsageError: another number of channels, another size than a fixed one, or whole numbers instead of floats.
        """
        self._check(images)
        features: Tensor = self.trunk(images)
        return features

    def feature_map(self, images: Tensor) -> Tensor | None:
        """``(B, C, H, W)``, the last map before pooling (a vision transformer's patch tokens); None without one."""
        self._check(images)
        return None if self._feature_map is None else self._feature_map(self.trunk, images)

    def attention_maps(self, images: Tensor) -> list[Tensor]:
        """Where each block of attention looks, in order: ``(B, heads, H W, H W)`` of self-attention (rows sum to 1), a
        weight for each point ``(B, ..., H, W)`` or channel ``(B, C)`` of the other kinds; empty without attention."""
        self._check(images)
        return attention_maps(self.trunk, lambda: self.trunk(images))

    def attended(self, images: Tensor) -> list[Tensor | None]:
        """How much each point is looked at, block by block: ``(B, H, W)``, of self-attention the mean that a point
        receives; None of a block that weighs channels."""
        self._check(images)
        return attended(self.trunk, lambda: self.trunk(images))

    @property
    def attention(self) -> nn.Module:
        """The blocks of attention, which published weights know nothing of; without children where there are none."""
        return getattr(self.trunk, MEMBER, None) or nn.ModuleList()

    def stages(self) -> list[nn.Module]:
        """The parts of the network from input to output; together they hold every parameter exactly once.

        They are handles for freezing, modes and learning rates (``stage.requires_grad_(False)``), not to be called.
        """
        return [Stage(self.trunk, names) for names in self._stages]

    def _check(self, images: Tensor) -> None:
        if images.ndim != 4 or images.shape[1] != self.in_channels:
            raise UsageError(
                f"{self.name}: images of shape {tuple(images.shape)}; (B, {self.in_channels}, H, W) is what it reads "
                f"(in_channels = {self.in_channels})"
            )
        if not images.is_floating_point():
            raise UsageError(f"{self.name}: images are {images.dtype}; give normalised floats")
        if self._fixed_size and tuple(images.shape[2:]) != (self.in_size, self.in_size):
            raise UsageError(
                f"{self.name}: images of {images.shape[2]} x {images.shape[3]} px; it was made for {self.in_size} px: "
                f"resize them, or create_backbone(..., in_size={images.shape[2]})"
            )

    def extra_repr(self) -> str:
        return f"{self.name}, in_size={self.in_size}, num_features={self.num_features}"


CHEAP = 2e9
"""Products of a forward pass, by :func:`_products`, up to which it is run rather than worked out: some 0.2 s."""


def shape_forward(module: nn.Module, function: Callable[[nn.Module, Tensor], object], shape: tuple[int, ...]) -> object:
    """What ``function(module, images)`` returns for images of ``shape``, of which the shapes alone are wanted.

    As :func:`meta_forward`, but that small networks are run: what torch loads to work with shapes alone takes 1.4 s
    of a process's start.
    """
    parameters = list(module.parameters())
    device = parameters[0].device if parameters else torch.device("cpu")
    if device.type != "cpu" or "torch._dynamo" in sys.modules or _products(module, shape) > CHEAP:
        return meta_forward(module, function, shape)
    with _evaluated(module), torch.no_grad():
        return function(module, torch.zeros(shape, device=device))


def _products(module: nn.Module, shape: tuple[int, ...]) -> float:
    """Of a forward pass, roughly: weights times places where they are used, of which there is one in 32 x 32 pixels."""
    return sum(p.numel() for p in module.parameters()) * shape[0] * max(1.0, shape[-1] * shape[-2] / 32**2)


@contextmanager
def _evaluated(module: nn.Module) -> Iterator[None]:
    """The module in evaluation mode; afterwards each part is in its own."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def meta_forward(module: nn.Module, function: Callable[[nn.Module, Tensor], object], shape: tuple[int, ...]) -> object:
    """What ``function(module, images)`` returns for images of ``shape``, as shapes only: no memory, no arithmetic.

    Runs in evaluation mode on the meta device, with the module's own hooks, and leaves the module as it was.
    """
    tensors = _on_meta(module)
    with _evaluated(module), torch.no_grad():
        images = torch.empty(shape, device="meta")
        called = _Calling(module, function)
        return torch.func.functional_call(called, _prefixed(tensors), (images,), tie_weights=False)


def _on_meta(module: nn.Module) -> dict[str, Tensor]:
    """Every parameter and buffer without memory, under one name of the part that has it.

    Under two names, a part that stands in the network twice (CoaT's position encodings) would be put back wrongly.
    """
    return {
        f"{prefix}.{name}" if prefix else name: tensor.to("meta")
        for prefix, part in module.named_modules()
        for name, tensor in [*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)]
    }


class _Calling(nn.Module):
    """A module whose forward is a function of another one, so that any method can be run functionally."""

    def __init__(self, module: nn.Module, function: Callable[[nn.Module, Tensor], object]) -> None:
        super().__init__()
        self.module = module
        self.function = function

    def forward(self, images: Tensor) -> object:
        return self.function(self.module, images)


def _prefixed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"module.{name}": tensor for name, tensor in tensors.items()}
