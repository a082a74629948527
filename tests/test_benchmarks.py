"""Benchmarks: works are done in turn and the first time is not counted; recordings are as long as they say."""

import importlib.util
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

FOLDER = Path(__file__).parents[1] / "benchmarks"


def benchmark(name):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def peers(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))  # the benchmark's own modules
    yield benchmark("peers")
    for name in ("peer_data", "peer_job", "peer_loops", "peer_ours", "peers"):
        sys.modules.pop(name, None)


@pytest.fixture
def job(peers):
    from peer_data import made_up
    from peer_job import Job

    return Job(
        network="resnet8",
        epochs=2,
        batch=4,
        learning_rate=0.01,
        equal=False,
        train=made_up(9, seed=1),
        test=made_up(6, seed=2),
        device=torch.device("cpu"),
        workers=1,
    )


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
    packs.make(tmp_path / "set", 20, 16)
    source = dataset("folder").open(tmp_path / "set", "all", image_size=16)
    assert len(source) == 20 and len(source.labels.categories) == packs.CLASSES
    pack_pictures(source, tmp_path / "pack", how="bytes", described=dataset("folder"))
    sizes, answers = [], iter([(1, 9), (1, 9), (20, 3), (10, 1), (30, 1), (10, 2)])

    def clocked(path, work):
        sizes.append(work())
        return next(answers)

    monkeypatch.setattr(packs, "clocked", clocked)
    # Two rounds of disk and pack, the pack first in the one, the disk in the other; the first round is not counted.
    assert packs.speeds(tmp_path / "pack", 16, 20, 2) == ("pack", "20.0", "15.0", "1.17", "1.00", "2.50")
    assert set(sizes) == {(tmp_path / "pack" / "pictures.bin").stat().st_size}


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("name", ["ordinary loop", "timm", "transformers", "lightning", "affekt", "bare step"])
def test_every_loop_trains_all_epochs_and_its_clock_goes_on(peers, job, name, equal):
    for package in peers.PACKAGES.get(name, ()):
        pytest.importorskip(package)
    trained = peers.train(name, replace(job, equal=equal, precision="bf16"))
    seconds, right = zip(*trained.epochs, strict=True)
    assert trained.pictures == 8 and len(seconds) == 2  # one of nine pictures fills no batch
    assert 0 < seconds[0] < seconds[1]
    assert all(math.isnan(r) if name == "bare step" else 6 * r == round(6 * r) for r in right)


