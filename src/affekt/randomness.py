"""Randomness without state: every draw is a pure function of (seed, stream, epoch, item), on any device.

A counter-based generator in the spirit of Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3": an
integer hash (the finaliser of SplitMix64, Steele et al. 2014) of the coordinates of a draw. Because no generator is
advanced, an interrupted run, a run on another number of processes and a run that reads its items in another order draw
the same numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor


def _signed(value: int) -> int:
    """The same 64 bits as a two's-complement integer, which is what torch's int64 arithmetic works in."""
    return (value & (2**64 - 1)) - (2**64 if value & 2**63 else 0)


_GAMMA = _signed(0x9E3779B97F4A7C15)
_MIX_1 = _signed(0xBF58476D1CE4E5B9)
_MIX_2 = _signed(0x94D049BB133111EB)


def stream(*names: object) -> int:
    """A 63-bit number for a named stream of draws, e.g. ``stream("flip")``; the same in every process and Python."""
    digest = hashlib.blake2b("\x1f".join(map(str, names)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def _shift(x: Tensor, bits: int) -> Tensor:
    """Logical (not arithmetic) right shift of int64."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shift(x, 30)) * _MIX_1
    x = (x ^ _shift(x, 27)) * _MIX_2
    return x ^ _shift(x, 31)


def uniforms(items: Tensor, *, seed: int, epoch: int, name: str, n: int = 1) -> Tensor:
    """``(B, n)`` float32 in [0, 1): ``n`` draws for each of the ``(B,)`` int64 ``items``, on their device.

    Draw j of an item depends on nothing but (seed, name, epoch, item, j).
    """
    base = _signed(stream(name, seed, epoch))
    counters = torch.arange(1, n + 1, device=items.device, dtype=torch.int64)
    keys = _mix(items.to(torch.int64) * _GAMMA + base)
    bits = _mix(keys[:, None] + counters[None, :] * _GAMMA)
    return _shift(bits, 40).to(torch.float32) * 2.0**-24


def integers(items: Tensor, high: int, *, seed: int, epoch: int, name: str, n: int = 1) -> Tensor:
    """``(B, n)`` int64 in [0, high): as :func:`uniforms`."""
    return (uniforms(items, seed=seed, epoch=epoch, name=name, n=n) * high).to(torch.int64).clamp_(max=high - 1)


def generator(*names: object) -> np.random.Generator:
    """A NumPy generator for a named purpose, e.g. ``generator("split", seed)``."""
    return np.random.default_rng(stream(*names))


def permutation(n: int, *, seed: int, epoch: int, name: str = "order") -> np.ndarray:
    """``(n,)`` int64: the order of epoch ``epoch``."""
    return generator(name, seed, epoch).permutation(n)


@contextmanager
def torch_seed(*names: object) -> Iterator[None]:
    """Run a block (initial weights, a step with dropout) under its own seed; the global state is put back after it."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        # Not torch.manual_seed: each time, it keeps a stack trace for every kind of accelerator that is absent.
        seed = stream(*names)
        torch.default_generator.manual_seed(seed)
        for device in devices:
            torch.cuda.default_generators[device].manual_seed(seed)
        yield
