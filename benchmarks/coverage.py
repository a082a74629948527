"""Coverage of a study's intervals by simulation: python benchmarks/coverage.py [--studies 2000]

Made-up studies whose truth is known. First table: how often the 95 % interval of a difference holds the true one, by
number of seeds and by the ratio of the variance that seeds bring to the mean difference of one seed to that which the
test items bring. Beside it, on the same studies, the two ways that are often seen: a bootstrap that draws items anew
within each seed, and Student's t over the seeds alone. Second table: the same interval where items are right or wrong
(1 or 0), and where they come in groups of very different sizes that are drawn as a whole. Third table: how often any of
five comparisons with no true difference is called better or worse after Holm.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy import stats

from affekt.study.statistics import compare, difference, resample

RATIOS = (0.0, 0.1, 1.0, 10.0)
SEEDS = (3, 5, 10)
GROUPS = (3.0, 5.0, 10.0, 25.0)
ITEMS = 500
TRUTH = 0.01
DRAWS = 1000


def scores(rng: np.random.Generator, seeds: int, ratio: float, conditions: int, truth: float) -> np.ndarray:
    """``(conditions, seeds, items)``: items differ for all, for a condition and by chance, seeds for a condition.

    The first condition is better by ``truth``. Two conditions differ, in the mean over items of one seed, with the
    variance 2 (0.04 + 0.09) / items from the items and ``ratio`` times as much from the seed.
    """
    common = 0.3 * rng.standard_normal((1, 1, ITEMS))
    own = 0.2 * rng.standard_normal((conditions, 1, ITEMS))
    chance = 0.3 * rng.standard_normal((conditions, seeds, ITEMS))
    of_seed = (ratio * (0.04 + 0.09) / ITEMS) ** 0.5 * rng.standard_normal((conditions, seeds, 1))
    made = common + own + chance + of_seed
    made[0] += truth
    return np.asarray(made)


def right_or_wrong(rng: np.random.Generator, seeds: int, ratio: float) -> tuple[np.ndarray, float]:
    """``(2, seeds, items)`` of 0 and 1, and the true difference, in closed form.

    An item is right where a normal score - its own, its own for a condition, of the seed, by chance - is above a bar.
    """
    spread = (0.25 + 0.04 + 0.09 + ratio * 0.13 / ITEMS) ** 0.5
    bars = np.array([-0.30, -0.25])
    truth = float(np.diff(stats.norm.cdf(bars / spread))[0])
    common = 0.5 * rng.standard_normal((1, 1, ITEMS))
    own = 0.2 * rng.standard_normal((2, 1, ITEMS))
    chance = 0.3 * rng.standard_normal((2, seeds, ITEMS))
    of_seed = (ratio * 0.13 / ITEMS) ** 0.5 * rng.standard_normal((2, seeds, 1))
    return (common + own + chance + of_seed > bars[:, None, None]).astype(float), truth


def in_groups(rng: np.random.Generator, seeds: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """``(2, seeds, items)`` without a true difference, and the group of each item: two and a geometric number of items,
    about twenty, with half of the items' variance common to a group."""
    sizes = 2 + rng.geometric(1 / 18, count)
    group = np.repeat(np.arange(count), sizes)
    items = len(group)
    made = 0.3 * rng.standard_normal((2, seeds, items)) + 0.05 * rng.standard_normal((2, seeds, 1))
    made += 0.2 * rng.standard_normal((2, 1, items)) + (0.2 * rng.standard_normal((2, 1, count)))[..., group]
    return made, group


def share_held(kind: str, seeds: int, value: float, studies: int) -> float:
    """Share of studies whose 95 % interval holds the truth; ``kind``: 0 and 1, or groups."""
    rng = np.random.default_rng([3, len(kind), seeds, int(10 * value)])
    held = 0
    for study in range(studies):
        group = None
        if kind == "groups":
            (made, group), truth = in_groups(rng, seeds, int(value)), 0.0
        else:
            made, truth = right_or_wrong(rng, seeds, value)
        tables = {str(c): dict(enumerate(made[c])) for c in range(2)}
        drawn = resample(tables, groups=group, draws=DRAWS, seed=study)
        low, high = difference(drawn["0"], drawn["1"]).interval()
        held += low <= truth <= high
    return held / studies


