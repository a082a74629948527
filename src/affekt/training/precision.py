"""Precision and device: where a run computes, and whether in bfloat16."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

from affekt.errors import UsageError

CUDA_BF16 = (8, 0)
"""Compute capability from which NVIDIA GPUs have bfloat16 in their matrix units (Ampere)."""


def choose_device(name: str) -> torch.device:
    """``"auto"``: a GPU if there is one, else the CPU; otherwise what torch knows under that name.

    Raises:
        UsageError: no such device on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    # Right to catch: what torch raises for an unknown name (RuntimeError), without a CUDA build (AssertionError), and
    # for a backend that this build does not have (NotImplementedError); each becomes the line below.
    except (RuntimeError, AssertionError, NotImplementedError):
        here = ["cpu"] + [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        raise UsageError(
            f'[training] device = "{name}": not on this machine; write auto or {", ".join(here)}'
        ) from None
    return device


def native_bf16(device: torch.device) -> bool:
    """Whether the device has matrix units for bfloat16; where it has none, bfloat16 is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= CUDA_BF16
    if device.type == "cpu":
        # AMX alone: with the products of AVX512-BF16 and no tiles, training took 1.3 times (ResNet) to 1.9 (MobileNet)
        # as long as in float32.
        return bool(torch.cpu._is_amx_tile_supported())
    return False


def choose_precision(name: str, device: torch.device) -> str:
    """``"fp32"`` or ``"bf16"``: what ``precision`` means on this device."""
    if name == "auto":
        return "bf16" if native_bf16(device) else "fp32"
    return name


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """The block in which forward passes run; losses are float32 by the tasks' own doing."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
