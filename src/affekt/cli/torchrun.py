"""Torchrun: of the processes that it starts on a machine with one call, the first says what is wrong with that call."""

from __future__ import annotations

import os
import sys
import time

PATIENCE = 10.0
"""Seconds within which the first process of a machine is expected to find what another has found."""


def said_by_another(error: Exception) -> bool:
    """Whether the first process of this machine has said what all of them find.

    torchrun ends all when one has failed: so this one waits until the first has spoken, else nobody might. A first
    process that says nothing did not find it, and then it is for this one to say.
    """
    if not getattr(error, "common", False) or not _follows():
        return False
    training = sys.modules.get("affekt.training.distributed")
    if training is not None and training.leave():
        return True
    time.sleep(PATIENCE)  # meanwhile torchrun ends this process
    return False


def _follows() -> bool:
    return os.environ.get("WORLD_SIZE", "1") != "1" and os.environ.get("LOCAL_RANK", "0") != "0"
