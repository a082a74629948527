"""Earlier emotion-augmented learners, as heads on frozen features: what Emotional Regulation is compared with.

    >>> learner = create_learner("emnn", num_features=64, num_classes=10, seed=0)
    >>> numbers = learner.fit_epoch(features, labels, order)    # (N, 64) in [0, 1], (N,) 0 ... 9, (N,) row numbers
    >>> learner.log_probabilities(features)                     # (N, 10)

``"emnn"`` is emotional back-propagation (:class:`EmNN`), ``"bel"`` the amygdala and the orbitofrontal cortex
(:class:`BEL`), ``"linear"`` the plain softmax head that both have to beat on the same features, ``"back-propagation"``
the network of EmNN without its emotion. Their rules are no gradient of any loss, and they change the weights after
every single pattern: they train themselves and need neither optimiser nor ``Trainer``. :func:`fit_learner` runs and
selects the epochs, on any features or flattened pixels in [0, 1]; :class:`EarlierClassifier` puts a learner behind any
backbone:

    >>> model = EarlierClassifier("mobilenet_v2", "bel", num_classes=10, image_size=96, initial="imagenet")
    >>> result = model.fit(train, epochs=20, validation=validation)       # Stimuli, or pictures with labels
    >>> model(images)                                                     # (B, 10) log-probabilities

A learner is one file: write it and name it in ``LEARNERS`` (``creating.py``).
"""

from __future__ import annotations

from affekt.regulation.earlier.back_propagation import BackPropagation
from affekt.regulation.earlier.bel import BEL
from affekt.regulation.earlier.classifier import EarlierClassifier
from affekt.regulation.earlier.creating import LEARNERS, create_learner
from affekt.regulation.earlier.emnn import EmNN
from affekt.regulation.earlier.fitting import EarlierResult, fit_learner
from affekt.regulation.earlier.learner import Learner
from affekt.regulation.earlier.linear import LinearSoftmax
from affekt.regulation.earlier.scaling import UnitScaling

__all__ = [
    "BEL",
    "LEARNERS",
    "BackPropagation",
    "EarlierClassifier",
    "EarlierResult",
    "EmNN",
    "Learner",
    "LinearSoftmax",
    "UnitScaling",
    "create_learner",
    "fit_learner",
]