def test_all_start_from_the_same_weights(peers, job):
    first, second = job.plain().state_dict(), replace(job, equal=True).plain().state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_the_clock_of_our_trainer_stands_still_during_validations(peers, job, monkeypatch):
    from peer_ours import Epochs

    clock = [0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    epochs = Epochs(job)  # of two steps each
    clock[0] = 7
    epochs.start(16, 0)
    for now, told in enumerate(["step", "step", "validated", "step", "step", "validated"], 10):
        clock[0] = now
        epochs.say("") if told == "validated" else epochs.advance(4)
    assert epochs.found == [11 - 7, 11 - 7 + 14 - 12]


def test_rounds_alternate_with_seeds_of_their_own_and_end_in_time(peers, job, monkeypatch):
    done, clock = [], [0]

    def train(name, one):
        done.append((name, one.seed))
        clock[0] += 5
        return peers.Trained(8, [(1, 0.5), (2, 0.5)])

    monkeypatch.setattr(peers, "train", train)
    monkeypatch.setattr(peers.time, "perf_counter", lambda: clock[0])
    found = peers.compete({"one": job, "two": job}, ["affekt", "other"], 5, 59)
    # A round takes twenty seconds: a third one would end at 60.
    there, back = [("affekt", 0), ("other", 0)], [("other", 1), ("affekt", 1)]
    assert done == [*there, *there, *back, *back]
    assert [len(rounds) for rounds in found.values()] == [2, 2]


def test_a_table_of_peers_has_medians_of_ratios_within_rounds(peers, capsys):
    def trained(rate, right):
        return peers.Trained(rate, [(1.0, 0.1), (2.0, right)])

    rounds = [
        {"affekt": trained(40, 0.6), "other": trained(20, 0.4), "bare step": trained(80, math.nan)},
        {"affekt": trained(90, 0.6), "other": trained(30, 0.6), "bare step": trained(90, math.nan)},
    ]
    peers.table(rounds, 0.5)
    said = capsys.readouterr().out
    assert "| affekt | 65 | 1.00 (1.00 .. 1.00) | 60.0 % | 2.0 |" in said
    assert "| other | 25 | 2.50 (2.00 .. 3.00) | 50.0 % | 1 of 2 |" in said
    assert "| bare step | 85 | 0.75 (0.50 .. 1.00) |  |  |" in said


def test_made_up_pictures_of_a_class_are_alike(peers, job):
    from peer_data import made_up

    found = made_up(400, seed=3)
    pixels, labels = found.pictures.read(np.arange(400)).float(), torch.as_tensor(found.labels.category)
    means = torch.stack([pixels[labels == k].mean(0).flatten() for k in range(10)])
    again = made_up(400, seed=4)
    nearest = (again.pictures.read(np.arange(400)).float().flatten(1) - 127) @ (means - means.mean(0)).T
    assert (nearest.argmax(1).numpy() == again.labels.category).mean() > 0.4


def test_trainings_share_a_device_in_turn_and_are_held_against_one_alone(peers, capsys):
    sharing = benchmark("sharing")
    one = sharing.Work(network="resnet8", batch=8, warm_up=1, steps=2, device="cpu", threads=3)
    asked, rates = [], {1: 10.0, 4: 25.0}

    def rate(works):
        asked.append([(work.seed, work.threads) for work in works])
        return rates[len(works)]

    found = sharing.measure(rate, one, [1, 4], 2, 1000)
    alone, together = [(0, 3)], [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert asked == [alone, together, together, alone]
    sharing.table(found, [1, 4])
    assert "| 4 | 25 | 2.50 (2.50 .. 2.50) | 1.60 |" in capsys.readouterr().out


def test_an_epoch_of_more_pictures_than_are_different(peers):
    sharing = benchmark("sharing")
    found = sharing.pictures(sharing.PICTURES + 5, seed=1)
    assert len(found) == sharing.PICTURES + 5
    assert (found.pictures.read(np.array([0])) == found.pictures.read(np.array([sharing.PICTURES]))).all()


def test_the_clock_of_a_shared_device_begins_together_after_the_warm_up(peers):
    sharing = benchmark("sharing")
    work = sharing.Work(network="resnet8", batch=2, warm_up=2, steps=3, device="cpu", threads=1)
    met, seen = [], []
    begun, ended = sharing.train(work, lambda: met.append(len(seen)))
    assert met == [0] and begun < ended
    clock = sharing.Clock(work, lambda: seen.append("met"))
    counts = [clock.advance(2) or len(clock.times) for _ in range(5)]
    assert counts == [0, 1, 1, 1, 2] and seen == ["met"]


@pytest.mark.parametrize(("said", "meant"), [("off", False), ("on", True), ("graphs", "graphs")])
def test_a_setting_of_compile_is_said_in_words(peers, said, meant):
    assert benchmark("sharing").setting(said) is meant


def test_a_line_has_its_slope_and_its_largest_residual():
    growth = benchmark("growth")
    line = growth.fit([1, 2, 3], [3, 5, 7])
    assert (line.start, line.slope, line.r_squared, line.residual) == pytest.approx((1, 2, 1, 0))
    bent = growth.fit([0, 1, 2], [0, 3, 0])  # the line is flat at one
    assert (bent.start, bent.slope, bent.r_squared) == pytest.approx((1, 0, 0))
    assert bent.residual == pytest.approx(2 / 3) and line.straight and not bent.straight
    assert growth.fit([1, 2, 3], [4, 4, 4]).r_squared == 1


def test_growth_is_measured_in_turn_and_the_first_round_is_not_counted():
    values = {"a": iter([1, 9, 7]), "b": iter([2, 4, 5])}
    done = []

    def clock(name):
        return lambda: done.append(name) or next(values[name])

    assert benchmark("growth").in_turn([clock("a"), clock("b")], 2) == [7, 4]
    assert "".join(done) == "abbaab"


def test_more_branches_are_more_networks_each_with_a_loss():
    growth = benchmark("growth")
    case = growth.Case(device=torch.device("cpu"), batch=2, classes=4)
    one, three = growth.Branches(case), growth.Branches(replace(case, branches=3))
    sizes = [sum(p.numel() for p in model.parameters()) for model in (one, three)]
    assert sizes[1] == 3 * sizes[0]
    images, labels = torch.rand(2, 3, 32, 32), torch.tensor([0, 3])
    alone = [torch.nn.functional.cross_entropy(network(images), labels) for network in three.networks]
    assert three(images, labels).item() == pytest.approx(sum(alone).item(), rel=1e-4)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone says it")
def test_peak_memory_is_that_of_the_pictures(peers):
    growth = benchmark("growth")
    case = growth.Case(device=torch.device("cpu"), batch=2, pictures=20_000)
    assert growth.peak(case) > 0.9 * 20_000 * 3 * 32 * 32 / growth.MIB


def test_ratios_are_kept_by_release_and_machine(peers, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "peers", peers)
    ratios = benchmark("ratios")

    def trained(rate):
        return peers.Trained(rate, [(1.0, 0.1), (2.0, 0.1)])

    rounds = [
        {"affekt": trained(9), "bare step": trained(10), "ordinary loop": trained(3)},
        {"affekt": trained(8), "bare step": trained(10), "ordinary loop": trained(4)},
    ]
    found = ratios.ratios(rounds)
    assert found == {"bare step": [0.85, 0.8, 0.9], "ordinary loop": [2.5, 2.0, 3.0]}
    kept = tmp_path / "ratios.json"
    entry = {"release": "1.0", "machine": "here", "torch": "2", "ratios": found}
    assert ratios.read(kept) == []
    ratios.write(kept, {**entry, "torch": "1"})
    ratios.write(kept, {**entry, "machine": "there"})
    ratios.write(kept, entry)
    assert ratios.read(kept) == [{**entry, "machine": "there"}, entry]
    assert "| 1.0 | 0.85 (0.80 .. 0.90) | 2.50 (2.00 .. 3.00) | 2 | here |" in ratios.table([entry])


def test_kept_ratios_can_be_read(peers, monkeypatch):
    monkeypatch.setitem(sys.modules, "peers", peers)
    ratios = benchmark("ratios")
    assert len(ratios.table(ratios.read(ratios.KEPT)).splitlines()) == 2 + len(ratios.read(ratios.KEPT))


def test_time_inside_another_part_counts_there_alone(monkeypatch):
    seconds = benchmark("seconds")
    clock, times = seconds.Clock(torch.device("cpu")), iter([0.0, 1.0, 4.0, 4.5, 6.5, 7.0])
    monkeypatch.setattr(clock, "now", lambda: next(times))
    with clock.part("loop"):
        with clock.part("forward"):
            pass
        with clock.part("backward"):
            pass
    assert clock.spent == {"loop": 1.0 + 0.5 + 0.5, "forward": 3.0, "backward": 2.0}


def test_a_trainings_time_is_shared_out_whole():
    seconds = benchmark("seconds")

    def small(steps, folder, device):
        data = {"train": seconds.pictures(4 * steps, 8), "validation": seconds.pictures(4, 8)}
        seen = seconds.AffectNetwork("resnet8-w4", {"ratings": ("valence", "arousal")}, 8)
        model = seconds.EmotionalRegulation("resnet8-w4", 10, 8, seen, influence="added", regulator="learned")
        return seconds.Trainer(seconds.RegulationTask(model), data, seconds.settings(4, "fp32", device), folder=folder)

    spent = seconds.whole(small, 3, torch.device("cpu"))
    assert {"forward", "backward", "update", "validation", "checkpoint", "waiting for data"} <= spent.keys()
    assert min(spent.values()) > 0
