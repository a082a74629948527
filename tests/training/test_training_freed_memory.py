"""Freed memory: kept within the block, given back after it, left alone where somebody else decides."""

import ctypes
import os
import subprocess
import sys

import pytest
import torch

from affekt.training import freed_memory

CPU = torch.device("cpu")
FAULTS = """
import resource, torch
from affekt.training import freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.ones(12 * 2**20)  # 48 MiB: above what glibc keeps by itself
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = faults()
with freed_memory.kept(torch.device("cpu")):
    torch.ones(12 * 2**20)
    kept = faults()
print(usual, kept, faults())
"""


def _faults(**environment):
    usual = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_") and k != "GLIBC_TUNABLES"}
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], env=usual | environment, capture_output=True, text=True, check=True
    )
    return [int(count) for count in done.stdout.split()]


@pytest.fixture
def glibc():
    if not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        pytest.skip("without glibc")


def test_pages_stay_within_the_block_only(glibc):
    usual, kept, after = _faults()
    assert kept < usual / 5
    assert after > usual / 2


def test_an_environment_that_sets_thresholds_decides(glibc):
    usual, within, _ = _faults(MALLOC_MMAP_THRESHOLD_="1000000")
    assert within > usual / 2


def test_other_devices_and_other_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(freed_memory, "_set", lambda *_: pytest.fail("thresholds were set"))
    with freed_memory.kept(torch.device("meta")):
        pass
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    with freed_memory.kept(CPU):
        pass
