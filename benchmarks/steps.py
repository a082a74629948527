"""What makes a training step cheaper, and what does not: python benchmarks/steps.py [--network resnet8 ...] [--quick]

    python benchmarks/steps.py --device cuda --batch 128

Each candidate against the same step without it, in turn in one process; ratios of times are medians over rounds, below
1 is faster. On the CPU everything in float32 but where said, on a GPU in bfloat16 (what `auto` chooses there); 32-pixel
pictures, one batch that never changes.

kept memory     what a step frees stays with the process (affekt's trainer does this on CPUs)
channels-last   memory layout of pictures and kernels (the trainer's default), against torch's own
bfloat16        autocast, against float32; `precision = "auto"` chooses it where the CPU has AMX
compiled        torch.compile; the compilation is not counted, but printed
graphs          on a GPU: torch.compile with CUDA graphs (mode "reduce-overhead")
stacked k       k networks of the same shape as one, with torch.func's stacked parameters and vmap (grouped
                convolutions), against the k one after the other: seeds or branches trained together
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional as F

from affekt import Classifier
from affekt.training import freed_memory
from affekt.training.precision import choose_device, choose_precision

CLASSES = 10
Step = Callable[[], None]


@dataclass(frozen=True)
class Case:
    """A network's name, its batch, and where its steps are made."""

    name: str
    size: int
    device: torch.device

    @property
    def bf16(self) -> bool:
        """Whether the plain step is in bfloat16."""
        return self.device.type == "cuda"

    def network(self, seed: int, layout: torch.memory_format = torch.channels_last) -> nn.Module:
        torch.manual_seed(seed)
        return Classifier(self.name, CLASSES, 32).to(self.device, memory_format=layout).train()

    def batch(self, layout: torch.memory_format = torch.channels_last) -> tuple[Tensor, Tensor]:
        draw = torch.Generator().manual_seed(0)
        images = torch.rand(self.size, 3, 32, 32, generator=draw).to(self.device, memory_format=layout)
        return images, torch.randint(0, CLASSES, (self.size,), generator=draw).to(self.device)

    def autocast(self, bf16: bool) -> AbstractContextManager[None]:
        return torch.autocast(self.device.type, dtype=torch.bfloat16) if bf16 else nullcontext()

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def optimiser(parameters: Iterator[Tensor]) -> torch.optim.Optimizer:
    return torch.optim.SGD(list(parameters), lr=0.01, momentum=0.9, nesterov=True, fused=True)


def loss_of(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(model(images).float(), labels)


def step_of(
    case: Case,
    *,
    layout: torch.memory_format = torch.channels_last,
    bf16: bool | None = None,
    compiled: str = "",
    seed: int = 0,
) -> Step:
    """One step of one network: forward, backward, update."""
    model, (images, labels) = case.network(seed, layout), case.batch(layout)
    update = optimiser(model.parameters())
    low = case.bf16 if bf16 is None else bf16
    if compiled:
        model.compile(dynamic=False, mode=compiled)

    def step() -> None:
        with case.autocast(low):
            loss = loss_of(model, images, labels)
        loss.backward()
        update.step()
        update.zero_grad(set_to_none=True)

    return step


def apart(case: Case, k: int) -> Step:
    """k networks, one after the other."""
    steps = [step_of(case, seed=seed) for seed in range(k)]

    def step() -> None:
        for one in steps:
            one()

    return step


def stacked(case: Case, k: int) -> Step:
    """The same k networks as one, each with pictures of its own."""
    parameters, buffers = stack_module_state([case.network(seed) for seed in range(k)])
    weights = {key: value.detach().requires_grad_() for key, value in parameters.items()}
    update, shape = optimiser(iter(weights.values())), case.network(0)
    images, labels = (torch.stack([part] * k) for part in case.batch(torch.contiguous_format))

    def one(weights: dict[str, Tensor], buffers: dict[str, Tensor], images: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(shape, (weights, buffers), (images,)).float(), labels)

    def step() -> None:
        with case.autocast(case.bf16):
            losses = vmap(one, randomness="different")(weights, buffers, images, labels)
        losses.sum().backward()
        update.step()
        update.zero_grad(set_to_none=True)

    return step


def seconds(case: Case, step: Step, repeats: int) -> float:
    case.wait()
    begun = time.perf_counter()
    for _ in range(repeats):
        step()
    case.wait()
    return (time.perf_counter() - begun) / repeats


@contextmanager
def memory(case: Case, kept: bool) -> Iterator[None]:
    with freed_memory.kept(case.device) if kept else nullcontext():
        yield


def held(
    case: Case, with_it: Step, without: Step, *, rounds: int, repeats: int, kept: tuple[bool, bool] = (True, True)
) -> str:
    """Median of the ratios over rounds, with their range, and the milliseconds of the step without it."""
    ratios, plain = [], []
    for number in range(rounds + 1):
        times = [0.0, 0.0]
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            with memory(case, kept[which]):
                (with_it, without)[which]()
                times[which] = seconds(case, (with_it, without)[which], repeats)
        if number:  # the first round warms up
            ratios.append(times[0] / times[1])
            plain.append(times[1] * 1000)
    found = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} .. {max(ratios):.2f})"
    return f"{found} | {statistics.median(plain):.1f}"


def compilation(case: Case, mode: str) -> tuple[Step, float]:
    """A compiled step, and the seconds that its first two calls took."""
    step = step_of(case, compiled=mode)
    begun = time.perf_counter()
    step()
    step()
    case.wait()
    return step, time.perf_counter() - begun


def row(candidate: str, said: str) -> None:
    print(f"| {candidate} | {said} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", nargs="+", default=["resnet8", "resnet18", "mobilenet_v2"])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1, help="a study's runs have one each where cores are two")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--quick", action="store_true", help="one round: to see that it runs")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = choose_device(args.device)
    turns = {"rounds": 1, "repeats": 1} if args.quick else {"rounds": 5, "repeats": 8 if device.type == "cpu" else 30}
    where = f"{args.threads} thread" if device.type == "cpu" else torch.cuda.get_device_name(device)
    torch.backends.cudnn.benchmark = device.type == "cuda"  # as the trainer has it
    print(f"torch {torch.__version__}, {where}, batch {args.batch}; auto is {choose_precision('auto', device)} here")
    for name in args.network:
        report(Case(name, args.batch, device), turns)


def report(case: Case, turns: dict[str, int]) -> None:
    print(f"\n| {case.name} | time with it / without | ms without |\n| --- | --- | --- |")
    plain, on_gpu = step_of(case), case.device.type == "cuda"
    if not on_gpu:
        row("kept memory", held(case, plain, plain, kept=(True, False), **turns))
    row("channels-last", held(case, plain, step_of(case, layout=torch.contiguous_format), **turns))
    row("bfloat16", held(case, step_of(case, bf16=True), step_of(case, bf16=False), **turns))
    for said, mode in (("compiled", "default"), *((("graphs", "reduce-overhead"),) if on_gpu else ())):
        compiled, cost = compilation(case, mode)
        row(f"{said} (first steps: {cost:.0f} s)", held(case, compiled, plain, **turns))
    for k in (1, 2, 4, 8):
        row(f"stacked {k}", held(case, stacked(case, k), apart(case, k), **turns))


if __name__ == "__main__":
    main()
