"""Packs of pictures: what is read is what the set gives, whole or not at all, and damage is named."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from affekt.affect import RatingScale
from affekt.data import Labels, Stimuli, behind, dataset, open_stimuli
from affekt.data.checking import check
from affekt.data.loading import Loader
from affekt.data.packs import PackedPictures, pack_pictures, verify_pictures, writing
from affekt.data.packs.pictures import _Map
from affekt.data.packs.remaking import anew
from affekt.data.pictures import ArrayPictures, FilePictures
from affekt.errors import DataError, UsageError
from affekt.recipe import DataSettings
from affekt.saving.whole import Busy, locked

N = 30
DESCRIBED = dataset("oasis")


def labels(n: int = N) -> Labels:
    """Every kind of column, with gaps."""
    rows = np.arange(n)
    return Labels(
        categories=("anger", "joy"),
        category=(rows % 3 - 1).astype(np.int64),
        votes=np.stack([rows, rows % 2], axis=1).astype(np.float32),
        ratings={
            "valence": np.where(rows == 3, np.nan, rows / n + 0.1).astype(np.float32),
            "a/b": rows.astype(np.float32),
        },
        rating_sd={"valence": np.sqrt(rows).astype(np.float32)},
        rating_n={"valence": (rows % 7).astype(np.float32)},
        scale=RatingScale(-1, 40.5),
        extra={"scene": np.array([f"scène {i % 4}" for i in rows]), "level": rows.astype(np.float64) / 3},
    )


def with_pictures(pictures: object, n: int = N) -> Stimuli:
    return Stimuli(
        name="toy",
        ids=np.array([f"é {i}.png" for i in range(n)]),
        pictures=pictures,  # type: ignore[arg-type]
        labels=labels(n),
        groups=np.array([f"g{i % 6}" for i in range(n)]),
        split=np.array(["train", "test", ""] * n)[:n],
        notes=("as it was read",),
        missing=2,
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Stimuli:
    """JPEG and PNG files of several sizes, larger than what is read of them."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    paths = []
    for i in range(N):
        pixels = rng.integers(0, 256, (40 + i, 52, 3), dtype=np.uint8)
        paths.append(folder / f"{i}.{'jpg' if i % 2 else 'png'}")
        Image.fromarray(pixels).save(paths[-1])
    return with_pictures(FilePictures(paths, image_size=16))


def pack(stimuli: Stimuli, folder: Path, how: str = "pixels", **options: object) -> Path:
    pack_pictures(stimuli, folder, how=how, described=DESCRIBED, **options)  # type: ignore[arg-type]
    return folder


def opened(folder: Path, **settings: object) -> Stimuli:
    return dataset("pack").open(folder, "all", **({"image_size": 16} | settings))


def same_but_pictures(one: Stimuli, other: Stimuli) -> None:
    assert (one.name, one.notes, one.missing) == (other.name, other.notes, other.missing)
    assert (one.labels.categories, one.labels.scale) == (other.labels.categories, other.labels.scale)
    columns = [{"ids": s.ids, "groups": s.groups, "split": s.split, **s.labels.columns()} for s in (one, other)]
    assert list(columns[0]) == list(columns[1])
    for name in columns[0]:
        np.testing.assert_array_equal(columns[0][name], columns[1][name], err_msg=name)
        assert columns[0][name].dtype == columns[1][name].dtype, name


