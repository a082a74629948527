"""Ray: a study on a cluster of two nodes on this machine, of which one goes away in the middle; where runs are put."""

import json
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from test_executors import accuracies, checkpoints, recipe_in

from affekt.errors import DataError
from affekt.recipe import Recipe, change
from affekt.study.executors.data import problem_of_data
from affekt.study.executors.ray import Ray
from affekt.study.jobs import Job
from affekt.study.studying import study

pytest.importorskip("ray")


def at_work() -> int:
    """Ray's processes that do a run now."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found += (process / "cmdline").read_bytes().startswith(b"ray::_work")
    return found


@pytest.fixture
def cluster():
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    ray.shutdown()
    made.shutdown()


class Counting(Ray):
    """Keeps in mind what was handed over, and what came of it."""

    def __init__(self, *arguments, **keys):
        super().__init__(*arguments, **keys)
        self.submitted, self.outcomes = [], []

    def submit(self, job):
        self.submitted.append(job.folder)
        handle, kept = super().submit(job), self.outcomes

        class Handle:
            def outcome(self):
                if (found := handle.outcome()) is not None:
                    kept.append((job.folder, found.status))
                return found

        return Handle()


def starts(folder: Path) -> list[int]:
    """The steps that a run was begun at."""
    lines = [json.loads(line) for line in (folder / "timing.jsonl").read_text().splitlines()]
    return [line["step"] for line in lines if line["kind"] == "start"]


@pytest.mark.slow
def test_a_node_that_goes_away_in_the_middle_loses_nothing(tmp_path, cluster):
    recipe = recipe_in(tmp_path, epochs=8)
    undisturbed = accuracies(study(recipe, out=tmp_path / "one", workers=1))
    node = cluster.add_node(num_cpus=1)
    executor = Counting(tmp_path / "st", workers=2, gpus=(), data_root=None, address=cluster.address)
    assert executor.slots == 2
    gone = []

    def take_away():
        """As soon as both nodes are at work."""
        for _ in range(2400):
            if at_work() >= 2 and checkpoints(tmp_path / "st") >= 2:
                cluster.remove_node(node, allow_graceful=False)
                gone.append(node)
                return
            time.sleep(0.05)

    thread = threading.Thread(target=take_away)
    thread.start()
    result = study(recipe, out=tmp_path / "st", executor=executor)
    thread.join()
    assert gone
    assert accuracies(result) == undisturbed
    died = [folder for folder, status in executor.outcomes if status == "died"]
    assert died
    finished = [folder for folder, status in executor.outcomes if status == "finished"]
    assert len(finished) == len(set(finished)) == 6
    lines = [json.loads(line)["folder"] for line in (tmp_path / "st/results.jsonl").read_text().splitlines()]
    assert len(lines) == len(set(lines)) == 4
    for folder in finished:
        again = starts(tmp_path / "st" / folder)
        assert len(again) == 1 or folder in died, (folder, again)
        assert again == sorted(again)


class FakeRay:
    """A cluster of two machines, of which one sees other folders."""

    class util:  # noqa: N801 - as ray has it
        class scheduling_strategies:  # noqa: N801
            @staticmethod
            def NodeAffinitySchedulingStrategy(node, soft):
                return node

    def __init__(self):
        self.asked = []

    def nodes(self):
        return [{"Alive": True, "NodeID": name} for name in ("here", "elsewhere")] + [{"Alive": False, "NodeID": "x"}]

    def remote(self, function):
        asked = self.asked

        class Remote:
            def options(self, *, scheduling_strategy, **_):
                class Placed:
                    def remote(self, job, root):
                        asked.append(scheduling_strategy)
                        found = function(job, root)
                        return found if scheduling_strategy == "here" else "node-b\tfolder: /data: no such folder"

                return Placed()

        return Remote()

    def get(self, values):
        return values


def test_a_machine_without_the_data_is_named(tmp_path):
    recipe = recipe_in(tmp_path, epochs=1)
    executor = object.__new__(Ray)
    executor.ray, executor.seen, executor.data_root = FakeRay(), set(), None
    job = Job(kind="train", folder="runs/baseline/seed-0", recipe=recipe, name="baseline", seed=0)
    with pytest.raises(DataError, match="on node-b of the cluster's 2 machines: folder: /data: no such folder"):
        executor._see_data(job)
    assert executor.ray.asked == ["here", "elsewhere"]
    executor._see_data(replace(job, seed=1, recipe=replace(recipe, seed=1)))  # is asked once
    assert len(executor.ray.asked) == 2


@pytest.mark.parametrize("kind", ["train", "pretrain"])
def test_a_job_s_own_data_are_looked_for(tmp_path, kind):
    recipe = recipe_in(tmp_path, epochs=1)
    job = Job(kind=kind, folder="x", recipe=recipe, name="x", seed=0)
    assert problem_of_data(job, None) == ""
    gone = {"train": "target", "pretrain": "affective"}[kind]
    elsewhere = change(recipe, {f"{gone}.root": str(tmp_path / "gone")})
    machine, reason = problem_of_data(replace(job, recipe=elsewhere), None).split("\t")
    assert machine
    assert str(tmp_path / "gone") in reason


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
    import torch

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
