"""Study: recipes become runs - folders with weights, logs and results - and runs become comparisons.

>>> from affekt.study import pretrain, train
>>> from affekt.recipe import load_recipe
>>> recipe = load_recipe("recipes/cifar10-laptop.toml")
>>> emotional = pretrain(recipe, out="runs/emotional")  # doctest: +SKIP
>>> train(recipe, condition="learn-e-reg", out="runs/regulated", emotional=emotional.model)  # doctest: +SKIP

All conditions and seeds of a recipe, what is missing of them, compared; and the report:

>>> from affekt.study import study, write_report
>>> result = study(recipe, out="studies/oasis-cifar10", say=print)  # doctest: +SKIP
>>> result.comparison["verdict"]["sentence"]  # doctest: +SKIP
>>> write_report(result.folder)  # doctest: +SKIP
"""

from __future__ import annotations

from affekt.study.conditions import apply_condition, list_conditions
from affekt.study.planning import plan
from affekt.study.report import tables, write_report
from affekt.study.run import RunResult, pretrain, train
from affekt.study.study_plan import StudyPlan
from affekt.study.studying import StudyResult, study

__all__ = [
    "RunResult",
    "StudyPlan",
    "StudyResult",
    "apply_condition",
    "list_conditions",
    "plan",
    "pretrain",
    "study",
    "tables",
    "train",
    "write_report",
]
