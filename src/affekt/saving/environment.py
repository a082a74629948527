"""Environment: the versions and the machine behind a result, and nothing that names a person or a path."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any


def environment() -> dict[str, Any]:
    """Versions and machine: what a reader of the result needs to know."""
    from importlib.metadata import PackageNotFoundError, version

    import torch

    from affekt import __version__

    versions = {"affekt": __version__, "python": platform.python_version()}
    for package in ("torch", "torchvision", "timm", "numpy", "scipy", "pillow", "safetensors"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    gpus = (
        [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    )
    return {
        "versions": versions,
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "gpus": gpus,
    }


def processor() -> str:
    """The processor's name; Linux keeps it in a file, others tell ``platform``."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
