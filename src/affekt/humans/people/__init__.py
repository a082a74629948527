"""People's answers as they are published or were collected, and the answers of any model to be held against them.

:func:`read_people` reads ratings, votes and single trials; :func:`read_answers` and :func:`read_features` what any
model said of the same stimuli; :func:`join` brings both together by id and counts what is left; :func:`long_rows` makes
one long table of everything, for a mixed model.
"""

from __future__ import annotations

from affekt.humans.people.answer_tables import read_answers
from affekt.humans.people.answers import Answers, Features, NoAnswers, NoFeatures
from affekt.humans.people.feature_tables import read_features
from affekt.humans.people.joining import Joined, Left, join
from affekt.humans.people.known import Observers, People, Ratings, TrialRows, Trials, Votes
from affekt.humans.people.long_tables import long_rows
from affekt.humans.people.observers import simulated_observers
from affekt.humans.people.reading import PUBLISHED, Published, read_people
from affekt.humans.people.table_files import write_table

__all__ = [
    "PUBLISHED",
    "Answers",
    "Features",
    "Joined",
    "Left",
    "NoAnswers",
    "NoFeatures",
    "Observers",
    "People",
    "Published",
    "Ratings",
    "TrialRows",
    "Trials",
    "Votes",
    "join",
    "long_rows",
    "read_answers",
    "read_features",
    "read_people",
    "simulated_observers",
    "write_table",
]
