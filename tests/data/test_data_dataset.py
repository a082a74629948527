"""Data sets by name: the registry, options, and what is said when something is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import affekt.data
from affekt.data import (
    Dataset,
    Labels,
    Source,
    Stimuli,
    data_root,
    dataset,
    dataset_folder,
    describe,
    list_datasets,
    option,
)
from affekt.data.pictures import ArrayPictures
from affekt.errors import DataError, UsageError
from affekt.recipe import DataSettings


def read(root: Path, settings: DataSettings) -> Stimuli:
    n = option(settings, "n", int, 20)
    ids = np.array([f"{root.name}-{i}" for i in range(n)])
    pixels = torch.zeros((n, 3, 8, 8), dtype=torch.uint8)
    labels = Labels(categories=("a", "b"), category=np.arange(n) % 2)
    return Stimuli(name="toy", ids=ids, pictures=ArrayPictures(pixels), labels=labels, groups=ids)


def toy(**changes: object) -> Dataset:
    source = Source(urls=("https://example.org/a",), file="a", sha256="0" * 64, size=1)
    facts: dict[str, object] = {
        "name": "toy", "title": "Toy", "kind": "target", "licence": "CC0", "show_pictures": True, "citation": "we",
        "homepage": "https://example.org", "labels": ("category",), "layout": "a folder of\n  pictures", "read": read,
        "options": {"n": "how many (20)"}, "sources": (source,),
    }  # fmt: skip
    return Dataset(**(facts | changes))  # type: ignore[arg-type]


def test_the_package_is_imported_without_torch() -> None:
    code = "import sys, affekt.data, affekt.data.pictures; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_name_of_the_face_exists() -> None:
    for name in affekt.data.__all__:
        assert getattr(affekt.data, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'loder'"):
        _ = affekt.data.loder


def test_names_are_listed_by_pattern() -> None:
    assert list_datasets("cifar*") == ["cifar10", "cifar100"]
    assert {"oasis", "emoji-groups", "affective-folder", "folder"} <= set(list_datasets())


@pytest.mark.parametrize("name", list_datasets())
def test_every_listed_set_can_be_described(name: str) -> None:
    found = describe(name)
    assert found.name == name
    assert found.kind in ("affective", "target", "pack", "audiovisual")
    assert found.licence
    assert found.layout
    assert all(source.urls and len(source.sha256) == 64 and source.size > 0 for source in found.sources)


def test_other_spellings_will_do() -> None:
    assert dataset("CIFAR-10").name == "cifar10"
    assert dataset("fashion_mnist").name == "fashion-mnist"
    assert dataset("diffused-emod").name == "derived"


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UsageError) as error:
        dataset("cifr10")
    assert str(error.value).startswith('data set "cifr10": unknown. Nearest: cifar10')
    assert str(error.value).endswith("All: affekt data list")


def test_the_data_root_is_argument_then_environment_then_cache(monkeypatch, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("AFFEKT_DATA", "/env")
    assert data_root("/here") == Path("/here")
    assert data_root() == Path("/env")
    monkeypatch.delenv("AFFEKT_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert data_root() == tmp_path / "affekt"


def test_a_root_in_the_recipe_goes_before_the_data_root() -> None:
    assert dataset_folder(DataSettings(name="oasis"), "/data") == Path("/data/oasis")
    assert dataset_folder(DataSettings(name="oasis", root="/mine"), "/data") == Path("/mine")


def test_open_cuts_and_takes_settings_and_options_by_name(tmp_path: Path) -> None:
    assert len(toy().open(tmp_path, "all", n=12)) == 12
    assert len(toy().open(tmp_path, n=100, validation=0.2, test=0.3)) == 50
    assert len(toy().open(tmp_path, "test", options={"n": 100}, test=0.3)) == 30


def test_open_is_a_function_of_the_seed(tmp_path: Path) -> None:
    one, again, other = (toy().open(tmp_path, "test", n=100, seed=seed).ids.tolist() for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize(
    "call,message",
    [
        ({"split": "tset"}, 'split "tset": unknown. Nearest: test'),
        ({"validaton": 0.2}, 'toy: setting "validaton": unknown. Nearest: validation'),
        ({"options": {"m": 1}}, 'toy: option "m": unknown. All: n'),
        ({"n": "ten"}, "toy: option n = 'ten': write a whole number"),
        ({"n": True}, "toy: option n = True: write a whole number"),
    ],
)
def test_wrong_calls_are_answered(tmp_path: Path, call: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as error:
        toy().open(tmp_path, **call)  # type: ignore[arg-type]
    assert message in str(error.value)


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    with pytest.raises(DataError) as error:
        toy().open(folder)
    assert str(error.value) == (
        f"toy: no folder {folder}; get it with `affekt data fetch toy`, or say where it is: `root` in the recipe, "
        "--data-root or AFFEKT_DATA (its parent). It must hold: a folder of pictures"
    )
    with pytest.raises(DataError, match=r"get it from https://example.org, or"):
        toy(sources=()).open(folder)
    with pytest.raises(DataError, match=r"; say where it is: `root`"):
        toy(sources=(), homepage="your own").open(folder)
    assert len(toy(needs_folder=False).open(folder, "all")) == 20


def test_options_have_types_defaults_and_choices() -> None:
    settings = DataSettings(name="toy", options={"a": "x", "b": 2, "c": ("u", "v"), "d": True, "e": "u"})
    assert option(settings, "a", str, "y") == "x"
    assert option(settings, "z", str, "y") == "y"
    assert option(settings, "z", str, None) is None
    assert option(settings, "b", float, 1.0) == 2.0
    assert option(settings, "c", tuple, ()) == ("u", "v")
    assert option(settings, "e", tuple, ()) == ("u",)
    assert option(settings, "d", bool, False) is True
    with pytest.raises(UsageError, match=r'toy: option a "x": unknown. All: y, z'):
        option(settings, "a", str, "y", choices=("y", "z"))
    with pytest.raises(UsageError, match="option b = 2: write a list"):
        option(settings, "b", tuple, ())
    with pytest.raises(UsageError, match="option b = 2: write true or false"):
        option(settings, "b", bool, False)


def test_a_folder_may_have_underscores_for_dashes(tmp_path: Path) -> None:
    settings = DataSettings(name="emoji-groups")
    assert dataset_folder(settings, tmp_path) == tmp_path / "emoji-groups"
    (tmp_path / "emoji_groups").mkdir()
    assert dataset_folder(settings, tmp_path) == tmp_path / "emoji_groups"
    (tmp_path / "emoji-groups").mkdir()
    assert dataset_folder(settings, tmp_path) == tmp_path / "emoji-groups"


def test_a_set_by_another_name_lies_where_it_is_listed(tmp_path: Path) -> None:
    settings = DataSettings(name="emo-db")
    assert dataset_folder(settings, tmp_path) == tmp_path / "emo-db"
    (tmp_path / "emodb").mkdir()
    assert dataset_folder(settings, tmp_path) == tmp_path / "emodb"
    (tmp_path / "emo_db").mkdir()
    assert dataset_folder(settings, tmp_path) == tmp_path / "emo_db"
