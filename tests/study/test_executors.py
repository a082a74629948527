"""Executors: studies on ray, on submitit's local stand-in and in a pool, with a worker killed in the middle."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
import small_recipe

from affekt.errors import UsageError
from affekt.recipe import Recipe, load_recipe, override
from affekt.study.executors import create_executor
from affekt.study.executors.local import Inline, Pool, cores, default_workers
from affekt.study.executors.slurm import Slurm
from affekt.study.executors.slurm_options import minutes, slurm_parameters
from affekt.study.jobs import Job
from affekt.study.studying import study

CHANGES = [
    'study.conditions=["baseline","learn-e-reg"]',
    "study.seeds=2",
    "study.draws=200",
    "training.threads=1",
    "emotional.training.threads=1",
    "training.checkpoint_every=2",
]


def recipe_in(root, epochs=2):
    return override(load_recipe(small_recipe.write(root, epochs=epochs, contrast=6)), CHANGES)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    return recipe_in(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def undisturbed(recipe, tmp_path_factory):
    """What the study gives in one process."""
    result = study(recipe, out=tmp_path_factory.mktemp("one") / "st", workers=1)
    return {c["name"]: c["metrics"]["accuracy"]["each"] for c in result.comparison["conditions"]}


def accuracies(result):
    assert result.failed == {}
    assert result.comparison["runs"] == {"finished": 4, "declared": 4}
    return {c["name"]: c["metrics"]["accuracy"]["each"] for c in result.comparison["conditions"]}


def checkpoints(folder: Path) -> int:
    """How many there are now; 0 where a folder went away while it was looked at."""
    try:
        return len(list(folder.rglob("step-*")))
    except OSError:
        return 0


def kill_one(folder: Path, find, killed: list[int]) -> None:
    """Kill one worker, as soon as a run of the study has a checkpoint."""
    for _ in range(2400):
        workers = find()
        if workers and checkpoints(folder):
            os.kill(workers[0], signal.SIGKILL)
            killed.append(workers[0])
            return
        time.sleep(0.05)


def test_a_pool_whose_worker_is_killed_completes(recipe, undisturbed, tmp_path):
    pool = Pool(tmp_path / "st", slots=2, gpus=(), data_root=None)
    killed: list[int] = []
    thread = threading.Thread(target=kill_one, args=(tmp_path / "st", lambda: [*(pool.pool._processes or {})], killed))
    thread.start()
    result = study(recipe, out=tmp_path / "st", executor=pool)
    thread.join()
    assert killed
    assert accuracies(result) == undisturbed


@pytest.mark.slow
def test_ray_completes_with_one_of_two_workers_killed(recipe, undisturbed, tmp_path):
    pytest.importorskip("ray")

    def workers():
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if command.startswith(b"ray::_work"):
                found.append(int(process.name))
        return found

    killed: list[int] = []
    thread = threading.Thread(target=kill_one, args=(tmp_path / "st", workers, killed))
    thread.start()
    said = []
    result = study(recipe, out=tmp_path / "st", executor="ray", workers=2, say=said.append)
    thread.join()
    assert killed
    assert accuracies(result) == undisturbed


def test_a_machine_that_cannot_submit_is_one_line(tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no srun on this machine; give the command on one from which jobs"):
        Slurm(tmp_path / "st", workers=2, gpus=(), data_root=None)


@pytest.mark.slow
def test_slurm_by_its_local_stand_in(recipe, undisturbed, tmp_path):
    pytest.importorskip("submitit")
    executor = Slurm(
        tmp_path / "st", workers=2, gpus=(), data_root=None, cluster="local", parameters={"cpus_per_task": 1}
    )
    result = study(recipe, out=tmp_path / "st", executor=executor)
    assert accuracies(result) == undisturbed
    assert any((tmp_path / "st/slurm").iterdir())


def test_a_job_that_kills_its_worker_is_given_up_and_said(recipe, tmp_path):
    from affekt.study.working import Outcome

    class Deadly:
        slots = 1
        tries = 0

        def look(self, jobs):
            pass

        def submit(self, job):
            self.tries += 1

            class Handle:
                def outcome(self):
                    return Outcome(status="died", error="its worker process died (killed, or out of memory)")

            return Handle()

        def close(self):
            pass

    deadly = Deadly()
    result = study(recipe, out=tmp_path / "st", executor=deadly)
    assert set(result.failed.values()) >= {"its worker process died (killed, or out of memory)"}
    assert any("which failed" in error for error in result.failed.values())  # what needed the encoder
    assert deadly.tries == 3 * 4  # two baselines, two encoders
    assert "Nothing can be said yet" in result.comparison["verdict"]["sentence"]


def test_one_run_for_every_two_cores():
    assert [default_workers(n) for n in (1, 2, 3, 4, 16)] == [1, 1, 1, 2, 8]


@pytest.mark.parametrize(("visible", "numbers"), [(None, ("0", "1")), ("3, 5", ("3", "5"))])
def test_runs_are_given_the_gpus_that_are_there(tmp_path, monkeypatch, visible, numbers):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr(sys.modules[Pool.__module__], "cores", lambda: 16)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    place = {"gpus": (), "data_root": None, "progress": None}
    for workers, share, slots in ((None, 1.0, 2), (None, 0.5, 4), (6, 1.0, 6)):
        pool = create_executor("local", tmp_path, workers=workers, gpu_share=share, **place)
        assert (pool.slots, pool.gpus) == (slots, numbers)
        pool.close()


def test_one_at_a_time_needs_no_other_process(tmp_path):
    made = create_executor("local", tmp_path, workers=1, data_root=None, progress=None)
    assert isinstance(made, Inline)


def test_more_workers_than_cores_are_refused(tmp_path):
    with pytest.raises(UsageError, match=f"this machine has {cores()} cores"):
        create_executor("local", tmp_path, workers=1000, data_root=None, progress=None)


def test_a_wrong_executor_names_the_right_ones(tmp_path):
    with pytest.raises(UsageError, match=r'executor "slrum": unknown\. Nearest: slurm'):
        create_executor("slrum", tmp_path, workers=1, data_root=None, progress=None)


def test_a_study_that_is_killed_goes_on_to_the_same_end(recipe, undisturbed, tmp_path):
    import subprocess

    from affekt.recipe import to_toml

    (tmp_path / "r.toml").write_text(to_toml(recipe))
    command = [sys.executable, "-m", "affekt", "study", "r.toml", "--out", "st", "--json"]
    for _ in range(2):
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        before = checkpoints(tmp_path / "st")
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if checkpoints(tmp_path / "st") > before + 3:
                process.kill()
            time.sleep(0.01)
        process.wait()
        process.stdout.close()
    out = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    found = {c["name"]: c["metrics"]["accuracy"]["each"] for c in json.loads(out)["conditions"]}
    assert found == undisturbed


def children(pid: int) -> list[int]:
    """Processes that a process started, by Linux's own account."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def alive(pid: int) -> bool:
    """Neither gone nor waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_workers_end_with_a_study_that_is_killed(recipe, tmp_path):
    import subprocess

    from affekt.recipe import to_toml

    (tmp_path / "r.toml").write_text(
        to_toml(override(recipe, ["training.epochs=2000", "emotional.training.epochs=2000"]))
    )
    command = [sys.executable, "-m", "affekt", "study", "r.toml", "--out", "st", "--workers", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while checkpoints(tmp_path / "st") < 4 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    started = children(process.pid)
    assert len(started) >= 2
    process.kill()
    process.wait()
    deadline = time.monotonic() + 120
    while any(map(alive, started)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, started))


class Made:
    """What a pool would have been made of."""

    def __init__(self, study, *, slots, gpus, data_root):
        self.slots, self.gpus = slots, gpus


@pytest.mark.parametrize(
    ("gpus", "share", "workers", "slots"),
    [(("0", "1"), 1.0, None, 2), (("0", "1"), 0.5, None, 4), (("0",), 0.3, None, 3), (("0",), 0.25, 2, 2)],
)
def test_several_runs_share_a_gpu(tmp_path, monkeypatch, gpus, share, workers, slots):
    local = sys.modules["affekt.study.executors.local"]

    monkeypatch.setattr(local, "cores", lambda: 8)
    monkeypatch.setattr(local, "visible_gpus", lambda: ("0", "1"))
    monkeypatch.setattr(local, "Pool", Made)
    made = create_executor(
        "local", tmp_path, workers=workers, gpus=gpus, gpu_share=share, data_root=None, progress=None
    )
    assert (made.slots, made.gpus) == (slots, gpus)


@pytest.mark.parametrize(
    ("here", "gpus", "share", "said"),
    [
        ((), ("0",), 1.0, "--gpus 0: this machine has no GPU that torch can use; leave it out"),
        ((), (), 0.5, r"--gpu-share 0\.5: this machine has no GPU that torch can use; leave it out"),
        (("0", "1"), ("0", "7"), 1.0, "--gpus 0,7: no GPU 7 here; there are 0, 1"),
        (("0", "1"), (), 0.1, r"20 jobs at once \(GPUs 0, 1, 0\.1 a job\): this machine has 8 cores.*--workers 8"),
    ],
)
def test_gpus_that_are_not_here_and_too_many_jobs_for_those_that_are(tmp_path, monkeypatch, here, gpus, share, said):
    local = sys.modules["affekt.study.executors.local"]
    monkeypatch.setattr(local, "cores", lambda: 8)
    monkeypatch.setattr(local, "visible_gpus", lambda: here)
    monkeypatch.setattr(local, "Pool", Made)
    place = {"workers": None, "data_root": None, "progress": None}
    with pytest.raises(UsageError, match=said):
        create_executor("local", tmp_path, gpus=gpus, gpu_share=share, **place)


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, float("nan")])
def test_a_share_that_is_none(tmp_path, share):
    with pytest.raises(UsageError, match="a number above 0 and up to 1"):
        create_executor("local", tmp_path, workers=1, gpu_share=share, data_root=None, progress=None)


def test_slurm_gives_whole_gpus(tmp_path):
    pytest.importorskip("submitit")
    with pytest.raises(UsageError, match=r"--gpu-share 0\.5: slurm gives whole GPUs"):
        create_executor("slurm", tmp_path, workers=1, gpus=("0",), gpu_share=0.5, data_root=None, progress=None)


def test_jobs_of_a_plan_know_their_size(recipe):
    from affekt.study.planning import plan

    planned = plan(recipe)
    sizes = {job.name: job.memory for job in planned.jobs if job.is_run}
    assert sizes["learn-e-reg"] > sizes["baseline"] > 2**30


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"workers": 1000}, "--workers 1000: this machine has"),
        ({"gpus": ("0",)}, "--gpus 0: this machine has no GPU"),
        ({"gpu_share": 2.0}, "--gpu-share 2: a number above 0"),
        ({"executor": "slurm"}, "--executor slurm: no srun on this machine"),
        ({"executor": "ray"}, r"--executor ray: no cluster at 127\.0\.0\.1:1"),
        ({"executor": "slrum"}, "Nearest: slurm"),
    ],
)
def test_where_a_study_cannot_run_is_said_first_and_leaves_nothing(tmp_path, monkeypatch, place, said):
    pytest.importorskip({"ray": "ray", "slurm": "submitit"}.get(place.get("executor"), "affekt"))
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UsageError, match=said):
        study(Recipe(name="without any data"), out=tmp_path / "st", **place)
    assert not (tmp_path / "st").exists()


SBATCH = """#!/bin/sh
cat "$1" > "$(dirname "$0")/asked.sh"
echo "sbatch: error: Batch job submission failed: Invalid account specified" >&2
exit 1
"""


def test_a_job_that_sbatch_refuses_is_one_line_with_what_it_said(recipe, tmp_path, monkeypatch, capfd):
    pytest.importorskip("submitit")
    for name, text in (("srun", "#!/bin/sh"), ("sbatch", SBATCH)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    parameters = slurm_parameters(["partition=gpu", "account=x", "time=04:00:00", "cpus=4"])
    slurm = Slurm(tmp_path / "st", workers=1, gpus=(), data_root=None, parameters=parameters)
    job = Job(kind="train", folder="runs/a/seed-0", recipe=recipe, name="a", seed=0)
    with pytest.raises(UsageError, match=r"refused: sbatch: error: .* Invalid account.*--slurm account=NAME"):
        slurm.submit(job)
    assert capfd.readouterr() == ("", "")
    asked = (tmp_path / "asked.sh").read_text()
    wanted = ("--partition=gpu", "--account=x", "--time=240", "--cpus-per-task=4")
    assert [word for word in wanted if f"#SBATCH {word}\n" not in asked] == []


@pytest.mark.parametrize(
    ("text", "whole"),
    [("90", 90), ("1:30", 2), ("04:00:00", 240), ("00:00:01", 1), ("2-0", 2880), ("1-2:03", 1563), ("1-0:0:1", 1441)],
)
def test_times_as_slurm_writes_them(text, whole):
    assert minutes(text) == whole
    assert slurm_parameters([f"--time={text}", "mail_type=END"]) == {
        "timeout_min": whole,
        "slurm_additional_parameters": {"mail-type": "END"},
    }


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("partition", "KEY=VALUE was expected"),
        ("=gpu", "KEY=VALUE was expected"),
        ("account=", "KEY=VALUE was expected"),
        ("cpus=0", "a whole number of cores"),
        ("cpus=two", "a whole number of cores"),
        ("time=long", "e.g. 04:00:00"),
        ("time=0", "no time at all"),
        ("array=0-7", "affekt's own matter"),
    ],
)
def test_words_for_slurm_that_mean_nothing(word, said):
    with pytest.raises(UsageError, match=said):
        slurm_parameters([word])
