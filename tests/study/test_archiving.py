"""Archives of studies on real small pictures: the same comparison and figures; gone on with; what is refused."""

import json
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import small_recipe

from affekt.errors import AffektError, DataError, UsageError
from affekt.recipe import load_recipe, override
from affekt.study.agreement import read_networks
from affekt.study.archiving import archive
from affekt.study.comparison import compare_folder
from affekt.study.exporting import export_items
from affekt.study.frame import frame_in
from affekt.study.report import tables, write_report
from affekt.study.results import read
from affekt.study.scores import read_answers
from affekt.study.studying import study

CONDITIONS = ["baseline", "ensemble-2", "mixture", "permuted-affect", "learn-e-reg"]
CHANGES = [
    f"study.conditions={CONDITIONS}",
    "study.seeds=2",
    "study.draws=200",
    'study.chain=["baseline","mixture","learn-e-reg"]',
    "training.epochs=1",
    "emotional.training.epochs=1",
    *small_recipe.ONE_THREAD,
]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    return override(load_recipe(small_recipe.write(tmp_path_factory.mktemp("data"), epochs=1, contrast=6)), CHANGES)


@pytest.fixture(scope="module")
def done(recipe, tmp_path_factory):
    return study(recipe, out=tmp_path_factory.mktemp("study") / "st").folder


@pytest.fixture
def folder(done, tmp_path):
    return shutil.copytree(done, tmp_path / "whole")


def unpacked(path, to):
    with zipfile.ZipFile(path) as file:
        file.extractall(to)
    return to


def archived(folder, tmp_path):
    path = tmp_path / "runs.zip"
    held = archive(folder, frame_in(folder), path)
    return held, unpacked(path, tmp_path / "again")


def test_an_archive_compares_as_the_study_does(folder, recipe, tmp_path):
    frame = frame_in(folder)
    before = compare_folder(folder, frame)
    held, again = archived(folder, tmp_path)
    assert (held.runs, list(held.left_out)) == (10, [])
    assert frame_in(again) == frame  # so that the report can be made again from it alone
    assert compare_folder(again, frame) == before
    assert not list(again.rglob("*.safetensors"))


def test_figures_of_an_archive_are_those_of_the_study(folder, tmp_path):
    frame = frame_in(folder)
    _, again = archived(folder, tmp_path)
    compare_folder(again, frame)
    write_report(folder)
    write_report(again)
    names = sorted(p.name for p in (folder / "tables").iterdir())
    assert names == sorted(p.name for p in (again / "tables").iterdir())
    for name in names:
        one, other = ((f / "tables" / name).read_text().split(",") for f in (folder, again))
        if name.startswith(("regulation-", "affect-", "pictures")):
            continue  # of r and e in half precision
        assert one == other, name
    run = "runs/learn-e-reg/seed-0/predictions.npz"
    with np.load(again / run) as kept, np.load(folder / run) as whole:
        np.testing.assert_allclose(kept["figures/regulation"], whole["test/regulation"][:, 0], atol=1e-3)
        np.testing.assert_allclose(kept["figures/affect"], whole["test/affect"], rtol=1e-3, atol=1e-3)


def test_answers_are_kept_where_asked(folder, tmp_path):
    frame, path = frame_in(folder), tmp_path / "runs.zip"
    archive(folder, frame, path, answers=True)
    again = unpacked(path, tmp_path / "again")
    whole, kept = read_networks(folder), read_networks(again)
    assert kept.ids.tolist() == whole.ids.tolist() and kept.category.tolist() == whole.category.tolist()
    assert kept.probabilities.keys() == whole.probabilities.keys()
    for run, said in whole.probabilities.items():
        np.testing.assert_allclose(kept.probabilities[run], said, atol=2e-3)
    archive(again, frame_in(again), tmp_path / "twice.zip", answers=True)
    assert read_all(tmp_path / "twice.zip") == read_all(path)


def test_answers_are_those_of_the_pictures_that_have_a_class(tmp_path):
    said = {"ids": np.array(["a", "b", "c"]), "label/category": np.array([0, -1, 1])}
    said["log_probabilities"] = np.array([[-1, -2], [-3, -4], [-5, -6]], dtype=np.float32)
    np.savez(tmp_path / "predictions.npz", **{f"test/{name}": values for name, values in said.items()})
    ids, category, logs = read_answers(tmp_path, tmp_path / "predictions.npz")
    assert (ids.tolist(), category.tolist()) == (["a", "c"], [0, 1])
    assert logs.dtype == np.float64 and logs.tolist() == [[-1, -2], [-5, -6]]


