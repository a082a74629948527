"""Clip feed: batches by (seed, epoch, step), padded to their longest clip, without what cannot be read."""

import numpy as np
import pytest
import torch

from affekt.data.audiovisual import ClassLabels, ClipAugmentation, Clips, Decoded
from affekt.data.audiovisual.memory import MemoryMedia, in_memory, most_gib
from affekt.data.audiovisual.reading import Reading
from affekt.errors import DataError
from affekt.multimodal import ClipFeed
from affekt.recipe import ClipAugmentationSettings
from affekt.training.plan import Plan

READING = Reading(features=("audio", "log-mel"), rate=800, fps=25, mels=2, window=2.0)
FRAME = 32
CPU = torch.device("cpu")


class Media:
    """Clips of 1 to 5 frames of one number each; some are broken."""

    reading = READING

    def __init__(self, rows, broken=()):
        self.rows, self.broken = np.asarray(rows), frozenset(broken)

    def __len__(self):
        return len(self.rows)

    def take(self, indices):
        return Media(self.rows[indices], self.broken)

    def read(self, index):
        row = int(self.rows[index])
        if row in self.broken:
            raise DataError(f"c{row}: ends in the middle")
        frames = 1 + row % 5
        audio = np.full(frames * FRAME, row / 100, dtype=np.float32)
        return Decoded(audio=audio, log_mel=np.full((4 * frames, 2), row, dtype=np.float32))


def clips(n=12, broken=()):
    labels = {"emotion": ClassLabels(classes=("a", "b"), index=np.arange(n) % 2)}
    ids = np.array([f"c{k}" for k in range(n)])
    return Clips(name="set", ids=ids, media=Media(range(n), broken), labels=labels, groups=ids)


def feed(found=None, hears="audio", **options):
    made = ClipFeed({"train": found or clips(), "validation": clips(5)}, hears=hears, sees=False, workers=0, **options)
    made.place(CPU)
    for split in made.splits:
        made.open(split)
    return made


PLAN = Plan(items=12, batch_size=4, epochs=2, seed=3)


def steps(of, which=range(3), **how):
    return list(of.training(PLAN, which, rank=0, world=1, parts=1, **how))


def test_a_batch_is_the_plans_items_with_their_sound_and_labels_padded_to_its_longest():
    for step, (batch,) in enumerate(steps(feed())):
        rows = PLAN.batch(step)
        assert batch.items.tolist() == rows.tolist()
        assert batch.lengths.tolist() == (1 + rows % 5).tolist()
        assert batch.audio.shape == (4, FRAME * int(batch.lengths.max()))
        assert torch.equal(batch.audio[:, 0], torch.tensor(rows / 100, dtype=torch.float32))
        assert batch.labels["emotion"].tolist() == (rows % 2).tolist()
        assert (batch.epoch, batch.step, batch.frames) == (0, step, None)


def test_a_spectrogram_is_given_in_place_of_sound():
    (batch,) = steps(feed(hears="log-mel"))[0]
    assert batch.audio.shape == (4, 4 * int(batch.lengths.max()), 2)


def test_an_epoch_that_is_entered_in_its_middle_has_the_same_batches():
    augment = ClipAugmentation(ClipAugmentationSettings(noise=1.0, speed=(0.8, 1.25)), rate=800, fps=25)
    whole = steps(feed(augmentation=augment), range(3, 6))
    (rest,) = steps(feed(augmentation=augment), range(5, 6))
    assert torch.equal(whole[2][0].audio, rest[0].audio)
    (plain,) = steps(feed(), range(5, 6))
    assert plain[0].audio.shape != rest[0].audio.shape or not torch.equal(plain[0].audio, rest[0].audio)
    other = ClipFeed({"train": clips()}, hears="audio", sees=False, augmentation=augment, seed=1, workers=0)
    other.open("train")
    assert not torch.equal(steps(other, range(5, 6))[0][0].audio[:, :8], rest[0].audio[:, :8])


def test_a_clip_is_changed_anew_in_each_epoch_and_left_alone_in_evaluation():
    of = feed(augmentation=ClipAugmentation(ClipAugmentationSettings(noise=1.0), rate=800, fps=25))
    heard = [
        {
            int(k): sound[:FRAME]
            for (batch,) in steps(of, of_epoch)
            for k, sound in zip(batch.items, batch.audio, strict=True)
        }
        for of_epoch in (range(3), range(3, 6))
    ]
    assert all(not torch.equal(heard[0][k], heard[1][k]) for k in range(1, 12))
    (plain,) = of.evaluation("train", [np.arange(12)])
    assert torch.equal(plain.audio[:, 0], torch.arange(12) / 100)


def test_parts_are_padded_each_for_itself():
    (parts,) = feed().training(PLAN, range(1), rank=0, world=1, parts=2)
    assert [len(part) for part in parts] == [2, 2]
    assert torch.cat([part.items for part in parts]).tolist() == PLAN.batch(0).tolist()
    assert all(part.audio.shape[1] == FRAME * int(part.lengths.max()) for part in parts)


def test_what_cannot_be_read_is_absent_and_named():
    of = feed(clips(broken=[2, 7]))
    batches = list(of.evaluation("train", [np.arange(6), np.array([7]), np.arange(8, 12)]))
    assert [batch.items.tolist() for batch in batches] == [[0, 1, 3, 4, 5], [], [8, 9, 10, 11]]
    assert list(of.problems) == ["c2: ends in the middle", "c7: ends in the middle"]
    with pytest.raises(DataError, match=r"none of 1 clips can be read: c[27]: ends in the middle"):
        list(of.training(Plan(items=12, batch_size=1, epochs=1, seed=0), range(12), rank=0, world=1, parts=1))


def test_the_identity_knows_data_changes_and_reading():
    augment = ClipAugmentation(ClipAugmentationSettings(noise=1.0), rate=800, fps=25)
    plain = feed().identity(["train"])
    assert plain == feed().identity(["train"])
    assert plain != feed(augmentation=augment).identity(["train"])
    assert plain["data"].keys() == {"train"}
    assert plain != feed(clips(11)).identity(["train"])


def test_in_memory_leaves_out_what_cannot_be_read_and_keeps_the_rest():
    kept, problems = in_memory(clips(broken=[2]), workers=0)
    assert problems == ("c2: ends in the middle",)
    assert isinstance(kept.media, MemoryMedia)
    assert kept.ids.tolist() == [f"c{k}" for k in range(12) if k != 2]
    assert kept.labels["emotion"].index.tolist() == [k % 2 for k in range(12) if k != 2]
    some = kept.take(np.array([3, 0]))
    assert some.read(0).audio[0] == np.float32(0.04) and some.read(1).audio[0] == 0
    with pytest.raises(DataError, match="none of 2 clips can be read"):
        in_memory(clips(2, broken=[0, 1]), workers=0)


def test_memory_is_reckoned_by_the_longest_clip():
    """2 s of 50 frames: 32 samples and 4 x 2 numbers of 4 bytes each."""
    assert most_gib(3, READING) * 2**30 == 3 * 50 * (32 + 8) * 4
    faces = Reading(features=("faces",), rate=800, fps=25, size=10, window=2.0)
    assert most_gib(1, faces) * 2**30 == 50 * 300
