"""Cautions: what to know of a training or a study of clips before it begins; after it nothing can be done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from affekt.data.audiovisual import Clips
from affekt.recipe import Recipe
from affekt.study.clips.opening import learned_tasks

ONE_CLASS = "validation holds one class alone of "
"""How such a line begins."""

ADVICE = (
    'its recall says little, and the weights are chosen by it; write [training] select = "last", or another [clips] '
    "validation"
)


def one_class(recipe: Recipe, parts: Mapping[str, Clips]) -> list[str]:
    """A line for each learned task of which the validation split that chooses the weights holds one class, or none."""
    chosen_by = recipe.training.select == "best" or recipe.training.early_stop is not None
    if "validation" not in parts or not chosen_by:
        return []
    held = {task: parts["validation"].task(task).counts() for task in learned_tasks(recipe)}
    return [f"{ONE_CLASS}{task}: {ADVICE}" for task, counts in held.items() if sum(n > 0 for n in counts.values()) < 2]


def over_folds(lines: Sequence[Sequence[str]]) -> list[str]:
    """The lines of each fold, once each, with the number of folds where that is not all of them.

    Args:
        lines: of each fold; those that are no cautions are left out.
    """
    times = Counter(line for of in lines for line in of if line.startswith(ONE_CLASS))
    return [line if n == len(lines) else f"in {n} of {len(lines)} folds {line}" for line, n in times.items()]


def undeclared(conditions: Sequence[str]) -> str:
    """What to say of a study that declares no comparison.

    Args:
        conditions: those that could be compared.
    """
    first, second = (conditions[1], conditions[0]) if len(conditions) > 1 else ("second", "first")
    return (
        "no comparison is declared, and no difference is tested; write before the first run "
        f'[study] comparisons = ["{first} - {second}"], or reference = "{second}" to hold every other against it'
    )
