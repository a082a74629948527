"""Foreign rules: what the adapters of torchjd's scalarisers and aggregators share - draws, settings, memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn

from affekt.errors import TrainingError, UsageError
from affekt.randomness import torch_seed
from affekt.weighting._base import Weighting
from affekt.weighting._memory import remember, remembered
from affekt.weighting._torchjd_rules import Rule


class Foreign(Weighting):
    """A rule of torchjd behind our seam.

    Args:
        tasks: the names of the losses.
        name: ours of the rule.
        rule: what is known of it.
        made: torchjd's object.
        settings: the options that it was made with.
    """

    def __init__(self, tasks: tuple[str, ...], *, name: str, rule: Rule, made: nn.Module, settings: Mapping[str, Any]):
        super().__init__(tasks)
        self.name, self.rule, self.scale_free, self.collapse = name, rule, rule.scale_free, rule.collapse
        self.watched = rule.watched
        self._settings = dict(settings)
        self._made = (made,)  # in a tuple, not as a part: its buffers come and go, and state_dict must not
        self._draw: tuple[int, int] | None = None
        self._placed: tuple[torch.device, torch.dtype] | None = None

    @property
    def made(self) -> nn.Module:
        """torchjd's object."""
        return self._made[0]

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self._settings)

    @property
    def versions(self) -> dict[str, str]:
        return {"torchjd": version("torchjd")}

    def begin(self, *, seed: int = 0, epoch: int = 0, step: int = 0) -> None:
        """Random rules draw as a function of seed and step from now on; before, from torch's own generator."""
        del epoch
        self._draw = (seed, step)

    @contextmanager
    def _working(self, like: Tensor) -> Iterator[nn.Module]:
        """torchjd's object, its settings where ``like`` is and its draws those of the step.

        Raises:
            TrainingError: it cannot work with these numbers.
        """
        self._place(like)
        drawing = nullcontext() if self._draw is None else torch_seed("weighting", *self._draw)
        with drawing, torch.autocast(like.device.type, enabled=False):
            try:
                yield self.made
            except (UsageError, TrainingError):
                raise
            except Exception as error:
                text = " ".join(str(error).split())
                raise TrainingError(f'weighting "{self.name}": {type(error).__name__}: {text}') from error

    def _place(self, like: Tensor) -> None:
        """Tensors among the settings are plain attributes, which ``to`` passes over."""
        if self._placed == (like.device, like.dtype):
            return
        for part in self.made.modules():
            for name, value in [*vars(part).items(), *part._buffers.items()]:
                if isinstance(value, Tensor) and value.is_floating_point():
                    setattr(part, name, value.to(like))
        self._placed = (like.device, like.dtype)

    def _remembered(self) -> dict[str, Tensor]:
        return remembered(self.made)

    def _remember(self, memory: Mapping[str, Tensor], device: torch.device) -> None:
        remember(self.made, memory, device)
