"""Agreement of a study with people: every network of it, pooled over seeds, held against people's answers.

    >>> from affekt.humans.people import read_people
    >>> from affekt.study.agreement import agree, read_networks
    >>> networks = read_networks("studies/valence-study")  # doctest: +SKIP
    >>> found = agree(networks, read_people("ferplus"))  # doctest: +SKIP
    >>> found.claim.sentence  # doctest: +SKIP

``affekt compare-humans STUDY`` is this as a command, with a report.
"""

from __future__ import annotations

from affekt.study.agreement.agreeing import Agreement, agree, run_name
from affekt.study.agreement.claim import Claim
from affekt.study.agreement.networks import Networks, is_study, read_networks
from affekt.study.agreement.pooling import PairOfConditions, Pooled, Spread
from affekt.study.agreement.profiles import Profile, parse_manipulations, profiles
from affekt.study.agreement.record import to_json

__all__ = [
    "Agreement",
    "Claim",
    "Networks",
    "PairOfConditions",
    "Pooled",
    "Profile",
    "Spread",
    "agree",
    "is_study",
    "parse_manipulations",
    "profiles",
    "read_networks",
    "run_name",
    "to_json",
]
