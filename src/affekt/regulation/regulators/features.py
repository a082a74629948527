"""Features: a learned gate on features of the task itself; a control as large as ``learned``, without affect."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affekt.errors import UsageError
from affekt.regulation.regulators.base import Regulator, RegulatorSetup
from affekt.regulation.regulators.learned import start


class Features(Regulator):
    """``r = sigmoid(w . u + b)``, u = A fixed random projections of the non-emotional branch's normalised features.

    The projections are not learned, and no gradient goes through u, so that the gate has exactly the parameters of
    ``learned`` with an affect state of A numbers, and the branch learns nothing for the gate's sake - as the emotional
    encoder does not.
    """

    uses_affect: ClassVar[bool] = False
    needs_features: ClassVar[bool] = True
    projection: Tensor

    def __init__(self, setup: RegulatorSetup) -> None:
        super().__init__(setup)
        inputs = len(setup.state_names) if setup.inputs is None else setup.inputs
        if inputs < 1 or setup.num_features < 1:
            raise UsageError('regulator "features": needs 1 or more inputs, and features of the non-emotional branch')
        self.register_buffer("projection", torch.randn(setup.num_features, inputs) / setup.num_features**0.5)
        self.affine = nn.Linear(inputs, 1)
        start(self.affine.weight, self.affine.bias, setup.start)

    def weigh(self, affect: Tensor) -> Tensor:
        raise UsageError(f'regulator "features": r comes from features, not from {len(affect)} states; give features')

    def forward(self, affect: Tensor, images: Tensor | None = None, features: Tensor | None = None) -> Tensor:
        del images
        if features is None:
            return self.weigh(affect)
        with torch.autocast(features.device.type, enabled=False):
            seen = F.layer_norm(features.detach().to(self.projection.dtype), features.shape[1:]) @ self.projection
            return torch.sigmoid(self.affine(seen)).float()
