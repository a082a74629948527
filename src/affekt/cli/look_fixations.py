"""``affekt look --fixations``: the overlap of a model's maps with people's fixations on a data set."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from affekt.cli.data_reading import progress, settings_of
from affekt.cli.look_method import looker
from affekt.cli.look_tables import as_dict, write_overlaps
from affekt.cli.options import data_root
from affekt.cli.printing import say, write_json
from affekt.errors import UsageError, unknown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from affekt.cli.models import Found
    from affekt.data import Stimuli

    Maps = NDArray[np.float32]

BATCH = 8
GRID = 64
"""Points along each side at which maps and fixations are held against each other, as means over pixels: the last map of
a network has fewer, and people's gaze is not known better."""


def look_at_set(args: argparse.Namespace) -> int:
    """Print the table of measures."""
    from affekt.cli.models import find_model
    from affekt.humans.agreement import bootstrap
    from affekt.humans.looking import fixation_overlap, read_fixations

    found = find_model(args.model)
    look = looker(args)
    stimuli, root = _stimuli(args, found)
    people = read_fixations(stimuli, root, image_size=found.image_size, fit=found.fit)
    stimuli, density = _limited(stimuli.take(people.rows), people.density, args.limit)
    say(*(f"note: {note}" for note in (*stimuli.notes, *people.notes)))
    maps = []
    with progress("pictures") as step:
        for start in range(0, len(stimuli), BATCH):
            rows = np.arange(start, min(start + BATCH, len(stimuli)))
            maps.append(_at_grid(look(found.model, stimuli.images(rows)).numpy()))
            if step is not None:
                step("pictures", int(rows[-1]) + 1, len(stimuli))
    shared = bootstrap(len(stimuli), groups=stimuli.groups)
    overlaps = fixation_overlap(np.concatenate(maps), _at_grid(density), shared)
    undefined = next(iter(overlaps.values())).undefined
    if undefined:
        say(f"note: {undefined} of {len(stimuli)} maps have nothing above zero; they are left out of the means")
    if args.json:
        measures = {name: as_dict(overlap) for name, overlap in overlaps.items()}
        about = {"model": found.name, "dataset": args.dataset, "split": args.split, "method": args.method}
        write_json({**about, "n": len(stimuli), "measures": measures})
    else:
        write_overlaps(f"{args.dataset}, n = {len(stimuli)}", overlaps)
    return 0


def _stimuli(args: argparse.Namespace, found: Found) -> tuple[Stimuli, Path]:
    """The pictures, and the folder of their set; split as the model's run split them where it is the run's own set."""
    from affekt.data import behind, dataset, dataset_folder, make_splits

    described = dataset(args.dataset)
    read: dict[str, Any] = {"image_size": found.image_size, "fit": found.fit}
    own = found.settings if found.recipe is not None and found.settings is not None else None
    learned = None if own is None or not own.name else behind(own, data_root(args)).name
    if own is not None and learned == described.name and args.root is None and not args.options:
        # Of a pack, its split; the maps lie in the folder of the set itself.
        settings = own if dataset(own.name).kind != "pack" else replace(own, name=described.name, root="")
    else:
        settings = settings_of(described, args, **read)
    root = dataset_folder(settings, data_root(args))
    stimuli = described.stimuli(root, settings)
    if args.split != "all":
        seed = found.recipe.seed if found.recipe is not None else 0
        parts = make_splits(stimuli, settings, seed).parts
        if args.split not in parts:
            raise UsageError(unknown(f"{described.name}: split", args.split, parts))
        stimuli = parts[args.split]
    elif own:
        say(f"note: the model learned from a part of {described.name}; --split test leaves that out")
    return stimuli, root


def _limited(stimuli: Stimuli, density: Maps, limit: int | None) -> tuple[Stimuli, Maps]:
    from affekt.data.stratifying import draw_stratified, strata

    if limit is None or limit >= len(stimuli):
        return stimuli, density
    chosen = draw_stratified(stimuli.ids, strata(stimuli.labels, len(stimuli)), limit, "look limit")
    return stimuli.take(chosen), density[chosen]


def _at_grid(maps: Maps) -> Maps:
    import torch
    from torch.nn import functional as F

    if maps.shape[1] <= GRID:
        return maps
    small = F.adaptive_avg_pool2d(torch.from_numpy(maps)[:, None], GRID)[:, 0]
    return np.asarray(small.numpy(), dtype=np.float32)
