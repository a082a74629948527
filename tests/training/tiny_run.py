"""A tiny training as a command: python tiny_run.py FOLDER EPOCHS; writes the final weights and the result too."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

from safetensors.torch import save_file
from tiny import data, task, trainer

from affekt.recipe import AugmentationSettings
from affekt.weighting import create_weighting


def main(folder: Path, epochs: int) -> None:
    found = task(dropout=0.2)
    run = trainer(
        folder,
        of=found,
        data=data(held_out=9),
        augmentation=AugmentationSettings(padding=1, cutout=2),
        weighting=create_weighting("softmax", tasks=found.loss_names),
        optimiser="adamw",
        epochs=epochs,
        ema=0.9,
        clip=1.0,
        accumulate=2,
        checkpoint_every=3,
        log_every=2,
        threads=1,
    )
    result = run.fit()
    scored = run.evaluate("validation")
    save_file({k: v.contiguous() for k, v in found.state_dict().items()}, folder / "weights.safetensors")
    record = dataclasses.asdict(result) | {"metrics": scored.metrics}
    (folder / "result.json").write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
