"""The two ways to make a derived set: forward noising, and an image-to-image diffusion model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.errors import DataError, MissingExtra, UsageError

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True, kw_only=True)
class ForwardNoise:
    """The forward process of a diffusion model: q(x_t | x_0), Ho, Jain, Abbeel (2020), arXiv:2006.11239, equation 4.

    x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) noise, with a_t the product of 1 - beta_s for s = 1 .. t, the pixels in [-1, 1],
    and beta rising linearly over ``steps`` steps.

    Attributes:
        step: t, from 1 (hardly any noise) to ``steps`` (nothing but noise).
        steps: T.
        beta_start, beta_end: beta_1 and beta_T.
    """

    step: int = 250
    steps: int = 1000
    beta_start: float = 1e-4
    beta_end: float = 0.02

    def __post_init__(self) -> None:
        if not 1 <= self.step <= self.steps:
            raise UsageError(f"noise step {self.step}: write a number from 1 to {self.steps}")
        if not 0 < self.beta_start <= self.beta_end < 1:
            raise UsageError(f"beta from {self.beta_start} to {self.beta_end}: write 0 < first <= last < 1")

    def parameters(self) -> Mapping[str, object]:
        names = ("step", "steps", "beta_start", "beta_end")
        return {"method": "forward-noise"} | {name: getattr(self, name) for name in names}

    @property
    def signal(self) -> float:
        """a_t: the share of the picture's variance that is left, from 1 to 0."""
        span = max(self.steps - 1, 1)
        betas = (self.beta_start + (self.beta_end - self.beta_start) * s / span for s in range(self.step))
        return math.prod(1 - beta for beta in betas)

    def __call__(self, images: Tensor, _: Sequence[str], generators: Sequence[Generator], /) -> Sequence[Tensor | None]:
        """``(B, 3, H, W)`` uint8 -> the same, noised; values beyond black and white are cut."""
        import torch

        noise = torch.stack(
            [torch.randn(image.shape, generator=g) for image, g in zip(images, generators, strict=True)]
        )
        noised = math.sqrt(self.signal) * (images.float() / 127.5 - 1) + math.sqrt(1 - self.signal) * noise
        return list(((noised + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))


@dataclass(frozen=True, kw_only=True)
class ImageToImage:
    """A text-guided image-to-image diffusion model of ``diffusers`` (SDEdit: Meng et al. 2022, arXiv:2108.01073).

    Attributes:
        pipeline: a pipeline object that takes ``prompt``, ``image``, ``strength`` and ``generator``.
        model: its name or folder, for the record.
        strength: from 0 (the source picture) to 1 (nothing of it).
        steps: denoising steps of the whole schedule; ``strength`` x ``steps`` are run.
        guidance: classifier-free guidance; 1: none.
        prompt: text with ``{label}`` for what people felt.
    """

    pipeline: Any
    model: str
    strength: float = 0.5
    steps: int = 50
    guidance: float = 7.5
    prompt: str = "a photograph that makes people feel {label}"

    def __post_init__(self) -> None:
        if not 0 < self.strength <= 1:
            raise UsageError(f"strength {self.strength}: write a number above 0, up to 1")
        if self.steps < 1 or int(self.steps * self.strength) < 1:
            raise UsageError(f"steps {self.steps} at strength {self.strength}: not one step is left; raise one of them")
        self.words("")

    def parameters(self) -> Mapping[str, object]:
        names = ("model", "strength", "steps", "guidance", "prompt")
        return {"method": "image-to-image"} | {name: getattr(self, name) for name in names}

    def words(self, label: str) -> str:
        """The prompt for a label.

        Raises:
            UsageError: the template asks for anything but ``{label}``.
        """
        try:
            return self.prompt.format(label=label).strip()
        except (KeyError, IndexError, ValueError, AttributeError):
            raise UsageError(f'prompt "{self.prompt}": it may hold {{label}} and no other braces') from None

    def __call__(
        self, images: Tensor, labels: Sequence[str], generators: Sequence[Generator], /
    ) -> Sequence[Tensor | None]:
        """``(B, 3, H, W)`` uint8 -> B pictures uint8; None where the model's own safety checker blanked one."""
        import torch

        found = self.pipeline(
            prompt=[self.words(label) for label in labels],
            image=images.float() / 255,
            strength=self.strength,
            num_inference_steps=self.steps,
            guidance_scale=self.guidance,
            generator=list(generators),
            output_type="np",
        )
        blanked = getattr(found, "nsfw_content_detected", None) or [False] * len(images)
        pixels = torch.from_numpy(found.images).permute(0, 3, 1, 2).mul(255).round().clamp(0, 255).to(torch.uint8)
        return [None if blank else image for blank, image in zip(blanked, pixels, strict=True)]


def load_pipeline(model: str, *, device: str | None = None) -> Any:
    """An image-to-image pipeline of ``diffusers`` from a local folder or a hub name; safetensors weights only.

    Half precision on a GPU, full on a CPU; its progress bars are off.

    Raises:
        MissingExtra: diffusers or transformers is not installed.
        DataError: no such model, or not one that makes pictures from pictures.
    """
    import torch

    try:
        from diffusers import AutoPipelineForImage2Image
    except ImportError:
        raise MissingExtra("diffusion", "diffusers") from None
    chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.float16 if chosen.startswith("cuda") else torch.float32
    if Path(model).expanduser().exists():
        model = str(Path(model).expanduser())
    try:
        load: Any = AutoPipelineForImage2Image.from_pretrained
        pipeline = load(model, use_safetensors=True).to(chosen, dtype)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f'diffusion model "{model}": cannot be loaded ({reason}); give a folder or hub name of a diffusers '
            "image-to-image model with safetensors weights"
        ) from None
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
