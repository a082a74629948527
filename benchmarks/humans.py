"""What attention, agreement and representations cost: python benchmarks/humans.py [--only attention ...]

attention        attention's share of AlexNet's inference time at 224 px: AlexNet and FE-AlexNet in turn, medians
agreement        every measure that `affekt compare-humans` has of votes, of five people's trials and of ratings:
                 10 networks x 10,000 stimuli x 1,000 resamples each
representations  peak memory of a process that computes CKA and RSA (20 draws) of 2,000 stimuli and 4,096 features
extraction       what `affekt probe` adds to the bare forward pass of AlexNet at 224 px, of pictures in memory and of
                 JPEG files, least of the rounds

Seconds are of the processor, so that other work on the machine does not count, and beside them of the clock. Random
weights, made pictures: neither changes what is computed.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from affekt.affect import RatingScale
from affekt.humans.people import Ratings, Trials, Votes
from affekt.humans.people.known import People, TrialRows

GIB = 2**30
MODELS, STIMULI, RESAMPLES, CATEGORIES = (
    10,
    10_000,
    1000,
    ("anger", "disgust", "fear", "happiness", "neutral", "sadness"),
)
PEOPLE = 5
FEATURES = 2000, 4096
DRAWS = 20
"""Of the bootstrap, which holds one draw at a time: memory does not depend on their number."""


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Processor and clock seconds."""
    processor, clock = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - processor, time.perf_counter() - clock


def in_turn(works: list[Callable[[], object]], rounds: int) -> list[list[tuple[float, float]]]:
    """Times of each work, done one after the other in every round, after one that does not count."""
    for work in works:
        work()
    found: list[list[tuple[float, float]]] = [[] for _ in works]
    for _ in range(rounds):
        for times, work in zip(found, works, strict=True):
            times.append(timed(work))
    return found


def row(what: str, value: str, goal: str, met: bool, clock: str = "") -> None:
    print(f"{what:52} {value:>16} {goal:>12} {'yes' if met else 'NO':>4}   {clock}", flush=True)


def attention(rounds: int) -> None:
    import affekt

    images = torch.rand(4, 3, 224, 224)
    networks = [affekt.create_backbone(name, in_size=224, seed=0).eval() for name in ("alexnet", "fe_alexnet")]

    def run(network: torch.nn.Module) -> Callable[[], object]:
        @torch.inference_mode()
        def forward() -> object:
            return network(images)

        return forward

    times = in_turn([run(network) for network in networks], rounds)
    # Of each round, so that what slows both down cancels.
    more = [statistics.median(b[k] / a[k] - 1 for a, b in zip(*times, strict=True)) for k in (0, 1)]
    each = statistics.median(a for a, _ in times[0]) / len(images)
    value = f"{100 * more[0]:.1f} %"
    row("attention: more than AlexNet, 224 px", value, "<= 10 %", more[0] <= 0.1,
        f"clock {100 * more[1]:.1f} %; AlexNet {1000 * each:.1f} ms a picture")  # fmt: skip


def agreement() -> None:
    """On votes, on single trials of five people, and on ratings with the SD and number of raters."""
    from affekt.humans.comparison import Model, compare
    from affekt.humans.people import Answers

    rng = np.random.default_rng(0)
    ids, k = np.array([f"{i}.jpg" for i in range(STIMULI)]), len(CATEGORIES)
    shares = rng.dirichlet(np.full(k, 0.3), STIMULI)
    felt = rng.uniform(1, 7, STIMULI)
    given = RatingScale(1, 7)
    models = []
    for n in range(MODELS):
        p = 0.5 * shares + 0.5 * rng.dirichlet(np.ones(k), STIMULI)
        rated = {"valence": (felt + rng.normal(size=STIMULI)).clip(1, 7)}
        answers = Answers(
            name=f"network {n}", ids=ids, categories=CATEGORIES, probabilities=p, ratings=rated, scale=given
        )
        models.append(Model(name=answers.name, answers=answers))
    for what, people in (
        ("votes", votes_of(rng, ids, shares)),
        (f"trials of {PEOPLE}", trials_of(rng, ids, shares)),
        ("ratings", ratings_of(ids, felt, given)),
    ):
        processor, clock = timed(lambda people=people: compare(people, models, resamples=RESAMPLES))  # type: ignore[misc]
        row(f"agreement, {what}: {MODELS} x {STIMULI:,} x {RESAMPLES:,}", f"{processor:.1f} s", "< 30 s",
            processor < 30, f"clock {clock:.1f} s")  # fmt: skip


def votes_of(rng: np.random.Generator, ids: Any, shares: Any) -> People:
    votes = rng.multinomial(10, shares)
    return Votes(name="votes", ids=ids, groups=ids, categories=CATEGORIES, votes=votes)


