"""What makes a training step cheaper, and what does not: python benchmarks/steps.py [--network resnet8 ...] [--quick]

Each candidate against the same step without it, in turn in one process; ratios of times are medians over rounds, below
1 is faster. Everything in float32 but where said, 32-pixel pictures, one batch that never changes.

kept memory     what a step frees stays with the process (affekt's trainer does this on CPUs)
channels-last   memory layout of pictures and kernels (the trainer's default), against torch's own
bfloat16        autocast, against float32; `precision = "auto"` chooses it where the CPU has AMX
compiled        torch.compile; the compilation is not counted, but printed
stacked k       k networks of the same shape as one, with torch.func's stacked parameters and vmap (grouped
                convolutions), against the k one after the other: seeds or branches trained together
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional as F

from affekt import Classifier
from affekt.training import freed_memory
from affekt.training.precision import choose_precision

CLASSES = 10
CPU = torch.device("cpu")
Step = Callable[[], None]


def network(name: str, seed: int, layout: torch.memory_format = torch.channels_last) -> nn.Module:
    torch.manual_seed(seed)
    return Classifier(name, CLASSES, 32).to(memory_format=layout).train()


def batch(size: int, layout: torch.memory_format = torch.channels_last) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    images = torch.rand(size, 3, 32, 32, generator=draw).to(memory_format=layout)
    return images, torch.randint(0, CLASSES, (size,), generator=draw)


def optimiser(parameters: Iterator[Tensor]) -> torch.optim.Optimizer:
    return torch.optim.SGD(list(parameters), lr=0.01, momentum=0.9, nesterov=True, fused=True)


def loss_of(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(model(images).float(), labels)


def step_of(
    name: str,
    size: int,
    *,
    layout: torch.memory_format = torch.channels_last,
    bf16: bool = False,
    compiled: bool = False,
    seed: int = 0,
) -> Step:
    """One step of one network: forward, backward, update."""
    model, (images, labels) = network(name, seed, layout), batch(size, layout)
    update = optimiser(model.parameters())
    if compiled:
        model.compile(dynamic=False)

    def step() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16) if bf16 else nullcontext():
            loss = loss_of(model, images, labels)
        loss.backward()
        update.step()
        update.zero_grad(set_to_none=True)

    return step


def apart(name: str, size: int, k: int) -> Step:
    """k networks, one after the other."""
    steps = [step_of(name, size, seed=seed) for seed in range(k)]

    def step() -> None:
        for one in steps:
            one()

    return step


def stacked(name: str, size: int, k: int) -> Step:
    """The same k networks as one, each with pictures of its own."""
    parameters, buffers = stack_module_state([network(name, seed) for seed in range(k)])
    weights = {key: value.detach().requires_grad_() for key, value in parameters.items()}
    update, shape = optimiser(iter(weights.values())), network(name, 0)
    images, labels = (torch.stack([part] * k) for part in batch(size, torch.contiguous_format))

    def one(weights: dict[str, Tensor], buffers: dict[str, Tensor], images: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(shape, (weights, buffers), (images,)), labels)

    def step() -> None:
        vmap(one, randomness="different")(weights, buffers, images, labels).sum().backward()
        update.step()
        update.zero_grad(set_to_none=True)

    return step


def seconds(step: Step, repeats: int) -> float:
    begun = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - begun) / repeats


@contextmanager
def memory(kept: bool) -> Iterator[None]:
    with freed_memory.kept(CPU) if kept else nullcontext():
        yield


def held(with_it: Step, without: Step, *, rounds: int, repeats: int, kept: tuple[bool, bool] = (True, True)) -> str:
    """Median of the ratios over rounds, with their range."""
    ratios = []
    for number in range(rounds + 1):
        times = [0.0, 0.0]
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            with memory(kept[which]):
                (with_it, without)[which]()
                times[which] = seconds((with_it, without)[which], repeats)
        if number:  # the first round warms up
            ratios.append(times[0] / times[1])
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} .. {max(ratios):.2f})"


def compilation(name: str, size: int) -> tuple[Step, float]:
    """A compiled step, and the seconds that its first two calls took."""
    step = step_of(name, size, compiled=True)
    begun = time.perf_counter()
    step()
    step()
    return step, time.perf_counter() - begun


def row(candidate: str, said: str) -> None:
    print(f"| {candidate} | {said} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", nargs="+", default=["resnet8", "resnet18", "mobilenet_v2"])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1, help="a study's runs have one each where cores are two")
    parser.add_argument("--quick", action="store_true", help="one round: to see that it runs")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    turns = {"rounds": 1, "repeats": 1} if args.quick else {"rounds": 5, "repeats": 8}
    chosen = choose_precision("auto", CPU)
    print(f"torch {torch.__version__}, {args.threads} thread, batch {args.batch}; auto is {chosen} here")
    for name in args.network:
        print(f"\n| {name} | time with it / without |\n| --- | --- |")
        plain = step_of(name, args.batch)
        row("kept memory", held(plain, plain, kept=(True, False), **turns))
        row("channels-last", held(plain, step_of(name, args.batch, layout=torch.contiguous_format), **turns))
        row("bfloat16", held(step_of(name, args.batch, bf16=True), plain, **turns))
        compiled, cost = compilation(name, args.batch)
        row(f"compiled (first steps: {cost:.0f} s)", held(compiled, plain, **turns))
        for k in (1, 2, 4, 8):
            row(f"stacked {k}", held(stacked(name, args.batch, k), apart(name, args.batch, k), **turns))


if __name__ == "__main__":
    main()
