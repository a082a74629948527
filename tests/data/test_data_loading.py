"""Loading: the same batches from memory, threads and worker processes; one copy; and workers that die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from affekt.affect import RatingScale
from affekt.data import Labels, Stimuli
from affekt.data.decoding import CHUNK, WorkerPool, default_workers, in_background
from affekt.data.loading import Loader, label_tensors
from affekt.data.pictures import ArrayPictures, FilePictures
from affekt.errors import DataError

N = 90


def with_pictures(pictures: object, n: int = N) -> Stimuli:
    ids = np.array([str(i) for i in range(n)])
    labels = Labels(
        categories=("a", "b"),
        category=(np.arange(n) % 3 - 1).astype(np.int64),
        votes=np.stack([np.arange(n), np.ones(n)], axis=1).astype(np.float32),
        ratings={"valence": np.where(np.arange(n) % 5, np.arange(n) / n, np.nan).astype(np.float32)},
        scale=RatingScale(0, 1),
    )
    return Stimuli(name="toy", ids=ids, pictures=pictures, labels=labels, groups=ids)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Stimuli:
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for i in range(N):
        Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return with_pictures(FilePictures([folder / f"{i}.png" for i in range(N)], image_size=16))


def order(size: int = 40, seed: int = 0) -> list[np.ndarray]:
    shuffled = np.random.default_rng(seed).permutation(N)
    return [shuffled[i : i + size] for i in range(0, N, size)]


def everything(loader: Loader) -> list[tuple[np.ndarray, torch.Tensor, dict[str, torch.Tensor]]]:
    with loader:
        return list(loader.batches(order()))


def test_batches_are_the_same_however_they_are_loaded(files: Stimuli) -> None:
    expected = files.images(np.arange(N))
    ways = {
        "memory": Loader(files),
        "array": Loader(replace(files, pictures=ArrayPictures(expected))),
        "this process": Loader(files, memory_gib=0, workers=0),
        "one worker": Loader(files, memory_gib=0, workers=1),
        "two workers": Loader(files, memory_gib=0, workers=2),
    }
    assert [way.in_memory for way in ways.values()] == [True, True, False, False, False]
    for name, loader in ways.items():
        batches = everything(loader)
        assert len(batches) == 3, name
        for (indices, images, labels), asked in zip(batches, order(), strict=True):
            assert np.array_equal(indices, asked), name
            assert images.dtype == torch.uint8
            assert torch.equal(images, expected[torch.from_numpy(asked)]), name
            assert labels["category"].tolist() == (asked % 3 - 1).tolist(), name


def test_labels_come_typed_and_by_name(files: Stimuli) -> None:
    _, _, labels = Loader(files).load(np.array([5, 7]))
    assert {name: (tuple(v.shape), v.dtype) for name, v in labels.items()} == {
        "category": ((2,), torch.int64),
        "votes": ((2, 2), torch.float32),
        "valence": ((2,), torch.float32),
    }
    assert labels["votes"].tolist() == [[5, 1], [7, 1]]
    assert labels["valence"].isnan().tolist() == [True, False]
    with pytest.raises(DataError, match='a rating dimension cannot be called "votes"'):
        label_tensors(Labels(ratings={"votes": np.zeros(1, np.float32)}))


def test_what_fits_is_decoded_once(files: Stimuli, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    loader = Loader(files)
    assert loader.nbytes == N * 3 * 16 * 16
    monkeypatch.setattr(FilePictures, "read_array", lambda *_: pytest.fail("decoded again"))
    assert len(everything(loader)) == 3


def test_the_bound_on_memory_is_kept_to_the_byte(files: Stimuli) -> None:
    size = N * 3 * 16 * 16 / 2**30
    assert Loader(files, memory_gib=size).in_memory
    assert not Loader(files, memory_gib=size - 1e-9).in_memory


def test_an_array_is_shared_by_the_loaders_of_its_splits() -> None:
    pixels = torch.zeros((N, 3, 4, 4), dtype=torch.uint8)
    whole = with_pictures(ArrayPictures(pixels))
    train, test = whole.take(np.arange(60)), whole.take(np.arange(60, N))
    pixels[59], pixels[60] = 1, 2
    for part, index, value in ((train, 59, 1), (test, 0, 2)):
        loader = Loader(part, memory_gib=0)
        assert loader.in_memory
        assert loader._pixels is not None
        assert loader._pixels.data_ptr() == pixels.data_ptr()
        assert loader.load(np.array([index]))[1].unique().tolist() == [value]


def test_a_cifar_of_memory_stays_one_copy() -> None:
    """Resident memory grows by less than half a copy while loaders, branches and workers are added."""
    code = """
    import resource, sys, numpy as np, torch
    from affekt.data import Labels, Stimuli
    from affekt.data.loading import Loader
    from affekt.data.pictures import ArrayPictures
    n = 50_000
    pixels = torch.zeros((n, 3, 32, 32), dtype=torch.uint8).fill_(1)
    ids = np.arange(n).astype(str)
    whole = Stimuli(name="c", ids=ids, pictures=ArrayPictures(pixels), labels=Labels(), groups=ids)
    Loader(whole).load(np.arange(128))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    loaders = [Loader(whole.take(np.random.default_rng(i).permutation(n)), workers=4) for i in range(4)]
    for loader in loaders:
        for _ in loader.batches(np.split(np.arange(n), 100)):
            pass
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    sys.exit(f"{grown / pixels.numel():.2f} copies more" if grown > pixels.numel() / 2 else 0)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("memory_gib", [4.0, 0.0])
def test_a_picture_that_does_not_decode_is_named(
    files: Stimuli, tmp_path: Path, workers: int, memory_gib: float
) -> None:
    pictures = files.pictures
    assert isinstance(pictures, FilePictures)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    paths = pictures.paths.tolist()
    paths[50] = str(broken)
    damaged = replace(files, pictures=FilePictures(paths, image_size=16))
    with pytest.raises(DataError, match=r"broken.png: cannot be decoded as a picture"):
        everything(Loader(damaged, memory_gib=memory_gib, workers=workers))


