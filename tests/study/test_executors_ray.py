"""Ray: a study on a cluster of two nodes on this machine, of which one goes away in the middle; where runs are put."""

import json
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from test_executors import accuracies, checkpoints, recipe_in

from affekt.study.executors.ray import Ray
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
