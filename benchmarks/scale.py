"""What a step of a training takes, predicted and measured: python benchmarks/scale.py [--device cuda] [--quick]

    python benchmarks/scale.py --device cuda --out h100.json

Steps of five networks, alone and as Emotional Regulation (three networks), in several batch sizes and both precisions,
by affekt's own trainer on pictures of noise. On them the constants of a machine are fitted (study/machines): seconds of
a step, of a launch, operations and bytes a second. `fitted` is what these constants say; `left out` is the honest one:
the same by constants that were fitted on the steps of the *other* networks alone. --out keeps the machine in a file
that `affekt plan RECIPE --machine FILE` reads, as `affekt doctor --measure FILE` does. On a GPU it takes some 90 s.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch

from affekt.study.machines.machine import Machine, write_machine
from affekt.study.machines.measuring import measure_machine
from affekt.training.precision import choose_device


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def off(predicted: float | None, measured: float) -> str:
    """``+12 %``: how much more is predicted than was measured."""
    return "" if predicted is None else f"{100 * (predicted / measured - 1):+.0f} %"


def report(machine: Machine) -> None:
    """The steps, then the constants."""
    print("| step | precision | launches | GFLOP | GB | ms | fitted | left out |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for step in machine.measured:
        took = step["seconds"]
        print(
            f"| {step['label']} | {step['precision']} | {step['launches']} | {step['flops'] / 1e9:.4g} "
            f"| {step['bytes'] / 1e9:.3g} | {1000 * took:.4g} | {off(step['fitted'], took)} "
            f"| {off(step['left_out'], took)} |"
        )
    rates = ", ".join(f"{rate / 1e12:.3g} TFLOP/s in {name}" for name, rate in machine.rates.items())
    print(
        f"\n{machine.name}: {1000 * machine.overhead:.3g} ms a step, {1e6 * machine.launch:.3g} us a launch, "
        f"{machine.bandwidth / 1e9:.4g} GB/s, {rates}; a network that had no part in the fit is typically "
        f"{100 * machine.error:.0f} % off"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--quick", action="store_true", help="small batches alone: under a minute on two cores")
    parser.add_argument("--threads", type=int, help="of the CPU (default: torch's own choice)")
    parser.add_argument("--name", default="", help="of the machine (default: what it says of itself)")
    parser.add_argument("--out", type=Path, help="keep the machine in this file")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    device, begun = choose_device(args.device), time.perf_counter()
    machine = measure_machine(device, name=args.name, quick=args.quick, said=say)
    print(f"torch {torch.__version__}, {machine.name}; `auto` is {machine.precision} here")
    report(machine)
    if args.out:
        write_machine(machine, args.out)
    say(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
