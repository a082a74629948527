"""StudyPlan: what a study is going to do - its conditions resolved and costed, its seeds, what does not apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from affekt.recipe import Recipe
from affekt.study.costs import Cost
from affekt.study.facts import Facts
from affekt.study.frame import Frame
from affekt.study.jobs import Job, plan_jobs
from affekt.study.matching import longer_off

ALL = "all"
"""Among ``[study] conditions``: every one that applies."""


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """What a study is going to do.

    Attributes:
        recipe: complete.
        conditions: name -> resolved recipe, in order.
        costs: name -> cost of one run.
        inapplicable: name -> why this recipe cannot have it.
        seeds, declared: all, and those that were declared before the first run.
        facts: of the data.
        cautions: what to know before the first run, since nothing can be done about it after.
    """

    recipe: Recipe
    conditions: Mapping[str, Recipe]
    costs: Mapping[str, Cost]
    inapplicable: Mapping[str, str]
    seeds: tuple[int, ...]
    declared: tuple[int, ...]
    facts: Facts
    cautions: tuple[str, ...] = ()

    @property
    def remarks(self) -> list[str]:
        """What to know of conditions that apply, and are not quite what they are called; of clips, of the counting."""
        if self.recipe.of_clips:
            from affekt.study.clips.costs import remarks

            return [*self.cautions, *remarks(self.conditions)]
        training = {name: cost.training for name, cost in self.costs.items()}
        return [text] if (text := longer_off(training, self.recipe.study.method)) else []

    @property
    def jobs(self) -> list[Job]:
        """All jobs, finished ones included."""
        memory = {name: cost.memory for name, cost in self.costs.items()}
        return [replace(job, memory=memory.get(job.name, 0)) for job in plan_jobs(self.conditions, self.seeds)]

    def frame(
        self,
        *,
        provenance: Sequence[Mapping[str, str]],
        classes: tuple[str, ...] = (),
        state_names: tuple[str, ...] = (),
    ) -> Frame:
        """What a comparison must know of this plan.

        Args:
            provenance: of the data of all conditions; one entry a name is kept.
        """
        return Frame(
            recipe=self.recipe,
            conditions=tuple(self.conditions),
            inapplicable=self.inapplicable,
            seeds=self.seeds,
            declared=self.declared,
            classes=classes,
            state_names=state_names,
            provenance=tuple({entry["name"]: entry for entry in provenance}.values()),
        )
