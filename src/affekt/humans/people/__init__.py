"""People's answers as they are published or were collected, and the answers of any model to be held against them."""

from __future__ import annotations

from affekt.humans.people.answers import Answers, Features
from affekt.humans.people.joining import Joined, Left
from affekt.humans.people.known import Observers, People, Ratings, TrialRows, Trials, Votes

__all__ = ["Answers", "Features", "Joined", "Left", "Observers", "People", "Ratings", "TrialRows", "Trials", "Votes"]
