"""Model folders: whole or absent, checked to the last byte, in the hub's layout, with the provenance of their data."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import load_file, save_model
from torch import nn

import affekt
from affekt.errors import AffektError, CheckpointError, UsageError
from affekt.saving import MODELS, ModelCard, PretrainedModel, verify_manifest, write_folder, write_manifest
from affekt.saving.hub import quiet
from affekt.saving.pretrained import _write_weights

OASIS = {
    "name": "OASIS",
    "licence": "CC BY-NC-SA 4.0",
    "citation": "Kurdi, Lozano & Banaji (2017)",
    "role": "pre-training",
}
CARD = ModelCard(
    title="A small network",
    summary="Says nothing of use.",
    datasets=[OASIS],
    metrics={"valence r": 0.57123},
    recipe='name = "x"\n',
    licence="CC-BY-NC-SA-4.0",
)


class Little(PretrainedModel):
    """A model with a parameter, a buffer, a shared tensor and a strided one."""

    def __init__(self, width: int = 3, *, tied: bool = False) -> None:
        super().__init__()
        self.width, self.tied = width, tied
        self.one = nn.Linear(width, width)
        self.two = self.one if tied else nn.Linear(width, width)
        self.conv = nn.Conv2d(3, 2, 3).to(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.rand(3))

    def config(self) -> dict[str, Any]:
        return {"width": self.width, "tied": self.tied}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.two(self.one(x)) + self.mean.sum()


class Other(Little):
    """Another class of the same making."""


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """``Little`` and ``Other`` stand in the table, in a module of their own."""
    module = ModuleType("little_models")
    module.Little, module.Other = Little, Other  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "little_models", module)
    monkeypatch.setitem(MODELS, "Little", "little_models")
    monkeypatch.setitem(MODELS, "Other", "little_models")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    return Little().save_pretrained(tmp_path / "model", CARD)


@pytest.mark.parametrize("tied", [False, True])
def test_round_trip_is_bit_equal(tmp_path: Path, tied: bool) -> None:
    model = Little(4, tied=tied)
    model.save_pretrained(tmp_path / "model", CARD)
    images = torch.randn(5, 4)
    for loaded in (affekt.load(tmp_path / "model"), Little.from_pretrained(str(tmp_path / "model"))):
        assert type(loaded) is Little and not loaded.training
        assert torch.equal(loaded(images), model(images))
        assert all(
            torch.equal(a, b) for a, b in zip(loaded.state_dict().values(), model.state_dict().values(), strict=True)
        )
        assert (loaded.one is loaded.two) == tied


@pytest.mark.parametrize("tied", [False, True])
def test_weights_that_lie_in_one_buffer(tmp_path: Path, tied: bool) -> None:
    """As cuDNN keeps those of an LSTM on a GPU."""
    model = Little(4, tied=tied)
    own = list(model.parameters())
    buffer = torch.cat([p.detach().flatten() for p in own])
    for p, part in zip(own, buffer.split([p.numel() for p in own]), strict=True):
        p.data = part.view_as(p)
    model.save_pretrained(tmp_path / "model", CARD)
    loaded = affekt.load(tmp_path / "model")
    assert all(torch.equal(loaded.state_dict()[name], value) for name, value in model.state_dict().items())
    assert (loaded.one is loaded.two) == tied


@pytest.mark.parametrize("tied", [False, True])
def test_the_file_is_what_safetensors_writes(tmp_path: Path, tied: bool) -> None:
    """Also in how it names a tied weight's other names."""
    model = Little(4, tied=tied)
    model.save_pretrained(tmp_path / "model", CARD)
    save_model(model, str(tmp_path / "theirs.safetensors"), metadata={"format": "pt"})
    own, theirs = (
        (safe_open(tmp_path / name, "pt").metadata(), load_file(tmp_path / name))
        for name in ("model/model.safetensors", "theirs.safetensors")
    )
    assert own[0] == theirs[0]
    assert own[1].keys() == theirs[1].keys() and all(torch.equal(own[1][name], theirs[1][name]) for name in own[1])


def test_weights_that_overlap_are_no_tied_ones(tmp_path: Path) -> None:
    module = nn.Module()
    module.register_buffer("whole", torch.arange(4.0))
    module.register_buffer("start", module.whole[:2])
    _write_weights(module, tmp_path / "w.safetensors")
    found = load_file(tmp_path / "w.safetensors")
    assert {name: tensor.tolist() for name, tensor in found.items()} == {"whole": [0, 1, 2, 3], "start": [0, 1]}


