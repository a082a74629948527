"""Packs and loading: what is packed is what was decoded, work goes on where it broke off, memory stays bounded."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from audiovisual_files import cut, grey_frames, noise, tone, write_media, write_wav

from affekt.data.audiovisual import ClipLoader, Clips, clip_dataset, open_clips, open_pack, pack_clips
from affekt.data.audiovisual.clips import ClassLabels, Decoded
from affekt.data.audiovisual.pack import verify_clips, with_pack
from affekt.data.audiovisual.reading import Reading
from affekt.data.audiovisual.shards import read_shard
from affekt.data.decoding import mapped
from affekt.data.packs.remaking import anew
from affekt.errors import AlteredError, DataError, UsageError
from affekt.recipe import ClipSettings

NAMES = [f"{s}a0{t}{e}a" for s in ("03", "08", "09", "10") for t in (1, 2) for e in "WF"]


class Counting:
    """Clips out of nothing, for tests that need no files: clip i is a ramp of i + 1 frames."""

    def __init__(self, n: int, broken: tuple[int, ...] = (), rows: np.ndarray | None = None) -> None:
        self.reading = Reading(features=("audio", "faces"), size=8, window=6.0)
        self.rows = np.arange(n) if rows is None else rows
        self.broken = broken
        self.reads = 0
        self.at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, indices: np.ndarray) -> Counting:
        return Counting(0, self.broken, self.rows[indices])

    def read(self, index: int) -> Decoded:
        with self._lock:
            self.reads += 1
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        number = int(self.rows[index])
        frames = number % 7 + 1
        with self._lock:
            self._now -= 1
        if number in self.broken:
            raise DataError(f"clip {number}: broken")
        return Decoded(
            audio=(np.arange(640 * frames, dtype=np.float32) % 100 + number) / 2**15,
            faces=np.full((frames, 3, 8, 8), number % 256, dtype=np.uint8),
            notes=(f"clip {number}: odd",) if number % 5 == 4 else (),
        )


def ramps(n: int = 23, broken: tuple[int, ...] = ()) -> Clips:
    return Clips(
        name="ramps",
        ids=np.array([f"clip {i}" for i in range(n)]),
        media=Counting(n, broken),
        labels={
            "emotion": ClassLabels(classes=("a", "b"), index=np.arange(n) % 2),
            "gender": ClassLabels(classes=("f", "m"), index=np.arange(n) % 3 - 1),
        },
        groups=np.array([f"s{i % 4}" for i in range(n)]),
        ratings={"valence": np.where(np.arange(n) == 3, np.nan, np.arange(n)).astype(np.float32)},
        split=np.array(["train", "test", ""] * n)[:n],
        columns={"text": np.array([f"t{i % 3}" for i in range(n)]), "start": np.where(np.arange(n) % 2, np.nan, 0.0)},
        notes=("as it was read",),
        dropped={"emotion c": 2},
    )


def same(clips: Clips, pack: Clips) -> None:
    assert pack.ids.tolist() == clips.ids.tolist()
    for index in range(len(clips)):
        one, other = clips.read(index), pack.read(index)
        np.testing.assert_array_equal(one.audio, other.audio)
        np.testing.assert_array_equal(one.faces, other.faces)


@pytest.fixture
def emodb(tmp_path: Path) -> Path:
    """A data root with a small EmoDB of noise, one utterance of which ends in the middle."""
    pytest.importorskip("soundfile")
    for number, name in enumerate(NAMES):
        write_wav(tmp_path / "emodb" / "wav" / f"{name}.wav", noise(0.3 + 0.05 * number, 16_000, seed=number))
    return tmp_path


class TestPack:
    def test_what_is_packed_is_what_was_decoded_with_all_that_is_known_of_it(self, tmp_path: Path) -> None:
        clips = ramps()
        done = pack_clips(clips, tmp_path / "pack", workers=3, shard=5)
        assert (done.made, done.kept, done.problems) == (23, 0, ())
        assert done.seconds == pytest.approx(sum(i % 7 + 1 for i in range(23)) / 25)
        pack = open_pack(tmp_path / "pack")
        same(clips, pack)
        assert pack.groups.tolist() == clips.groups.tolist()
        assert pack.split is not None
        assert clips.split is not None
        assert pack.split.tolist() == clips.split.tolist()
        for task, labels in clips.labels.items():
            assert pack.labels[task].classes == labels.classes
            np.testing.assert_array_equal(pack.labels[task].index, labels.index)
        np.testing.assert_array_equal(pack.ratings["valence"], clips.ratings["valence"])
        assert pack.columns["text"].tolist() == clips.columns["text"].tolist()
        np.testing.assert_array_equal(pack.columns["start"], clips.columns["start"])
        assert (pack.notes, dict(pack.dropped)) == (clips.notes, {"emotion c": 2})
        taken = pack.take(np.array([7, 2]))
        np.testing.assert_array_equal(taken.read(1).audio, clips.read(2).audio)

    def test_the_bytes_do_not_depend_on_workers(self, tmp_path: Path) -> None:
        for workers in (0, 1, 4):
            pack_clips(ramps(), tmp_path / str(workers), workers=workers, shard=5)
        files = [{p.name: p.read_bytes() for p in (tmp_path / str(w)).iterdir()} for w in (0, 1, 4)]
        assert files[0] == files[1] == files[2]

    def test_packing_goes_on_where_it_broke_off(self, tmp_path: Path) -> None:
        whole, parts = ramps(), ramps()

        def stop(_what: str, done: int, _total: int) -> None:
            if done == 13:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            pack_clips(parts, tmp_path / "pack", workers=2, shard=5, progress=stop)
        assert not (tmp_path / "pack" / "pack.json").exists()
        with pytest.raises(DataError, match=r"no pack \(one was begun: the same command goes on\)"):
            open_pack(tmp_path / "pack")
        seen: list[int] = []
        done = pack_clips(parts, tmp_path / "pack", workers=2, shard=5, progress=lambda w, d, t: seen.append(d))
        assert (done.made, done.kept) == (13, 10)
        assert seen[0] == 10
        pack_clips(whole, tmp_path / "other", workers=2, shard=5)
        files = [{p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("pack", "other")]
        assert files[0] == files[1]

    def test_a_killed_process_leaves_what_was_whole(self, tmp_path: Path) -> None:
        """kill -9 in the middle of the third shard."""
        script = (
            "import os, signal, sys; sys.path.insert(0, sys.argv[1])\n"
            "from test_audiovisual_pack import ramps\n"
            "from affekt.data.audiovisual import pack_clips\n"
            "stop = lambda what, done, total: os.kill(os.getpid(), signal.SIGKILL) if done == 12 else None\n"
            "pack_clips(ramps(), sys.argv[2], workers=2, shard=5, progress=stop)\n"
        )
        here = str(Path(__file__).parent)
        killed = subprocess.run([sys.executable, "-c", script, here, str(tmp_path / "pack")], check=False)
        assert killed.returncode == -9
        assert pack_clips(ramps(), tmp_path / "pack", workers=2, shard=5).kept == 10
        same(ramps(), open_pack(tmp_path / "pack"))
        assert not [p.name for p in (tmp_path / "pack").iterdir() if p.name.startswith(".")]

    def test_called_again_it_makes_nothing(self, tmp_path: Path) -> None:
        pack_clips(ramps(), tmp_path / "pack", shard=5)
        again = ramps()
        assert pack_clips(again, tmp_path / "pack", shard=5).made == 0
        assert again.media.reads == 0  # type: ignore[attr-defined]

    def test_a_clip_that_cannot_be_read_is_named_and_left_out(self, tmp_path: Path) -> None:
        done = pack_clips(ramps(broken=(4, 9)), tmp_path / "pack", workers=2, shard=5)
        assert done.problems == ("clip 4: broken", "clip 9: broken")
        assert (done.made, done.kept) == (21, 0)
        again = pack_clips(ramps(broken=(4, 9)), tmp_path / "pack", workers=2, shard=5)
        assert (again.made, again.kept, again.problems) == (0, 21, done.problems)
        assert done.notes == ("clip 14: odd", "clip 19: odd")
        pack = open_pack(tmp_path / "pack")
        assert len(pack) == 21
        assert "ramps: 2 clips could not be read when they were packed, left out" in pack.notes
        np.testing.assert_array_equal(pack.read(4).audio, ramps().read(5).audio)
        assert pack.labels["emotion"].index[4] == 1

    def test_not_one_clip(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="ramps: none of 3 clips can be read: clip 0: broken and 2 more"):
            pack_clips(ramps(3, broken=(0, 1, 2)), tmp_path / "pack")

    def test_another_folder_or_another_pack_is_not_touched(self, tmp_path: Path) -> None:
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "notes.txt").write_text("mine")
        with pytest.raises(UsageError, match="holds other files and no pack"):
            pack_clips(ramps(), tmp_path / "full")
        pack_clips(ramps(), tmp_path / "pack")
        with pytest.raises(UsageError, match=r"holds another pack .*other ids"):
            pack_clips(ramps(22), tmp_path / "pack")
        other = ramps()
        other.media.reading = replace(other.media.reading, rate=8_000)  # type: ignore[misc]
        with pytest.raises(UsageError, match="rate = 16000 there, 8000 asked"):
            pack_clips(other, tmp_path / "pack")

    def test_an_altered_and_a_truncated_file_are_found(self, tmp_path: Path) -> None:
        pack_clips(ramps(), tmp_path / "pack", shard=5)
        assert verify_clips(tmp_path / "pack") == ()
        path = tmp_path / "pack" / "faces-00002.bin"
        data = bytearray(path.read_bytes())
        data[100] ^= 1
        path.write_bytes(data)
        (line,) = verify_clips(tmp_path / "pack")
        assert line.startswith(f"{path}: altered (1 clip(s): clip 10); make the pack anew: affekt data pack ")
        path.write_bytes(data[:-1])
        with pytest.raises(DataError, match="shard 2 is missing, truncated or altered; the same command makes it anew"):
            open_pack(tmp_path / "pack")
        assert pack_clips(ramps(), tmp_path / "pack", shard=5).made == 5
        assert verify_clips(tmp_path / "pack") == ()
        (tmp_path / "pack" / "pack.json").write_text("{")
        with pytest.raises(DataError, match=r"pack\.json: cut short or altered"):
            open_pack(tmp_path / "pack")

    @pytest.mark.parametrize("feature", ["audio", "faces"])
    def test_an_altered_clip_stops_whoever_reads_it_and_no_other(self, tmp_path: Path, feature: str) -> None:
        pack_clips(ramps(), tmp_path / "pack", shard=5)
        path = tmp_path / "pack" / f"{feature}-00001.bin"
        data = bytearray(path.read_bytes())
        data[-1] ^= 1  # of the last clip of the shard
        path.write_bytes(data)
        clips = open_pack(tmp_path / "pack")
        for _ in range(2):  # what is altered never passes for whole
            with pytest.raises(
                AlteredError, match=rf"{feature}-00001\.bin: clip 9 is altered .*data check pack --root"
            ):
                clips.take(np.array([9])).read(0)
        np.testing.assert_array_equal(clips.read(8).audio, ramps().read(8).audio)
        loader = ClipLoader(clips, workers=2)
        assert len(loader.load(np.arange(9))) == 9
        with pytest.raises(AlteredError, match="clip 9 is altered"):
            loader.load(np.arange(12))

    def test_a_pack_without_checksums_is_read_as_it_is(self, tmp_path: Path) -> None:
        pack_clips(ramps(), tmp_path / "pack", shard=30)
        index = tmp_path / "pack" / "shard-00000.json"
        index.write_text(json.dumps({k: v for k, v in json.loads(index.read_text()).items() if k != "crc"}))
        np.testing.assert_array_equal(open_pack(tmp_path / "pack").read(3).audio, ramps().read(3).audio)
        assert verify_clips(tmp_path / "pack") == ()

    def test_what_is_drawn_of_a_set_is_part_of_the_command_that_makes_it_anew(self, tmp_path: Path) -> None:
        asked = {"options": {"window": 2.0, "features": ["faces"], "face": "whole"}, "limit": 23}
        pack_clips(ramps(), tmp_path / "pack", asked=asked)
        words = "--features audio,faces --option window=2.0 --option face=whole --limit 23 --out"
        assert words in anew(tmp_path / "pack")
        again = pack_clips(ramps(), tmp_path / "pack", asked={"options": {"workers": 4}})
        assert (again.made, again.kept) == (0, 23)  # asked for in other words, the same pack

    def test_an_index_that_was_never_finished_counts_as_none(self, tmp_path: Path) -> None:
        pack_clips(ramps(), tmp_path, shard=30)
        index = tmp_path / "shard-00000.json"
        index.write_text(index.read_text()[:50])
        assert read_shard(tmp_path, 0) is None
        assert read_shard(tmp_path, 7) is None


class TestOfRecordings:
    def test_sound_of_sixteen_bits_and_log_mel_come_back(self, emodb: Path, tmp_path: Path) -> None:
        clips = clip_dataset("emodb").open(emodb / "emodb", "all", features=("audio", "log-mel"))
        pack_clips(clips, tmp_path / "pack", workers=2)
        pack = open_pack(tmp_path / "pack")
        for index in range(len(clips)):
            one, other = clips.read(index), pack.read(index)
            np.testing.assert_array_equal(one.audio, other.audio)
            assert one.log_mel is not None
            assert other.log_mel is not None
            np.testing.assert_allclose(one.log_mel, other.log_mel, atol=0.02)

    def test_splits_with_features_from_a_pack(self, emodb: Path, tmp_path: Path) -> None:
        plain = open_clips(ClipSettings(name="emodb"), data_root=emodb)
        pack_clips(clip_dataset("emodb").open(emodb / "emodb", "all"), tmp_path / "pack")
        packed = open_clips(ClipSettings(name="emodb", pack=str(tmp_path / "pack")), data_root=emodb)
        assert packed.ids == plain.ids
        for index in range(len(plain.test)):
            np.testing.assert_array_equal(packed.test.read(index).audio, plain.test.read(index).audio)
        fewer = ClipSettings(name="emodb", pack=str(tmp_path / "pack"), emotions=("anger",))
        assert set(open_clips(fewer, data_root=emodb).train.labels["emotion"].classes) == {"anger"}

    def test_a_pack_made_in_another_way_is_refused(self, emodb: Path, tmp_path: Path) -> None:
        clips = clip_dataset("emodb").open(emodb / "emodb", "all")
        pack_clips(clips.take(np.arange(5)), tmp_path / "pack")
        other = clip_dataset("emodb").open(emodb / "emodb", "all", rate=8_000)
        with pytest.raises(UsageError, match="packed in another way: rate = 16000 there, 8000 asked"):
            with_pack(other, tmp_path / "pack")
        mel = clip_dataset("emodb").open(emodb / "emodb", "all", features="log-mel")
        with pytest.raises(UsageError, match="no log-mel in it"):
            with_pack(mel, tmp_path / "pack")
        with pytest.raises(DataError, match=r"11 clip\(s\) of emodb are not in the pack: "):
            with_pack(clips, tmp_path / "pack")

    def test_what_could_not_be_packed_is_left_out_of_the_set(self, emodb: Path, tmp_path: Path) -> None:
        wav = emodb / "emodb" / "wav" / f"{NAMES[2]}.wav"
        cut(wav, wav, 0.5)
        clips = clip_dataset("emodb").open(emodb / "emodb", "all")
        done = pack_clips(clips, tmp_path / "pack")
        assert len(done.problems) == 1
        assert "ends in the middle" in done.problems[0]
        found = with_pack(clips, tmp_path / "pack")
        assert len(found) == len(clips) - 1
        assert "1 clips could not be read when they were packed" in found.notes[-1]

    def test_faces_and_sound_of_a_film(self, tmp_path: Path) -> None:
        pytest.importorskip("av")
        write_media(tmp_path / "set" / "1001_DFA_ANG_XX.mp4", grey_frames(20), tone(300, 0.8, 48_000), video="libx264")
        clips = clip_dataset("crema-d").open(tmp_path / "set", "all", size=16)
        pack_clips(clips, tmp_path / "pack")
        one, other = clips.read(0), open_pack(tmp_path / "pack").read(0)
        np.testing.assert_array_equal(one.faces, other.faces)
        assert one.audio is not None
        np.testing.assert_allclose(one.audio, other.audio, atol=2**-16 + 1e-9)


class TestLoader:
    def test_a_batch_is_padded_with_zeros_and_says_how_long_each_clip_is(self) -> None:
        batch = ClipLoader(ramps(), workers=0).load(np.array([1, 5, 2]))
        assert batch.lengths.tolist() == [2, 6, 3]
        assert batch.audio is not None
        assert batch.faces is not None
        assert batch.audio.shape == (3, 640 * 6)
        assert batch.faces.shape == (3, 6, 3, 8, 8)
        assert batch.faces.dtype == torch.uint8
        assert not batch.audio[0, 1_280:].any()
        assert not batch.faces[2, 3:].any()
        assert (batch.faces[2, :3] == 2).all()
        assert batch.mask().sum(dim=1).tolist() == [2, 6, 3]
        assert batch.labels["emotion"].tolist() == [1, 1, 0]
        assert batch.labels["gender"].tolist() == [0, 1, 1]
        assert batch.labels["valence"].tolist() == [1, 5, 2]
        assert batch.log_mel is None

    def test_what_is_loaded_does_not_depend_on_workers(self) -> None:
        order = [np.array([3, 1, 4]), np.array([1, 5]), np.array([9, 2, 6, 5])]
        found = [list(ClipLoader(ramps(), workers=workers).batches(order)) for workers in (0, 1, 4)]
        for batches in found[1:]:
            for one, other in zip(found[0], batches, strict=True):
                assert torch.equal(one.audio, other.audio)  # type: ignore[arg-type]
                assert one.indices.tolist() == other.indices.tolist()

    def test_the_batch_goes_on_without_a_clip_that_cannot_be_read(self) -> None:
        batch = ClipLoader(ramps(broken=(5,)), workers=2).load(np.array([4, 5, 6]))
        assert batch.indices.tolist() == [4, 6]
        assert batch.labels["emotion"].tolist() == [0, 0]
        assert batch.problems == ("clip 5: broken",)
        assert batch.notes == ("clip 4: odd",)
        with pytest.raises(DataError, match="ramps: none of 1 clips can be read: clip 5: broken"):
            ClipLoader(ramps(broken=(5,)), workers=2).load(np.array([5]))

    def test_reading_ahead_is_bounded(self) -> None:
        """However many batches are wanted, no more than two of them and one clip are read before the first is taken."""
        clips = ramps(200)
        batches = ClipLoader(clips, workers=4).batches(np.arange(200).reshape(50, 4))
        next(batches)
        batches.close()  # type: ignore[attr-defined]
        assert clips.media.reads <= 4 + 2 * 4  # type: ignore[attr-defined]

    def test_other_errors_are_not_swallowed_and_threads_end(self) -> None:
        def work(item: int) -> int:
            if item == 3:
                raise ZeroDivisionError
            return item

        before = threading.active_count()
        with pytest.raises(ZeroDivisionError):
            list(mapped(work, range(100), 3, 6))
        assert threading.active_count() == before


class Big(Counting):
    """Clips of 700 kB of faces and 250 kB of sound."""

    def read(self, index: int) -> Decoded:
        return Decoded(audio=np.zeros(640 * 100, np.float32), faces=np.ones((100, 3, 48, 48), np.uint8))


def test_memory_does_not_grow_with_the_set(tmp_path: Path) -> None:
    """The peak of what is allocated while a set is packed and read, and while one six times as long is."""
    peaks = []
    for n in (16, 96):
        media = Big(n)
        media.reading = replace(media.reading, size=48)
        tracemalloc.start()
        pack_clips(replace(ramps(n), media=media), tmp_path / str(n), workers=2, shard=8)
        for batch in ClipLoader(open_pack(tmp_path / str(n)), workers=2).batches(np.arange(n).reshape(-1, 4)):
            assert len(batch) == 4
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert 96 * 100 * 3 * 48 * 48 > 66e6
    assert peaks[1] < 25e6
    assert peaks[1] < 1.5 * peaks[0]
