"""Probing: do the frozen features of a network predict people's ratings of the same pictures?

Features, standardised; ridge regression whose penalty is chosen in inner folds; outer folds by whole groups; scores
beside people's ceiling and beside controls. After Conwell, Graham, Boccagno & Vessel (2025), who did so with 180
networks. ``affekt probe`` is this as a command.

    >>> from affekt.data import dataset
    >>> settings = ProbeSettings(image_size=224)
    >>> people = dataset("oasis").open("data/oasis", "all", image_size=224)
    >>> subjects = with_controls(named("mobilenet_v2", settings), CONTROLS, settings)
    >>> result = probe(subjects, people, "probes/oasis", settings)
    >>> result.lines[0]["scores"]["valence"]["pearson"]["value"]
    0.56
"""

from __future__ import annotations

from affekt.humans.probing.folds import Folds, cut
from affekt.humans.probing.layers import Layers
from affekt.humans.probing.probing import ProbeResult, probe
from affekt.humans.probing.projecting import Projection, enough_dimensions
from affekt.humans.probing.ridge import PENALTIES, Fit, Nested, fit_ridge, nested_ridge
from affekt.humans.probing.settings import ProbeSettings
from affekt.humans.probing.subjects import CONTROLS, Subject, baseline, by_name, named, saved, with_controls

__all__ = [
    "CONTROLS",
    "PENALTIES",
    "Fit",
    "Folds",
    "Layers",
    "Nested",
    "ProbeResult",
    "ProbeSettings",
    "Projection",
    "Subject",
    "baseline",
    "by_name",
    "cut",
    "enough_dimensions",
    "fit_ridge",
    "named",
    "nested_ridge",
    "probe",
    "saved",
    "with_controls",
]