def test_layout_is_the_hubs(folder: Path) -> None:
    assert {p.name for p in folder.iterdir()} == {"config.json", "model.safetensors", "README.md", "manifest.json"}
    header = json.loads((folder / "config.json").read_text())
    assert header["class"] == "Little" and header["config"] == {"width": 3, "tied": False}
    assert header["affekt_version"] == affekt.__version__


def test_card_states_licence_and_provenance(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    front = yaml.safe_load(text.split("---")[1])
    assert front["library_name"] == "affekt" and front["license"] == "cc-by-nc-sa-4.0" and "affekt" in front["tags"]
    assert "**OASIS** (pre-training). Licence: CC BY-NC-SA 4.0. Kurdi, Lozano & Banaji (2017)" in text
    assert "| valence r | 0.5712 |" in text and 'name = "x"' in text


def test_a_licence_that_the_hub_does_not_know() -> None:
    front = yaml.safe_load(ModelCard(title="t", licence='ours: "odd"').render().split("---")[1])
    assert front["license"] == "other" and front["license_name"] == 'ours: "odd"'


def test_card_without_data_says_so(tmp_path: Path) -> None:
    Little().save_pretrained(tmp_path / "model")
    assert "Data sets and their licences: not stated" in (tmp_path / "model/README.md").read_text()


def test_card_wants_licence_and_citation() -> None:
    with pytest.raises(UsageError, match="data set OASIS: licence, citation missing"):
        ModelCard(title="t", datasets=[{"name": "OASIS"}])


def test_card_goes_on_with_the_model(folder: Path, tmp_path: Path) -> None:
    affekt.load(folder).save_pretrained(tmp_path / "again")
    assert (tmp_path / "again/README.md").read_text() == (folder / "README.md").read_text()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "manifest.json"])
def test_every_flipped_byte_is_named(folder: Path, name: str) -> None:
    path = folder / name
    whole = path.read_bytes()
    for place in {0, len(whole) - 1, *random.Random(0).sample(range(len(whole)), 60)}:
        for bit in (1, 32):
            data = bytearray(whole)
            data[place] ^= bit
            path.write_bytes(data)
            with pytest.raises(CheckpointError) as caught:
                affekt.load(folder)
            assert name in str(caught.value) and "\n" not in str(caught.value), (place, bit)
    path.write_bytes(whole)
    affekt.load(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_truncated_and_missing_files_are_named(folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:-3])
    with pytest.raises(CheckpointError, match=rf"{name} \({len(whole) - 3:,} bytes instead of {len(whole):,}\)"):
        affekt.load(folder)
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name):
        affekt.load(folder)


def test_missing_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(CheckpointError, match=r"no manifest\.json"):
        affekt.load(folder)


def test_an_edited_card_is_said_and_loads(folder: Path) -> None:
    (folder / "README.md").write_text("mine")
    with pytest.warns(UserWarning, match=r"README\.md was edited"):
        affekt.load(folder)


def test_further_files_do_not_matter(folder: Path) -> None:
    (folder / ".gitattributes").write_text("*.safetensors filter=lfs")
    affekt.load(folder)


