"""Representations held against people: dissimilarities, their rank correlation, CKA, valence-selective units.

>>> import numpy as np
>>> from affekt.humans.representations import feature_rdm, rating_rdm, rsa
>>> rng = np.random.default_rng(0)
>>> valence = rng.uniform(1, 7, 40)
>>> features = np.column_stack([valence, -valence, rng.normal(size=(40, 6))])
>>> found = rsa(feature_rdm(features), rating_rdm(valence), draws=200)
>>> bool(found.interval()[0, 0] > 0)
True
"""

from __future__ import annotations

from affekt.humans.representations.cka import category_features, cka_halves, linear_cka
from affekt.humans.representations.rdm import category_rdm, feature_rdm, rating_rdm, stimuli_of, vote_rdm
from affekt.humans.representations.rsa import METHODS, Ceiling, Rsa, compare_rdms, noise_ceiling, rsa
from affekt.humans.representations.selective import SelectiveUnits, selective_units

__all__ = [
    "METHODS",
    "Ceiling",
    "Rsa",
    "SelectiveUnits",
    "category_features",
    "category_rdm",
    "cka_halves",
    "compare_rdms",
    "feature_rdm",
    "linear_cka",
    "noise_ceiling",
    "rating_rdm",
    "rsa",
    "selective_units",
    "stimuli_of",
    "vote_rdm",
]
