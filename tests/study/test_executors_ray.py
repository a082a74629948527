"""Ray: what a run asks a cluster for."""

import pytest
import torch

from affekt.recipe import Recipe
from affekt.study.executors.ray import Ray
from affekt.study.jobs import Job


@pytest.mark.parametrize(
    ("share", "memory", "wanted"),
    [
        (0.0, 3 * 2**30, {"memory": 3 * 2**30}),
        (0.0, 9 * 2**30, {"memory": 8 * 2**30}),
        (0.0, 0, {}),
        (0.25, 9 * 2**30, {"num_gpus": 0.25}),
    ],
)
def test_runs_ask_for_room_by_their_size(tmp_path, monkeypatch, share, memory, wanted):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    executor = object.__new__(Ray)
    executor.gpu_share = share

    class Nodes:
        def nodes(self):
            return [
                {"Alive": True, "Resources": {"memory": 8 * 2.0**30}},
                {"Alive": True, "Resources": {"memory": 4 * 2.0**30}},
                {"Alive": False, "Resources": {"memory": 64 * 2.0**30}},
            ]

    executor.ray = Nodes()
    job = Job(kind="train", folder="x", recipe=Recipe(), name="x", seed=0, memory=memory)
    assert executor._size(job) == wanted
