"""``affekt data compose``: real films from small copies of the sets, and what is refused."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
from affective_files import ferplus
from audiovisual_files import noise, write_wav

pytest.importorskip("av")
pytest.importorskip("soundfile")


@pytest.fixture
def data(tmp_path):
    """A data root with three utterances of three speakers, and six angry faces."""
    for speaker in ("03", "08", "10"):
        write_wav(tmp_path / "emodb" / "wav" / f"{speaker}a01Wa.wav", noise(0.1, 16_000))
    (tmp_path / "ferplus").mkdir()
    ferplus(tmp_path / "ferplus", [("Training", f"fer{n:07d}", [0, 0, 0, 0, 10, 0, 0, 0, 0, 0]) for n in range(6)])
    return tmp_path


def test_a_set_is_made_and_told_of(call, data):
    answer = call("data", "compose", "--out", data / "composed", "--data-root", data, "--size", "32", "--json")
    assert answer.code == 0
    found = json.loads(answer.out)
    assert found["composed clips"] == 3 and found["emotions"] == ["anger"] and found["train"] == 1
    assert len(list((data / "composed").rglob("*.mp4"))) == 3
    checked = call("data", "check", "audiovisual-table", "--root", data / "composed", "--json")
    assert checked.code == 0 and json.loads(checked.out)["decoded"] == 3


def test_what_is_refused(call, data):
    answer = call("data", "compose", "--out", data / "composed", "--data-root", data, "--sound", "ferplus")
    assert (answer.code, answer.out) == (2, "")
    assert answer.error.startswith("--sound ferplus: pictures; give a set of clips")
    answer = call("data", "compose", "--out", data, "--data-root", data)
    assert answer.code == 2 and "exists already and is not overwritten" in answer.error
