"""What `affekt probe` adds to the bare forward pass: python benchmarks/probe.py [--networks ...] [--layers ...]

Both go over the same pictures in batches of 32, in turn, several times. Bare: the network on normalised floats that lie
on the device. Extraction: uint8 pictures in memory, normalised, run, pooled, collected into an array. Seconds are of
the processor where it computes (so that other work on the machine does not count), of the clock on a GPU; the least of
the rounds is taken.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from torch import Tensor

from affekt.backbones.inputs import as_input
from affekt.data import ArrayPictures, Labels, Stimuli
from affekt.data.loading import Loader
from affekt.humans.probing import ProbeSettings, by_name
from affekt.humans.probing.extracting import BATCH, extract
from affekt.training.precision import choose_device


def seconds(work, device: torch.device) -> float:
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    begun = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["mobilenet_v2", "resnet18", "vit_b_32", "alexnet"])
    parser.add_argument("--layers", default="last", help="last, map or stages, with commas between them")
    parser.add_argument("--pictures", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    device, size = choose_device(args.device), args.image_size
    pixels = torch.from_numpy(
        np.random.default_rng(0).integers(256, size=(args.pictures, 3, size, size), dtype=np.uint8)
    )
    ids = np.array([str(i) for i in range(args.pictures)])
    people = Stimuli(name="noise", ids=ids, pictures=ArrayPictures(pixels), labels=Labels(), groups=ids)
    loader, settings = Loader(people, device=device), ProbeSettings(image_size=size)
    print(f"{'network':20} {'layers':12} {'bare, s':>9} {'extraction, s':>14} {'more, %':>8}   {device}")
    for name in args.networks:
        extractor = by_name(name, "random", settings).open(args.layers.split(",")).to(device)
        module = extractor.module
        floats = [as_input(b.to(device), size, module.mean, module.std) for b in pixels.split(BATCH)]

        @torch.inference_mode()
        def bare(module=module, floats: list[Tensor] = floats) -> None:
            for images in floats:
                module.backbone(images)

        def ours(extractor=extractor) -> None:
            extract(extractor, loader)

        bare(), ours()
        rounds = [(seconds(bare, device), seconds(ours, device)) for _ in range(args.rounds)]
        least = [min(times) for times in zip(*rounds, strict=True)]
        print(
            f"{name:20} {args.layers:12} {least[0]:9.3f} {least[1]:14.3f} {100 * (least[1] / least[0] - 1):8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