def test_answers_of_clips_are_refused(folder, tmp_path):
    frame = frame_in(folder)
    clips = replace(frame.recipe, clips=replace(frame.recipe.clips, name="emodb"))
    with pytest.raises(UsageError, match="a study of clips has no answers for people"):
        archive(folder, replace(frame, recipe=clips), tmp_path / "runs.zip", answers=True)


def test_an_archive_without_answers_says_how_they_are_kept(folder, tmp_path):
    _, again = archived(folder, tmp_path)
    with pytest.raises(DataError, match=r"--archive FILE --answers keeps it"):
        read_networks(again)


def test_a_study_goes_on_from_an_archive_and_trains_only_what_is_missing(folder, recipe, tmp_path):
    _, again = archived(folder, tmp_path)
    said = []
    result = study(recipe, out=again, say=said.append)
    assert said == [] and result.comparison["runs"]["finished"] == 10
    shutil.rmtree(again / "runs/mixture/seed-1")
    result = study(recipe, out=again, say=said.append)
    assert [line.split(" finished")[0] for line in said] == ["1 of 1: mixture, seed 1"]
    # Archived runs and a whole one beside each other, on the same items.
    each = {c["name"]: c["metrics"]["accuracy"]["each"] for c in result.comparison["conditions"]}
    whole = {
        c["name"]: c["metrics"]["accuracy"]["each"] for c in compare_folder(folder, frame_in(folder))["conditions"]
    }
    assert each == whole


def test_a_member_of_an_unfinished_ensemble_is_left_out(folder, recipe, tmp_path):
    shutil.rmtree(folder / "runs/ensemble-2/seed-1")
    held, again = archived(folder, tmp_path)
    assert (held.runs, list(held.left_out)) == (8, ["runs/baseline/seed-1"])
    result = study(recipe, out=again)
    assert result.failed == {} and result.comparison["runs"]["finished"] == 10


def test_the_same_study_gives_the_same_bytes(folder, tmp_path):
    frame = frame_in(folder)
    for name in ("a.zip", "b.zip"):
        archive(folder, frame, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    # And so does an archive of what came out of an archive.
    again = unpacked(tmp_path / "a.zip", tmp_path / "out")
    compare_folder(again, frame)
    archive(again, frame, tmp_path / "c.zip")
    first, second = (read_all(tmp_path / name) for name in ("a.zip", "c.zip"))
    assert first == second


def read_all(path):
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_altered_archives_are_refused_by_name(folder, tmp_path):
    frame = frame_in(folder)
    _, again = archived(folder, tmp_path)
    with (again / "runs/baseline/seed-0/predictions.npz").open("ab") as file:
        file.write(b"0")
    with pytest.raises(AffektError, match=r"baseline/seed-0/predictions.npz: altered"):
        compare_folder(again, frame)
    shutil.rmtree(again)
    unpacked(tmp_path / "runs.zip", again)
    with np.load(again / "items.npz") as found:
        items = {name: found[name] for name in found.files}
    np.savez(again / "items.npz", **{**items, "category": items["category"][::-1]})
    with pytest.raises(AffektError, match=r"items are not those of items.npz"):
        compare_folder(again, frame)
    (again / "items.npz").unlink()
    with pytest.raises(AffektError, match=r"items.npz: cannot be read"):
        compare_folder(again, frame)


def test_what_cannot_be_archived(folder, tmp_path):
    frame = frame_in(folder)
    with pytest.raises(UsageError, match=r"runs.tar: .zip is asked"):
        archive(folder, frame, tmp_path / "runs.tar")
    (tmp_path / "there.zip").touch()
    with pytest.raises(UsageError, match="exists already"):
        archive(folder, frame, tmp_path / "there.zip")
    shutil.rmtree(folder / "runs")
    with pytest.raises(UsageError, match="no finished run"):
        archive(folder, frame, tmp_path / "none.zip")
    assert not list(tmp_path.glob("none.zip*"))


def test_items_of_an_archive_have_no_losses(folder, tmp_path):
    _, again = archived(folder, tmp_path)
    frame = frame_in(folder)
    rows = []
    for place in (folder, again):
        path = tmp_path / f"{place.name}.csv"
        export_items(place, frame, path)
        rows.append([line.split(",") for line in path.read_text().splitlines()[1:]])
    whole, kept = rows
    assert [row[:6] for row in whole] == [row[:6] for row in kept]
    assert all(row[6] for row in whole) and not any(row[6] for row in kept)


def test_tables_of_an_archive(folder, tmp_path):
    frame = frame_in(folder)
    _, again = archived(folder, tmp_path)
    assert tables(compare_folder(again, frame), "markdown") == tables(compare_folder(folder, frame), "markdown")
    assert len(read(again)[0]) == 10 and json.loads((again / "comparison.json").read_text())["runs"]["finished"] == 10
