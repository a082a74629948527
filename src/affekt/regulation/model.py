"""Emotional Regulation: two classifiers, and a feeling about the picture that says which of them to trust."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from affekt.errors import UsageError, unknown
from affekt.regulation.classifier import Classifier
from affekt.regulation.encoder import check_emotional
from affekt.regulation.influences import InfluenceSetup, create_influence
from affekt.regulation.mixing import MIXES
from affekt.regulation.regulators import create_regulator
from affekt.saving import MODELS, PretrainedModel
from affekt.training.classification import check_labels, nll

LOSSES = {"all": ("regulated", "non_emotional", "influenced"), "regulated": ("regulated",)}
EMOTIONAL_MODES = ("frozen", "fine-tuned")


@dataclass(frozen=True, kw_only=True)
class RegulationOutput:
    """What a regulated model says of B pictures, so that anybody can look inside.

    Attributes:
        log_probabilities: ``(B, K)`` float32, of the regulated prediction.
        non_emotional, influenced: ``(B, K)`` logits of the two branches.
        regulation: ``(B, 1)`` or ``(B, K)`` float32, r in [0, 1]: the weight of the influenced branch.
        affect: ``(B, A)`` float32, the standardised affect state e.
    """

    log_probabilities: Tensor
    non_emotional: Tensor
    influenced: Tensor
    regulation: Tensor
    affect: Tensor


torch.export.register_dataclass(RegulationOutput)  # so that torch.export takes the model as it is


class EmotionalRegulation(PretrainedModel):
    """``(B, 3, H, W)`` RGB pictures in [0, 1] (or uint8), of any size -> :class:`RegulationOutput`.

    After Landi, Rodrigues and Chinnici, arXiv:2606.13081, whose equations are not public. Our reading::

        e  = emotional(x)                    p_N = softmax(h_N(f_N(x)))
        r  = regulator(e)                    p_I = softmax(h_I(influence(f_I(x), f_E(x))))
        p  = (1 - r) p_N + r p_I             or, with mix = "logit", softmax((1 - r) z_N + r z_I)

    Args:
        backbone: of both branches: a name for ``affekt.create_backbone``, or a module with ``num_features`` that maps
            normalised images to ``(B, D)``. The module becomes the first branch and a copy of it the second, which so
            starts from the same weights; by name, random weights differ. A model with such a module cannot be saved.
        num_classes: K, 2 or more.
        image_size: side of what the branches see, pixels; other pictures are resized. The emotional encoder resizes and
            normalises for itself.
        emotional: the emotional encoder, an :class:`affekt.AffectNetwork` or anything like it. It becomes part of the
            model and is frozen in place (``requires_grad = False``; give a ``copy.deepcopy`` to keep yours as it is)
            unless ``emotional_mode`` says otherwise.
        influence: ``initialised``, ``concatenated``, ``added``, ``modulated`` or ``shared``; ``independent``: none.
        regulator: ``constant``, ``random``, ``intensity``, ``valence``, ``learned``, ``per_class`` or ``scalar``;
            without affect: ``features``.
        mix: ``"probability"`` or ``"logit"``.
        initial: initial weights of both branches (``initialised`` and ``shared`` bring the second's); ``"random"``,
            ``"imagenet"`` or a path.
        width: channels of the backbone's first stage, where it has such a setting.
        start: of learned regulators: ``"balanced"`` (r = 0.5), ``"random"`` (all parameters) or ``"drawn"`` (r itself).
        constant: r of the constant regulator.
        gate_inputs: numbers that the regulator ``features`` sees; None: as many as the affect state has.
        emotional_mode: ``"frozen"`` (evaluation mode always, no gradient) or ``"fine-tuned"`` (learns the task too).
        losses: ``"all"``: the regulated prediction and each branch have a loss; ``"regulated"``: only the first.
        classes: the K names.
        dropout: before the head of each branch.

    Attributes:
        non_emotional: :class:`Classifier`, f_N and h_N.
        influence, influenced_head: f_I with its influence, and h_I.
        emotional, regulator: the other parts.

    Raises:
        UsageError: an unknown word, an emotional encoder that does not fit, and what ``create_backbone`` raises.
    """

    emotional: Any

    def __init__(
        self,
        backbone: str | nn.Module,
        num_classes: int,
        image_size: int,
        emotional: nn.Module,
        influence: str = "initialised",
        regulator: str = "learned",
        mix: str = "probability",
        *,
        initial: str = "random",
        width: float | None = None,
        start: str = "balanced",
        constant: float = 0.5,
        gate_inputs: int | None = None,
        emotional_mode: str = "frozen",
        losses: str = "all",
        classes: Sequence[str] | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        for what, name, known in (
            ("mix", mix, MIXES),
            ("losses", losses, LOSSES),
            ("emotional_mode", emotional_mode, EMOTIONAL_MODES),
        ):
            if name not in known:
                raise UsageError(unknown(what, name, known))
        check_emotional(emotional)
        self._arguments = {
            "influence": influence, "regulator": regulator, "mix": mix, "start": start, "constant": constant,
            "gate_inputs": gate_inputs, "emotional_mode": emotional_mode, "losses": losses,
        }  # fmt: skip
        self.mix = MIXES[mix]
        self.loss_names = LOSSES[losses]
        self.emotional = emotional
        self.emotional_frozen = emotional_mode == "frozen"
        self.emotional.requires_grad_(not self.emotional_frozen)
        self.non_emotional = Classifier(
            backbone, num_classes, image_size, initial=initial, width=width, dropout=dropout, classes=classes
        )
        setup = InfluenceSetup(
            backbone=backbone,
            image_size=image_size,
            initial=initial,
            width=width,
            classifier=self.non_emotional.backbone,
            emotional=self.emotional,
        )
        self.influence = create_influence(influence, setup)
        self.influenced_head = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.influence.num_features, num_classes))
        self.regulator = create_regulator(
            regulator,
            self.emotional.state_names,
            num_classes,
            start=start,
            constant=constant,
            num_features=self.non_emotional.num_features,
            inputs=gate_inputs,
        )
        self.train()

    @property
    def num_classes(self) -> int:
        """K."""
        return self.non_emotional.num_classes

    @property
    def image_size(self) -> int:
        """Side of what the branches see, pixels."""
        return self.non_emotional.image_size

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The K names, where they were given."""
        return self.non_emotional.classes

    def forward(
        self, images: Tensor, *, affect: Tensor | None = None, emotional_features: Tensor | None = None
    ) -> RegulationOutput:
        """The regulated prediction and all it is made of.

        Args:
            images: ``(B, 3, H, W)`` in [0, 1].
            affect: ``(B, A)``, an affect state to use in place of the emotional encoder's (a cached or permuted one).
            emotional_features: ``(B, D)`` in place of the emotional encoder's. It is not run where nothing of it is
                needed: given ``affect`` and either these or an influence without features.
        """
        state, features = self._feel(images, affect, emotional_features)
        head = self.influenced_head
        influenced = head(self.influence(images, features).to(head[-1].weight.dtype))
        own = self.non_emotional.features(images)
        non_emotional = self.non_emotional.classify(own)
        regulation = self.regulator(state, images, own)
        return RegulationOutput(
            log_probabilities=self.mixed(non_emotional, influenced, regulation),
            non_emotional=non_emotional,
            influenced=influenced,
            regulation=regulation,
            affect=state,
        )

    def _feel(self, images: Tensor, affect: Tensor | None, features: Tensor | None) -> tuple[Tensor, Tensor | None]:
        if affect is not None and (features is not None or not self.influence.needs_features):
            return affect.float(), features
        learning = torch.is_grad_enabled() and not self.emotional_frozen
        with torch.set_grad_enabled(learning):
            felt = self.emotional(images)
        state = felt.state if affect is None else affect
        return state.float(), felt.features if features is None else features

    def mixed(self, non_emotional: Tensor, influenced: Tensor, regulation: Tensor) -> Tensor:
        """``(B, K)`` float32 log-probabilities from both branches' logits and r, whatever autocast says."""
        with torch.autocast(regulation.device.type, enabled=False):
            return self.mix(non_emotional, influenced, regulation)

    def losses(self, out: RegulationOutput, labels: Tensor, label_smoothing: float = 0.0) -> dict[str, Tensor]:
        """The named, unweighted losses, float32 scalars: ``regulated``, ``non_emotional``, ``influenced``.

        With ``losses = "regulated"`` only the first.

        Args:
            out: what the model said.
            labels: ``(B,)`` int64, -1 for unknown (left out); or ``(B, K)`` shares.
            label_smoothing: the same for each loss.

        Raises:
            UsageError: labels of another number of pictures, type or (checked on a CPU) range.
        """
        check_labels(labels, out.log_probabilities)
        with torch.autocast(labels.device.type, enabled=False):
            logs = {"regulated": out.log_probabilities}
            if len(self.loss_names) > 1:
                logs["non_emotional"] = torch.log_softmax(out.non_emotional.float(), dim=1)
                logs["influenced"] = torch.log_softmax(out.influenced.float(), dim=1)
            return {name: nll(log, labels, label_smoothing) for name, log in logs.items()}

    def train(self, mode: bool = True) -> Self:
        """Training mode, but for a frozen emotional encoder, which stays in evaluation mode."""
        super().train(mode)
        if self.emotional_frozen:
            self.emotional.eval()
        return self

    def config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON can hold them; the emotional encoder by class and configuration.

        Raises:
            UsageError: a backbone that was given as a module, or an emotional encoder that cannot be saved.
        """
        if not isinstance(self.emotional, PretrainedModel):
            raise UsageError(f"emotional encoder {type(self.emotional).__name__}: only an affekt model can be saved")
        emotional = {"class": type(self.emotional).__name__, "config": self.emotional.config()}
        return {**self.non_emotional.config(), **self._arguments, "emotional": emotional}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A model of that configuration, its emotional encoder included; the weights are about to be replaced.

        Raises:
            UsageError: an emotional encoder of a class that this affekt does not have.
        """
        name = config["emotional"]["class"]
        if name not in MODELS:
            raise UsageError(unknown("model class", name, MODELS))
        kind = getattr(importlib.import_module(MODELS[name]), name)
        return cls(**{**config, "emotional": kind.from_config(config["emotional"]["config"])})
