"""``affekt convert``: a foreign .pt or .pth file to safetensors; nothing in it is run."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from affekt.cli.options import add_json, new_file
from affekt.cli.printing import write, write_json
from affekt.errors import UsageError


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("convert", help="a .pt or .pth weights file to safetensors; nothing in it is run")
    parser.add_argument("source", type=Path, metavar="FILE.pth", help="a state dict, as torch.save writes it")
    parser.add_argument("target", type=Path, metavar="OUT.safetensors", nargs="?", help="default: beside it")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    target = args.target or args.source.with_suffix(".safetensors")
    if target.suffix != ".safetensors":
        raise UsageError(f"{target}: safetensors is what convert writes; name it {target.with_suffix('.safetensors')}")
    new_file(target, what="output")
    from affekt.backbones.converting import convert

    report = convert(args.source, target)
    write_json(asdict(report)) if args.json else write(str(report))
    return 0
