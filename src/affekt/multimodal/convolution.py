"""Wide convolution in time, by FFT or directly: the same numbers within rounding, in a fraction of the time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affekt.errors import UsageError, unknown

WAYS = ("fft", "direct")


class WideConv1d(nn.Conv1d):
    """``(B, C, L)`` -> ``(B, O, L)``: a convolution whose output is as long as its input, zeros around it.

    An even kernel has one zero more behind than in front: (k - 1) // 2 before, k // 2 after.

    Args:
        way: ``"fft"`` or ``"direct"``.

    Raises:
        UsageError: another way.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, *, way: str = "direct", **options: Any
    ) -> None:
        if way not in WAYS:
            raise UsageError(unknown("convolution", way, WAYS))
        super().__init__(in_channels, out_channels, kernel, **options)
        self.way = way

    def forward(self, x: Tensor) -> Tensor:
        k = self.kernel_size[0]
        before, after = (k - 1) // 2, k // 2
        if self.way == "direct":
            return F.conv1d(F.pad(x, (before, after)), self.weight, self.bias)
        # In the weights' precision also under autocast: a CPU has no FFT of bfloat16.
        y = correlate(x.to(self.weight.dtype), self.weight, before)
        return y if self.bias is None else y + self.bias[:, None]


def correlate(x: Tensor, kernel: Tensor, before: int) -> Tensor:
    """``(B, C, L)``, ``(O, C, k)`` -> ``(B, O, L)``: y[t] = sum over c, j of kernel[c, j] x[c, t + j - before].

    By overlap-save: the signal is cut into overlapping blocks of N samples, twice the kernel or more, whose circular
    correlation with the kernel is right in its first N - k + 1 places. So the kernel is transformed once, at a length
    that does not depend on the signal's.
    """
    length, k = x.shape[-1], kernel.shape[-1]
    n = 1 << (2 * k - 1).bit_length()
    step = n - k + 1
    blocks = -(-length // step)
    padded = F.pad(x, (before, (blocks - 1) * step + n - before - length))
    spectra = torch.fft.rfft(padded.unfold(2, n, step))
    answer = torch.fft.rfft(kernel, n).conj()
    # One product of matrices a frequency: (B blocks, C) by (C, O).
    rows = spectra.permute(3, 0, 2, 1).flatten(1, 2)
    product = (rows @ answer.permute(2, 1, 0)).unflatten(1, (len(x), blocks)).permute(1, 3, 2, 0)
    answers: Tensor = torch.fft.irfft(product, n)
    return answers[..., :step].flatten(2)[..., :length]
