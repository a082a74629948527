"""Machine check: a machine without the data, or the study's folder, is named before anything is trained."""

import json
import socket
from pathlib import Path

import pytest
import small_recipe

from affekt.errors import DataError
from affekt.recipe import ClipSettings, DataSettings, Recipe, load_recipe, override
from affekt.study.jobs import Job
from affekt.study.machine_check import lacking, read_by, refuse
from affekt.study.planning import plan
from affekt.study.studying import study
from affekt.study.working import work

CHANGES = ['study.conditions=["baseline","ensemble-2","learn-e-reg","untrained-emotion"]', "study.seeds=1"]


def named(jobs):
    return sorted(settings.name for settings in read_by(jobs))


def test_what_each_kind_of_job_reads(tmp_path):
    jobs = plan(override(load_recipe(small_recipe.write(tmp_path, epochs=1)), CHANGES)).jobs
    assert named(jobs) == ["folder", "table"]
    read = {job.name: named([job]) for job in jobs}
    assert read["emotional encoder"] == ["table"]
    assert read["baseline"] == read["learn-e-reg"] == ["folder"]  # its encoder is given
    assert read["untrained-emotion"] == ["folder", "table"]
    assert read["ensemble-2"] == []


def test_pictures_that_are_kept_out_are_read_too():
    sets = {"affective": DataSettings(name="oasis", exclude_target=True), "target": DataSettings(name="cifar10")}
    job = Job(kind="pretrain", folder="x", recipe=Recipe(**sets), name="x", seed=0)
    assert named([job]) == ["cifar10", "oasis"]


def test_clips_and_their_pack_are_read(tmp_path):
    clips = ClipSettings(name="emodb", pack=str(tmp_path / "pack"))
    read = read_by([Job(kind="train", folder="x", recipe=Recipe(clips=clips), name="x", seed=0)])
    assert read == [clips]
    (tmp_path / "recipe.toml").touch()
    (tmp_path / "emodb").mkdir()
    assert lacking(tmp_path, read, tmp_path) == [f"the pack {tmp_path / 'pack'}"]


def test_what_is_not_there_is_said_with_its_folder(tmp_path):
    read = [DataSettings(name="oasis"), DataSettings(name="emoji"), DataSettings(name="folder", root=str(tmp_path))]
    assert lacking(tmp_path, read, tmp_path) == [f"the study's own folder {tmp_path}", f"oasis ({tmp_path / 'oasis'})"]
    (tmp_path / "recipe.toml").touch()
    (tmp_path / "oasis").mkdir()
    assert lacking(tmp_path, read, tmp_path) == []


def test_one_line_names_the_machines_and_what_each_lacks():
    refuse({"here": [], "there": []})
    with pytest.raises(DataError) as caught:
        refuse({"one": [], "two": ["oasis (/d/oasis)", "cifar10 (/d/cifar10)"], "three": ["oasis (/d/oasis)"]})
    said = "two has no oasis (/d/oasis), cifar10 (/d/cifar10), three has no oasis (/d/oasis): nothing was trained; "
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


class Without:
    """A place whose machines lack something."""

    slots = 1

    def look(self, jobs):
        refuse({"node7": ["oasis (/d/oasis)"] if jobs else []})

    def submit(self, job):
        pytest.fail("a job was handed over")

    def close(self):
        pass


def test_a_study_looks_before_its_first_job(tmp_path):
    recipe = override(load_recipe(small_recipe.write(tmp_path, epochs=1)), CHANGES)
    with pytest.raises(DataError, match=r"node7 has no oasis \(/d/oasis\)"):
        study(recipe, out=tmp_path / "st", executor=Without())
    assert not list((tmp_path / "st").rglob("checkpoints"))


def test_a_job_that_fails_elsewhere_names_its_machine(tmp_path):
    target = DataSettings(name="folder", root=str(tmp_path / "nowhere"))
    job = Job(kind="train", folder="runs/x/seed-0", recipe=Recipe(target=target), name="x", seed=0)
    assert work(tmp_path, job, machine="node7").error.startswith("on node7: folder: no folder ")
    assert work(tmp_path, job).error.startswith("folder: no folder ")
    kept = json.loads((tmp_path / "runs/x/seed-0/error.json").read_text())["error"]
    assert kept.startswith("folder: ")


@pytest.mark.slow
def test_a_ray_node_without_the_data_is_named_before_anything_is_trained(tmp_path, monkeypatch):
    pytest.importorskip("ray")
    import ray
    from ray.cluster_utils import Cluster

    from affekt.study.executors.ray import Ray

    written = small_recipe.write(tmp_path, epochs=1)
    there = override(load_recipe(written), [*CHANGES, "target.root="])  # <data root>/folder
    (tmp_path / "folder").symlink_to(tmp_path / "target")
    # Set after the nodes have started: it reaches those that have none by the study alone.
    monkeypatch.delenv("AFFEKT_DATA", raising=False)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1, env_vars={"AFFEKT_DATA": "/nowhere"})
        monkeypatch.setenv("AFFEKT_DATA", str(tmp_path))
        executor = Ray(tmp_path / "st", workers=2, gpus=(), data_root=None)
        with pytest.raises(DataError) as caught:
            study(there, out=tmp_path / "st", executor=executor)
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert f"{socket.gethostname()} (node " in str(caught.value)
    assert str(caught.value).count(" has no ") == 1
    assert f") has no folder ({Path('/nowhere/folder')}): nothing was trained" in str(caught.value)
    assert not list((tmp_path / "st").rglob("checkpoints"))
