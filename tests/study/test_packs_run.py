"""Runs on packs: the same weights, predictions and result as on the sets that were packed."""

import json
from dataclasses import replace

import numpy as np
import pytest
from small_recipe import ONE_THREAD, write

from affekt.data import dataset, dataset_folder
from affekt.data.packs import pack_pictures
from affekt.recipe import load_recipe, override
from affekt.study import pretrain, train
from affekt.study.records import provenance
from affekt.study.reporting import _allowed
from affekt.study.source import avoids_target


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("small"), epochs=1)
    return override(load_recipe(path), ONE_THREAD)


def packed(recipe, folder, how, *, memory):
    """The recipe with packs in the place of its two sets."""
    sections = {}
    for section in ("affective", "target"):
        settings = getattr(recipe, section)
        described = dataset(settings.name)
        whole = described.stimuli(dataset_folder(settings), settings)
        root = str(folder / section)
        pack_pictures(whole, root, how=how, described=described, options=settings.options)
        sections[section] = replace(settings, name="pack", root=root, options={}, memory=memory, workers=0)
    return replace(recipe, **sections)


def run(recipe, folder):
    emotional = pretrain(recipe, out=folder / "emotional")
    return emotional, train(recipe, condition="learn-e-reg", out=folder / "regulated", emotional=emotional.model)


@pytest.fixture(scope="module")
def plain(recipe, tmp_path_factory):
    return run(recipe, tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(("how", "memory"), [("pixels", 4.0), ("bytes", 4.0), ("bytes", 0.0)])
def test_training_on_packs_is_training_on_the_sets(recipe, plain, tmp_path, how, memory):
    on_packs = run(packed(recipe, tmp_path / "packs", how, memory=memory), tmp_path)
    for one, other in zip(plain, on_packs, strict=True):
        assert (one.folder / "result.json").read_text() == (other.folder / "result.json").read_text()
        assert (one.model / "model.safetensors").read_bytes() == (other.model / "model.safetensors").read_bytes()
        with np.load(one.folder / "predictions.npz") as here, np.load(other.folder / "predictions.npz") as there:
            assert here.files == there.files
            for name in here.files:
                np.testing.assert_array_equal(here[name], there[name])


def test_the_card_names_the_sets_that_were_packed(recipe, tmp_path):
    on_packs = packed(recipe, tmp_path, "bytes", memory=0)
    assert provenance(on_packs, "pretrain") == provenance(recipe, "pretrain")
    assert json.dumps(provenance(on_packs, "pretrain")).count("A table of your own") == 1


def test_the_licence_of_the_set_says_whether_its_pictures_are_shown(recipe, tmp_path):
    assert _allowed(packed(recipe, tmp_path, "bytes", memory=0), None) == _allowed(recipe, None) is True
    nowhere = replace(recipe, target=replace(recipe.target, name="pack", root=str(tmp_path / "nowhere")))
    assert _allowed(nowhere, None) is False


def test_a_source_training_keeps_away_from_the_test_pictures_of_a_packed_target(recipe, tmp_path):
    target = packed(recipe, tmp_path, "bytes", memory=0).target
    assert avoids_target(replace(recipe, source=replace(recipe.source, name="folder", root=recipe.target.root)))
    for source, other in ((recipe.target, target), (target, recipe.target), (target, target)):
        chosen = replace(recipe.source, name=source.name, root=source.root)
        assert avoids_target(replace(recipe, source=chosen, target=other))
    oasis = replace(recipe.source, name="oasis")
    assert not avoids_target(replace(recipe, source=oasis, target=target))
