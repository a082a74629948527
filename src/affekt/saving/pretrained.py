"""PretrainedModel: save a model to a folder, load it from one or from the hub; JSON and safetensors, never a pickle.

model/  config.json   {"class", "affekt_version", "format", "config"}     model.safetensors
        README.md     the model card                                      manifest.json   SHA-256 of the other three
"""

from __future__ import annotations

import importlib
import json
import re
import tempfile
import warnings
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_model, save_file
from torch import nn

from affekt.errors import AffektError, CheckpointError, UsageError, unknown
from affekt.saving.card import PICTURES, ModelCard
from affekt.saving.hub import quiet
from affekt.saving.manifest import MANIFEST, verify_manifest, write_folder

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
FORMAT = 1

MODELS: dict[str, str] = {
    "AffectNetwork": "affekt.perception",
    "EmotionalRegulation": "affekt.regulation",
    "Classifier": "affekt.regulation",
    "AudioVisualNetwork": "affekt.multimodal",
    "NoEmotion": "affekt.regulation",
    "EarlierClassifier": "affekt.regulation.earlier",
}
"""Class name in ``config.json`` -> the module that has it, imported when such a folder is loaded."""

_REPOSITORY = re.compile(r"^[\w.-]+/[\w.-]+$")


class PretrainedModel(nn.Module):
    """A model that can be saved and loaded; a subclass gives ``config`` and is named in ``MODELS``."""

    _card_text: str | None = None
    """The card that came with a loaded model: saved again with it unless a new one is given."""

    @property
    def pipelines(self) -> tuple[str, ...]:
        """What the hub calls the work of this model: the first is its pipeline, the others are tags."""
        return (PICTURES,)

    def config(self) -> dict[str, Any]:
        """The complete constructor arguments, as JSON can hold them."""
        # Right as it is, no stub: the base of somebody's own model, which may be used and trained without ever being
        # saved; saving it is what needs this. Every model of ours overrides it.
        raise NotImplementedError(
            f"{type(self).__name__}.config: give the constructor's arguments as JSON can hold them"
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A model of that configuration; its weights are about to be replaced."""
        return cls(**config)

    def save_pretrained(self, folder: str | Path, card: ModelCard | None = None) -> Path:
        """Write the model folder, whole or not at all; a model folder of that name is replaced.

        Raises:
            CheckpointError: the folder holds something else, or cannot be written.
        """
        folder = Path(folder)
        if folder.exists():
            _refuse_foreign(folder)
        write_folder(folder, lambda place: self._write(place, card), replace=True)
        return folder

    @classmethod
    def from_pretrained(
        cls,
        path_or_repository: str | Path,
        *,
        device: str | torch.device = "cpu",
        revision: str | None = None,
        token: str | None = None,
        cache_dir: str | Path | None = None,
    ) -> Self:
        """A model from a folder or a repository of the hub, in evaluation mode.

        Raises:
            CheckpointError: missing, truncated or altered file, another class, weights that do not fit.
        """
        folder = local_folder(path_or_repository, revision=revision, token=token, cache_dir=cache_dir)
        header = read_header(folder)
        if header["class"] != cls.__name__:
            raise CheckpointError(f"{folder}: holds {header['class']}, not {cls.__name__}; use affekt.load")
        model: Self = _build(cls, folder, header, device)
        return model

    def push_to_hub(
        self,
        repository: str,
        *,
        card: ModelCard | None = None,
        token: str | None = None,
        private: bool = False,
        revision: str | None = None,
        message: str = "Upload model with affekt",
        api: Any = None,
    ) -> str:
        """Upload the model folder to ``repository`` (``"name/model"``), which is made if need be; returns its address.

        ``api`` stands in for ``huggingface_hub.HfApi(token=token)``.
        """
        if not _REPOSITORY.match(repository):
            raise UsageError(f'push_to_hub("{repository}"): not a repository; write "owner/name"')
        api = api or _hub().HfApi(token=token)
        with tempfile.TemporaryDirectory() as temporary:
            folder = self.save_pretrained(Path(temporary) / "model", card)
            try:
                url = api.create_repo(repo_id=repository, private=private, exist_ok=True)
                api.upload_folder(
                    repo_id=repository, folder_path=str(folder), commit_message=message, revision=revision
                )
            except Exception as error:
                raise AffektError(f"{repository}: upload failed: {_one_line(error)}") from error
        return str(url)

    def _write(self, folder: Path, card: ModelCard | None) -> None:
        from affekt import __version__

        name = type(self).__name__
        header = {"class": name, "affekt_version": __version__, "format": FORMAT, "config": self.config()}
        (folder / CONFIG).write_text(json.dumps(header, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        try:
            _write_weights(self, folder / WEIGHTS)
        except SafetensorError as error:
            raise OSError(str(error)) from error
        (folder / WEIGHTS).chmod((folder / CONFIG).stat().st_mode)  # safetensors makes files for their owner alone
        bare = ModelCard(title=name, pipeline=self.pipelines[0], tags=self.pipelines[1:])
        text = card.render() if card else self._card_text or bare.render()
        (folder / CARD).write_text(text, encoding="utf-8")


def _write_weights(model: nn.Module, path: Path) -> None:
    """Each weight with memory of its own, since cuDNN keeps those of an LSTM in one buffer; tied weights once."""
    tensors: dict[Any, tuple[str, torch.Tensor]] = {}
    metadata = {"format": "pt"}
    for name, tensor in model.state_dict().items():
        place = (tensor.data_ptr(), tensor.shape, tensor.stride()) if tensor.numel() else name
        kept, _ = tensors.setdefault(place, (name, tensor))
        if kept != name:
            metadata[name] = kept  # as safetensors names the other names of a tied weight
    own = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in tensors.values()}
    save_file(own, path, metadata=metadata)


def load(
    path_or_repository: str | Path,
    *,
    device: str | torch.device = "cpu",
    revision: str | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
) -> Any:
    """The model in a folder (a model's or a run's) or a repository of the hub, whatever its class, in evaluation mode.

    Raises:
        CheckpointError: no such folder, an unknown class, a missing, truncated or altered file.
    """
    folder = local_folder(path_or_repository, revision=revision, token=token, cache_dir=cache_dir)
    header = read_header(folder)
    if header["class"] not in MODELS:
        raise CheckpointError(f"{folder}: {unknown('model class', header['class'], MODELS)}{_newer(header)}")
    cls = getattr(importlib.import_module(MODELS[header["class"]]), header["class"])
    return _build(cls, folder, header, device)


def read_header(folder: Path) -> dict[str, Any]:
    """``config.json`` of a model folder, after the whole folder was checked against its manifest.

    Raises:
        CheckpointError: not a model folder, or a damaged one.
    """
    if not folder.is_dir():
        raise CheckpointError(
            f"{folder}: no such folder; a model is the model/ that affekt pretrain and train leave in --out DIR"
        )
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder}: no {name} in it: not a model folder, or an incomplete one")
    if verify_manifest(folder, may_differ=(CARD,)):
        warnings.warn(f"{folder}: {CARD} was edited or removed since the model was saved", stacklevel=3)
    header: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    if header.get("format", 0) > FORMAT:
        raise CheckpointError(f"{folder}: format {header['format']}, this affekt reads {FORMAT}{_newer(header)}")
    return header


def local_folder(
    path_or_repository: str | Path,
    *,
    revision: str | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
) -> Path:
    """A folder (of a run: its ``model``), or the local copy of a repository (``owner/name``), downloaded if need be."""
    path = Path(path_or_repository)
    if path.exists() or isinstance(path_or_repository, Path) or not _REPOSITORY.match(path_or_repository):
        return path / "model" if (path / "recipe.toml").is_file() and (path / "model").is_dir() else path
    try:
        with quiet():
            found = _hub().snapshot_download(
                repo_id=path_or_repository,
                revision=revision,
                token=token,
                cache_dir=cache_dir,
                allow_patterns=[CONFIG, WEIGHTS, CARD, MANIFEST],
            )
    except Exception as error:
        raise CheckpointError(
            f"{path_or_repository}: no such folder, and not to be had from the hub: {_one_line(error)}"
        ) from error
    return Path(found)


def _build(cls: Any, folder: Path, header: dict[str, Any], device: str | torch.device) -> Any:
    try:
        model = cls.from_config(header["config"])
        load_model(model, folder / WEIGHTS, strict=True)
    except AffektError as error:
        raise CheckpointError(f"{folder}: {error}{_newer(header)}") from error
    except (RuntimeError, TypeError, SafetensorError) as error:
        raise CheckpointError(f"{folder}: does not fit {cls.__name__}: {_one_line(error)}{_newer(header)}") from error
    card = folder / CARD
    model._card_text = card.read_text(encoding="utf-8") if card.is_file() else None
    return model.to(device).eval()


def _newer(header: dict[str, Any]) -> str:
    """A hint for messages, where the folder was written by a later affekt than this one."""
    from affekt import __version__

    written = str(header.get("affekt_version", ""))
    if _numbers(written) <= _numbers(__version__):
        return ""
    return f" (written by affekt {written}, this is {__version__}: pip install -U affekt)"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version)[:3])


def _refuse_foreign(folder: Path) -> None:
    """A folder is replaced only if it is a model folder (or empty): nobody's other files are lost."""
    names = {p.name for p in folder.iterdir()} if folder.is_dir() else {"a file of that name"}
    # Others' folders in the hub's layout have the same names; only ours have a manifest.
    foreign = names - {CONFIG, WEIGHTS, CARD, MANIFEST, ".gitattributes"} if MANIFEST in names else names
    if foreign:
        raise CheckpointError(f"{folder}: holds other things ({', '.join(sorted(foreign)[:3])}); choose another folder")


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (text[:300] + "...") if len(text) > 300 else text or type(error).__name__


def _hub() -> Any:
    import huggingface_hub

    return huggingface_hub
