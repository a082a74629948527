"""torchjd's rules by our names: which class each is, what it does, whose it is. Nothing here imports torchjd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SCALARISERS, AGGREGATORS = "scalarization", "aggregation"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One class of torchjd.

    Attributes:
        place: ``"scalarization"`` (of losses) or ``"aggregation"`` (of gradients), torchjd's modules.
        kind: the class.
        about: formula or gist, as Markdown.
        paper: where it comes from.
        collapse: when a task loses its weight.
        example: an option that has to be given, e.g. ``"c = 0.4"``.
        solver: packages that it needs beside torchjd.
        scale_free, watched: see :class:`Weighting`; not watched are those that make up for gradients of different
            length: a small weight there is a long gradient.
    """

    place: Literal["scalarization", "aggregation"]
    kind: str
    about: str
    paper: str
    collapse: str = "no"
    example: str = ""
    solver: str = ""
    scale_free: bool = False
    watched: bool = True


def _losses(kind: str, about: str, paper: str, **more: str | bool) -> Rule:
    return Rule(place="scalarization", kind=kind, about=about, paper=paper, **more)  # type: ignore[arg-type]


def _gradients(kind: str, about: str, paper: str, **more: str | bool) -> Rule:
    return Rule(place="aggregation", kind=kind, about=about, paper=paper, **more)  # type: ignore[arg-type]


RULES: dict[str, Rule] = {
    "dwa": _losses(
        "DWA",
        "$w = n\\,\\mathrm{softmax}(r / T)$, $r_i$ the mean loss of the last epoch by that of the one before",
        "Liu et al. 2019, arXiv:1803.10704",
    ),
    "famo": _losses(
        "FAMO",
        "$w_i \\propto z_i / L_i$, $z$ learned so that all losses fall at one relative rate; sees a batch twice",
        "Liu et al. 2023, arXiv:2306.03792",
        collapse="of the larger loss, by design",
        scale_free=True,
    ),
    "geometric-mean": _losses(
        "GeometricMean",
        "$\\prod_i L_i^{1/n}$, so $w_i \\propto 1 / L_i$",
        "Chennupati et al. 2019, arXiv:1904.08492",
        collapse="where a loss can reach 0",
        scale_free=True,
    ),
    "imtl-l": _losses(
        "IMTLL",
        "$\\sum_i e^{s_i} L_i - s_i$, $s$ learned",
        "Liu et al. 2021, ICLR",
        collapse="as `uw`",
        scale_free=True,
    ),
    "stch": _losses(
        "STCH",
        "$\\mu \\log \\sum_i \\exp(\\lambda_i (L_i - z_i) / \\mu)$: a smooth maximum",
        "Lin et al. 2024, arXiv:2402.19078",
        collapse="of the *easier* task, where mu is small",
        example="mu = 0.1",
    ),
    "cosmos": _losses(
        "COSMOS",
        "$r \\cdot L - \\lambda \\cos(r, L)$",
        "Ruchte & Grabocka 2021, arXiv:2103.13392",
        example="lambda_ = 1.0, weights = [1.0, 1.0]",
        collapse="weights can be negative",
    ),
    "pbi": _losses(
        "PBI",
        "$d_1 + \\theta d_2$: along the direction of preference, and away from it",
        "Zhang & Li 2007, IEEE Trans. Evol. Comput.",
        example="theta = 5.0, weights = [1.0, 1.0]",
        collapse="weights can be negative",
    ),
    "random": _losses(
        "Random",
        "$w = \\mathrm{softmax}(\\epsilon)$, $\\epsilon \\sim N(0, 1)$ anew each step",
        "Lin et al. 2022, arXiv:2111.10603",
    ),
    "mgda": _gradients(
        "MGDA",
        "the shortest vector of the gradients' convex hull",
        "Désidéri 2012; Sener & Koltun 2018, arXiv:1810.04650",
        collapse="onto the task of the smallest gradient",
    ),
    "pcgrad": _gradients(
        "PCGrad",
        "each gradient without what points against another, then their sum; order drawn",
        "Yu et al. 2020, arXiv:2001.06782",
    ),
    "gradvac": _gradients(
        "GradVac",
        "each gradient turned until its cosine with another is what it usually is; order drawn",
        "Wang et al. 2021, arXiv:2010.05874",
    ),
    "graddrop": _gradients(
        "GradDrop",
        "each coordinate keeps one sign, drawn by how much of it there is",
        "Chen et al. 2020, arXiv:2010.06808",
    ),
    "cagrad": _gradients(
        "CAGrad",
        "near the mean gradient (within c), where the worst task gains most",
        "Liu et al. 2021, arXiv:2110.14048",
        example="c = 0.4",
        solver="cvxpy",
    ),
    "upgrad": _gradients(
        "UPGrad",
        "each gradient projected onto what harms no task, then their mean",
        "Quinton & Rey 2024, arXiv:2406.16232",
        solver="qpsolvers",
    ),
    "dualproj": _gradients(
        "DualProj",
        "the mean gradient projected onto what harms no task",
        "Lopez-Paz & Ranzato 2017, arXiv:1706.08840",
        solver="qpsolvers",
    ),
    "imtl-g": _gradients(
        "IMTLG",
        "equal projections onto every gradient's direction",
        "Liu et al. 2021, ICLR",
        watched=False,
        collapse="weights can be negative",
    ),
    "aligned-mtl": _gradients(
        "AlignedMTL",
        "gradients made orthogonal and of one length first",
        "Senushkin et al. 2023, CVPR, arXiv:2305.19000",
        watched=False,
    ),
    "config": _gradients(
        "ConFIG",
        "one direction with the same cosine to every gradient",
        "Liu et al. 2024, arXiv:2408.11104",
    ),
    "nash-mtl": _gradients(
        "NashMTL",
        "the bargain that the tasks would strike",
        "Navon et al. 2022, arXiv:2202.01017",
        solver="ecos",
        watched=False,
    ),
    "fairgrad": _gradients(
        "FairGrad",
        "alpha-fair shares of the progress",
        "Ban & Ji 2024, arXiv:2402.15638",
        example="alpha = 1.0",
        watched=False,
    ),
    "excess-mtl": _gradients(
        "ExcessMTL",
        "weight to the task that is furthest from its optimum; keeps a number a task and parameter",
        "He et al. 2024, ICML",
        collapse="of the task that is done first, by design",
    ),
    "pcd": _gradients(
        "PCD",
        "the first task's gradient, with a least progress for the others",
        "2026, arXiv:2606.29521",
        watched=False,
        collapse="all but the first, by design",
    ),
    "krum": _gradients(
        "Krum",
        "the gradients that are nearest to the others; for many tasks",
        "Blanchard et al. 2017, NeurIPS",
        collapse="all but the chosen ones, by design",
        example="n_byzantine = 1",
    ),
    "trimmed-mean": _gradients(
        "TrimmedMean",
        "the mean of each coordinate without its extremes; for many tasks",
        "Yin et al. 2018, arXiv:1803.01498",
        example="trim_number = 1",
    ),
}
"""Those of torchjd that are no rule of ours already. ``sum``, ``mean``, ``constant`` and UW are; of the gradients, the
sum, the mean and constant or random weights are what the same weights make of the losses, at a higher price."""
