"""``affekt convert``: a foreign .pt or .pth file to safetensors; nothing in it is run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from affekt.cli.options import new_file
from affekt.cli.printing import write


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("convert", help="a .pt or .pth weights file to safetensors; nothing in it is run")
    parser.add_argument("source", type=Path, metavar="FILE.pth", help="a state dict, as torch.save writes it")
    parser.add_argument("target", type=Path, metavar="OUT.safetensors", nargs="?", help="default: beside it")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    target = args.target or args.source.with_suffix(".safetensors")
    if target.suffix != ".safetensors":
        from affekt.errors import UsageError

        raise UsageError(f"{target}: safetensors is what convert writes; name it {target.with_suffix('.safetensors')}")
    new_file(target, what="output")
    from affekt.backbones.converting import convert

    convert(args.source, target)
    write(str(target))
    return 0
