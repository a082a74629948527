"""``affekt doctor``: what this machine has, what is missing and the line that brings it."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from affekt.cli.options import add_data_root, add_json, data_root, new_file
from affekt.cli.printing import say, write_json, write_record, write_table


@dataclass(frozen=True)
class Finding:
    """One line of the report; ``advice`` is what to do, empty where nothing need be done."""

    topic: str
    item: str
    found: str
    advice: str = ""


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("doctor", help="what this machine has: versions, device, extras, data sets, space")
    add_data_root(parser)
    add_json(parser)
    parser.add_argument(
        "--measure",
        type=Path,
        metavar="FILE",
        help="time training steps here, some minutes; keep what they tell in FILE, for affekt plan --machine",
    )
    parser.add_argument("--device", default="auto", metavar="NAME", help="to measure: auto, cpu or cuda")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.measure is not None:
        return measure(args)
    from affekt import data

    root = data.data_root(data_root(args))
    found = [*versions(), *processors(), *extras(), *datasets(root), *folders(root)]
    if args.json:
        write_json([asdict(f) for f in found])
    else:
        write_table(("topic", "item", "found", "to do"), ((f.topic, f.item, f.found, f.advice) for f in found))
    return 0


def measure(args: argparse.Namespace) -> int:
    """Time steps of some networks and write the machine that they tell of to a file."""
    from affekt.study.machines.machine import write_machine
    from affekt.study.machines.measuring import measure_machine
    from affekt.training.precision import choose_device

    path = new_file(args.measure, what="--measure")
    machine = measure_machine(choose_device(args.device), said=lambda text: say(f"timing {text}"))
    write_machine(machine, path)
    if args.json:
        write_json(asdict(machine))
    else:
        write_record({key: value for key, value in vars(machine).items() if isinstance(value, str | int | float)})
    return 0


def versions() -> Iterator[Finding]:
    """Python, affekt and the packages that a result depends on most."""
    yield Finding("version", "python", f"{platform.python_version()} ({sys.executable})")
    for package in ("affekt", "torch", "torchvision", "timm", "numpy", "safetensors"):
        version = installed(package)
        yield Finding("version", package, version or "missing", "" if version else f"pip install {package}")


def installed(package: str) -> str:
    """The version of an installed package, empty if it is not there; nothing is imported."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def processors() -> Iterator[Finding]:
    """CPU, its native bf16, threads, and accelerators."""
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding("device", "torch", f"cannot be imported: {error}", "pip install torch torchvision")
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Finding("device", "cpu", f"{_cpu_name()}, {cores} core(s), {torch.backends.cpu.get_cpu_capability()}")
    few = torch.get_num_threads() < cores
    yield Finding(
        "device",
        "threads",
        f"{torch.get_num_threads()} used by torch",
        f"unset OMP_NUM_THREADS to use all {cores}" if few else "",
    )
    yield Finding("device", "cpu bf16", bf16_on_cpu())
    if not torch.cuda.is_available():
        yield Finding("device", "gpu", "none; training runs on the CPU")
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        gpu = torch.cuda.get_device_properties(index)
        bf16 = "bf16" if torch.cuda.is_bf16_supported() else "no bf16"
        yield Finding("device", f"cuda:{index}", f"{gpu.name}, {gpu.total_memory / 2**30:.0f} GiB, {bf16}")


def bf16_on_cpu() -> str:
    """In words, whether bf16 is native here: it decides what ``precision = "auto"`` becomes."""
    import torch

    from affekt.training.precision import native_bf16

    return "native" if native_bf16(torch.device("cpu")) else 'not native; precision = "auto" trains in fp32'


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def extras() -> Iterator[Finding]:
    """Each extra of the installed package, with its pip line where something of it is missing."""
    for extra, packages in _extra_packages().items():
        missing = [p for p in packages if not installed(p)]
        have = ", ".join(f"{p} {installed(p)}" for p in packages if p not in missing)
        found = "; ".join(filter(None, (have, f"missing: {', '.join(missing)}" if missing else "")))
        yield Finding("extra", extra, found, f'pip install "affekt[{extra}]"' if missing else "")


def _extra_packages() -> dict[str, list[str]]:
    """Extra -> packages, from the installed package's own metadata; those for affekt's developers are left out."""
    from packaging.requirements import Requirement

    found: dict[str, list[str]] = {}
    try:
        requirements = [Requirement(line) for line in metadata.requires("affekt") or ()]
        names = metadata.metadata("affekt").get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return found
    for extra in names:
        if extra in ("test", "docs"):
            continue
        wanted = (r.name for r in requirements if r.marker and r.marker.evaluate({"extra": extra}))
        found[extra] = [name for name in wanted if name != "affekt"]
    return found


def datasets(root: Path) -> Iterator[Finding]:
    """The data root and which data sets have a folder in it."""
    from affekt.data import dataset_folder, describe, list_datasets
    from affekt.recipe import DataSettings

    advice = "" if root.is_dir() else "made by the first `affekt data fetch`, or set AFFEKT_DATA"
    yield Finding("data", "root", str(root) if root.is_dir() else f"{root} (not there)", advice)
    for name in list_datasets():
        described = describe(name)
        if not described.needs_folder and not described.sources:
            yield Finding("data", name, f"comes with a package; affekt data info {name}")
        elif described.is_in(dataset_folder(DataSettings(name=name), root)):
            yield Finding("data", name, f"folder there; affekt data check {name}")
        else:
            how = f"affekt data fetch {name}" if described.sources else f"affekt data info {name}"
            yield Finding("data", name, "no folder", how)


def folders(root: Path) -> Iterator[Finding]:
    """Space and permission where affekt writes: here, the data root, the cache of pre-trained weights."""
    places = {"working folder": Path.cwd(), "data root": root, "weights cache": Path.home() / ".cache"}
    for name, place in places.items():
        existing = next(p for p in (place, *place.parents) if p.exists())
        free = shutil.disk_usage(existing).free / 2**30
        writable = os.access(existing, os.W_OK)
        found = f"{free:.1f} GiB free, {'writable' if writable else 'read-only'} ({place})"
        low = "nearly full: make room" if free < 1 else ""
        yield Finding("folder", name, found, low if writable else "write elsewhere: --out, AFFEKT_DATA")
