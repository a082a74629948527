"""A probe's folder: what is computed again and what is not, what is refused, who is left out."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from affekt.affect import RatingScale
from affekt.data import ArrayPictures, FilePictures, Labels, Stimuli
from affekt.errors import AffektError, DataError, UsageError
from affekt.humans.probing import ProbeSettings, baseline, by_name, named, probe, with_controls, working
from affekt.humans.probing.keeping import in_order, read_predictions
from affekt.saving.whole import Busy, locked

SETTINGS = ProbeSettings(image_size=32, folds=3, inner_folds=2, repeats=2, resamples=50)


def stimuli(n=30, seed=0):
    """Pictures whose brightness is their valence, two a group."""
    rng = np.random.default_rng(seed)
    light = rng.uniform(size=n)
    pixels = (light[:, None, None, None] * 200 + rng.integers(50, size=(n, 3, 32, 32))).astype(np.uint8)
    return Stimuli(
        name="set",
        ids=np.array([f"p{i}" for i in range(n)]),
        pictures=ArrayPictures(torch.from_numpy(pixels)),
        labels=Labels(ratings={"valence": (1 + 6 * light).astype(np.float32)}, scale=RatingScale(1, 7)),
        groups=np.array([f"g{i // 2}" for i in range(n)]),
    )


def subjects():
    return [by_name("resnet8-w4", "random", SETTINGS), baseline("low-level", SETTINGS)]


def r_of(line):
    return line["scores"]["valence"]["pearson"]["value"]


@pytest.fixture
def counted(monkeypatch):
    """How often features and ridge regressions are computed."""
    counts = {"extract": 0, "nested_ridge": 0}

    def count(name):
        real = getattr(working, name)

        def counting(*args, **kwargs):
            counts[name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(working, name, counting)

    for name in counts:
        count(name)
    return counts


def test_lines_and_files(tmp_path):
    found = probe(subjects(), stimuli(), tmp_path / "out", SETTINGS)
    lines = [json.loads(text) for text in (tmp_path / "out/results.jsonl").read_text().splitlines()]
    assert lines == json.loads(json.dumps(list(found.lines)))
    assert [(x["subject"], x["layer"], x["control"]) for x in lines] == [
        ("resnet8-w4 (random)", "last", False),
        ("low-level", "last", True),
    ]
    assert r_of(lines[1]) > 0.9
    assert lines[0]["features"] == 16 and lines[0]["scores"]["valence"]["n"] == 30
    with np.load(tmp_path / "out/predictions" / lines[1]["predictions"]) as stored:
        assert stored["predicted"].shape == (2, 30, 1) and stored["outer"].shape == (2, 30)
        assert stored["ids"].tolist() == [f"p{i}" for i in range(30)] and stored["dimensions"].tolist() == ["valence"]
        first = np.corrcoef(stored["predicted"][0, :, 0], stimuli().labels.ratings["valence"])[0, 1]
    assert lines[1]["scores"]["valence"]["pearson"]["repeats"][0] == pytest.approx(first)
    comparison = json.loads((tmp_path / "out/comparison.json").read_text())
    assert comparison["differences"][0]["first"] == "low-level" and comparison["unit"] == "group"
    facts = json.loads((tmp_path / "out/probe.json").read_text())
    assert facts["settings"]["dimensions"] == ["valence"] and facts["people"]["groups"] == 15
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "comparison.json", "environment.json", "features", "predictions", "probe.json", "results.jsonl",
    ]  # fmt: skip


def test_a_second_call_computes_what_is_missing(tmp_path, counted):
    probe(subjects()[1:], stimuli(), tmp_path, SETTINGS)
    assert counted == {"extract": 1, "nested_ridge": 2}
    before = (tmp_path / "results.jsonl").read_bytes()
    again = probe(subjects()[1:], stimuli(), tmp_path, SETTINGS)
    assert counted == {"extract": 1, "nested_ridge": 2} and (tmp_path / "results.jsonl").read_bytes() == before
    more = probe(subjects(), stimuli(), tmp_path, SETTINGS)
    assert counted == {"extract": 2, "nested_ridge": 4}
    assert [line["subject"] for line in more.lines] == ["resnet8-w4 (random)", "low-level"]
    assert more.lines[1] == again.lines[0]


def test_damaged_files_are_made_anew(tmp_path, counted):
    first = probe(subjects(), stimuli(), tmp_path, SETTINGS)
    before = (tmp_path / "results.jsonl").read_bytes()
    path = tmp_path / "predictions" / first.lines[0]["predictions"]
    held = path.read_bytes()
    path.write_bytes(held[:-40])
    probe(subjects(), stimuli(), tmp_path, SETTINGS)
    assert counted == {"extract": 2, "nested_ridge": 6} and (tmp_path / "results.jsonl").read_bytes() == before
    path.unlink()
    for features in (tmp_path / "features").iterdir():
        features.write_bytes(features.read_bytes()[:100])
    probe(subjects(), stimuli(), tmp_path, SETTINGS)
    assert counted == {"extract": 3, "nested_ridge": 8} and (tmp_path / "results.jsonl").read_bytes() == before


def test_folds_over_items_and_other_layers_go_into_the_same_folder(tmp_path, counted):
    group = probe(subjects(), stimuli(), tmp_path, SETTINGS)
    item = probe(subjects(), stimuli(), tmp_path, SETTINGS, unit="item")
    assert counted["extract"] == 2
    assert any("LEAK" in note for note in item.notes) and not any("LEAK" in note for note in group.notes)
    assert r_of(item.lines[0]) != r_of(group.lines[0])
    stages = probe(subjects()[:1], stimuli(), tmp_path, SETTINGS, layers=["stages"])
    assert [line["layer"] for line in stages.lines] == ["stage-1", "stage-2", "stage-3", "last", "chosen"]
    assert r_of(stages.lines[3]) == r_of(group.lines[0])
    extracted = counted["extract"]
    last = probe(subjects(), stimuli(), tmp_path, SETTINGS)
    assert [line["layer"] for line in last.lines] == ["last", "last"] and counted["extract"] == extracted
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 2 + 2 + 4


def test_of_stages_the_chosen_one_is_compared(tmp_path):
    found = probe(subjects(), stimuli(), tmp_path, SETTINGS, layers=["stages", "map"], against="low-level")
    assert [d["first"] for d in found.differences] == ["resnet8-w4 (random), map", "resnet8-w4 (random), chosen"]


@pytest.mark.parametrize(
    "settings,people,key",
    [
        (
            replace(SETTINGS, folds=4),
            stimuli(),
            r"keys that differ: settings.folds \(settings.folds is 3 there, 4 here",
        ),
        (SETTINGS, stimuli(seed=1), "keys that differ: people.sha256_labels, people.sha256_pictures"),
        (replace(SETTINGS, seed=1, repeats=3), stimuli(), "keys that differ: settings.repeats, settings.seed"),
    ],
)
def test_other_settings_or_people_are_refused(tmp_path, settings, people, key):
    probe(subjects()[1:], stimuli(), tmp_path, SETTINGS)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(UsageError, match=key):
        probe(subjects()[1:], people, tmp_path, settings)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty and not a probe of affekt"):
        probe(subjects()[1:], stimuli(), tmp_path, SETTINGS)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_one_process_at_a_time(tmp_path):
    with locked(tmp_path / "out"), pytest.raises(Busy, match="another affekt is at work"):
        probe(subjects()[1:], stimuli(), tmp_path / "out", SETTINGS)


class TestLeftOut:
    def broken(self):
        def refuse(_layers):
            raise AffektError("weights cannot\nbe downloaded")

        return replace(by_name("resnet14-w4", "random", SETTINGS), open=refuse, twin=None)

    def test_the_others_are_done(self, tmp_path):
        found = probe([self.broken(), *subjects()], stimuli(), tmp_path, SETTINGS)
        assert found.failed == {"resnet14-w4 (random)": "weights cannot be downloaded"}
        assert [line["subject"] for line in found.lines] == ["resnet8-w4 (random)", "low-level"]

    @pytest.mark.parametrize("error", [RuntimeError("out of\nmemory"), OSError("out of memory")])
    def test_what_others_raise_is_said_in_one_line(self, tmp_path, error):
        def refuse(_layers):
            raise error

        broken = replace(self.broken(), open=refuse)
        found = probe([broken, subjects()[0]], stimuli(), tmp_path, SETTINGS)
        assert found.failed == {broken.name: f"{broken.name}: cannot be run: out of memory"}

    def test_a_full_disk_concerns_all(self, tmp_path, monkeypatch):
        def full(*_):
            raise AffektError("cannot write: No space left on device")

        monkeypatch.setattr(working, "write_features", full)
        with pytest.raises(AffektError, match="No space left"):
            probe([*subjects(), self.broken()], stimuli(), tmp_path, SETTINGS)

    def test_a_picture_that_does_not_decode_concerns_all(self, tmp_path):
        (tmp_path / "p7.png").write_bytes(b"no picture")
        people = replace(stimuli(), pictures=FilePictures([tmp_path / "p7.png"] * 30, image_size=32))
        with pytest.raises(DataError, match=r"p7\.png"):
            probe([*subjects(), self.broken()], people, tmp_path / "out", SETTINGS)

    def test_the_only_one_raises(self, tmp_path):
        with pytest.raises(AffektError, match="weights cannot"):
            probe([self.broken(), subjects()[1]], stimuli(), tmp_path, SETTINGS)

    def test_a_layer_that_one_has_not(self, tmp_path):
        lacking = replace(
            subjects()[0], name="x", identity={"x": 1}, open=lambda _: (_ for _ in ()).throw(UsageError("no map"))
        )
        found = probe([subjects()[0], lacking], stimuli(), tmp_path, SETTINGS, layers=["map"])
        assert found.failed == {"x": "no map"} and [line["layer"] for line in found.lines] == ["map"]

    def test_features_that_are_no_numbers(self, tmp_path):
        nan = replace(subjects()[1], identity={"x": 1}, open=lambda _: _NoNumbers(), control=False)
        with pytest.raises(AffektError, match="low-level, last: features that are NaN or infinite"):
            probe([nan], stimuli(), tmp_path, SETTINGS)
        assert not (tmp_path / "features").exists()


class _NoNumbers:
    module = torch.nn.Module()

    def to(self, _device):
        return self

    def __call__(self, images):
        return {"last": torch.full((len(images), 2), torch.nan)}


def test_people():
    bare = replace(stimuli(), labels=Labels())
    with pytest.raises(DataError, match="set: has no ratings to predict"):
        probe(subjects(), bare, "nowhere", SETTINGS)
    with pytest.raises(UsageError, match='set: dimension "arousal": unknown'):
        probe(subjects(), stimuli(), "nowhere", replace(SETTINGS, dimensions=("arousal",)))
    with pytest.raises(UsageError, match='unit "theme": unknown'):
        probe(subjects(), stimuli(), "nowhere", SETTINGS, unit="theme")
    with pytest.raises(UsageError, match='--against "vgg"'):
        probe(subjects(), stimuli(), "nowhere", SETTINGS, against="vgg")
    with pytest.raises(UsageError, match="folds = 1: a whole number of at least 2"):
        replace(SETTINGS, folds=1)


def test_pictures_without_a_rating_are_left_out(tmp_path):
    people = stimuli()
    people.labels.ratings["valence"][:4] = np.nan
    found = probe(subjects()[1:], people, tmp_path, SETTINGS)
    assert found.people["valence"]["n"] == found.lines[0]["scores"]["valence"]["n"] == 26
    assert "4 of 30 pictures have none of these ratings" in found.notes[0]
    kept = read_predictions(tmp_path / "predictions" / found.lines[0]["predictions"], people.ids[4:].tolist())
    assert kept is not None and np.isfinite(kept.predicted).all()


class TestNaming:
    def test_initial_weights(self, tmp_path):
        from affekt.backbones import create_backbone

        path = tmp_path / "weights.pth"
        torch.save(create_backbone("resnet8-w4", in_size=32, seed=5).trunk.state_dict(), path)
        (one,) = named(f"resnet8-w4={path}", SETTINGS)
        assert one.name == "resnet8-w4 (weights.pth)" and str(tmp_path) not in json.dumps(dict(one.identity))
        own = create_backbone("resnet8-w4", in_size=32, seed=5)
        for mine, theirs in zip(own.parameters(), one.open(["last"]).module.parameters(), strict=True):
            assert torch.equal(mine, theirs)
        assert named("vgg11", SETTINGS)[0].identity == {"network": "vgg11", "initial": "imagenet"}
        assert named("resnet8+se(reduction=2)=random", SETTINGS)[0].identity["network"] == "resnet8+se(reduction=2)"
        assert named("resnet8+se(reduction=2)", SETTINGS, initial="random")[0].name.endswith("(random)")

    def test_patterns_and_mistakes(self):
        assert [s.name for s in named("vgg1[13]", SETTINGS)] == ["vgg11 (imagenet)", "vgg13 (imagenet)"]
        timm = [s.name for s in named("timm:vgg1[13]", SETTINGS)]
        assert timm == ["timm:vgg11 (imagenet)", "timm:vgg13 (imagenet)"]
        with pytest.raises(UsageError, match='model pattern "vvgg\\*": no network'):
            named("vvgg*", SETTINGS)
        with pytest.raises(UsageError, match=r'backbone "vgg1111": unknown\. Nearest: vgg11'):
            named("vgg1111", SETTINGS)
        with pytest.raises(UsageError, match='initial = "imagnet": no such file; write imagenet, random, or a path'):
            named("vgg11=imagnet", SETTINGS)

    def test_controls(self):
        given = [*named("vgg11", SETTINGS), *named("vgg13=random", SETTINGS)]
        found = with_controls(given, ["random", "pixels", "low-level"], SETTINGS)
        assert [(s.name, s.control) for s in found] == [
            ("vgg11 (imagenet)", False),
            ("vgg13 (random)", False),
            ("vgg11 (random)", True),
            ("pixels", True),
            ("low-level", True),
        ]
        assert with_controls(given, [], SETTINGS) == given
        both = [*named("vgg11", SETTINGS), *named("vgg11=random", SETTINGS)]
        assert [s.name for s in with_controls(both, ["random"], SETTINGS)] == ["vgg11 (imagenet)", "vgg11 (random)"]
        with pytest.raises(UsageError, match=r"vgg11 \(imagenet\): named twice"):
            with_controls(given * 2, [], SETTINGS)

    def test_random_weights_are_those_of_the_seed(self):
        one, two = (by_name("resnet8-w4", "random", replace(SETTINGS, seed=seed)) for seed in (0, 1))
        assert one.identity != two.identity
        first, again, other = (next(s.open(["last"]).module.parameters()) for s in (one, one, two))
        assert torch.equal(first, again) and not torch.equal(first, other)


def test_layers_are_ordered_by_number():
    assert in_order(["last", "stage-10", "map", "stage-9"]) == ["stage-9", "stage-10", "map", "last"]
    assert in_order(["chosen", "influenced", "non-emotional", "last"])[2:] == ["last", "chosen"]
