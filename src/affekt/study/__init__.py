"""Study: recipes become runs - folders with weights, logs and results - and runs become comparisons.

>>> from affekt.study import pretrain, train
>>> from affekt.recipe import load_recipe
>>> recipe = load_recipe("recipes/cifar10-laptop.toml")
>>> emotional = pretrain(recipe, out="runs/emotional")  # doctest: +SKIP
>>> train(recipe, condition="learn-e-reg", out="runs/regulated", emotional=emotional.model)  # doctest: +SKIP
"""

from __future__ import annotations

from affekt.study.conditions import apply_condition, list_conditions
from affekt.study.run import RunResult, pretrain, train

__all__ = ["RunResult", "apply_condition", "list_conditions", "pretrain", "train"]