def test_a_worker_that_dies_gives_one_clear_error(files: Stimuli) -> None:
    loader = Loader(files, memory_gib=0, workers=1)
    batches = loader.batches(order(1) * 20)
    next(batches)
    for child in multiprocessing.active_children():
        os.kill(child.pid or 0, signal.SIGKILL)
    with pytest.raises(DataError, match=r"toy: a decoding worker died .*workers = 0 to decode in this process"):
        list(batches)
    batches.close()
    assert len(everything(loader)) == 3  # and the loader can be used again


class Unpicklable(FilePictures):
    def __reduce__(self) -> str:
        raise TypeError("holds a lock")


def test_pictures_that_cannot_travel_say_so(files: Stimuli) -> None:
    assert isinstance(files.pictures, FilePictures)
    stuck = Unpicklable(files.pictures.paths.tolist(), image_size=16)
    message = r"toy: Unpicklable cannot be sent to worker processes \(holds a lock\); write workers = 0"
    with pytest.raises(DataError, match=message):
        everything(Loader(replace(files, pictures=stuck), memory_gib=0, workers=1))


def test_stopping_early_leaves_no_thread_and_closing_leaves_no_process(files: Stimuli) -> None:
    threads = threading.active_count()
    loader = Loader(files, memory_gib=0, workers=1)
    batches = loader.batches(order(5))
    next(batches)
    batches.close()
    loader.close()
    assert not multiprocessing.active_children()
    assert threading.active_count() == threads


@pytest.mark.parametrize("memory_gib", [4.0, 0.0])
def test_a_batch_of_none_and_batches_beyond_all_slots_come_in_order(files: Stimuli, memory_gib: float) -> None:
    expected = files.images(np.arange(N))
    large = np.tile(np.arange(N), 3)
    with Loader(files, memory_gib=memory_gib, workers=1) as loader:
        for _ in range(2):
            sizes = [len(images) for _, images, _ in loader.batches([large, large[:0], large[:5]])]
            assert sizes == [3 * N, 0, 5]
        ((_, images, _),) = loader.batches([large])
        assert torch.equal(images, expected.repeat(3, 1, 1, 1))


def test_a_pool_can_be_left_in_the_middle_and_used_again(files: Stimuli) -> None:
    expected = files.images(np.arange(N)).numpy()
    pool = WorkerPool(files.pictures, 1, "toy")
    for turn in range(5):
        decoded = pool.decoded([np.arange(N), np.arange(N)[::-1].copy()])
        assert np.array_equal(next(decoded), expected), turn
        decoded.close()
    pool.close()


def test_workers_do_not_run_far_ahead(files: Stimuli) -> None:
    asked = 0

    def indices() -> Iterator[np.ndarray]:
        nonlocal asked
        for _ in range(50):
            asked += 1
            yield np.arange(CHUNK)

    pool = WorkerPool(files.pictures, 1, "toy")
    decoded = pool.decoded(indices())
    next(decoded)
    assert asked <= 5  # four slots for one worker
    decoded.close()
    pool.close()


def test_the_background_thread_runs_a_bounded_way_ahead_and_hands_errors_over() -> None:
    made: list[int] = []
    full = threading.Event()

    def numbers() -> Iterator[int]:
        for i in range(100):
            made.append(i)
            if i == 3:
                full.set()
            yield i
        raise ValueError("at the end")

    items = in_background(numbers, ahead=2)
    assert next(items) == 0
    assert full.wait(10)
    assert len(made) == 4  # one was taken, two wait, one is in the hand
    assert next(items) == 1
    with pytest.raises(ValueError, match="at the end"):
        list(items)


def test_a_consumer_that_stops_stops_the_background_thread() -> None:
    ended = threading.Event()

    def numbers() -> Iterator[int]:
        try:
            yield from range(10**9)
        finally:
            ended.set()

    items = in_background(numbers, ahead=1)
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert ended.is_set()


def test_workers_end_when_their_parent_is_killed(files: Stimuli, tmp_path: Path) -> None:
    assert isinstance(files.pictures, FilePictures)
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(f"""
        import multiprocessing, sys, time, numpy as np
        from affekt.data.decoding import WorkerPool
        from affekt.data.pictures import FilePictures
        if __name__ == "__main__":
            pool = WorkerPool(FilePictures({files.pictures.paths.tolist()[:2]!r}, image_size=8), 1, "toy")
            list(pool.decoded([np.arange(2)]))
            print(multiprocessing.active_children()[0].pid, flush=True)
            time.sleep(60)
        """)
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    assert _ends(worker)


def _ends(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").exists() and ") Z " in Path(f"/proc/{pid}/stat").read_text():
                return True
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_cores_are_shared_between_the_processes_of_a_distributed_run(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(12)), raising=False)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert default_workers() == 8
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert default_workers() == 3
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "100")
    assert default_workers() == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("memory_gib", [4.0, 0.0])
def test_batches_come_to_the_gpu(files: Stimuli, memory_gib: float) -> None:
    expected = files.images(np.arange(N))
    for part in (files, replace(files, pictures=ArrayPictures(expected)).take(np.arange(N))):
        loader = Loader(part, device="cuda", memory_gib=memory_gib, workers=1)
        for indices, images, labels in everything(loader):
            assert images.device.type == labels["category"].device.type == "cuda"
            assert torch.equal(images.cpu(), expected[torch.from_numpy(indices)])
