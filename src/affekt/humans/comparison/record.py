"""Record: a comparison as ``agreement.json``, the one source of the table, the figures and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from affekt.humans.agreement import Estimate
from affekt.humans.comparison.comparing import Comparison
from affekt.humans.comparison.measures import LEVEL, Described, Measure
from affekt.humans.comparison.model import Model
from affekt.humans.comparison.parts import ByCondition, Curve, Part
from affekt.humans.people import Left, Trials

FORMAT = 1


def to_json(found: Comparison, **about: Any) -> dict[str, Any]:
    """Plain dicts, lists and numbers; None for what cannot be had.

    Args:
        about: further keys on top, e.g. ``split``.
    """
    from affekt import __version__

    people = found.people
    return {
        "format": FORMAT,
        "affekt_version": __version__,
        **about,
        "humans": {
            "name": people.name,
            "kind": found.kind,
            "licence": people.licence,
            "stimuli": found.joined.total,
            "compared": len(found.joined),
            "unseen_by_all": _left(found.joined.unseen_by_all),
            "subjects": len(people.subjects) if isinstance(people, Trials) else None,
            "simulated": found.simulated or None,
        },
        "models": [_model(found, model) for model in found.models],
        "resamples": found.resamples,
        "seed": found.seed,
        "level": LEVEL,
        "parts": [_part(part) for part in found.parts],
        "differing": [
            {
                "model": one.model,
                "part": one.part,
                "what": one.what,
                "stimuli": [
                    {"id": name, "distance": gap, "people": theirs, "model": own}
                    for name, gap, theirs, own in one.stimuli
                ],
            }
            for one in found.differing
        ],
        "cautions": list(found.cautions),
        "notes": list(found.notes),
    }


def _model(found: Comparison, model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "answers": model.answers is not None,
        "features": model.features is not None,
        "layers": list(model.layers),
        "unseen": _left(found.joined.unseen[model.name]),
        "unrated": _left(found.joined.unrated[model.name]),
        "notes": list(model.notes),
    }


def _left(left: Left) -> dict[str, Any]:
    return {"count": left.count, "first": list(left.examples)}


def _part(part: Part) -> dict[str, Any]:
    return {
        "id": part.id,
        "title": part.title,
        "lead": part.lead,
        "stimuli": part.stimuli,
        "units": part.units,
        "models": list(part.models),
        "categories": list(part.categories),
        "simulated": part.simulated or None,
        "layers": {row: {"model": model, "layer": layer} for row, (model, layer) in part.layers.items()},
        "measures": [_measure(measure) for measure in part.measures],
        "conditions": [_condition(one) for one in part.conditions],
        "curves": [_curve(curve) for curve in part.curves],
        "confusions": _confusions(part),
        "calibration": _calibration(part),
        "notes": list(part.notes),
    }


def described(measure: Described) -> dict[str, Any]:
    """What a measure is, with people's line."""
    return {
        "name": measure.name,
        "title": measure.title,
        "about": measure.about,
        "best": measure.best,
        "chance": measure.chance,
        "people": None if measure.people is None else dict(vars(measure.people)),
    }


def _measure(measure: Measure) -> dict[str, Any]:
    return {
        **described(measure),
        "interval": "basic" if measure.basic else "percentile",
        "models": {name: _estimate(measure, name, estimate) for name, estimate in measure.models.items()},
        "pairs": [dict(vars(pair)) for pair in measure.pairs],
    }


def _estimate(measure: Measure, model: str, found: Estimate) -> dict[str, Any]:
    low, high = measure.interval(model) or (None, None)
    return {
        "value": found.value,
        "low": low,
        "high": high,
        "reason": found.reason,
        "undefined": found.undefined if low is not None else None,
    }


def _condition(one: ByCondition) -> dict[str, Any]:
    def each(of: Mapping[str, tuple[float | None, float | None, float | None, str]]) -> dict[str, Any]:
        return {who: dict(zip(("value", "low", "high", "reason"), found, strict=True)) for who, found in of.items()}

    return {
        "condition": one.condition,
        "stimuli": one.stimuli,
        "accuracy": each(one.accuracy),
        "kappa": each(one.kappa),
    }


def _curve(curve: Curve) -> dict[str, Any]:
    fitted = curve.fitted
    numbers = ("threshold", "width", "slope", "lapse", "guess", "pse", "overdispersion")
    return {
        "manipulation": curve.manipulation,
        "observer": curve.observer,
        "levels": curve.levels.tolist(),
        "shares": curve.shares.tolist(),
        "trials": curve.trials.tolist(),
        "converged": fitted.converged,
        "reason": fitted.reason,
        **{name: None if (one := getattr(fitted, name)) is None else dict(vars(one)) for name in numbers},
        "deviance": fitted.deviance,
        "deviance_p": fitted.deviance_p,
    }


def _confusions(part: Part) -> dict[str, Any] | None:
    if part.confusions is None:
        return None
    return {
        "people": part.confusions.people.counts.tolist(),
        "models": {name: one.counts.tolist() for name, one in part.confusions.models.items()},
    }


def _calibration(part: Part) -> dict[str, Any] | None:
    if part.calibrations is None:
        return None
    return {
        name: {
            "confidence": one.confidence.tolist(),
            "share": one.share.tolist(),
            "stimuli": np.asarray(one.sizes).tolist(),
            "bias": one.bias,
        }
        for name, one in part.calibrations.items()
    }
