"""Speech: an encoder of the wav2vec 2.0 kind (HuBERT, WavLM ...), its steps averaged over each frame."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Self, TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from affekt.errors import AffektError, MissingExtra, UsageError, unknown
from affekt.multimodal.front_ends.base import AudioFrontEnd, AudioSetup
from affekt.multimodal.timeline import silenced, within
from affekt.saving.hub import quiet

N = TypeVar("N", int, Tensor)

TRAINABLE = ("transformer", "all", "none")


class SpeechAudio(AudioFrontEnd):
    """The last layer of ``speech:<name>``, a model of the hub or a folder, by way of transformers (extra ``speech``).

    Sound is brought to mean 0 and variance 1 over each clip, as these encoders were trained. Each of their steps (20
    ms) counts for the frame that its middle falls into. Encoders with a norm over time cannot be told of padding, and
    read clips of one length at a time. Masking of spectra and dropping of whole layers, which transformers draws where
    no seed reaches, are off.

    Args:
        trainable: ``"transformer"`` (all but the convolutions, as is usual), ``"all"`` or ``"none"``.
        config: of the encoder, as transformers writes it: it is made with random weights, and nothing is downloaded.

    Raises:
        UsageError: no name, a model of another kind, steps longer than a frame.
        MissingExtra: transformers is not installed.
        AffektError: a model that cannot be had.
    """

    def __init__(
        self, setup: AudioSetup, *, trainable: str = "transformer", config: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(setup)
        if trainable not in TRAINABLE:
            raise UsageError(unknown("trainable", trainable, TRAINABLE))
        if not setup.model and config is None:
            raise UsageError('audio = "speech": of which encoder? write e.g. "speech:facebook/wav2vec2-base"')
        self.encoder = _encoder(setup.model, config)
        settings = self.encoder.config
        self.num_features = int(settings.hidden_size)
        self.field, self.stride = _geometry(settings.conv_kernel, settings.conv_stride)
        if self.stride > self.samples or (self.field - 1) // 2 >= self.samples:
            raise UsageError(
                f"speech:{setup.model}: its steps of {self.stride} samples look at {self.field}; a frame has "
                f"{self.samples}: lower fps"
            )
        self.masked = settings.feat_extract_norm == "layer"
        self.frozen = trainable == "none"
        _freeze(self.encoder, trainable)

    def forward(self, audio: Tensor, lengths: Tensor) -> Tensor:
        frames = self.frames_of(audio)
        sound = self._normalised(audio, lengths)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            if self.masked:
                return self._frames(sound, frames, lengths)
            out = sound.new_zeros(len(sound), frames, self.num_features)
            for length in torch.unique(lengths).tolist():
                rows = torch.nonzero(lengths == length)[:, 0]
                found = self._frames(sound[rows, : length * self.samples], length)
                out[rows, :length] = found.to(out.dtype)
            return out

    def _normalised(self, audio: Tensor, lengths: Tensor) -> Tensor:
        samples = lengths * self.samples
        sound = silenced(audio[:, None].float(), samples)[:, 0]
        mean = sound.sum(1, keepdim=True) / samples[:, None]
        centred = torch.where(within(samples, sound.shape[1]), sound - mean, torch.zeros_like(sound))
        variance = centred.square().sum(1, keepdim=True) / samples[:, None]
        return centred / torch.sqrt(variance + 1e-7)

    def _frames(self, sound: Tensor, frames: int, lengths: Tensor | None = None) -> Tensor:
        """``(B, frames, D)``: the mean of the steps whose middle falls into each frame."""
        steps, needed = self._steps(frames), self._needed(frames)
        padded = F.pad(sound, (0, max(0, needed - sound.shape[1])))
        mask = None if lengths is None else within(self._needed(lengths), padded.shape[1]).long()
        hidden: Tensor = self.encoder(padded, attention_mask=mask).last_hidden_state
        middle = torch.arange(steps, device=sound.device) * self.stride + (self.field - 1) // 2
        belongs = (middle // self.samples)[None] == torch.arange(frames, device=sound.device)[:, None]
        shares = belongs / belongs.sum(1, keepdim=True)
        return shares.to(hidden.dtype) @ hidden

    def _steps(self, frames: N) -> N:
        """How many steps have their middle within so many frames."""
        return -(-(2 * frames * self.samples - self.field + 1) // (2 * self.stride))

    def _needed(self, frames: N) -> N:
        """The samples that these steps look at, some perhaps after the end."""
        return (self._steps(frames) - 1) * self.stride + self.field

    def train(self, mode: bool = True) -> Self:
        """Training mode, but for an encoder that stands still."""
        super().train(mode)
        if self.frozen:
            self.encoder.eval()
        return self

    def options(self) -> dict[str, Any]:
        return {"config": {k: v for k, v in self.encoder.config.to_dict().items() if k != "_name_or_path"}}


def _encoder(name: str, config: Mapping[str, Any] | None) -> Any:
    try:
        transformers: Any = importlib.import_module("transformers")
    except ImportError as error:
        raise MissingExtra("speech", "transformers") from error
    try:
        with quiet():
            made = _made(transformers, name, config)
    except (OSError, ValueError, ImportError) as error:
        reason = " ".join(str(error).split())[:160]
        raise AffektError(f"speech:{name}: cannot be had ({reason}); give a model of the hub or a folder") from error
    return made.float()


def _made(transformers: Any, name: str, config: Mapping[str, Any] | None) -> Any:
    settings = (
        transformers.AutoConfig.from_pretrained(name)
        if config is None
        else transformers.AutoConfig.for_model(**dict(config))
    )
    _check(name, settings)
    settings.apply_spec_augment, settings.layerdrop = False, 0.0
    if config is None:
        return transformers.AutoModel.from_pretrained(name, config=settings)
    return transformers.AutoModel.from_config(settings)


def _check(name: str, settings: Any) -> None:
    lacking = [key for key in ("conv_kernel", "conv_stride", "feat_extract_norm") if not hasattr(settings, key)]
    if lacking or getattr(settings, "add_adapter", False):
        raise UsageError(
            f"speech:{name}: {settings.model_type} is no plain encoder of the wav2vec2 kind; write e.g. "
            '"speech:facebook/wav2vec2-base" or "speech:facebook/hubert-base-ls960"'
        )


def _geometry(kernels: list[int], strides: list[int]) -> tuple[int, int]:
    """``(samples that one step looks at, samples from one step to the next)``."""
    field, stride = 1, 1
    for kernel, step in zip(kernels, strides, strict=True):
        field += (kernel - 1) * stride
        stride *= step
    return field, stride


def _freeze(encoder: Any, trainable: str) -> None:
    encoder.requires_grad_(trainable != "none")
    if hasattr(encoder, "masked_spec_embed"):
        encoder.masked_spec_embed.requires_grad_(False)  # used by masking alone
    if trainable == "transformer":
        encoder.feature_extractor.requires_grad_(False)
        encoder.feature_extractor._requires_grad = False  # else it asks for gradients of the sound
