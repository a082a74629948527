"""Checkpoint: whole or absent; damage is named and the one before is used; a full or read-only disk harms nothing."""

import errno
import os
import subprocess
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tiny import data, same, stimuli, task, trainer, weights

from affekt.errors import CheckpointError, TrainingError, UsageError
from affekt.saving import manifest
from affekt.training.checkpoint import Checkpoint, Checkpoints


def checkpoint(step=5, size=3):
    tied = torch.arange(float(size))
    return Checkpoint(
        step=step,
        state={"step": step, "score": 0.1 + 0.2, "list": [1, None]},
        tensors={"model": {"a": tied, "b": tied, "c": torch.zeros(2, 3, 4, 4).to(memory_format=torch.channels_last)}},
    )


@pytest.fixture
def two(tmp_path):
    found = Checkpoints(tmp_path / "checkpoints")
    for step in (5, 10):
        found.write(checkpoint(step))
    return found


def test_what_is_read_is_what_was_written(two):
    found = two.latest()
    assert (found.step, found.state) == (10, {"step": 10, "score": 0.1 + 0.2, "list": [1, None]})
    assert {k: v.tolist() for k, v in found.tensors["model"].items()} == {
        k: v.tolist() for k, v in checkpoint().tensors["model"].items()
    }


def test_nothing_in_it_is_a_pickle(two):
    assert sorted(p.suffix for p in two.path(10).iterdir()) == [".json", ".json", ".safetensors"]


def test_the_oldest_go(two):
    two.write(checkpoint(15))
    assert two.steps() == [10, 15]
    Checkpoints(two.folder, keep=1).write(checkpoint(20))
    assert two.steps() == [20]


def test_none_where_there_is_none(tmp_path):
    assert Checkpoints(tmp_path / "nowhere").latest() is None


@pytest.mark.parametrize("name", ["state.json", "model.safetensors", "manifest.json"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "empty"])
def test_damaged_file_is_named_and_the_one_before_used(two, name, damage, caplog):
    path = two.path(10) / name
    content = path.read_bytes()
    path.unlink() if damage == "missing" else path.write_bytes(
        content[: len(content) // 2 if damage == "truncated" else 0]
    )
    assert two.latest().step == 5
    assert "step-10" in caplog.text
    assert name in caplog.text
    assert "the checkpoint before it is used" in caplog.text


@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@pytest.mark.parametrize("name", ["state.json", "model.safetensors", "manifest.json"])
def test_any_flipped_bit_is_seen(two, name, where, bit):
    path = two.path(10) / name
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1 << bit
    whole = path.read_bytes()
    try:
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=f"step-10: damaged: .*{name}"):
            two.read(10)
    finally:
        path.write_bytes(whole)
    assert two.read(10).step == 10


