"""Benchmarks: works are done in turn and the first time is not counted; recordings are as long as they say."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


def benchmark(name):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_works_are_done_in_turn_and_the_first_round_is_not_counted():
    done = []
    times = benchmark("humans").in_turn([lambda: done.append("a"), lambda: done.append("b")], 3)
    assert done == ["a", "b"] * 4
    assert [len(each) for each in times] == [3, 3]


def test_a_recording_is_as_long_as_it_says(tmp_path):
    pytest.importorskip("av")
    from affekt.data.audiovisual import read_frames

    parts = benchmark("audiovisual_parts")
    samples = parts.sound(0.5, 8000)
    assert samples.shape == (4000,) and np.abs(samples).max() < 1
    parts.film(tmp_path / "film.mp4", 1.0, (64, 48), 25, 16_000)
    assert len(read_frames(tmp_path / "film.mp4")) == 25


def test_a_pack_is_read_in_turn_with_the_disk_and_the_same_bytes(tmp_path, monkeypatch):
    from affekt.data import dataset
    from affekt.data.packs import pack_pictures

    packs = benchmark("packs")
    packs.make(tmp_path / "set", 20)
    source = dataset("folder").open(tmp_path / "set", "all", image_size=packs.SIDE)
    assert len(source) == 20 and len(source.labels.categories) == packs.CLASSES
    pack_pictures(source, tmp_path / "pack", how="bytes", described=dataset("folder"))
    sizes, answers = [], iter([(1, 9), (1, 9), (20, 3), (10, 1), (30, 1), (10, 2)])

    def clocked(path, work):
        sizes.append(work())
        return next(answers)

    monkeypatch.setattr(packs, "clocked", clocked)
    # Two rounds of disk and pack, the pack first in the one, the disk in the other; the first round is not counted.
    assert packs.speeds(tmp_path / "pack", 20, 2) == ("pack", "20.0", "15.0", "1.17", "1.00", "2.50")
    assert set(sizes) == {(tmp_path / "pack" / "pictures.bin").stat().st_size}