def within_seeds(d: np.ndarray) -> tuple[float, float]:
    """What drawing items anew within each seed comes to: the seeds' items are taken to be independent of each other."""
    reach = 1.96 * (d.var(axis=1, ddof=1).mean() / d.size) ** 0.5
    return float(d.mean() - reach), float(d.mean() + reach)


def over_seeds(d: np.ndarray) -> tuple[float, float]:
    """Student's t interval of the seeds' means."""
    means = d.mean(axis=1)
    reach = stats.t.ppf(0.975, len(means) - 1) * means.std(ddof=1) / len(means) ** 0.5
    return float(means.mean() - reach), float(means.mean() + reach)


def covered(seeds: int, ratio: float, studies: int) -> dict[str, float]:
    """Share of studies whose interval holds the truth, for the crossed bootstrap and the two others."""
    rng = np.random.default_rng([seeds, int(10 * ratio)])
    hits = {"crossed": 0, "within seeds": 0, "seeds alone": 0}
    width = 0.0
    for study in range(studies):
        made = scores(rng, seeds, ratio, 2, TRUTH)
        tables = {str(c): {s: made[c, s] for s in range(seeds)} for c in range(2)}
        drawn = resample(tables, draws=DRAWS, seed=study)
        low, high = difference(drawn["0"], drawn["1"]).interval()
        hits["crossed"] += low <= TRUTH <= high
        width += (high - low) / studies
        d = made[0] - made[1]
        for name, (a, b) in (("within seeds", within_seeds(d)), ("seeds alone", over_seeds(d))):
            hits[name] += a <= TRUTH <= b
    return {name: count / studies for name, count in hits.items()} | {"width": width}


def false_claims(seeds: int, ratio: float, studies: int) -> float:
    """Share of studies that call any of five comparisons without a true difference better or worse."""
    rng = np.random.default_rng([7, seeds, int(10 * ratio)])
    claims = 0
    for study in range(studies):
        made = scores(rng, seeds, ratio, 6, 0.0)
        drawn = resample({str(c): {s: made[c, s] for s in range(seeds)} for c in range(6)}, draws=DRAWS, seed=study)
        declared = {str(c): difference(drawn["0"], drawn[str(c)]) for c in range(1, 6)}
        claims += any(c.verdict in ("better", "worse") for c in compare(declared, margin=0.005))
    return claims / studies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2000)
    args = parser.parse_args()
    begun = time.monotonic()
    error = (0.95 * 0.05 / args.studies) ** 0.5
    print(f"{args.studies} studies a cell, {ITEMS} items; standard error of a coverage near .95: {error:.4f}")
    print("seeds  ratio  crossed  within seeds  seeds alone  mean width")
    for seeds in SEEDS:
        for ratio in RATIOS:
            c = covered(seeds, ratio, args.studies)
            print(
                f"{seeds:5d}  {ratio:5.1f}  {c['crossed']:7.3f}  {c['within seeds']:12.3f}  {c['seeds alone']:11.3f}  "
                f"{c['width']:10.4f}",
                flush=True,
            )
    print("\nitems right or wrong, by ratio; groups of unequal size, by their number\nseeds  kind  value  crossed")
    for seeds in SEEDS:
        for kind, values in (("0/1", RATIOS), ("groups", GROUPS)):
            for value in values:
                print(
                    f"{seeds:5d}  {kind}  {value:5.1f}  {share_held(kind, seeds, value, args.studies):.3f}", flush=True
                )
    print("\nfalse better or worse among five comparisons, after Holm\nseeds  ratio  share")
    for seeds in SEEDS:
        for ratio in RATIOS:
            print(f"{seeds:5d}  {ratio:5.1f}  {false_claims(seeds, ratio, args.studies):.3f}", flush=True)
    print(f"\n{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
