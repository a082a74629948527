"""Machine: what is known of the speed of one, measured there once, as a small file that can be kept and shared."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from affekt.errors import DataError, UsageError

FORMAT = "affekt machine 1"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One processor, or GPU with its host, that trains one run at a time.

    Attributes:
        name: for people.
        device: ``"cpu"`` or ``"cuda"``.
        threads: of the CPU that a run has.
        precision: what ``precision = "auto"`` is there.
        overhead: seconds of a step beside what it asks of the device.
        launch: seconds of asking the device for one operation.
        bandwidth: bytes a second between the device and its memory.
        rates: precision -> floating-point operations a second.
        decoding: pictures a second that one core reads from JPEG files of 640 x 480.
        writing: bytes a second of a checkpoint, its sums and the flush to the disk included.
        cores: that decode beside a run.
        memory: bytes that the device has; 0: not known.
        error: how far predictions of networks that had no part in the fit were off, typically, as a share.
        measured: the steps that all this was fitted on: what, seconds measured and predicted.
        versions: of what it was measured with.
    """

    name: str
    device: str
    threads: int
    precision: str
    overhead: float
    launch: float
    bandwidth: float
    rates: Mapping[str, float]
    decoding: float
    writing: float
    cores: int
    memory: int = 0
    error: float = 0.0
    measured: tuple[Mapping[str, Any], ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def queues(self) -> bool:
        """Whether the device works through a queue while the CPU goes on filling it."""
        return self.device != "cpu"

    def rate(self, precision: str) -> float:
        """Operations a second in a recipe's ``precision``.

        Raises:
            UsageError: one that was not measured.
        """
        wanted = self.precision if precision == "auto" else precision
        if wanted not in self.rates:
            raise UsageError(
                f'{self.name}: measured in {", ".join(self.rates)}, not in "{wanted}"; measure it anew, or --set '
                f"training.precision={next(iter(self.rates))}"
            )
        return self.rates[wanted]


def write_machine(machine: Machine, path: Path) -> None:
    """Write a machine to a file.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        path.write_text(json.dumps({"format": FORMAT, **asdict(machine)}, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def read_machine(path: Path) -> Machine:
    """A machine from its file.

    Raises:
        DataError: no such file, or not one of a machine, with what is wrong.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; measure a machine with: affekt doctor --measure {path}") from None
    except ValueError:
        raise DataError(
            f"{path}: is no file of a machine (no JSON); write one with: affekt doctor --measure FILE"
        ) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        said = found.get("format") if isinstance(found, dict) else type(found).__name__
        raise DataError(f'{path}: format {said!r}, where "{FORMAT}" is read; measure the machine anew')
    return _checked({key: value for key, value in found.items() if key != "format"}, path)


def _checked(values: dict[str, Any], path: Path) -> Machine:
    known = {f.name for f in fields(Machine)}
    if odd := sorted(values.keys() - known):
        raise DataError(f"{path}: {odd[0]}: no key of a machine; it has {', '.join(sorted(known))}")
    try:
        machine = Machine(**values)
    except TypeError as error:
        raise DataError(f"{path}: {str(error).rpartition('() ')[2]}; measure the machine anew") from None
    for name, value in _speeds(machine):
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
            raise DataError(f"{path}: {name} = {value!r}: a number above 0 is wanted")
    if machine.precision not in machine.rates:
        raise DataError(f"{path}: precision {machine.precision!r} has no rate; it has {', '.join(machine.rates)}")
    return machine


def _speeds(machine: Machine) -> list[tuple[str, Any]]:
    rates: Any = machine.rates
    listed = rates.items() if isinstance(rates, dict) and rates else [("", None)]
    plain = [
        (name, getattr(machine, name)) for name in ("overhead", "launch", "bandwidth", "decoding", "writing", "cores")
    ]
    return [*plain, *((f"rates.{name}".rstrip("."), value) for name, value in listed)]
