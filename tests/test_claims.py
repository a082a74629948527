"""Claims: one process works in a folder, whatever machine it is on; whose heart stopped gives way."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import affekt
from affekt.errors import AffektError
from affekt.saving import claims
from affekt.saving.claims import CLAIM, STALE, Owner, at_work, claimed, refuse_if_taken
from affekt.saving.whole import Busy, write_first

ELSEWHERE = Owner(host="node17.cluster", pid=4711, started=5, system="00000000", token="0123456789ab")

HOLD = """
import sys, types
from pathlib import Path
for name in ("affekt", "affekt.saving"):  # without what they import, which takes seconds
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [str(Path(sys.argv[2], *name.split(".")))]
from affekt.saving.claims import claimed
with claimed(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def claim_of(folder: Path) -> Path:
    [file] = (folder / CLAIM).iterdir()
    return file


def left_by(owner: Owner, folder: Path, *, age: float) -> Path:
    """A claim of another, whose heart beat so many seconds ago by the file system's clock."""
    file = folder / CLAIM / owner.name
    file.parent.mkdir(parents=True)
    file.touch()
    now = file.stat().st_mtime
    os.utime(file, (now - age, now - age))
    return file


@pytest.fixture
def holder(tmp_path):
    """Another process that has claimed ``run``."""
    words = [sys.executable, "-c", HOLD, str(tmp_path / "run"), str(Path(affekt.__file__).parents[1])]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_claim_says_whose_it_is_and_leaves_nothing(tmp_path):
    folder = tmp_path / "st" / "runs" / "baseline"
    with claimed(folder):
        owner = Owner.read(claim_of(folder).name)
        assert owner.pid == os.getpid()
        assert not owner.gone
        assert at_work(folder)
        assert [path.name for path in folder.iterdir()] == [CLAIM]
    assert [*tmp_path.iterdir()] == []
    assert not at_work(folder)


def test_a_folder_that_holds_more_stays(tmp_path):
    with claimed(tmp_path / "run"):
        (tmp_path / "run" / "recipe.toml").touch()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["recipe.toml"]


def test_an_empty_folder_that_was_there_stays(tmp_path):
    with claimed(tmp_path):
        pass
    assert tmp_path.exists()
    (tmp_path / CLAIM).mkdir()  # of one that was killed as it left
    with claimed(tmp_path):
        assert claim_of(tmp_path)


def test_a_living_process_keeps_its_claim(tmp_path, holder):
    assert at_work(tmp_path / "run")
    with pytest.raises(Busy, match=rf"another affekt is at work in this folder \(process {holder.pid} on .*--out"):
        claimed(tmp_path / "run").__enter__()
    assert holder.poll() is None
    holder.communicate("")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("buried", [True, False])
def test_a_process_that_was_killed_gives_way_at_once(tmp_path, holder, buried):
    holder.send_signal(signal.SIGKILL)
    if buried:
        holder.wait()
    else:  # a process that has ended and that nobody has asked for yet still has its number
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
    assert claim_of(tmp_path / "run").exists()
    assert not at_work(tmp_path / "run")
    with claimed(tmp_path / "run"):
        assert Owner.read(claim_of(tmp_path / "run").name).pid == os.getpid()
    assert [*(tmp_path / "run").iterdir()] == []


def test_a_number_that_another_process_has_now(tmp_path):
    here = Owner.here()
    if not here.started:
        pytest.skip("this system does not say when a process started")
    left_by(Owner(**{**vars(here), "started": here.started + 1}), tmp_path, age=0)
    with claimed(tmp_path):
        assert Owner.read(claim_of(tmp_path).name).started == here.started


def test_numbers_of_another_machine_are_not_looked_up(tmp_path):
    """Containers may have one name, and their processes numbers that others cannot see."""
    gone = 2**22 + 1  # above the highest number that Linux gives
    here = vars(Owner.here())
    assert Owner(**{**here, "pid": gone}).gone
    assert not Owner(**{**here, "pid": gone, "system": "00000000"}).gone


@pytest.mark.parametrize("age", [0, STALE / 2])
def test_a_heart_that_beats_elsewhere(tmp_path, age):
    left_by(ELSEWHERE, tmp_path, age=age)
    with pytest.raises(Busy, match=r"process 4711 on node17\.cluster"):
        claimed(tmp_path).__enter__()
    assert claim_of(tmp_path).name == ELSEWHERE.name
    assert at_work(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [CLAIM]


def test_a_heart_that_stopped_elsewhere(tmp_path):
    left_by(ELSEWHERE, tmp_path, age=STALE + 5)
    assert not at_work(tmp_path)
    with claimed(tmp_path):
        assert Owner.read(claim_of(tmp_path).name).pid == os.getpid()
        assert at_work(tmp_path)  # not taken over with the time of the heart that stopped
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("error", [-86_400, 86_400])
def test_the_machines_own_clock_is_not_asked(tmp_path, monkeypatch, error):
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + error)
    left_by(ELSEWHERE, tmp_path / "a", age=STALE / 2)
    left_by(ELSEWHERE, tmp_path / "b", age=STALE * 2)
    assert at_work(tmp_path / "a")
    assert not at_work(tmp_path / "b")


def test_the_heart_beats(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "BEAT", 0.01)
    with claimed(tmp_path):
        file = claim_of(tmp_path)
        os.utime(file, (0, 0))
        deadline = time.monotonic() + 60
        while file.stat().st_mtime == 0 and time.monotonic() < deadline:
            pass
        assert file.stat().st_mtime > 0


@pytest.mark.parametrize("left", [None, 0.0, STALE + 5])
def test_of_many_that_come_at_once_one_gets_it(tmp_path, left):
    for number in range(5):
        folder = tmp_path / str(number)
        if left is not None:
            left_by(ELSEWHERE, folder, age=left)
        start, end = threading.Barrier(8), threading.Barrier(8)
        held = []

        def come(folder=folder, start=start, end=end, held=held):
            start.wait()
            try:
                with claimed(folder):
                    held.append(True)
                    end.wait()
            except Busy:
                end.wait()

        threads = [threading.Thread(target=come) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(held) == (left != 0.0)
        names = [path.name for path in folder.iterdir()] if folder.exists() else []
        assert names == ([CLAIM] if left == 0.0 else [])


def test_what_was_taken_over_is_not_written_to(tmp_path):
    run = tmp_path / "run"
    with claimed(run):
        refuse_if_taken(run / "emotional" / "checkpoints")
        claim_of(run).rename(run / CLAIM / ELSEWHERE.name)
        for place in (run, run / "emotional" / "checkpoints"):
            with pytest.raises(Busy, match=r"taken over by process 4711 on node17\.cluster"):
                refuse_if_taken(place)
        refuse_if_taken(tmp_path / "another")
    assert claim_of(run).name == ELSEWHERE.name  # the other's stays
    refuse_if_taken(run)


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(AffektError, match="cannot write") as caught:
        claimed(tmp_path / "file" / "run").__enter__()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["notes.txt", "a.1.2.3", "host.x.1.2.3", "claim.json", ""])
def test_names_that_are_no_claims(name):
    assert Owner.read(name) is None


def test_of_two_files_the_first_stays(tmp_path):
    assert write_first(tmp_path / "a" / "recipe.toml", "one")
    assert not write_first(tmp_path / "a" / "recipe.toml", "two")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["recipe.toml"]
    assert (tmp_path / "a" / "recipe.toml").read_text() == "one"


def test_many_write_a_file_and_one_was_first(tmp_path):
    barrier, first = threading.Barrier(8), []

    def write(number):
        barrier.wait()
        if write_first(tmp_path / "recipe.toml", json.dumps(number)):
            first.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [json.loads((tmp_path / "recipe.toml").read_text())] == first
