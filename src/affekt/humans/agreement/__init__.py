"""Agreement of models with people: pure functions on arrays, over one shared bootstrap of stimuli."""

from __future__ import annotations

from affekt.humans.agreement.accuracy import (
    ErrorConsistency,
    consistency_among,
    consistency_with,
    error_consistency,
    kappa_bounds,
)
from affekt.humans.agreement.calibration import (
    Calibration,
    VoteAgreement,
    VoteCeiling,
    vote_agreement,
    vote_calibration,
)
from affekt.humans.agreement.ceilings import Ceiling, from_spread, leave_one_out, split_half
from affekt.humans.agreement.comparing import PairDifference, compare_models
from affekt.humans.agreement.confusion import (
    Confusion,
    ConfusionAgreement,
    confusion_agreement,
    confusion_among,
    confusion_matrix,
)
from affekt.humans.agreement.entropy import EntropyAgreement, entropy_agreement, missing_entropy, response_entropy
from affekt.humans.agreement.estimate import Estimate
from affekt.humans.agreement.ratings import RatingAgreement, rating_agreement
from affekt.humans.agreement.resampling import RESAMPLES, Bootstrap, bootstrap
from affekt.humans.agreement.tables import RATING_COLUMNS, TRIAL_COLUMNS, rating_rows, trial_rows

__all__ = [
    "RATING_COLUMNS",
    "RESAMPLES",
    "TRIAL_COLUMNS",
    "Bootstrap",
    "Calibration",
    "Ceiling",
    "Confusion",
    "ConfusionAgreement",
    "EntropyAgreement",
    "ErrorConsistency",
    "Estimate",
    "PairDifference",
    "RatingAgreement",
    "VoteAgreement",
    "VoteCeiling",
    "bootstrap",
    "compare_models",
    "confusion_agreement",
    "confusion_among",
    "confusion_matrix",
    "consistency_among",
    "consistency_with",
    "entropy_agreement",
    "error_consistency",
    "from_spread",
    "kappa_bounds",
    "leave_one_out",
    "missing_entropy",
    "rating_agreement",
    "rating_rows",
    "response_entropy",
    "split_half",
    "trial_rows",
    "vote_agreement",
    "vote_calibration",
]
