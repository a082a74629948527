"""Record: the agreement of a study as ``agreement.json``, the one source of the table, the figures and the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from affekt.humans.comparison.record import described
from affekt.study.agreement.agreeing import Agreement
from affekt.study.agreement.pooling import Pooled, Spread
from affekt.study.agreement.profiles import Profile
from affekt.study.agreement.topic import Topic

FORMAT = 1


def to_json(found: Agreement, **about: Any) -> dict[str, Any]:
    """Plain dicts, lists and numbers; None for what cannot be had.

    Args:
        about: further keys on top.
    """
    from affekt import __version__

    networks = found.networks
    return {
        "format": FORMAT,
        "affekt_version": __version__,
        **about,
        "study": networks.recipe.name,
        "conditions": {name: list(networks.seeds(name)) for name in networks.conditions},
        "declared": [list(pair) for pair in networks.declared],
        "humans": {"name": found.people.name, "licence": found.people.licence},
        "stimuli": {"tested": len(networks.ids), "compared": found.compared, "unrated": found.unrated},
        "resamples": found.resamples,
        "seed": found.seed,
        "claim": asdict(found.claim),
        "topics": [_topic(topic) for topic in found.topics],
        "among": [asdict(kappa) for kappa in found.among.pairs],
        "profiles": [_profile(one) for one in found.profiles],
        "cautions": list(found.cautions),
        "notes": list(found.notes),
    }


def _topic(topic: Topic) -> dict[str, Any]:
    return {
        "id": topic.id,
        "title": topic.title,
        "lead": topic.lead,
        "stimuli": topic.stimuli,
        "simulated": topic.simulated or None,
        "measures": [_pooled(measure) for measure in topic.measures],
        "notes": list(topic.notes),
    }


def _pooled(measure: Pooled) -> dict[str, Any]:
    return {
        **described(measure),
        "conditions": {name: _spread(one) for name, one in measure.conditions.items()},
        "pairs": [asdict(pair) | {"better": measure.favours(pair) or None} for pair in measure.pairs],
    }


def _spread(one: Spread) -> Mapping[str, Any]:
    return {**vars(one), "each": {str(seed): value for seed, value in one.each.items()}}


def _profile(one: Profile) -> dict[str, Any]:
    return {
        "manipulation": one.manipulation,
        "strength": one.strength,
        "unit": one.unit,
        "stimuli": one.stimuli,
        "accuracy": _pooled(one.accuracy),
        "cost": _pooled(one.cost),
    }
