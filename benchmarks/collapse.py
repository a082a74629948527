"""When learned weights collapse, and what helps: python benchmarks/collapse.py [--steps 40000] [--learning-rate 1e-4]

Two tasks whose losses stay at 1.0 and 0.1, whatever is learned: all that moves is the weighting, by Adam. Chae's
softmax gives the easier task more and more; the table says after how many steps it has more than .95 of the weight and
where the weights stand at the end, for the published rule, for each remedy, and for other rules. Shares are those that
the watch of the trainer looks at: of the weight, or of the weighted losses where a rule is meant to make losses of
different size count alike. Rules of torchjd stand there if it is installed.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import Any

import torch

from affekt.weighting import CollapseWatch, create_weighting

LOSSES = {"emotion": 1.0, "gender": 0.1}
PASSED = 0.95

RULES: list[tuple[str, dict[str, Any]]] = [
    ("softmax", {}),
    ("softmax", {"floor": 0.1}),
    ("softmax", {"temperature": 2.0}),
    ("softmax", {"temperature": 5.0}),
    ("softmax", {"normalise": "first"}),
    ("softmax", {"normalise": "running"}),
    ("uniform", {}),
    ("uw", {}),
    ("uw-so", {}),
    ("uw-so", {"temperature": 10.0}),
    ("uw-so", {"normalise": "running"}),
]
OF_TORCHJD: list[tuple[str, dict[str, Any]]] = [("imtl-l", {}), ("geometric-mean", {}), ("stch", {"mu": 0.1})]


def simulate(
    name: str, options: dict[str, Any], *, steps: int, learning_rate: float, losses: dict[str, float] = LOSSES
) -> tuple[int | None, int | None, list[float]]:
    """The step (from 1) after which the last task has more than .95, the step at which the trainer would warn, and the
    shares at the end."""
    weighting = create_weighting(name, tasks=list(losses), **options)
    learned = list(weighting.parameters())
    optimiser = torch.optim.Adam(learned, lr=learning_rate) if learned else None
    constant = {task: torch.tensor(value) for task, value in losses.items()}
    values = torch.stack(list(constant.values()))
    watch = CollapseWatch(weighting.tasks)
    passed = warned = None
    shares = torch.zeros(len(losses))
    for step in range(1, steps + 1):
        if optimiser is not None:
            optimiser.zero_grad()
            weighting(constant).backward()
            optimiser.step()
        if weighting.observes:
            weighting.observe(values)
        weights = torch.stack(list(weighting.weights(constant).values()))
        shares = weighting.shares(weights, values)
        passed = step if passed is None and shares[-1] > PASSED else passed
        if weighting.watched and watch.look(shares[None], step - 1) and warned is None:
            warned = step
        if optimiser is None and step > 300:  # nothing moves
            break
    return passed, warned, shares.tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=40_000)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    of_losses = ", ".join(f"{task} {value:g}" for task, value in LOSSES.items())
    print(f"Constant losses ({of_losses}), Adam at {chosen.learning_rate:g}, {chosen.steps:,} steps\n")
    print("| rule | options | gender passes .95 | warning | shares at the end: emotion, gender |")
    print("| --- | --- | ---: | ---: | ---: |")
    for name, options in RULES + (OF_TORCHJD if find_spec("torchjd") else []):
        passed, warned, shares = simulate(name, options, steps=chosen.steps, learning_rate=chosen.learning_rate)
        words = ", ".join(f"{key} = {value}" for key, value in options.items())
        after = ["never" if step is None else f"step {step:,}" for step in (passed, warned)]
        print(f"| {name} | {words} | {after[0]} | {after[1]} | {', '.join(f'{s:.3f}' for s in shares)} |", flush=True)


if __name__ == "__main__":
    main()
