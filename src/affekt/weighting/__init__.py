"""Weighting: how several named losses become the one that is minimised.

    >>> import torch
    >>> from affekt.weighting import create_weighting
    >>> weighting = create_weighting("softmax", tasks=["emotion", "gender"])
    >>> losses = {"emotion": torch.tensor(1.0), "gender": torch.tensor(0.5)}
    >>> weighting(losses).item()
    0.75
    >>> {name: weight.item() for name, weight in weighting.weights(losses).items()}
    {'emotion': 0.5, 'gender': 0.5}

A weighting is an ``nn.Module``: give its parameters, if it has any, to an optimiser. Rules that weigh *gradients*
(``"pcgrad"``, ``"mgda"`` ...) have no scalar; ``weighting.backward(losses, model.parameters())`` works for every rule.
To add one, write it in a file of its own and name it in ``WEIGHTINGS``.

What to report of a joint model: the unweighted loss of each task, their sum, and :func:`delta_p` against models of one
task each; never the weighted loss, which every model measures with weights of its own.
"""

from affekt.weighting._aggregated import Aggregated
from affekt.weighting._base import WeightedSum, Weighting
from affekt.weighting._collapse import Collapse, CollapseWatch, collapse_message
from affekt.weighting._constant import Constant
from affekt.weighting._delta import delta_p
from affekt.weighting._gradient_weighting import GradientWeighting
from affekt.weighting._gradients import gradient_cosine
from affekt.weighting._scalarised import Scalarised
from affekt.weighting._simplex import Simplex
from affekt.weighting._single import Single
from affekt.weighting._softmax import Softmax
from affekt.weighting._sum import Sum
from affekt.weighting._uniform import Uniform
from affekt.weighting._uw import UW
from affekt.weighting._uw_so import UWSO
from affekt.weighting.creating import WEIGHTINGS, check_weighting, create_weighting, list_weightings

__all__ = [
    "UW",
    "UWSO",
    "WEIGHTINGS",
    "Aggregated",
    "Collapse",
    "CollapseWatch",
    "Constant",
    "GradientWeighting",
    "Scalarised",
    "Simplex",
    "Single",
    "Softmax",
    "Sum",
    "Uniform",
    "WeightedSum",
    "Weighting",
    "check_weighting",
    "collapse_message",
    "create_weighting",
    "delta_p",
    "gradient_cosine",
    "list_weightings",
]
