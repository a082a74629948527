"""``affekt probe``: tables and JSON, what a hurried user types, and a kill in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TABLE = ("--humans", "affective/table.csv", "--option", "scale=1..9", "--image-size", "32")
SHORT = ("--folds", "3", "--inner-folds", "2", "--repeats", "2", "--resamples", "50", "--device", "cpu")
CALL = (*TABLE, *SHORT)


def test_tables(call, small):
    answer = call("probe", "resnet8-w4=random", "resnet8-w6=random", *CALL)
    assert answer.code == 0, answer.err
    assert [line.split()[0] for line in answer.out.splitlines() if line.startswith(("resnet", "pixels", "low"))] == [
        "resnet8-w4", "resnet8-w6", "pixels", "low-level", "resnet8-w6", "pixels", "low-level",
    ]  # fmt: skip
    assert "valence, held out by group:" in answer.out
    assert "Differences of r to resnet8-w4 (random); p adjusted for all 3:" in answer.out
    assert "folder: probes/table" in answer.out
    assert "low-level, last: valence r 1.000" in answer.err
    assert len((small / "probes/table/results.jsonl").read_text().splitlines()) == 4


def test_json_is_the_comparison(call, small):
    words = ("probe", "resnet8-w4=random", *CALL, "--out", "out", "--controls", "low-level", "--unit", "item")
    found = json.loads(call(*words, "--json").out)
    assert found == {k: v for k, v in json.loads(Path("out/comparison.json").read_text()).items() if k != "unit"}
    assert found["people"]["valence"]["value"] is None  # a table without standard deviations has no ceiling
    assert [line["subject"] for line in found["results"]] == ["resnet8-w4 (random)", "low-level"]
    assert found["results"][1]["scores"]["valence"]["pearson"]["value"] > 0.9


def test_our_own_models(call, small_runs, small):
    models = [str(small_runs / name) for name in ("emotional", "regulated")]
    answer = call("probe", *models, *CALL, "--controls", "random", "--json")
    assert answer.code == 0, answer.err
    lines = json.loads(answer.out)["results"]
    assert len({line["subject"] for line in lines}) == 4 and str(small_runs.parent) not in answer.out
    assert [line["layer"] for line in lines if line["control"]] == ["last", "emotional", "influenced", "non-emotional"]
    again = call("probe", str(small_runs / "emotional/model"), *CALL, "--controls", "none", "--json")
    assert json.loads(again.out)["results"][0]["scores"] == lines[0]["scores"]


def test_one_of_several_cannot_be_probed(call, small):
    """ImageNet weights that do not exist: said, the others are done, exit 1."""
    answer = call("probe", "resnet8-w4", "resnet8-w4=random", *CALL, "--controls", "none")
    assert answer.code == 1
    assert (
        answer.error == 'resnet8-w4 (imagenet): resnet8-w4: has no ImageNet weights; write initial = "random" or a path'
    )
    assert "resnet8-w4 (random)" in answer.out and "(imagenet)" not in answer.out
    alone = call("probe", "resnet8-w4", *CALL)
    assert (alone.code, alone.out) == (2, "") and "has no ImageNet weights" in alone.error


@pytest.mark.parametrize(
    "words,error",
    [
        (("vgg111=random", *CALL), 'backbone "vgg111": unknown. Nearest: vgg11'),
        (("vgg11=imagnet", *CALL), "no such file; write imagenet, random, or a path that exists"),
        (("vvg*", *CALL), 'model pattern "vvg*": no network of that name'),
        (("runs/nothing", *CALL), "runs/nothing"),
        (("affective/0.png", *CALL), "say which network its weights are of: NAME=affective/0.png"),
        (("resnet8-w4=random", *SHORT, "--humans", "oasiss"), 'data set "oasiss": unknown. Nearest: oasis'),
        (("resnet8-w4=random", *SHORT, "--humans", "nix.csv"), "--humans nix.csv: no such table"),
        (("resnet8-w4=random", *SHORT, "--humans", "affective/table.csv"), "ratings without a scale"),
        (("resnet8-w4=random", *CALL, "--layers", "lst"), 'layers "lst": unknown. Nearest: last'),
        (("resnet8-w4=random", *CALL, "--controls", "none,pixels"), "none stands alone"),
        (("resnet8-w4=random", *CALL, "--dimensions", "arousal"), 'dimension "arousal": unknown. All: valence'),
        (("resnet8-w4=random", *CALL, "--against", "vgg"), '--against "vgg": unknown'),
        (("resnet8-w4=random", *CALL, "--folds", "40"), "30 groups cannot be cut into 40 folds"),
        (("resnet8-w4=random", *CALL, "--folds", "1"), "folds = 1: a whole number of at least 2"),
        (
            ("timm:coat_tiny=random", *TABLE[:4], *SHORT, "--layers", "map"),
            "has no feature map; ask for its other layers",
        ),
        (("resnet8-w4=random",), "the following arguments are required: --humans"),
    ],
)
def test_mistakes(call, small, words, error):
    answer = call("probe", *words)
    assert answer.code in (1, 2) and answer.out == ""
    assert error in answer.error


def test_another_call_for_the_same_folder(call, small):
    words = ("probe", "resnet8-w4=random", *CALL, "--controls", "none")
    assert call(*words).code == 0
    answer = call(*words, "--repeats", "3")
    assert (
        answer.code == 2 and "keys that differ: settings.repeats (settings.repeats is 2 there, 3 here)" in answer.error
    )


KILLED = """
import os, signal, sys
from affekt.cli import main
left, flush = int(sys.argv[1]), os.fsync
def last(descriptor):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    flush(descriptor)
os.fsync = last
main(sys.argv[2:])
"""


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_kill_9_while_files_are_written(call, small):
    """While probe.json, predictions and results.jsonl are half on the disk; then the call is made to its end."""
    words = ("probe", "resnet8-w4=random", *CALL, "--controls", "pixels", "--out")
    assert call(*words, "whole").code == 0
    for write, half in ((2, "probe.json."), (4, "predictions/resnet8-w4"), (2, "results.jsonl.")):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(write), *words, "killed"],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            check=False,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert [name for name in files(Path("killed")) if name.endswith(".tmp") and name.startswith(half)]
    assert call(*words, "killed").code == 0
    assert files(Path("killed")) == files(Path("whole"))
