"""Splits of clips: nobody in two of them, folds that partition, and the leak that has to be asked for by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.data.audiovisual import ClassLabels, Clips, clip_dataset, split_clips
from affekt.data.audiovisual.media import ClipSource, FileMedia
from affekt.data.audiovisual.reading import Reading
from affekt.data.audiovisual.splits import count_folds
from affekt.data.split_record import apply_split
from affekt.data.splits import read_split
from affekt.errors import DataError, UsageError
from affekt.recipe import ClipSettings

REAL = os.environ.get("AFFEKT_DATA")


def corpus(speakers: int = 8, texts: int = 6, takes: int = 2, sessions: int = 4, seed: int = 0) -> Clips:
    """Every speaker says every text in every emotion, some takes of them; two speakers a session."""
    rows = [(s, t, k, e) for s in range(speakers) for t in range(texts) for k in range(takes) for e in range(3)]
    order = np.random.default_rng(seed).permutation(len(rows))
    rows = [rows[i] for i in order]
    ids = np.array([f"s{s:02d}-t{t}-k{k}-{e}" for s, t, k, e in rows])
    return Clips(
        name="corpus",
        ids=ids,
        media=FileMedia(sources=[ClipSource(name=name, audio=name) for name in ids.tolist()], reading=Reading()),
        labels={"emotion": ClassLabels(classes=("a", "b", "c"), index=np.array([e for *_, e in rows]))},
        groups=np.array([f"s{s:02d}" for s, *_ in rows]),
        columns={
            "text": np.array([f"t{t}" for _, t, *_ in rows]),
            "session": np.array([str(s * sessions // speakers) for s, *_ in rows]),
        },
    )


def chosen(**values: object) -> ClipSettings:
    return ClipSettings(name="corpus", **values)  # type: ignore[arg-type]


def values(part: Clips, column: str) -> set[str]:
    return set((part.groups if column == "speaker" else part.columns[column]).tolist())


def apart(parts: dict[str, Clips], column: str) -> bool:
    """Whether no two splits share a value of a column."""
    found = [values(part, column) for part in parts.values()]
    return sum(map(len, found)) == len(set().union(*found))


def folds(clips: Clips, **values: object) -> Iterator[dict[str, Clips]]:
    for fold in range(count_folds(clips, chosen(**values))):
        yield dict(split_clips(clips, chosen(fold=fold, **values)).parts)


class TestIndependence:
    @settings(max_examples=25)
    @given(st.integers(0, 10_000), st.sampled_from(["speaker", "session", "text"]))
    def test_no_speaker_is_in_two_splits(self, seed: int, by: str) -> None:
        parts = dict(split_clips(corpus(), chosen(split_by=by, test=0.3, validation=0.25), seed).parts)
        assert set(parts) == {"train", "validation", "test"}
        assert apart(parts, "speaker")
        if by != "speaker":
            assert apart(parts, by)

    def test_by_text_the_rest_is_left_out_and_counted(self) -> None:
        clips = corpus()
        found = split_clips(clips, chosen(split_by="text", test=0.3, validation=0.2))
        kept = sum(map(len, found.parts.values()))
        assert 0 < kept < len(clips)
        assert f"{len(clips) - kept} clips left out, which would share a speaker or a text" in found.notes[0]

    def test_shares_are_about_those_asked_for_and_stratified(self) -> None:
        found = split_clips(corpus(speakers=40), chosen(test=0.2, validation=0.1))
        sizes = {name: len(part) / 1440 for name, part in found.parts.items()}
        assert sizes == pytest.approx({"train": 0.7, "validation": 0.1, "test": 0.2}, abs=0.03)
        for part in found.parts.values():
            counts = list(part.labels["emotion"].counts().values())
            assert max(counts) == min(counts)

    def test_it_depends_on_the_seed_and_not_on_the_order_of_rows(self) -> None:
        first, second = (split_clips(corpus(seed=s), chosen(), 3).ids for s in (0, 1))
        assert {k: sorted(v) for k, v in first.items()} == {k: sorted(v) for k, v in second.items()}
        assert split_clips(corpus(), chosen(), 4).ids["test"] != first["test"]
        assert split_clips(corpus(), chosen(split_seed=3), 99).ids == first

    def test_a_column_that_the_set_does_not_have(self) -> None:
        clips = corpus()
        bare = Clips(name="bare", ids=clips.ids, media=clips.media, labels=clips.labels, groups=clips.groups)
        with pytest.raises(UsageError, match="split_by = session: the set does not say it; write split_by = speaker"):
            split_clips(bare, chosen(split_by="session"))

    def test_speakers_of_two_sessions_forbid_a_split_by_session(self) -> None:
        clips = corpus()
        columns = dict(clips.columns) | {"session": np.arange(len(clips)).astype(str)}
        mixed = Clips(
            name="mixed", ids=clips.ids, media=clips.media, labels=clips.labels, groups=clips.groups, columns=columns
        )
        with pytest.raises(DataError, match="s00, s01, s02, s03, s04 and 3 more in several sessions"):
            split_clips(mixed, chosen(split_by="session"))


class TestFolds:
    @pytest.mark.parametrize(
        ("asked", "number"),
        [
            ({"folds": 4}, 4),
            ({"folds": 2, "split_by": "session"}, 2),
            ({"folds": 3, "split_by": "text"}, 9),
            ({"leave_one_out": True}, 8),
            ({"leave_one_out": True, "split_by": "session"}, 4),
            ({"folds": 5, "split_by": "leaky"}, 5),
        ],
    )
    def test_every_clip_is_tested_once(self, asked: dict[str, object], number: int) -> None:
        clips = corpus()
        found = list(folds(clips, **asked))
        assert len(found) == number
        tested = [name for parts in found for name in parts["test"].ids.tolist()]
        assert sorted(tested) == sorted(clips.ids.tolist())
        if asked.get("split_by") != "leaky":
            assert all(apart(parts, "speaker") for parts in found)

    def test_leave_one_speaker_out_in_the_order_of_their_names(self) -> None:
        for number, parts in enumerate(folds(corpus(), leave_one_out=True)):
            assert values(parts["test"], "speaker") == {f"s{number:02d}"}
            assert len(values(parts["train"], "speaker")) + len(values(parts["validation"], "speaker")) == 7

    def test_without_validation_the_fold_is_train_and_test(self) -> None:
        assert set(next(folds(corpus(), leave_one_out=True, validation=0.0))) == {"train", "test"}

    def test_a_fold_that_does_not_exist(self) -> None:
        with pytest.raises(UsageError, match="corpus: fold = 8, but there are 8; write 0 to 7"):
            split_clips(corpus(), chosen(leave_one_out=True, fold=8))
        with pytest.raises(DataError, match="8 speakers cannot be cut into 9 folds"):
            split_clips(corpus(), chosen(folds=9))
        with pytest.raises(UsageError, match="one split, no folds; write folds, or leave_one_out = true"):
            count_folds(corpus(), chosen())


class TestLeaks:
    def test_only_by_name_and_it_says_so(self) -> None:
        found = split_clips(corpus(), chosen(split_by="leaky"))
        assert not apart(dict(found.parts), "speaker")
        assert "split_by = leaky LEAKS: 8 of 8 speakers stand in several splits" in found.notes[-1]
        texts = split_clips(corpus(), chosen(split_by="leaky-text"))
        assert apart(dict(texts.parts), "text")
        assert "LEAKS" in texts.notes[-1]

    def test_windows_of_a_clip_stay_together_even_there(self) -> None:
        clips = corpus()
        recording = np.array([name[:6] for name in clips.ids.tolist()])
        columns = dict(clips.columns) | {"clip": recording}
        windows = Clips(
            name="w", ids=clips.ids, media=clips.media, labels=clips.labels, groups=clips.groups, columns=columns
        )
        assert apart(dict(split_clips(windows, chosen(split_by="leaky")).parts), "clip")

    def test_a_speaker_in_two_splits_of_a_table_is_refused_by_name(self) -> None:
        clips = corpus()
        split = np.where(clips.groups == "s01", "test", "train")
        split[np.flatnonzero(clips.groups == "s01")[0]] = "train"
        fixed = Clips(name="t", ids=clips.ids, media=clips.media, labels=clips.labels, groups=clips.groups, split=split)
        with pytest.raises(DataError, match=r"t: 1 speaker\(s\) stand in more than one split: s01; .*split_by = leaky"):
            split_clips(fixed, chosen(validation=0.0))
        leaking = split_clips(fixed, chosen(validation=0.0, split_by="leaky"))
        assert "1 of 8 speakers stand in several splits" in leaking.notes[-1]

    def test_the_tables_own_split_and_what_it_leaves_free(self) -> None:
        clips = corpus()
        split = np.where(clips.groups == "s01", "test", np.where(clips.groups == "s02", "", "train"))
        split[clips.groups == "s03"] = ""
        split[np.flatnonzero(clips.groups == "s03")[0]] = "test"
        fixed = Clips(name="t", ids=clips.ids, media=clips.media, labels=clips.labels, groups=clips.groups, split=split)
        parts = dict(split_clips(fixed, chosen(validation=0.2)).parts)
        assert values(parts["test"], "speaker") == {"s01", "s03"}
        assert apart(parts, "speaker")
        assert len(parts["validation"]) > 0
        assert sum(map(len, parts.values())) == len(clips)

    def test_a_class_without_a_training_clip(self) -> None:
        clips = corpus(speakers=3)
        index = np.where(clips.groups == "s02", 2, np.where(clips.labels["emotion"].index == 2, 1, 0))
        one = {"emotion": ClassLabels(classes=("a", "b", "c"), index=index)}
        only = Clips(name="o", ids=clips.ids, media=clips.media, labels=one, groups=clips.groups)
        with pytest.raises(DataError, match="o: emotion: no training clip of c"):
            split_clips(only, chosen(leave_one_out=True, fold=2, validation=0.0))

    def test_too_few_speakers(self) -> None:
        with pytest.raises(
            DataError, match=r"2 speakers cannot be cut into train, validation, test; write \[clips\] validation = 0$"
        ):
            split_clips(corpus(speakers=2, sessions=1), chosen())
        with pytest.raises(
            DataError, match=r'1 speaker cannot .* test = 0 to learn from this speaker, or split_by = "lea'
        ):
            split_clips(corpus(speakers=1, sessions=1), chosen())
        with pytest.raises(DataError, match="one session alone; none can be left out"):
            split_clips(corpus(speakers=2, sessions=1), chosen(leave_one_out=True, split_by="session"))
        with pytest.raises(UsageError, match=r"validation = 0\.5, test = 0\.5 leave no clip to train on"):
            split_clips(corpus(), chosen(validation=0.5, test=0.5))


def with_rare(who: tuple[str, ...]) -> Clips:
    """A second task, of which these speakers alone have one class."""
    clips = corpus()
    rare = ClassLabels(classes=("often", "seldom"), index=np.isin(clips.groups, who).astype(np.int64))
    return replace(clips, labels={**clips.labels, "accent": rare})


class TestFurtherTasks:
    @settings(max_examples=25)
    @given(st.integers(0, 10_000))
    def test_every_class_of_every_task_is_learned_from(self, seed: int) -> None:
        clips = with_rare(("s01", "s02"))
        found = split_clips(clips, chosen(test=0.3, validation=0.25), seed)
        assert all(found.train.labels["accent"].counts().values())
        assert apart(dict(found.parts), "speaker")
        assert found.ids == split_clips(clips, chosen(test=0.3, validation=0.25), seed).ids

    def test_a_draw_that_fits_is_the_first_one(self) -> None:
        clips = with_rare(("s01", "s02"))
        for seed in range(40):
            plain = split_clips(corpus(), chosen(test=0.3, validation=0.25), seed)
            if len(np.unique(clips.labels["accent"].index[np.isin(clips.ids, plain.train.ids)])) == 2:
                assert split_clips(clips, chosen(test=0.3, validation=0.25), seed).ids == plain.ids

    @settings(max_examples=25)
    @given(st.integers(0, 1000))
    def test_folds_are_drawn_as_a_whole(self, seed: int) -> None:
        clips = with_rare(("s01", "s02"))
        found = [split_clips(clips, chosen(folds=4, fold=k, validation=0.2), seed) for k in range(4)]
        assert all(all(of.train.labels["accent"].counts().values()) for of in found)
        tested = [name for of in found for name in of["test"].ids.tolist()]
        assert sorted(tested) == sorted(clips.ids.tolist())

    def test_what_no_draw_can_do_is_said_with_keys_that_there_are(self) -> None:
        clips = with_rare(("s01",))
        alone = "accent: no training clip of seldom: all of seldom is of the speaker s01, who is held out"
        with pytest.raises(
            DataError, match=f'{alone}; write \\[clips\\] tasks without "accent", or another split_seed'
        ):
            split_clips(clips, chosen(leave_one_out=True, fold=1))
        few = with_rare(("s01", "s02"))
        split = np.where(np.isin(few.groups, ("s01", "s02")), "test", "")
        with pytest.raises(DataError, match=r"in 100 draws; write another \[clips\] split_seed, validation or test"):
            split_clips(replace(few, split=split), chosen())


class TestRecord:
    def test_written_and_read_again(self, tmp_path: Path) -> None:
        clips = corpus()
        found = split_clips(clips, chosen(), 5)
        found.write(tmp_path / "split.json")
        again = apply_split(clips, read_split(tmp_path / "split.json"))
        assert again.ids == found.ids
        with pytest.raises(DataError, match=r"clip\(s\) of the split file are not in the set"):
            apply_split(clips.take(np.arange(10)), found.ids)
        with pytest.raises(UsageError, match="no validation split; it has train, test; `validation` is the share"):
            _ = split_clips(clips, chosen(validation=0.0)).validation


@pytest.mark.skipif(REAL is None, reason="AFFEKT_DATA is not set")
def test_leave_one_speaker_out_on_real_emodb() -> None:
    root = Path(REAL or "") / "emodb"
    if not root.is_dir():
        pytest.skip("no emodb in AFFEKT_DATA")
    clips = clip_dataset("emodb").open(root, "all", emotions=("anger", "happiness", "neutral", "sadness"))
    tested = 0
    for parts in folds(clips, leave_one_out=True):
        assert apart(parts, "speaker")
        assert len(values(parts["test"], "speaker")) == 1
        tested += len(parts["test"])
    assert tested == len(clips)
