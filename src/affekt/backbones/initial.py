"""Initial weights: from a state dict or a model folder into a backbone, or a refusal that counts what fits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from affekt.backbones.reading import read_tensors
from affekt.backbones.resizing import resize_kernel, resize_positions, with_channels
from affekt.errors import CheckpointError, UsageError, first

ENOUGH = 0.95
"""Share of a network's tensors that must be found: below it, it is another network's file."""

_OUTER = ("", "module.", "model.", "backbone.", "trunk.", "net.", "network.", "encoder.", "base_model.", "visual.")
_POSITIONS = ("pos_embed", "encoder.pos_embedding")
_PATCHES = ("patch_embed.proj.weight", "conv_proj.weight")
_OLD_DENSENET = re.compile(r"\.(norm|relu|conv)\.(\d)\.")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Weights with the normalisation that they expect, where it is known."""

    tensors: Mapping[str, Tensor]
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


def read_source(path: Path) -> Source:
    """The tensors of a weights file, or of the backbone in a model folder of ours.

    Raises:
        UsageError: nothing at that place; a folder with several backbones.
        CheckpointError: a damaged or hostile file.
    """
    if not path.exists():
        raise UsageError(f'initial = "{path}": no such file or folder; write random, imagenet, or a path that exists')
    return _read_folder(path) if path.is_dir() else Source(tensors=read_tensors(path).tensors)


def _read_folder(path: Path) -> Source:
    from affekt.saving import read_header

    header = read_header(path)
    tensors = read_tensors(path / "model.safetensors").tensors
    prefixes = sorted({name[: name.index("trunk.")] for name in tensors if "trunk." in name})
    if len(prefixes) > 1:
        held = ", ".join(p.rstrip(".") for p in prefixes)
        raise UsageError(f"initial = {path}: {header['class']} holds several backbones ({held}); save the one you want")
    prefix = f"{prefixes[0]}trunk." if prefixes else ""
    inside = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    return Source(tensors=inside, mean=_numbers(tensors.get("mean")), std=_numbers(tensors.get("std")))


def _numbers(tensor: Tensor | None) -> tuple[float, ...] | None:
    return None if tensor is None else tuple(float(x) for x in tensor.flatten())


def fill(
    trunk: nn.Module,
    tensors: Mapping[str, Tensor],
    *,
    name: str,
    source: str,
    fresh: frozenset[str],
    grid: tuple[int, int] | None,
    added: str = "",
) -> tuple[str, ...]:
    """Put the tensors that fit into the network; returns a note for each kind of thing that did not.

    Names are compared after the prefix (of a wrapper, of a larger model) that makes most of them fit; surplus, such as
    the classifier, is ignored. Position embeddings and patch kernels of another size are resized, a first convolution
    for another number of channels is adapted.

    Args:
        fresh: tensors that may stay new, since small pictures may need another shape there; they do not count.
        grid: rows and columns of patches, for position embeddings.
        added: a part of the network that published weights know nothing of; it stays new without a word.

    Raises:
        CheckpointError: less than 95 % of the network's tensors are found: counts and the first that are missing.
    """
    wanted = trunk.state_dict()
    own = frozenset(n for n in wanted if added and n.startswith(f"{added}."))
    fresh = fresh | own
    named = _best_names(tensors, wanted)
    found = {n: t for n, like in wanted.items() if n in named and (t := _fitted(n, named[n], like, grid)) is not None}
    new = [n for n in wanted if n not in found and n not in fresh and not n.endswith("num_batches_tracked")]
    needed = sum(n not in fresh and not n.endswith("num_batches_tracked") for n in wanted)
    missing = first([n for n in new if n not in named])
    misshapen = first([f"{n} {tuple(named[n].shape)} for {tuple(wanted[n].shape)}" for n in new if n in named])
    if needed - len(new) < ENOUGH * needed:
        reasons = [f"missing {missing}"] * bool(missing) + [f"other shape {misshapen}"] * bool(misshapen)
        raise CheckpointError(
            f"initial = {source}: {needed - len(new)} of {needed} tensors fit {name} ({ENOUGH:.0%} are needed); "
            f"{'; '.join(reasons)}"
        )
    trunk.load_state_dict(found, strict=False)
    notes = {
        "small pictures need another shape there": first(sorted(fresh - own - set(found))),
        "not in the weights file": missing,
        "of another shape in the weights file": misshapen,
    }
    return tuple(f"new weights, since {why}: {which}" for why, which in notes.items() if which)


def _best_names(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the names under which most of them are wanted."""
    plain = [_renamed(tensors, strip, add) for strip in _prefixes(tensors) for add in ("", "features.")]
    candidates = plain + [{_OLD_DENSENET.sub(r".\1\2.", n): t for n, t in named.items()} for named in plain]
    return max(candidates, key=lambda named: sum(n in wanted and t.ndim == wanted[n].ndim for n, t in named.items()))


def _prefixes(tensors: Mapping[str, Tensor]) -> list[str]:
    """Every sequence of usual outer names that some tensor's name begins with, the empty one first."""
    found, last = [""], [""]
    while last:
        longer = {p + outer for p in last for outer in _OUTER[1:]}
        last = [p for p in sorted(longer) if any(n.startswith(p) for n in tensors)]
        found += last
    return found


def _renamed(tensors: Mapping[str, Tensor], strip: str, add: str) -> dict[str, Tensor]:
    return {add + name.removeprefix(strip): t for name, t in tensors.items() if name.startswith(strip)}


def _fitted(name: str, tensor: Tensor, like: Tensor, grid: tuple[int, int] | None) -> Tensor | None:
    """The tensor in the shape of ``like``, by a resampling that makes sense for its kind; None where there is none."""
    if tensor.shape == like.shape:
        return tensor
    if name in _POSITIONS and grid and tensor.ndim == 3 and tensor.shape[2] == like.shape[2]:
        return resize_positions(tensor, grid, prefix=like.shape[1] - grid[0] * grid[1])
    if tensor.ndim == 4 == like.ndim and tensor.shape[0] == like.shape[0]:
        if tensor.shape[1] == 3 != like.shape[1] and like.shape[1] < 16:
            tensor = with_channels(tensor, like.shape[1])
        if name in _PATCHES and tensor.shape[1] == like.shape[1]:
            tensor = resize_kernel(tensor, (like.shape[2], like.shape[3]))
    return tensor if tensor.shape == like.shape else None
