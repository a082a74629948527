"""Affect cache: the affect state of each un-augmented picture, computed once and kept by the picture's index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from affekt.data.stimuli import Stimuli
from affekt.errors import UsageError
from affekt.regulation.kept_affect import Felt, KeptAffect
from affekt.training.plain import plain_batches
from affekt.training.task import Batch

GIB = 2**30


class AffectCache:
    """Affect states, and the emotional features if asked for, of whole splits.

    It answers another question than the emotional encoder in the loop: what the *stimulus* makes one feel, not the crop
    of it that the classifiers see. A mixed picture has its two stimuli's states mixed by their shares.

    Args:
        emotional: a frozen emotional encoder.
        image_size: side of the pictures as the classifier is given them in evaluation, pixels.
        features: whether features are kept too.
        memory_gib: what may be kept, all splits together.
        folder: where other runs find what this one has computed; None: nothing is written.
    """

    def __init__(
        self,
        emotional: nn.Module,
        image_size: int,
        *,
        features: bool = False,
        memory_gib: float = 1.0,
        folder: Path | None = None,
    ) -> None:
        self.emotional: Any = emotional
        self.image_size = image_size
        self.with_features = features
        self.memory_gib = memory_gib
        self.folder = folder
        self._states: dict[str, Tensor] = {}
        self._features: dict[str, Tensor] = {}

    def __contains__(self, split: str) -> bool:
        return split in self._states

    @property
    def nbytes(self) -> int:
        """Bytes kept."""
        return sum(t.nbytes for kept in (self._states, self._features) for t in kept.values())

    @torch.no_grad()
    def fill(self, split: str, stimuli: Stimuli) -> None:
        """Compute and keep a split, in chunks, on the encoder's device; a split that is there is computed anew.

        Raises:
            UsageError: it takes more memory than allowed, or the folder cannot be written.
        """
        self._states.pop(split, None)
        self._features.pop(split, None)
        self._check_memory(split, len(stimuli))
        device = self.emotional.mean.device
        batches = plain_batches(stimuli, self.image_size, device=device)
        felt = [*map(self._felt, batches)] if self.folder is None else self._kept(self.folder, batches)
        self._states[split] = torch.cat([part["state"] for part in felt])
        if self.with_features:
            self._features[split] = torch.cat([part["features"] for part in felt])

    def _kept(self, folder: Path, batches: Iterator[Tensor]) -> list[Felt]:
        # Made anew for each split: weights may have been loaded since.
        kept = KeptAffect(folder, self.emotional, self.emotional.mean.device)
        try:
            return [kept.felt(images, self._felt, self._names) for images in batches]
        except OSError as error:
            raise UsageError(f"{folder}: the affect cache cannot be written ({error.strerror})") from None

    @property
    def _names(self) -> tuple[str, ...]:
        return ("state", "features") if self.with_features else ("state",)

    def _felt(self, images: Tensor) -> Felt:
        out = self.emotional(images)
        found = {"state": out.state.float()}
        return found | {"features": out.features.float()} if self.with_features else found

    def _check_memory(self, split: str, n: int) -> None:
        numbers = len(self.emotional.state_names) + (self.emotional.num_features if self.with_features else 0)
        needed = self.nbytes + 4 * n * numbers
        if needed > self.memory_gib * GIB:
            raise UsageError(
                f"affect cache: {numbers:,} numbers for each of {n:,} {split} pictures make {needed / GIB:.2f} GiB, "
                f"{self.memory_gib:g} are allowed; raise memory_gib or do without cached features"
            )

    def state(self, batch: Batch) -> Tensor:
        """``(B, A)`` affect states of a batch's stimuli."""
        return _looked_up(self._states[batch.split], batch)

    def features(self, batch: Batch) -> Tensor | None:
        """``(B, D)`` emotional features of a batch's stimuli; None where none are kept."""
        kept = self._features.get(batch.split)
        return None if kept is None else _looked_up(kept, batch)


def _looked_up(kept: Tensor, batch: Batch) -> Tensor:
    own = kept[batch.items.to(kept.device)].to(batch.images.device)
    if batch.partner is None or batch.share is None:
        return own
    share = batch.share[:, None].float()
    return share * own + (1 - share) * own[batch.partner]
