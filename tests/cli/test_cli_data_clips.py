"""``affekt data`` with sets of clips: list, info, check and pack, what they print, and their one-line errors."""

import json
from pathlib import Path

import numpy as np
import pytest

from affekt.data.audiovisual import open_pack

pytest.importorskip("soundfile")

NAMES = [f"{s}a0{t}{e}a" for s in ("03", "08", "09", "10") for t in (1, 2) for e in "WF"]


@pytest.fixture
def emodb(tmp_path: Path) -> Path:
    """A data root with an EmoDB of noise."""
    import soundfile

    folder = tmp_path / "data" / "emodb" / "wav"
    folder.mkdir(parents=True)
    for number, name in enumerate(NAMES):
        sound = 0.1 * np.random.default_rng(number).normal(size=8_000)
        soundfile.write(folder / f"{name}.wav", sound, 16_000)
    return tmp_path / "data"


def broken(emodb: Path) -> None:
    """One utterance that ends in the middle, one of silence."""
    import soundfile

    path = emodb / "emodb" / "wav" / f"{NAMES[1]}.wav"
    path.write_bytes(path.read_bytes()[:5_000])
    soundfile.write(emodb / "emodb" / "wav" / f"{NAMES[4]}.wav", np.zeros(8_000), 16_000)


def test_list_and_info(call, emodb: Path) -> None:
    found = {row["name"]: row for row in json.loads(call("data", "list", "--json", "--data-root", emodb).out)}
    assert (found["emodb"]["kind"], found["emodb"]["here"], found["emodb"]["clips"]) == ("audiovisual", "yes", 535)
    record = json.loads(call("data", "info", "emodb", "--json", "--data-root", emodb).out)
    assert "annotation" in record["tasks"]["gender"]
    assert "task gender" in call("data", "info", "emodb").out


def test_check_of_a_whole_and_of_a_damaged_copy(call, emodb: Path) -> None:
    answer = call("data", "check", "emodb", "--data-root", emodb)
    assert answer.code == 1
    assert answer.err.splitlines() == ["problem: 16 clips where a complete copy has 535"]
    assert "category anger      8" in answer.out
    assert call("data", "check", "emodb", "--data-root", emodb, "--option", "longer=windows").code == 0
    broken(emodb)
    answer = call("data", "check", "emodb", "--data-root", emodb, "--json")
    report = json.loads(answer.out)
    assert (answer.code, report["unit"], report["found"], report["decoded"]) == (1, "clips", 16, 15)
    assert "ends in the middle: 0.15 s of the 0.50 s that its header says" in report["problems"][1]
    assert "silence; kept as it is" in report["notes"][0]


def test_pack_and_again(call, emodb: Path, tmp_path: Path) -> None:
    words = ("data", "pack", "emodb", "--data-root", emodb, "--out", tmp_path / "pack")
    answer = call(*words, "--features", "audio, log-mel", "--workers", 2)
    assert (answer.code, answer.err) == (0, "")
    assert "made       16" in answer.out
    assert open_pack(tmp_path / "pack").media.reading.features == ("audio", "log-mel")
    again = json.loads(call(*words, "--features", "audio,log-mel", "--json").out)
    assert (again["made"], again["kept"], again["left out"]) == (0, 16, 0)
    other = call(*words, "--option", "rate=8000")
    assert other.code == 2
    assert (
        "holds another pack (features = ['audio', 'log-mel'] there, ['audio'] asked; rate = 16000 there" in other.error
    )


def test_check_of_a_pack_of_clips(call, emodb: Path, tmp_path: Path) -> None:
    words = ("--option", "features=audio", "--option", "window=2.0", "--limit", 6)
    call("data", "pack", "emodb", "--data-root", emodb, "--out", tmp_path / "pack", *words)
    answer = call("data", "check", "pack", "--root", tmp_path / "pack", "--json")
    report = json.loads(answer.out)
    assert (answer.code, report["unit"], report["found"], report["problems"]) == (0, "clips", 6, [])
    path = tmp_path / "pack" / "audio-00000.bin"
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    answer = call("data", "check", "pack", "--root", tmp_path / "pack")
    first = open_pack(tmp_path / "pack").ids[0]
    assert answer.code == 1
    assert f"problem: {path}: altered (1 clip(s): {first}); make the pack anew: affekt data pack emodb" in answer.err
    assert f"--features audio --option window=2.0 --limit 6 --out {tmp_path / 'pack'}" in answer.err
    assert call("data", "check", "pack", "--root", tmp_path / "pack", "--quick").code == 0
    path.write_bytes(path.read_bytes()[:-1])
    answer = call("data", "check", "pack", "--root", tmp_path / "pack")
    assert (answer.code, "shard 0 is missing, truncated or altered" in answer.err) == (1, True)


def test_pack_goes_on_without_what_cannot_be_read(call, emodb: Path, tmp_path: Path) -> None:
    broken(emodb)
    answer = call("data", "pack", "emodb", "--data-root", emodb, "--out", tmp_path / "pack")
    assert answer.code == 1  # as a check of the same clips
    assert "made       15" in answer.out
    assert "left out   1" in answer.out
    assert answer.err.count("problem: ") == 1
    assert answer.err.count("silence; kept as it is") == 1
    assert len(open_pack(tmp_path / "pack")) == 15


def test_a_few_are_of_every_emotion_and_it_is_said(call, emodb: Path, tmp_path: Path) -> None:
    answer = call("data", "pack", "emodb", "--data-root", emodb, "--out", tmp_path / "pack", "--limit", 6)
    assert (answer.code, answer.err) == (0, "note: emodb: 6 of 16 clips, drawn evenly over its splits and labels\n")
    counts = open_pack(tmp_path / "pack").labels["emotion"].counts()
    assert (counts["anger"], counts["happiness"]) == (3, 3)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("emodp",), 'data set "emodp": unknown. Nearest: emod, emodb'),
        (("emodb", "--features", "mel"), 'feature "mel": unknown. Nearest: log-mel'),
        (("emodb", "--option", "fsp=25"), 'emodb: setting "fsp": unknown. Nearest: fps'),
        (("emodb", "--option", "fps=30"), "fps = 30: does not divide rate = 16000"),
        (("emodb", "--option", "tasks=age"), 'emodb: task "age": unknown'),
    ],
)
def test_wrong_calls(call, emodb: Path, tmp_path: Path, words: tuple[str, ...], problem: str) -> None:
    answer = call("data", "pack", *words, "--data-root", emodb, "--out", tmp_path / "pack")
    assert (answer.code, answer.out) == (2, "")
    assert problem in answer.error
    assert not (tmp_path / "pack").exists()


def test_clips_in_the_place_of_pictures(call, emodb: Path, tmp_path: Path) -> None:
    answer = call("data", "diffuse", "emodb", "--noise", 5, "--out", tmp_path / "x", "--data-root", emodb)
    assert answer.code == 2
    assert 'data set "emodb": clips with sound, not pictures' in answer.error
