"""Ray: what a run asks a cluster for; a cluster of two nodes, of which one goes away in the middle of a study."""

import json
import socket
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from test_executors import accuracies, checkpoints, recipe_in

from affekt.errors import DataError, UsageError
from affekt.recipe import DataSettings, Recipe
from affekt.study.executors.ray import Here, Ray
from affekt.study.jobs import Job
from affekt.study.studying import study


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


@pytest.mark.parametrize(("memory", "wanted"), [(0, 0.25), (1.5 * 2**30, 0.25), (4.5 * 2**30, 0.57), (9 * 2**30, 1.0)])
def test_a_large_run_asks_for_more_of_a_gpu(monkeypatch, memory, wanted):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=8 * 2**30))
    executor = object.__new__(Ray)
    executor.gpu_share = 0.25
    job = Job(kind="train", folder="x", recipe=Recipe(), name="x", seed=0, memory=int(memory))
    assert executor._size(job) == {"num_gpus": wanted}


def test_runs_at_once_are_those_that_its_gpus_have_room_for(tmp_path, monkeypatch):
    there = {"CPU": 64.0}
    cluster = SimpleNamespace(is_initialized=lambda: True, cluster_resources=lambda: there, remote=lambda work: work)
    monkeypatch.setitem(sys.modules, "ray", cluster)
    place = {"workers": 8, "gpus": (), "data_root": None}
    assert Ray(tmp_path, **place).slots == 8
    with pytest.raises(UsageError, match="the cluster has no GPU; leave --gpus and --gpu-share out"):
        Ray(tmp_path, gpu_share=0.5, **place)
    there["GPU"] = 2.0
    assert Ray(tmp_path, gpu_share=0.5, **place).slots == 4
    assert Ray(tmp_path, **(place | {"gpus": ("0",)})).slots == 2


class Gone(Exception):  # noqa: N818 - a stand-in
    """As ray says that a node went away, or did not answer."""


class TaskFailed(Gone):
    """As ray says what a task raised."""


def broken(kind):
    def answer():
        raise kind("No module named\n'affekt'")

    return answer


def test_nodes_that_lack_something_are_named_and_those_that_went_away_are_not(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("AFFEKT_DATA", "of this machine, as it was")
    told = {
        "a1": lambda look: look(),
        "b2": lambda look: monkeypatch.setenv("AFFEKT_DATA", "/nowhere") or look(),
        "c3": lambda look: broken(Gone)(),
        "d4": lambda look: broken(TaskFailed)(),
    }
    nodes = [
        {"NodeID": 4 * n, "Alive": n != "e5", "Resources": {"CPU": 1.0} if n != "f6" else {}}
        | {"NodeManagerHostname": f"host{n}", "NodeManagerAddress": "10.0.0.1"}
        for n in (*told, "e5", "f6")
    ]
    (tmp_path / "recipe.toml").touch()
    executor = object.__new__(Ray)
    executor.here = Here(study=tmp_path, data_root=None, affekt_data=str(tmp_path))
    executor.ray = SimpleNamespace(
        nodes=lambda: nodes,
        remote=lambda found: found,
        get=lambda reference, timeout: reference(),
        exceptions=SimpleNamespace(RayError=Gone, RayTaskError=TaskFailed),
    )

    def at(remote, node):
        return SimpleNamespace(remote=lambda *given: partial(told[node[:2]], partial(remote, *given)))

    monkeypatch.setattr(executor, "_at", at)
    monkeypatch.delenv("AFFEKT_DATA")
    job = Job(kind="train", folder="x", recipe=Recipe(target=DataSettings(name="folder")), name="x", seed=0)
    with pytest.raises(DataError) as caught:
        executor.look([job])
    assert str(caught.value).startswith(
        "hostb2 (node b2b2b2, 10.0.0.1) has no folder (/nowhere/folder), "
        "hostd4 (node d4d4d4, 10.0.0.1) has no affekt like the one here (No module named 'affekt'): nothing was trained"
    )


def at_work() -> int:
    """Ray's processes that do a run now."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found += (process / "cmdline").read_bytes().startswith(b"ray::_work")
    return found


@pytest.fixture
def cluster():
    pytest.importorskip("ray")
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    ray.shutdown()
    made.shutdown()


class Noting(Ray):
    """Keeps in mind what came of each run that was handed over."""

    def __init__(self, *arguments, **keys):
        super().__init__(*arguments, **keys)
        self.outcomes: list[tuple[str, str]] = []

    def submit(self, job):
        handle, kept = super().submit(job), self.outcomes

        class Handle:
            def outcome(self):
                found = handle.outcome()
                if found is not None:
                    kept.append((job.folder, found.status))
                return found

        return Handle()


def test_nobody_at_the_address_is_one_line(tmp_path, monkeypatch):
    """Ray itself would try for minutes."""
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}"):
        monkeypatch.setenv("RAY_ADDRESS", address)
        with pytest.raises(UsageError, match=f"no cluster at {address}: .*refused"):
            Ray(tmp_path / "st", workers=2, gpus=(), data_root=None)


@pytest.mark.slow
def test_a_node_that_goes_away_in_the_middle_loses_nothing(tmp_path, cluster):
    recipe = recipe_in(tmp_path, epochs=6)
    undisturbed = accuracies(study(recipe, out=tmp_path / "one", workers=1))
    node, gone = cluster.add_node(num_cpus=1), []
    executor = Noting(tmp_path / "st", workers=2, gpus=(), data_root=None)  # the cluster of this machine, unasked
    assert executor.slots == 2

    def take_away():
        """As soon as both nodes are at work, and something could be lost."""
        while not gone and thread_may_run.is_set():
            if at_work() >= 2 and checkpoints(tmp_path / "st"):
                cluster.remove_node(node, allow_graceful=False)
                gone.append(node)
            time.sleep(0.02)

    thread_may_run = threading.Event()
    thread_may_run.set()
    thread = threading.Thread(target=take_away)
    thread.start()
    try:
        result = study(recipe, out=tmp_path / "st", executor=executor)
    finally:
        thread_may_run.clear()
        thread.join()
    assert gone
    assert accuracies(result) == undisturbed
    assert "died" in {status for _, status in executor.outcomes}
    finished = [folder for folder, status in executor.outcomes if status == "finished"]
    assert len(finished) == len(set(finished))
    lines = [json.loads(line)["folder"] for line in (tmp_path / "st/results.jsonl").read_text().splitlines()]
    assert len(lines) == len(set(lines)) == 4
