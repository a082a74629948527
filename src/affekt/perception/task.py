"""Affect task: how an affect network learns from affect labels, and how well it does."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from affekt.affect import majority
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError, UsageError, unknown
from affekt.perception.losses import RATINGS_LOSSES, category_loss, vote_loss
from affekt.perception.metrics import category_metrics, rating_metrics, vote_metrics
from affekt.perception.network import AffectNetwork, AffectOutput
from affekt.perception.ridge import FEWEST, fit_ridge
from affekt.training.plain import plain_batches
from affekt.training.task import Batch, Outputs, Task
from affekt.training.transfer import keep_batch_norms, layerwise_groups, set_trainable
from affekt.training.whitening import whiten_by

CATEGORIES = ("none", "cross-entropy", "votes")
HEAD_STARTS = ("random", "ridge")
BATCH_NORMS = ("learned", "kept")


class AffectTask(Task):
    """Losses and metrics of an affect network; sets its rating statistics from the training labels.

    Losses: ``categories`` where the network has a category head, and one named after each rating dimension.

    Metrics: ``<dimension>/r``, ``/spearman``, ``/ccc``, ``/rmse``, ``/rmse_of_mean``, ``/ccc_of_mean``, ``/n``, with
    the RMSE in units of the scale; ``r``, the mean of the dimensions' r, in which a constant prediction counts 0;
    ``accuracy``, ``balanced_accuracy``, ``macro_f1``, each with ``_of_majority``; ``votes/kl`` and ``votes/kl_of_mean``
    in nats.

    Args:
        network: an :class:`AffectNetwork`; becomes ``model``.
        labels: of the *training* split.
        categories: loss of the category head: ``"cross-entropy"`` with the majority category, ``"votes"`` (KL to the
            shares of votes). ``"none"``: the same as cross-entropy where there is such a head.
        ratings_loss: ``"mse"``, ``"ccc"`` or ``"gaussian-nll"``; absent: the network's.
        trainable: ``"all"``, ``"head"`` or the number of last stages that learn.
        layer_decay: factor of the learning rate from each stage to the one before it.
        label_smoothing: of the cross-entropy.
        head_start: of the rating head: ``"random"``, or ``"ridge"``: ridge regression of the training ratings on the
            backbone's initial features, so that fine-tuning starts where linear probing ends (Kumar et al. 2022,
            arXiv:2202.10054).
        batch_norm: ``"learned"``: statistics as in training from scratch; ``"kept"``: those of the initial weights.

    Raises:
        UsageError: a word that does not exist, a likelihood without variances, or a ridge without ratings.
        DataError: labels that lack what a head is to learn.
    """

    model: AffectNetwork

    def __init__(
        self,
        network: AffectNetwork,
        labels: Labels,
        *,
        categories: str = "cross-entropy",
        ratings_loss: str | None = None,
        trainable: str | int = "all",
        layer_decay: float = 1.0,
        label_smoothing: float = 0.0,
        head_start: str = "random",
        batch_norm: str = "learned",
    ) -> None:
        super().__init__()
        for what, word, known in (("head_start", head_start, HEAD_STARTS), ("batch_norm", batch_norm, BATCH_NORMS)):
            if word not in known:
                raise UsageError(unknown(what, word, known))
        if head_start == "ridge" and not network.ratings:
            raise UsageError('head_start = "ridge": is for ratings, and this network has none; write "random"')
        if categories not in CATEGORIES:
            raise UsageError(unknown("categories", categories, CATEGORIES))
        name = ratings_loss or network.ratings_loss
        if name not in RATINGS_LOSSES:
            raise UsageError(unknown("ratings_loss", name, RATINGS_LOSSES))
        if network.ratings and name == "gaussian-nll" != network.ratings_loss:
            raise UsageError(
                'ratings_loss = "gaussian-nll": this network predicts no variances; make it with the same ratings_loss'
            )
        _check_labels(network, labels, categories)
        self.model = network
        self.by_votes = categories == "votes"
        self.ratings_loss = RATINGS_LOSSES[name]
        self.layer_decay = layer_decay
        self.label_smoothing = label_smoothing
        self.head_start = head_start
        self.batch_norms_kept = batch_norm == "kept"
        self.monitor = "r" if network.ratings else "accuracy"
        network.standardise(labels.ratings)
        set_trainable(network, trainable)
        if network.categories:
            shares = category_shares(labels)
            self.register_buffer("category_shares", torch.as_tensor(shares, dtype=torch.float32))

    @property
    def loss_names(self) -> tuple[str, ...]:
        return (*(["categories"] if self.model.categories else []), *self.model.ratings)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        return self._losses(self.model(batch.images), batch)

    def outputs(self, batch: Batch) -> dict[str, Tensor]:
        """``state``; ``category_probabilities``; ``ratings`` in units of the scale; each where there is such a head."""
        return _as_outputs(self.model(batch.images))

    def score(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        out = self.model(batch.images)
        return self._losses(out, batch), _as_outputs(out)

    def _losses(self, out: AffectOutput, batch: Batch) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        if out.category_logits is not None:
            found["categories"] = self._category_loss(out.category_logits, batch)
        if out.ratings is None:
            return found
        for index, name in enumerate(self.model.ratings):
            target = (batch.labels[name] - self.model.rating_mean[index]) / self.model.rating_std[index]
            variance = None if out.rating_log_variance is None else out.rating_log_variance[:, index]
            found[name] = self.ratings_loss(out.ratings[:, index], target, variance)
        return found

    def _category_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        if self.by_votes:
            return vote_loss(logits, batch.labels["votes"])
        target = batch.labels["category"] if "category" in batch.labels else _majority(batch.labels["votes"])
        return category_loss(logits, target, self.label_smoothing)

    def metrics(self, outputs: Outputs, labels: Labels) -> dict[str, float]:
        found: dict[str, float] = {}
        if self.model.ratings:
            found |= self._rating_metrics(outputs["ratings"], labels)
        if self.model.categories:
            shares = self.get_buffer("category_shares").cpu().numpy()
            probabilities = outputs["category_probabilities"]
            found |= category_metrics(probabilities, _category(labels), int(shares.argmax()))
            if labels.votes is not None:
                found |= vote_metrics(probabilities, labels.votes, shares)
        return found

    def _rating_metrics(self, values: np.ndarray[Any, Any], labels: Labels) -> dict[str, float]:
        found: dict[str, float] = {}
        for index, name in enumerate(self.model.ratings):
            mean = float(self.model.rating_mean[index])
            scored = rating_metrics(values[:, index], labels.ratings[name], mean)
            found |= {f"{name}/{metric}": value for metric, value in scored.items()}
        return {"r": float(np.mean([np.nan_to_num(found[f"{name}/r"]) for name in self.model.ratings]))} | found

    def train(self, mode: bool = True) -> Self:
        """Training mode, but for what does not learn."""
        super().train(mode)
        if self.batch_norms_kept:
            keep_batch_norms(self.model.backbone)
        return self

    @torch.no_grad()
    def start(self, stimuli: Stimuli) -> None:
        """Before training, by the un-augmented training pictures: fill whitening layers and, with
        ``head_start = "ridge"``, solve the rating head.

        A dimension with fewer than three ratings keeps its random start.
        """
        whiten_by(self, stimuli)
        network, head = self.model, self.model.heads.rating_head
        if self.head_start != "ridge" or head is None:
            return
        mode = self.training
        self.eval()
        pictures = plain_batches(stimuli, network.image_size, device=network.mean.device)
        features = torch.cat([network(batch).features.double() for batch in pictures]).cpu().numpy()
        self.train(mode)
        mean, std = network.rating_mean.cpu().numpy(), network.rating_std.cpu().numpy()
        for index, name in enumerate(network.ratings):
            target = (stimuli.labels.ratings[name] - mean[index]) / std[index]
            if np.isfinite(target).sum() < FEWEST:
                continue
            fit = fit_ridge(features, target)
            head.weight[index] = torch.as_tensor(fit.weight)
            head.bias[index] = fit.bias

    def calibrate(self, stimuli: Stimuli) -> None:
        """After training: standardise the network's state over its training pictures, un-augmented."""
        self.model.calibrate(plain_batches(stimuli, self.model.image_size, device=self.model.mean.device))

    def parameter_groups(self, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
        return layerwise_groups(self.model, learning_rate, weight_decay, self.layer_decay)


def _as_outputs(out: AffectOutput) -> dict[str, Tensor]:
    named = {"state": out.state, "category_probabilities": out.category_probabilities, "ratings": out.rating_values}
    return {name: values for name, values in named.items() if values is not None}


def category_shares(labels: Labels) -> np.ndarray[Any, Any]:
    """``(K,)`` mean shares of the categories: of the votes where there are any, else of the majority labels."""
    if labels.votes is not None:
        counts = labels.votes[labels.votes.sum(axis=1) > 0].astype(np.float64)
        shares: np.ndarray[Any, Any] = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
        return shares
    known = _category(labels)
    counts = np.bincount(known[known >= 0], minlength=len(labels.categories))
    return np.asarray(counts / counts.sum())


def _check_labels(network: AffectNetwork, labels: Labels, categories: str) -> None:
    absent = [name for name in network.ratings if name not in labels.ratings]
    if absent:
        known = ", ".join(labels.ratings) or "none"
        raise DataError(f"the labels have no ratings of {', '.join(absent)}; they have: {known}")
    if not network.categories:
        return
    if network.categories != labels.categories:
        found = ", ".join(labels.categories) or "none"
        raise DataError(f"the network's categories are {', '.join(network.categories)}; those of the labels: {found}")
    if categories == "votes" and labels.votes is None:
        raise DataError('categories = "votes": these labels hold no votes; write "cross-entropy"')
    if categories == "votes" and labels.votes is not None and labels.votes.sum():
        return
    if not (_category(labels) >= 0).any():
        tied = (
            '; every vote ends in a tie: learn from the shares, categories = "votes"'
            if labels.votes is not None
            else ""
        )
        raise DataError(f"no stimulus of the training split has a category{tied}")


def _category(labels: Labels) -> np.ndarray[Any, Any]:
    if labels.category is not None:
        return labels.category
    if labels.votes is None:
        return np.full(0, -1)
    return np.where(labels.votes.sum(axis=1) > 0, majority(labels.votes), -1)


def _majority(votes: Tensor) -> Tensor:
    """``(B, K)`` votes -> ``(B,)`` index of the first place, -1 where it is shared."""
    best, winner = votes.max(dim=1)
    tied = (votes == best[:, None]).sum(dim=1) > 1
    return torch.where(tied, torch.full_like(winner, -1), winner)
