"""Golden run: a tiny training whose losses stand here as text; a change of the engine that moves them is seen."""

import pytest
from tiny import task, trainer

GOLDEN = """
epoch class    size     accuracy
    1 1.081418 0.000503 0.3500
    2 0.996322 0.001196 0.6500
    3 0.597805 0.013334 0.7500
    4 0.447317 0.046728 0.8000
    5 0.382385 0.076665 0.8000
    6 0.282296 0.083115 0.9000
    7 0.193372 0.099728 0.9000
    8 0.180036 0.101262 0.9000
"""


def curve():
    found = task("batch")
    result = trainer(of=found, epochs=8, learning_rate=0.1, clip=2.0, warmup=1.0).fit()
    return [(h["epoch"], h["losses"]["class"], h["losses"]["size"], h["metrics"]["accuracy"]) for h in result.history]


def test_losses_are_the_golden_ones():
    expected = [tuple(map(float, line.split())) for line in GOLDEN.strip().splitlines()[1:]]
    for found, golden in zip(curve(), expected, strict=True):
        # One or two threads and three instruction sets differed by 2e-6; another order of epoch differs by 1e-2.
        assert found == pytest.approx(golden, abs=1e-4)


if __name__ == "__main__":
    for epoch, label, size, accuracy in curve():
        print(f"{epoch:5} {label:.6f} {size:.6f} {accuracy:.4f}")