class TestContent:
    @pytest.mark.parametrize("how", ["bytes", "pixels"])
    def test_what_is_read_is_what_the_files_give_with_all_that_is_known(
        self, files: Stimuli, tmp_path: Path, how: str
    ) -> None:
        found = opened(pack(files, tmp_path / "pack", how))
        same_but_pictures(found, files)
        order = np.random.default_rng(1).permutation(N)
        assert torch.equal(found.images(order), files.images(order))
        assert torch.equal(found.take(order[:7]).images(np.array([2, 0])), files.images(order[[2, 0]]))

    def test_bytes_serve_every_size_and_fit(self, files: Stimuli, tmp_path: Path) -> None:
        pack(files, tmp_path / "pack", "bytes")
        for size, fit in ((8, "crop"), (33, "squash")):
            found = opened(tmp_path / "pack", image_size=size, fit=fit)
            expected = FilePictures(files.pictures.paths, image_size=size, fit=fit)  # type: ignore[attr-defined, arg-type]
            assert torch.equal(found.images(np.arange(N)), expected.read(np.arange(N)))
            assert found.notes == files.notes

    def test_pixels_of_another_size_are_resized_and_it_is_said(self, files: Stimuli, tmp_path: Path) -> None:
        found = opened(pack(files, tmp_path / "pack"), image_size=8)
        expected = ArrayPictures(files.images(np.arange(N))).resized(8).pixels
        assert torch.equal(found.images(np.arange(N)), expected)
        assert found.notes[-1] == "pack: packed as 16 x 16 pixels, resized to 8 x 8; files would give others"
        with pytest.raises(UsageError, match='packed with fit = "crop", "squash" is asked'):
            opened(tmp_path / "pack", fit="squash")

    def test_pictures_in_memory_are_packed_as_pixels_only(self, files: Stimuli, tmp_path: Path) -> None:
        arrays = replace(files, pictures=ArrayPictures(files.images(np.arange(N))))
        found = opened(pack(arrays, tmp_path / "pack"), fit="squash")
        assert torch.equal(found.images(np.arange(N)), files.images(np.arange(N)))
        with pytest.raises(UsageError, match="do not come as files, there are no bytes to keep; pack as pixels"):
            pack(arrays, tmp_path / "other", "bytes")
        oblong = replace(files, pictures=ArrayPictures(torch.zeros((N, 3, 4, 5), dtype=torch.uint8)))
        with pytest.raises(DataError, match="pictures of 4 x 5 pixels; squares are packed"):
            pack(oblong, tmp_path / "other")

    def test_what_cannot_be_a_pack(self, files: Stimuli, tmp_path: Path) -> None:
        objects = replace(labels(), extra={"who": np.array([{}] * N, dtype=object)})
        with pytest.raises(DataError, match='toy: column "who" holds Python objects; make it text or numbers'):
            pack(replace(files, labels=objects), tmp_path / "pack")
        found = opened(pack(files, tmp_path / "pack", "bytes")).pictures
        assert isinstance(found, PackedPictures)
        with pytest.raises(UsageError, match="image_size = 0: write a number of pixels, 1 or more"):
            found.sized(0, "crop")

    def test_a_pack_is_packed_again(self, files: Stimuli, tmp_path: Path) -> None:
        pack(opened(pack(files, tmp_path / "bytes", "bytes")), tmp_path / "again", "bytes")
        names = sorted(p.name for p in (tmp_path / "again").iterdir())
        assert names == ["columns.npz", "pack.json", "pictures.bin"]
        assert all((tmp_path / "again" / n).read_bytes() == (tmp_path / "bytes" / n).read_bytes() for n in names)
        pack(opened(tmp_path / "bytes"), tmp_path / "pixels")
        assert torch.equal(opened(tmp_path / "pixels").images(np.arange(N)), files.images(np.arange(N)))

    def test_what_is_written_does_not_depend_on_workers(self, files: Stimuli, tmp_path: Path) -> None:
        for workers in (0, 1, 3):
            pack(files, tmp_path / str(workers), "bytes", workers=workers)
        found = [{p.name: p.read_bytes() for p in (tmp_path / str(w)).iterdir()} for w in (0, 1, 3)]
        assert found[0] == found[1] == found[2]

    def test_splits_are_those_of_the_set(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        for name in (f"set/{c}/{i}.png" for c in "ab" for i in range(12)):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(tmp_path / name)
        plain = DataSettings(name="folder", root=str(tmp_path / "set"), image_size=16, test=0.25, train_limit=6)
        whole = dataset("folder").stimuli(tmp_path / "set", plain)
        pack_pictures(whole, tmp_path / "pack", how="pixels", described=dataset("folder"))
        packed = replace(plain, name="pack", root=str(tmp_path / "pack"))
        one, other = open_stimuli(plain, seed=3), open_stimuli(packed, seed=3)
        assert (one.ids, one.notes) == (other.ids, other.notes)
        assert behind(packed).name == "folder"
        assert behind(replace(packed, root=str(tmp_path / "nowhere"))).name == "pack"

    def test_the_pack_says_whose_pictures_they_are(self, files: Stimuli, tmp_path: Path) -> None:
        pack(files, tmp_path / "pack")
        found = behind(DataSettings(name="pack", root=str(tmp_path / "pack")))
        for name in ("name", "title", "licence", "show_pictures", "citation", "homepage", "labels", "categories"):
            assert getattr(found, name) == getattr(DESCRIBED, name)

    @settings(max_examples=25)
    @given(kept=st.lists(st.integers(0, N - 1), min_size=1, max_size=N, unique=True))
    def test_any_rows_in_any_order(self, kept: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
        pixels = torch.arange(N, dtype=torch.uint8)[:, None, None, None].expand(N, 3, 4, 4).contiguous()
        some = with_pictures(ArrayPictures(pixels)).take(np.array(kept))
        found = opened(pack(some, tmp_path_factory.mktemp("packs") / "pack"), image_size=4)
        same_but_pictures(found, some)
        assert found.images(np.arange(len(kept)))[:, 0, 0, 0].tolist() == kept


class TestUnreadable:
    def test_pictures_that_do_not_decode_are_named_left_out_and_count_as_missing(
        self, files: Stimuli, tmp_path: Path
    ) -> None:
        paths = list(files.pictures.paths)  # type: ignore[attr-defined]
        whole = Path(paths[3]).read_bytes()
        (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
        paths[3], paths[8] = str(tmp_path / "cut.jpg"), str(tmp_path / "absent.png")
        broken = replace(files, pictures=FilePictures(paths, image_size=16))
        rest = np.delete(np.arange(N), [3, 8])
        for how in ("bytes", "pixels"):
            done = pack_pictures(broken, tmp_path / how, how=how, described=DESCRIBED)  # type: ignore[arg-type]
            assert done.pictures == N - 2
            assert [line.split(": ")[0] for line in done.problems] == [paths[3], paths[8]]
            found = opened(tmp_path / how)
            assert found.missing == 2 + 2
            assert found.notes[-1] == "toy: 2 pictures could not be read when they were packed, left out"
            assert found.labels.extra["level"].tolist() == files.labels.extra["level"][rest].tolist()
            assert torch.equal(found.images(np.arange(N - 2)), files.images(rest))

    def test_not_one_picture(self, files: Stimuli, tmp_path: Path) -> None:
        absent = replace(files, pictures=FilePictures([tmp_path / "x.png"] * N, image_size=16))
        with pytest.raises(DataError, match=r"toy: none of 30 pictures can be read: .*x\.png: "):
            pack(absent, tmp_path / "pack")
        assert not list(tmp_path.iterdir())


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from test_packs import *
pictures = ArrayPictures(torch.zeros((400, 3, 4, 4), dtype=torch.uint8))
stop = lambda what, done, total: os.kill(os.getpid(), signal.SIGKILL) if done == 300 else None
pack(with_pictures(pictures, 400), Path(sys.argv[2]), progress=stop)
"""


class TestWholeOrAbsent:
    def test_a_killed_process_leaves_no_pack_and_the_next_clears_up(self, files: Stimuli, tmp_path: Path) -> None:
        words = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(tmp_path / "pack")]
        assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
        assert not (tmp_path / "pack").exists()
        assert len(list(tmp_path.iterdir())) == 1
        pack(files, tmp_path / "pack")
        assert [p.name for p in tmp_path.iterdir()] == ["pack"]

    def test_an_interrupted_one_leaves_nothing(self, files: Stimuli, tmp_path: Path) -> None:
        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            pack(files, tmp_path / "pack", progress=stop)
        assert not list(tmp_path.iterdir())

    def test_one_process_at_a_time(self, files: Stimuli, tmp_path: Path) -> None:
        with locked(tmp_path / "pack"), pytest.raises(Busy, match="another affekt is at work in this folder"):
            pack(files, tmp_path / "pack")
        assert not list(tmp_path.iterdir())

    def test_what_another_names_alike_is_not_cleared_up(self, files: Stimuli, tmp_path: Path) -> None:
        for name in (".pack-notes", ".pack-0123456789ab", ".other-0123456789ab"):
            (tmp_path / name).mkdir()
        pack(files, tmp_path / "pack")
        assert sorted(p.name for p in tmp_path.iterdir()) == [".other-0123456789ab", ".pack-notes", "pack"]

    def test_what_is_there_is_not_touched(self, files: Stimuli, tmp_path: Path) -> None:
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "notes.txt").write_text("mine")
        with pytest.raises(UsageError, match="exists already and is not overwritten"):
            pack(files, tmp_path / "full")
        assert [p.name for p in (tmp_path / "full").iterdir()] == ["notes.txt"]

    def test_too_small_a_disk_is_said_before_anything_is_written(
        self, files: Stimuli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pack(files, tmp_path / "whole")
        size = sum(p.stat().st_size for p in (tmp_path / "whole").iterdir())
        free = type("Usage", (), {"free": size - 1})
        monkeypatch.setattr(writing.shutil, "disk_usage", lambda path: free)
        with pytest.raises(DataError) as caught:
            pack(files, tmp_path / "new" / "pack")
        needed = int(str(caught.value).split(" takes ")[1].split(" bytes")[0].replace(",", ""))
        assert size <= needed < 1.2 * size + 100_000
        assert f"and {size - 1:,} are free there; free some space or choose another folder" in str(caught.value)
        assert not (tmp_path / "new").exists()

    def test_a_few_of_a_pack_need_the_room_of_a_few(
        self, files: Stimuli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = opened(pack(files, tmp_path / "pack", "bytes"))
        monkeypatch.setattr(writing.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 0}))
        said = set()
        for some in (whole.take(np.array([3, 8])), files.take(np.array([3, 8]))):
            with pytest.raises(DataError, match=r"takes [\d,]+ bytes") as caught:
                pack(some, tmp_path / "few", "bytes")
            said.add(str(caught.value))
        assert len(said) == 1

    def test_a_disk_that_fills_up_is_one_line_with_the_bytes_needed(
        self, files: Stimuli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("affekt.data.packs.files.HashedWriter.write", full)
        with pytest.raises(DataError, match=r"pack: packing failed: the disk is full; the pack takes [\d,]+ bytes: "):
            pack(files, tmp_path / "pack")
        assert not list(tmp_path.iterdir())


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def other_version(path: Path) -> None:
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))


def of_clips(path: Path) -> None:
    path.write_text(json.dumps({"format": 1, "reading": {}}))


class TestDamage:
    @pytest.mark.parametrize(
        ("name", "damage", "message"),
        [
            (
                "pictures.bin",
                cut,
                r"missing or altered: pictures.bin \(23,039 of 23,040 bytes\); make the pack anew: affekt data pack",
            ),
            (
                "pictures.bin",
                Path.unlink,
                r"missing or altered: pictures.bin \(missing\); make the pack anew: affekt data",
            ),
            ("columns.npz", lambda p: flip(p, 300), r"missing or altered: columns.npz; make the pack anew"),
            ("pack.json", cut, None),
            (
                "pack.json",
                lambda p: p.write_text(p.read_text()[:80]),
                r"json: cut short or altered; make the pack",
            ),
            (
                "pack.json",
                lambda p: p.write_text(p.read_text().replace("joy", "awe")),
                r"json: cut short or altered",
            ),
            ("pack.json", other_version, r"a pack of version 2, version 1 can be read; make it anew with affekt data"),
            ("pack.json", of_clips, r"a pack of clips, not of pictures; use it as \[clips\] pack = "),
            ("pack.json", Path.unlink, r"no pack; make one: affekt data pack NAME --out "),
        ],
    )
    def test_what_is_wrong_is_named_when_it_is_opened(
        self, files: Stimuli, tmp_path: Path, name: str, damage: Callable[[Path], object], message: str | None
    ) -> None:
        pack(files, tmp_path / "pack")
        damage(tmp_path / "pack" / name)
        if message is None:  # the line's end is no part of what it says
            assert len(opened(tmp_path / "pack")) == N
            return
        with pytest.raises(DataError, match=message):
            opened(tmp_path / "pack")
        report = check(dataset("pack"), tmp_path / "pack")
        assert len(report.problems) == 1

    @pytest.mark.parametrize("how", ["bytes", "pixels"])
    def test_an_altered_picture_is_found_by_checking(self, files: Stimuli, tmp_path: Path, how: str) -> None:
        pack(files, tmp_path / "pack", how)
        whole = check(dataset("pack"), tmp_path / "pack")
        assert (whole.problems, whole.decoded) == (("2 pictures missing",), N if how == "bytes" else 0)
        found = opened(tmp_path / "pack").pictures
        assert isinstance(found, PackedPictures)
        flip(tmp_path / "pack" / "pictures.bin", int(found._starts[7]) + 60)
        (line,) = verify_pictures(tmp_path / "pack")
        assert "pictures.bin: altered (1 picture(s): é 7.png); make the pack anew: affekt data pack" in line
        assert check(dataset("pack"), tmp_path / "pack").problems[1:] == (line,)
        assert check(dataset("pack"), tmp_path / "pack", decode=False).problems == ("2 pictures missing",)

    def test_without_its_columns_no_picture_is_named(self, files: Stimuli, tmp_path: Path) -> None:
        pack(files, tmp_path / "pack")
        for name, at in (("pictures.bin", 60), ("columns.npz", 300)):
            flip(tmp_path / "pack" / name, at)
        starts = [line.partition("pack/")[2].partition(" affekt ")[0] for line in verify_pictures(tmp_path / "pack")]
        assert starts == [f"{n}: altered; make the pack anew:" for n in ("pictures.bin", "columns.npz")]

    def test_a_pack_of_clips_that_was_begun(self, tmp_path: Path) -> None:
        (tmp_path / "packing.json").write_text("{}")
        with pytest.raises(DataError, match=r"no pack \(one was begun: the same command goes on\); make one"):
            opened(tmp_path)

    def test_bytes_that_do_not_decode_are_named_by_their_picture(self, files: Stimuli, tmp_path: Path) -> None:
        paths = list(files.pictures.paths)  # type: ignore[attr-defined]
        (tmp_path / "none.jpg").write_bytes(b"#" * 500)
        paths[7] = str(tmp_path / "none.jpg")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(writing, "_looked_at", lambda read, name: read())
            pack(replace(files, pictures=FilePictures(paths, image_size=16)), tmp_path / "pack", "bytes")
        with pytest.raises(
            DataError, match=r"pictures.bin: é 7.png: cannot be decoded .*; affekt data check pack --ro"
        ):
            opened(tmp_path / "pack").images(np.array([1, 7]))

    def test_a_file_cut_short_after_it_was_opened(self, files: Stimuli, tmp_path: Path) -> None:
        found = opened(pack(files, tmp_path / "pack"))
        cut(tmp_path / "pack" / "pictures.bin")
        with pytest.raises(DataError, match=r"pictures.bin: missing or cut short; make the pack anew"):
            found.images(np.array([0]))

    def test_a_pack_of_pictures_in_the_place_of_one_of_clips(self, files: Stimuli, tmp_path: Path) -> None:
        from affekt.data.audiovisual import open_pack

        pack(files, tmp_path / "pack")
        with pytest.raises(DataError, match=r'a pack of pictures, not of clips; use it as .* name = "pack", root = '):
            open_pack(tmp_path / "pack")


class TestAlteredPictures:
    @pytest.fixture(params=["bytes", "pixels"])
    def altered(self, files: Stimuli, tmp_path: Path, request: pytest.FixtureRequest) -> Stimuli:
        """A pack whose pictures 7 and 11 have one bit turned, where a JPEG or a PNG file still decodes."""
        found = opened(pack(files, tmp_path / "pack", request.param))
        for row in (7, 11):
            flip(tmp_path / "pack" / "pictures.bin", int(found.pictures._starts[row + 1]) - 1)  # type: ignore[attr-defined]
        return opened(tmp_path / "pack")

    def test_reading_one_says_which_and_how_to_make_the_pack_anew(self, altered: Stimuli, tmp_path: Path) -> None:
        pictures = altered.pictures
        assert isinstance(pictures, PackedPictures)
        rows, other = np.array([3, 11, 7, 0]), np.array([1, 3])
        size = 12 if pictures.side is None else 16
        for read in (pictures.read, pictures.read_array, pictures.raw, pictures.sized(size, "crop").read_array):
            assert len(read(other)) == 2
            for _ in range(2):  # what is altered never passes for whole
                with pytest.raises(DataError) as caught:
                    read(rows)
            how = "--as bytes" if pictures.side is None else "--as pixels --image-size 16"
            assert str(caught.value) == (
                f"{tmp_path}/pack/pictures.bin: 2 of 4 picture(s) read are altered: é 11.png, é 7.png (all of them: "
                f"affekt data check pack --root {tmp_path}/pack); make the pack anew: affekt data pack oasis {how} "
                f"--out {tmp_path}/pack (remove {tmp_path}/pack first)"
            )
        with pytest.raises(DataError, match=r"1 of 1 picture\(s\) read are altered: é 7.png "):
            altered.take(np.array([2, 7])).images(np.array([1]))

    @pytest.mark.parametrize(("memory", "workers"), [(4.0, 2), (0, 0), (0, 1)])
    def test_loading_says_it_however_it_loads(self, altered: Stimuli, memory: float, workers: int) -> None:
        wanted = [np.array([0, 1]), np.array([7, 2])]
        with (
            pytest.raises(DataError, match=r"picture\(s\) read are altered: é 7.png"),
            Loader(altered.take(np.arange(11)), memory_gib=memory, workers=workers) as loader,
        ):
            list(loader.batches(wanted))

    def test_they_do_not_get_into_another_pack(self, altered: Stimuli, tmp_path: Path) -> None:
        how = "bytes" if altered.pictures.side is None else "pixels"  # type: ignore[attr-defined]
        done = pack_pictures(altered, tmp_path / "again", how=how, described=DESCRIBED)  # type: ignore[arg-type]
        assert done.pictures == N - 2
        assert ["é 7.png" in done.problems[0], "é 11.png" in done.problems[1]] == [True, True]

    def test_each_picture_is_compared_once(
        self, files: Stimuli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sums = list[int]()
        counting = SimpleNamespace(crc32=lambda data: (sums.append(1), zlib.crc32(data))[1])
        monkeypatch.setattr("affekt.data.packs.pictures.zlib", counting)
        for how in ("bytes", "pixels"):
            found = opened(pack(files, tmp_path / how, how)).take(np.arange(3, 20))
            sums.clear()
            for rows, total in (([0, 1, 2], 3), ([2, 1], 3), ([2, 3], 4), ([3, 0], 4)):
                found.images(np.array(rows))
                assert len(sums) == total, how


class TestRemaking:
    def test_the_command_has_the_options_of_the_reader(self, files: Stimuli, tmp_path: Path) -> None:
        options = {"group": "item", "variants": False, "only": ("a b", "c")}
        folder = tmp_path / "my pack"
        paths = files.pictures.paths  # type: ignore[attr-defined]
        squashed = replace(files, pictures=FilePictures(paths, image_size=16, fit="squash"))
        pack_pictures(squashed, folder, how="pixels", described=dataset("folder"), options=options)
        assert anew(folder) == (
            "make the pack anew: affekt data pack folder --root DIR --as pixels --image-size 16 --fit squash "
            '--option group=item --option variants=false --option \'only=["a b", "c"]\' '
            f"--out '{folder}' (remove {folder} first)"
        )

    def test_what_is_not_known_is_left_to_be_filled_in(self, tmp_path: Path) -> None:
        for text in (None, "{", "[]", '{"of": "pictures"}', '{"clips": {"name": "none such"}}'):
            if text is not None:
                (tmp_path / "pack.json").write_text(text)
            assert anew(tmp_path) == (
                f"make the pack anew: affekt data pack NAME --out {tmp_path} (remove {tmp_path} first)"
            )

    def test_clips(self, tmp_path: Path) -> None:
        record = {"clips": {"name": "emodb"}, "reading": {"features": ["audio", "faces"]}}
        (tmp_path / "pack.json").write_text(json.dumps(record))
        assert ": affekt data pack emodb --features audio,faces --out " in anew(tmp_path)


class TestLoading:
    @pytest.mark.parametrize("how", ["bytes", "pixels"])
    def test_batches_are_the_same_however_they_are_loaded(self, files: Stimuli, tmp_path: Path, how: str) -> None:
        found = opened(pack(files, tmp_path / "pack", how))
        order = [np.array([5, 2, 29]), np.array([0, 17])]
        for memory, workers in ((4.0, None), (0, 0), (0, 1)):
            with Loader(found, memory_gib=memory, workers=workers) as loader:
                # Pixels of the size asked for stay where they are: no copy, no processes.
                assert loader.in_memory == (how == "bytes" and memory > 0)
                assert loader.workers == 0 or how == "bytes"
                for (_, images, values), asked in zip(loader.batches(order), order, strict=True):
                    assert torch.equal(images, files.images(asked))
                    assert values["category"].tolist() == files.labels.category[asked].tolist()  # type: ignore[index]

    def test_the_disk_is_told_of_the_next_batch_before_this_one_is_read(
        self, files: Stimuli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = opened(pack(files, tmp_path / "pack"))
        done: list[tuple[str, list[int]]] = []
        expect, read = PackedPictures.expect, PackedPictures.read_array

        def noted(what: str, work: Any) -> Any:
            return lambda self, indices: (done.append((what, indices.tolist())), work(self, indices))[1]

        monkeypatch.setattr(PackedPictures, "expect", noted("expect", expect))
        monkeypatch.setattr(PackedPictures, "read_array", noted("read", read))
        with Loader(found) as loader:
            list(loader.batches([np.array([5, 2]), np.array([29]), np.array([0, 1])]))
        each = [("read", [5, 2]), ("read", [29]), ("read", [0, 1])]
        assert [step for step in done if step[0] == "read"] == each
        for ahead, now in (([29], [5, 2]), ([0, 1], [29])):
            assert done.index(("expect", ahead)) < done.index(("read", now))

    def test_another_process_is_sent_no_pixels(self, files: Stimuli, tmp_path: Path) -> None:
        found = opened(pack(files, tmp_path / "pack"))
        expected = found.images(np.arange(N))
        text = pickle.dumps(found.pictures)
        assert len(text) < 1_000
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            (images,) = pool.map(pickle.loads(text).read_array, [np.arange(N)])
        assert np.array_equal(images, expected.numpy())

    def test_only_the_pages_asked_for_are_wanted_and_they_are_let_go(
        self, files: Stimuli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = opened(pack(files, tmp_path / "pack"))
        told: list[tuple[object, ...]] = []
        monkeypatch.setattr(_Map, "_advise", lambda self, *words: told.append(words))
        monkeypatch.setattr("affekt.data.packs.pictures.HELD", 4 * 768)
        found.images(np.array([29, 0, 16]))
        found.images(np.array([1]))
        found.images(np.array([1]))
        page = 29 * 768 // 4096 * 4096
        assert told[:2] == [("MADV_RANDOM",), ("MADV_WILLNEED", page, 30 * 768 - page)]
        assert told[2:5] == [
            ("MADV_WILLNEED", 0, 768),
            ("MADV_WILLNEED", 12288, 17 * 768 - 12288),
            ("MADV_WILLNEED", 0, 2 * 768),
        ]
        assert [words for words in told if words[0] == "MADV_DONTNEED"] == [("MADV_DONTNEED",)]
