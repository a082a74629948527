"""Precision and device: bfloat16 only where the device has it."""

import pytest
import torch

from affekt.errors import UsageError
from affekt.training.precision import autocast, choose_device, choose_precision, native_bf16

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("avx512", "amx", "expected"),
    [(True, False, "fp32"), (True, True, "bf16"), (False, False, "fp32")],
)
def test_auto_is_what_the_cpu_has(monkeypatch, avx512, amx, expected):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert choose_precision("auto", CPU) == expected
    assert choose_precision("fp32", CPU) == "fp32"
    assert choose_precision("bf16", CPU) == "bf16"


@pytest.mark.parametrize(("capability", "expected"), [((8, 0), True), ((7, 5), False), ((9, 0), True)])
def test_auto_is_what_the_gpu_has(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert native_bf16(torch.device("cuda")) is expected


def test_no_other_device_is_guessed_at():
    assert not native_bf16(torch.device("meta"))


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_autocast(precision, dtype):
    with autocast(CPU, precision):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


def test_auto_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("cuda")
    assert choose_device("cpu") == CPU


def test_unknown_device():
    with pytest.raises(UsageError, match=r'\[training\] device = "tpu9": not on this machine; write auto or cpu'):
        choose_device("tpu9")
