"""``affekt doctor``: what is there, and the line that brings what is not."""

import json

import pytest

from affekt.cli import doctor


@pytest.fixture
def report(call, tmp_path):
    def run(**folders):
        for name, filled in folders.items():
            (tmp_path / name).mkdir()
            if filled:
                (tmp_path / name / "table.csv").touch()
        found = json.loads(call("doctor", "--json", "--data-root", tmp_path).out)
        return {(f["topic"], f["item"]): f for f in found}

    return run


def test_versions_device_and_space_are_stated(report):
    import torch

    found = report()
    assert torch.__version__.startswith(found["version", "torch"]["found"])
    assert "core(s)" in found["device", "cpu"]["found"]
    assert "GiB free, writable" in found["folder", "working folder"]["found"]
    assert ("device", "cpu bf16") in found


def test_each_data_set_is_looked_for_in_the_data_root(report):
    found = report(oasis=True, abstract=False, crema_d=True)
    assert found["data", "crema-d"]["found"].startswith("folder there")
    assert found["data", "oasis"]["found"].startswith("folder there")
    assert found["data", "abstract"]["found"] == "no folder"
    assert "affekt data fetch" in found["data", "fashion-mnist"]["advice"]
    assert found["data", "cifar10"]["found"] == "no folder"
    assert "affekt data" in found["data", "cifar10"]["advice"]


def test_a_missing_package_comes_with_its_pip_line(report, monkeypatch):
    real = doctor.installed
    monkeypatch.setattr(doctor, "installed", lambda package: "" if package == "pyarrow" else real(package))
    found = report()
    assert found["extra", "parquet"]["found"] == "missing: pyarrow"
    assert found["extra", "parquet"]["advice"] == 'pip install "affekt[parquet]"'
    assert found["extra", "quickstart"]["advice"] == ""


def test_a_read_only_folder_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)
    found = {f.item: f for f in doctor.folders(tmp_path / "not" / "there")}
    assert "read-only" in found["data root"].found
    assert "AFFEKT_DATA" in found["data root"].advice


def test_a_data_root_that_is_not_there_is_refused(call, tmp_path):
    answer = call("doctor", "--data-root", tmp_path / "none")
    assert answer.code == 1
    assert "no such folder" in answer.error


def test_as_a_table(call, tmp_path):
    head = call("doctor", "--data-root", tmp_path).out.splitlines()[0]
    assert head.split() == ["topic", "item", "found", "to", "do"]
