"""Comparison of models with people: everything that can be said of their agreement, on the stimuli they share.

    >>> from affekt.humans.comparison import Model, compare
    >>> from affekt.humans.people import read_answers, read_people
    >>> people = read_people("oasis")  # doctest: +SKIP
    >>> models = [Model(name=name, answers=a) for name, a in read_answers("answers.csv").items()]  # doctest: +SKIP
    >>> found = compare(people, models)  # doctest: +SKIP
    >>> found.parts[0].measures[0].people  # the noise ceiling of r  # doctest: +SKIP

``affekt compare-humans`` is this as a command, with a report.
"""

from __future__ import annotations

from affekt.humans.comparison.comparing import Comparison, compare
from affekt.humans.comparison.measures import Line, Measure
from affekt.humans.comparison.model import Model
from affekt.humans.comparison.parts import Differing, Part
from affekt.humans.comparison.record import to_json

__all__ = ["Comparison", "Differing", "Line", "Measure", "Model", "Part", "compare", "to_json"]