def rewrite(folder: Path, **changes: Any) -> None:
    """Another header, with a manifest that agrees with it."""
    header = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(header))
    write_manifest(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"class": "AffectNetwrk"}, 'model class "AffectNetwrk": unknown. Nearest: AffectNetwork'),
        ({"class": "New", "affekt_version": "99.0"}, "written by affekt 99.0, this is"),
        ({"format": 2}, "format 2, this affekt reads 1"),
        ({"config": {"width": 5}}, "does not fit Little"),
        ({"config": {"depth": 5}}, "does not fit Little"),
        ({"config": {"depth": 5}, "affekt_version": "99.0"}, "pip install -U affekt"),
    ],
)
def test_headers_that_cannot_be_used(folder: Path, changes: dict[str, Any], said: str) -> None:
    rewrite(folder, **changes)
    with pytest.raises(CheckpointError) as caught:
        affekt.load(folder)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_another_class_is_named(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds Little, not Other; use affekt\.load"):
        Other.from_pretrained(folder)


@pytest.mark.parametrize("path", ["nowhere", Path("nowhere/model")])
def test_no_such_folder(path: str | Path) -> None:
    with pytest.raises(CheckpointError, match="no such folder"):
        affekt.load(path)


def test_a_model_folder_is_replaced_and_nothing_else_is(folder: Path, tmp_path: Path) -> None:
    Little(5).save_pretrained(folder)
    assert affekt.load(folder).width == 5
    (folder / "thesis.docx").write_text("years of work")
    with pytest.raises(CheckpointError, match=r"holds other things \(thesis\.docx\)"):
        Little().save_pretrained(folder)
    assert affekt.load(folder).width == 5 and (folder / "thesis.docx").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["model"], "nothing is left beside it"


@pytest.mark.parametrize("names", [["README.md"], ["config.json", "model.safetensors", "README.md"]])
def test_another_librarys_model_folder_is_not_replaced(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("mine")
    with pytest.raises(CheckpointError, match="holds other things"):
        Little(5).save_pretrained(tmp_path)
    assert [(tmp_path / name).read_text() for name in names] == ["mine"] * len(names)


def test_a_failure_while_writing_leaves_what_was_there(folder: Path, tmp_path: Path) -> None:
    before = {p.name: p.read_bytes() for p in folder.iterdir()}

    def fill(place: Path) -> None:
        (place / "config.json").write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(CheckpointError) as caught:
        write_folder(folder, fill, replace=True)
    assert str(caught.value) == f"{folder}: cannot be written: No space left on device; " + (
        "free some space or choose another folder"
    )
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_under_the_weights(tmp_path: Path) -> None:
    def fill(place: Path) -> None:
        (place / "model.safetensors").symlink_to("/dev/full")
        with (place / "model.safetensors").open("wb") as file:
            file.write(b"x" * 100_000)

    with pytest.raises(CheckpointError, match="No space left on device"):
        write_folder(tmp_path / "model", fill)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_read_only_parent(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CheckpointError, match="Permission denied"):
        Little().save_pretrained(tmp_path / "model")
    tmp_path.chmod(0o700)


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot be written"):
        Little().save_pretrained(tmp_path / "file/model")


def test_write_folder_refuses_a_taken_place(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="exists already and is not overwritten"):
        write_folder(folder, lambda place: None)


def test_manifest_covers_folders_below(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c.bin").write_bytes(b"abc")
    write_manifest(tmp_path)
    assert verify_manifest(tmp_path) == []
    (tmp_path / "a/b/c.bin").write_bytes(b"abd")
    with pytest.raises(CheckpointError, match=r"a/b/c\.bin \(altered\)"):
        verify_manifest(tmp_path)


def test_nothing_is_pickled(folder: Path) -> None:
    for path in folder.iterdir():
        assert not path.read_bytes().startswith((b"\x80", b"PK")), path.name


class FakeHub:
    """The two calls of ``HfApi`` that an upload makes, on a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create_repo(self, repo_id: str, *, private: bool, exist_ok: bool) -> str:
        (self.root / repo_id).mkdir(parents=True, exist_ok=exist_ok)
        return f"https://hub.invalid/{repo_id}"

    def upload_folder(self, *, repo_id: str, folder_path: str, commit_message: str, revision: str | None) -> None:
        shutil.copytree(folder_path, self.root / repo_id, dirs_exist_ok=True)


def test_hub_round_trip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, asked = Little(), {}
    assert model.push_to_hub("lab/little", card=CARD, api=FakeHub(tmp_path)) == "https://hub.invalid/lab/little"

    def snapshot_download(**arguments: Any) -> str:
        asked.update(arguments)
        return str(tmp_path / arguments["repo_id"])

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    loaded = affekt.load("lab/little", revision="v1", token="secret")
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), model.parameters(), strict=True))
    assert asked["revision"] == "v1" and asked["token"] == "secret"
    assert set(asked["allow_patterns"]) == {p.name for p in (tmp_path / "lab/little").iterdir()}
    assert type(Little.from_pretrained("lab/little")) is Little


def test_hub_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    def snapshot_download(**_: Any) -> str:
        raise ConnectionError("offline\nreally")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    with pytest.raises(CheckpointError) as caught:
        affekt.load("lab/little")
    assert str(caught.value) == "lab/little: no such folder, and not to be had from the hub: offline really"


def test_upload_that_fails(tmp_path: Path) -> None:
    class Closed(FakeHub):
        def upload_folder(self, **_: Any) -> None:  # type: ignore[override]
            raise PermissionError("403")

    with pytest.raises(AffektError, match="lab/little: upload failed: 403"):
        Little().push_to_hub("lab/little", api=Closed(tmp_path))
    with pytest.raises(UsageError, match='write "owner/name"'):
        Little().push_to_hub("little", api=Closed(tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_files_are_as_open_as_the_user_wants(folder: Path) -> None:
    (folder.parent / "ordinary").touch()
    expected = (folder.parent / "ordinary").stat().st_mode
    assert {p.stat().st_mode for p in folder.iterdir()} == {expected}


def test_the_hubs_client_keeps_its_retries_to_itself(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("huggingface_hub.utils._http")
    with quiet():
        log.warning("Retrying in 1s [Retry 1/5].")
    log.warning("afterwards as before")
    assert caplog.messages == ["afterwards as before"]
