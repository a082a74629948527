"""Saving: model folders in the hub's layout, checked on load, with a card that names the data behind them.

    >>> model.save_pretrained("runs/oasis/model", affekt.saving.ModelCard(title="Valence and arousal of OASIS"))
    >>> model = affekt.load("runs/oasis/model")

A checkpoint of another kind uses :func:`write_folder` and :func:`verify_manifest` for the same guarantees.
"""

from __future__ import annotations

from affekt.saving.card import ModelCard
from affekt.saving.manifest import file_digest, verify_manifest, write_folder, write_manifest
from affekt.saving.pretrained import MODELS, PretrainedModel, load, local_folder, read_header

__all__ = [
    "MODELS",
    "ModelCard",
    "PretrainedModel",
    "file_digest",
    "load",
    "local_folder",
    "read_header",
    "verify_manifest",
    "write_folder",
    "write_manifest",
]
