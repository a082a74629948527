"""A tiny training under torchrun: python -m torch.distributed.run ... ddp_run.py FOLDER [STEPS BEFORE A CRASH [RULE]]

No crash: write -1.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from safetensors.torch import save_file
from tiny import data, task, trainer

from affekt.training.distributed import is_main
from affekt.training.progress import NoProgress
from affekt.weighting import create_weighting


class Crashing(NoProgress):
    """Ends process 0 at once, as a power cut would; torchrun ends the other."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def advance(self, items: int) -> None:
        self.left -= 1
        if self.left < 0:
            os._exit(1)


def main(folder: Path, crash_after: int | None, rule: str = "softmax", parts: int = 2) -> None:
    found = task("layer")
    run = trainer(
        folder,
        of=found,
        data=data(43, held_out=9),
        progress=None if crash_after is None else Crashing(crash_after),
        weighting=create_weighting(rule, tasks=found.loss_names),
        batch_size=9,
        epochs=4,
        optimiser="adamw",
        clip=0.5,
        ema=0.8,
        accumulate=parts,
        checkpoint_every=3,
        log_every=2,
        evaluation_batch_size=7,
    )
    run.fit()
    scored = run.evaluate("validation")
    if is_main():
        save_file({k: v.contiguous() for k, v in found.state_dict().items()}, folder / "weights.safetensors")
        record = {"metrics": scored.metrics, "losses": scored.losses, "n": len(scored.outputs["probabilities"])}
        (folder / "result.json").write_text(json.dumps(record))


if __name__ == "__main__":
    crash_after = int(sys.argv[2]) if len(sys.argv) > 2 else -1
    main(Path(sys.argv[1]), None if crash_after < 0 else crash_after, *sys.argv[3:4])