def test_all_damaged_says_so(two):
    for step in (5, 10):
        (two.path(step) / "state.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"all 2 checkpoints are damaged \(step-10, step-5\); restore one"):
        two.latest()


def test_of_another_version_is_refused(two, monkeypatch):
    monkeypatch.setattr("affekt.training.checkpoint.FORMAT", 99)
    with pytest.raises(CheckpointError, match="written by another version of affekt"):
        two.read(10)


def test_damaged_one_is_replaced_and_stale_ones_go(two):
    (two.path(10) / "state.json").unlink()
    found = Checkpoints(two.folder, keep=1)
    found.write(checkpoint(8))
    assert found.steps() == [8]
    found.write(checkpoint(10))
    assert found.latest().step == 10


def test_leftovers_of_a_kill_are_removed(two):
    for name in (".step-15-abc", ".step-5-old"):
        (two.folder / name).mkdir()
        (two.folder / name / "state.json").write_text("half")
    two.clean()
    assert sorted(p.name for p in two.folder.iterdir()) == ["step-10", "step-5"]


def fails(number, monkeypatch, at=0):
    """The ``at``-th flush of a checkpoint fails with an error of the operating system."""
    calls = []
    real = os.fsync

    def fsync(descriptor):
        calls.append(descriptor)
        if len(calls) > at:
            raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr(manifest.os, "fsync", fsync)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_failed_write_leaves_the_last_one(two, number, at, monkeypatch):
    fails(number, monkeypatch, at)
    with pytest.raises(CheckpointError) as caught:
        two.write(checkpoint(15))
    assert os.strerror(number) in str(caught.value)
    assert str(caught.value).endswith("step-10 is intact, the same call goes on from there")
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert two.latest().step == 10
    assert sorted(p.name for p in two.folder.iterdir()) == ["step-10", "step-5"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 512 KiB, where this user may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", place], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting a small disk needs root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(place: Path, leave: int):
    free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
    (place / "ballast").write_bytes(b"\0" * (free - leave))


def test_full_disk_ends_in_one_line_and_goes_on_later(small_disk):
    undisturbed = task()
    expected = trainer(of=undisturbed, epochs=6, schedule="constant").fit()

    class Filling(type(task())):
        def losses(self, batch):
            if batch.step == 12 and not (small_disk / "ballast").exists():
                fill(small_disk, leave=12_000)
            return super().losses(batch)

    with pytest.raises(CheckpointError, match=r"No space left on device.*step-10 is intact"):
        trainer(small_disk / "run", of=Filling(task().model), epochs=6, schedule="constant").fit()
    (small_disk / "ballast").unlink()
    again = task()
    assert trainer(small_disk / "run", of=again, epochs=6, schedule="constant").fit() == expected
    assert same(weights(again), weights(undisturbed))


def test_full_disk_in_the_middle_of_a_log_line(small_disk):
    class Filling(type(task())):
        def losses(self, batch):
            if batch.step == 21 and not (small_disk / "ballast").exists():
                fill(small_disk, leave=0)
            return super().losses(batch)

    run = trainer(small_disk / "run", of=Filling(task().model), log_every=1, epochs=20, checkpoint_every=20)
    with pytest.raises(
        TrainingError, match=r"jsonl: cannot be written: No space left on device.*goes on from its last"
    ):
        run.fit()
    assert Checkpoints(small_disk / "run" / "checkpoints").latest().step == 20


def test_read_only_folder_is_one_line(small_disk):
    trainer(small_disk / "run", epochs=1).fit()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(TrainingError, match=r"log.jsonl: cannot be written: Read-only file system; free some space"):
        trainer(small_disk / "run", epochs=1).fit()
    assert Checkpoints(small_disk / "run" / "checkpoints").latest().step == 5


def test_folder_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(TrainingError, match=r"log.jsonl: cannot be written: "):
        trainer(tmp_path / "run").fit()


def test_other_settings_are_refused_with_the_keys(tmp_path):
    trainer(tmp_path, epochs=1).fit()
    with pytest.raises(UsageError) as caught:
        trainer(tmp_path, epochs=2, clip=1.0).fit()
    assert "keys that differ: training.clip, training.epochs (training.clip is None there, 1.0 here)" in str(
        caught.value
    )
    with pytest.raises(UsageError, match=r"keys that differ: seed \(seed is 0 there, 1 here"):
        trainer(tmp_path, epochs=1, seed=1).fit()
    with pytest.raises(UsageError, match=r"keys that differ: data.train \(data.train is"):
        trainer(tmp_path, epochs=1, data=data() | {"train": stimuli(40, seed=9)}).fit()


def test_settings_of_the_machine_may_change(tmp_path):
    expected = trainer(tmp_path, epochs=1).fit()
    assert trainer(tmp_path, epochs=1, keep_checkpoints=5, threads=1).fit() == expected


def test_another_network_is_refused(tmp_path):
    trainer(tmp_path, epochs=1).fit()
    with pytest.raises(CheckpointError, match=r"step-5: of another network; tensors that differ: .*model.1"):
        trainer(tmp_path, of=task("layer"), epochs=1).fit()