def trials_of(rng: np.random.Generator, ids: Any, shares: Any) -> People:
    """Every one of some people answers to every stimulus."""
    n, names = len(ids), np.array(CATEGORIES)
    drawn = (shares.cumsum(1)[None] < rng.random((PEOPLE, n, 1))).sum(-1).clip(max=len(CATEGORIES) - 1)
    blank = np.full(PEOPLE * n, "")
    rows = TrialRows(
        subject=np.repeat([f"person {i}" for i in range(PEOPLE)], n), stimulus=np.tile(np.arange(n), PEOPLE),
        response=names[drawn].ravel(), rt=np.full(PEOPLE * n, np.nan), session=blank, trial=blank,
    )  # fmt: skip
    return Trials(
        name="trials", ids=ids, groups=ids, conditions=np.full(n, ""), truth=names[shares.argmax(1)], trials=rows
    )


def ratings_of(ids: Any, felt: Any, scale: RatingScale) -> People:
    sds, counts = ({"valence": np.full(len(ids), value)} for value in (1.2, 100.0))
    return Ratings(name="ratings", ids=ids, groups=ids, scale=scale, means={"valence": felt}, sds=sds, counts=counts)


def representations() -> None:
    """In a process of its own, whose peak is nobody else's."""
    command = [sys.executable, __file__, "--child"]
    start = time.perf_counter()
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    peak, processor = int(said[0]), float(said[1])
    n, d = FEATURES
    row(f"representations: CKA, RSA of {n:,} x {d:,}", f"{peak / GIB:.2f} GiB", "< 2 GiB", peak < 2 * GIB,
        f"processor {processor:.0f} s, clock {time.perf_counter() - start:.0f} s")  # fmt: skip


def child() -> None:
    from affekt.humans.representations import feature_rdm, linear_cka, rating_rdm, rsa

    rng = np.random.default_rng(0)
    one, other = (rng.normal(size=FEATURES).astype(np.float32) for _ in range(2))
    linear_cka(one, other)
    rsa(np.stack([feature_rdm(one), feature_rdm(other)]), rating_rdm(rng.uniform(1, 7, FEATURES[0])), draws=DRAWS)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(most if sys.platform == "darwin" else 1024 * most, time.process_time())


def extraction(rounds: int) -> None:
    """Of pictures in memory, as a pack has them, and of JPEG files of OASIS' size, which are decoded as well."""
    from affekt.backbones.inputs import as_input
    from affekt.data import ArrayPictures, Labels, Stimuli
    from affekt.data.loading import Loader
    from affekt.data.pictures import FilePictures
    from affekt.data.stimuli import Pictures
    from affekt.humans.probing import ProbeSettings, by_name
    from affekt.humans.probing.extracting import BATCH, extract

    device = torch.device("cpu")
    extractor = by_name("alexnet", "random", ProbeSettings(image_size=224)).open(["last"])
    module = extractor.module

    def loader(pictures: Pictures) -> Loader:
        ids = np.array([str(i) for i in range(len(pictures))])
        return Loader(Stimuli(name="made", ids=ids, pictures=pictures, labels=Labels(), groups=ids), device=device)

    with tempfile.TemporaryDirectory() as folder:
        files = FilePictures(made_photographs(Path(folder), 64), image_size=224)
        pixels = files.read(np.arange(64))
        floats = [as_input(b, 224, module.mean, module.std) for b in pixels.split(BATCH)]

        @torch.inference_mode()
        def bare() -> object:
            return [module.backbone(images) for images in floats]

        # A loader keeps what it has decoded of a small set: each round has one of its own.
        sources = (ArrayPictures(pixels), files)
        works = [bare, *(lambda of=of: extract(extractor, loader(of)) for of in sources)]  # type: ignore[misc]
        times = in_turn(works, rounds)
    least = [min(processor for processor, _ in each) for each in times]
    clock = [min(seconds for _, seconds in each) for each in times]
    for k, what in ((1, "in memory"), (2, "JPEG files")):
        more = least[k] / least[0] - 1
        row(f"extraction, {what}: more than the bare pass", f"{100 * more:.1f} %", "<= 5 %", more <= 0.05,
            f"clock {100 * (clock[k] / clock[0] - 1):.1f} %")  # fmt: skip


def made_photographs(folder: Path, n: int) -> list[Path]:
    """JPEG files of 500 x 400 pixels; smooth, so that they take about as many bytes as photographs do."""
    from PIL import Image

    rng = np.random.default_rng(0)
    paths = [folder / f"{i}.jpg" for i in range(n)]
    for path in paths:
        small = Image.fromarray(rng.integers(256, size=(50, 63, 3), dtype=np.uint8))
        small.resize((500, 400), Image.Resampling.BICUBIC).save(path, quality=90)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    works: dict[str, Callable[[], None]] = {
        "attention": lambda: attention(args.rounds),
        "agreement": agreement,
        "representations": representations,
        "extraction": lambda: extraction(args.rounds),
    }
    parser.add_argument("--only", nargs="+", choices=works, default=list(works))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child()
        return
    print(f"{'':52} {'':>16} {'goal':>12} {'met':>4}   {torch.get_num_threads()} thread(s)")
    for name in args.only:
        works[name]()


if __name__ == "__main__":
    main()
