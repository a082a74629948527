"""Psychometric curves: how responses follow the strength of a manipulation (a morph, an occlusion, noise).

psi(x) = guess + (1 - lapse - guess) F(x; threshold, width), fitted by psignifit 4 (Schütt et al. 2016), which
integrates over a grid of parameters; F is 0.5 at the threshold and goes from 0.05 to 0.95 over the width. Intervals are
posterior ones, so the prior speaks where data are few: the width is taken to be no smaller than the smallest step
between levels.

    >>> from affekt.humans.psychophysics import psychometric
    >>> morph = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]  # share of the happy face
    >>> happy = [1, 2, 9, 24, 29, 30]
    >>> found = psychometric(morph, happy, [30] * 6, guess="lapse")
    >>> found.converged, round(found.pse.value, 1)
    (True, 0.5)
"""

from __future__ import annotations

from affekt.humans.psychophysics.counts import count_levels
from affekt.humans.psychophysics.curve import Direction, Estimate, Psychometric, Sigmoid
from affekt.humans.psychophysics.fitting import psychometric

__all__ = ["Direction", "Estimate", "Psychometric", "Sigmoid", "count_levels", "psychometric"]
