"""Observers simulated from votes, for measures that ask for single answers where there are only counts of them."""

from __future__ import annotations

import numpy as np

from affekt.affect import majority
from affekt.errors import UsageError
from affekt.humans.people.known import Ints, Observers, Strings, Votes
from affekt.randomness import generator


def simulated_observers(votes: Votes, count: int | None = None, seed: int = 0) -> Observers:
    """Observers from one half of the votes on each stimulus, and the right answer from the other half.

    The votes of a stimulus are dealt out in an order drawn by (seed, stimulus): first the half that says what is right
    (with the odd vote), then one to each observer until there are none left. No vote is used twice, and an observer's
    answers are those of different people, who were never one person: observers share the difficulty of a stimulus and
    nothing else. So a model can be held against them, but how much they agree is **no human ceiling**. People voted on
    the stimuli as they are; for manipulated ones there are no observers.

    Args:
        votes: on N stimuli, whole.
        count: of observers; no more than the largest half has votes. None: as many as the median stimulus has.
        seed: of the order. An observer's answers do not depend on ``count``.

    Raises:
        UsageError: fewer than one observer.
    """
    if count is not None and count < 1:
        raise UsageError(f"simulated observers: count = {count}; 1 or more are asked")
    truth, dealt = deal(votes, seed)
    sizes = (dealt >= 0).sum(axis=1)
    wanted = max(1, int(np.median(sizes))) if count is None else count
    made = min(wanted, max(1, dealt.shape[1]))
    names = np.array([*votes.categories, ""])
    width = len(str(made))
    right = names[majority(truth)]
    return Observers(
        name=votes.name,
        licence=votes.licence,
        notes=(*votes.notes, *_notes(wanted, made, sizes, right)),
        ids=votes.ids,
        groups=votes.groups,
        advice=votes.advice,
        facts=votes.facts,
        responses={f"simulated-{k + 1:0{width}d}": names[_column(dealt, k)] for k in range(made)},
        truth=right,
        said=(
            f"{made} simulated observers, drawn from one half of the votes on each stimulus (seed {seed}); the right "
            "answer is the category with most votes in the other half. They share nothing but the difficulty of a "
            "stimulus: how much they agree is no human ceiling. Intact stimuli only, as people saw them."
        ),
    )


def deal(votes: Votes, seed: int) -> tuple[Ints, Ints]:
    """Both halves of the votes: a draw without replacement, exactly hypergeometric.

    Returns:
        ``(N, K)`` votes of the half that says what is right: n - n // 2 of n; and ``(N, M)`` category of each of the
        other n // 2 votes in the order in which they are dealt, -1 beyond them.
    """
    half = votes.votes.sum(axis=1) // 2
    truth = np.empty_like(votes.votes)
    dealt = np.full((len(votes), int(half.max())), -1, dtype=np.int64)
    k = votes.votes.shape[1]
    for i, (stimulus, row) in enumerate(zip(votes.ids.tolist(), votes.votes, strict=True)):
        order = generator("votes", seed, stimulus).permutation(np.repeat(np.arange(k), row))
        dealt[i, : half[i]] = order[: half[i]]
        truth[i] = np.bincount(order[half[i] :], minlength=k)
    return truth, dealt


def _column(dealt: Ints, k: int) -> Ints:
    return dealt[:, k] if k < dealt.shape[1] else np.full(len(dealt), -1)


def _notes(wanted: int, made: int, sizes: Ints, right: Strings) -> list[str]:
    found = []
    if made < wanted:
        found.append(f"{wanted} simulated observers asked for; half of the votes makes {made} at most")
    short = int((sizes < made).sum())
    if short:
        found.append(
            f"{short} stimuli have fewer than {made} votes in that half: some observers have no answer to them"
        )
    ties = int((right == "").sum())
    if ties:
        found.append(f"{ties} stimuli end in a tie in the half that says what is right, and have no right answer")
    return found
