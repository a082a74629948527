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
    # What torch raises for an unknown name, without a CUDA build, and for a backend that it does not have.
    except (RuntimeError, AssertionError, NotImplementedError):
        here = ["cpu"] + [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        raise UsageError(
            f'[training] device = "{name}": not on this machine; write auto or {", ".join(here)}'
        ) from None
    return device


def native_bf16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 itself; where it is only imitated it is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= CUDA_BF16
    if device.type == "cpu":
        # AVX512-BF16 has the products, AMX whole tiles of them.
        return any(getattr(torch.cpu, f"_is_{unit}_supported")() for unit in ("avx512_bf16", "amx_tile"))
    return False


def choose_precision(name: str, device: torch.device) -> str:
    """``"fp32"`` or ``"bf16"``: what ``precision`` means on this device."""
    if name == "auto":
        return "bf16" if native_bf16(device) else "fp32"
    return name


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """The block in which forward passes run; losses are float32 by the tasks' own doing."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
