"""Derived sets: noise as published, pictures by a tiny real pipeline, work that resumes where it stopped."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_pipeline import tiny_pipeline

from affekt.affect import RatingScale
from affekt.data.diffusing import describe, diffuse
from affekt.data.diffusion_methods import ForwardNoise, ImageToImage, load_pipeline
from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError, UsageError

IDS = ("Dog 1", "deep/Dog 2.jpg", "../../up", "a%2Fb", "ö")


def source(n: int = len(IDS), size: int = 16, name: str = "toys") -> Stimuli:
    pixels = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (len(IDS), 3, size, size), dtype=np.uint8))
    return Stimuli(
        name=name,
        ids=np.array(IDS[:n]),
        pictures=ArrayPictures(pixels[:n]),
        labels=Labels(categories=("awe", "fear"), category=np.array([0, 1, 0, 1, -1])[:n]),
        groups=np.array(IDS[:n]),
    )


def pixels_of(folder: Path) -> dict[str, np.ndarray]:
    with (folder / "derived.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {row["source_id"]: np.asarray(Image.open(folder / row["image"])) for row in rows}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return list(one) == list(other) and all(np.array_equal(one[k], other[k]) for k in one)


def generators(n: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(k) for k in range(n)]


class TestForwardNoise:
    def test_the_share_of_signal_is_that_of_the_published_schedule(self) -> None:
        betas = np.linspace(1e-4, 0.02, 1000)
        for step in (1, 2, 250, 999, 1000):
            assert ForwardNoise(step=step).signal == pytest.approx(np.prod(1 - betas[:step]), rel=1e-12)
        assert ForwardNoise(step=1000).signal == pytest.approx(4.0e-5, rel=0.02)  # Ho et al.: about 4e-5 at T

    def test_it_agrees_with_the_scheduler_of_diffusers(self) -> None:
        scheduler = pytest.importorskip("diffusers").DDPMScheduler(num_train_timesteps=1000)
        for step in (1, 100, 1000):
            assert ForwardNoise(step=step).signal == pytest.approx(float(scheduler.alphas_cumprod[step - 1]), rel=1e-3)

    def test_mean_and_spread_are_those_of_q(self) -> None:
        noise = ForwardNoise(step=100)
        grey = torch.full((1, 3, 128, 128), 160, dtype=torch.uint8)
        made = torch.stack(list(noise(grey, [""], generators(1)))).float() / 127.5 - 1
        assert made.mean().item() == pytest.approx(math.sqrt(noise.signal) * (160 / 127.5 - 1), abs=0.01)
        assert made.std().item() == pytest.approx(math.sqrt(1 - noise.signal), rel=0.03)

    def test_the_first_step_hardly_changes_and_the_last_leaves_nothing(self) -> None:
        images = source().images(np.arange(5))
        hardly = torch.stack(list(ForwardNoise(step=1)(images, [""] * 5, generators(5))))
        assert (hardly.float() - images.float()).abs().mean() < 2
        gone = torch.stack(list(ForwardNoise(step=1000)(images, [""] * 5, generators(5))))
        assert abs(np.corrcoef(gone.flatten(), images.flatten())[0, 1]) < 0.06

    @pytest.mark.parametrize("step", [0, 1001])
    def test_a_step_outside_the_schedule_is_refused(self, step: int) -> None:
        with pytest.raises(UsageError, match=f"noise step {step}: write a number from 1 to 1000"):
            ForwardNoise(step=step)

    def test_a_schedule_that_is_none_is_refused(self) -> None:
        with pytest.raises(UsageError, match="write 0 < first <= last < 1"):
            ForwardNoise(beta_start=0.5, beta_end=0.1)


class TestDiffuse:
    def test_every_picture_is_made_with_its_source_id(self, tmp_path: Path) -> None:
        done = diffuse(source(), tmp_path / "out", ForwardNoise(step=10))
        assert (done.made, done.kept, done.refused) == (5, 0, ())
        made = pixels_of(tmp_path / "out")
        assert tuple(made) == IDS
        assert all(image.shape == (16, 16, 3) for image in made.values())
        first = source().images(np.array([0]))[0].permute(1, 2, 0).numpy().astype(float)
        assert np.abs(made["Dog 1"] - first).mean() < 15
        record = json.loads((tmp_path / "out" / "derived.json").read_text())
        assert record["method"] == "forward-noise"
        assert (record["step"], record["seed"], record["source"], record["image_size"]) == (10, 0, "toys", 16)

    def test_nothing_is_written_outside_the_folder(self, tmp_path: Path) -> None:
        diffuse(source(), tmp_path / "out", ForwardNoise())
        assert [p.name for p in tmp_path.iterdir()] == ["out"]
        assert len(list((tmp_path / "out").rglob("*.png"))) == len(IDS)

    def test_a_picture_depends_on_seed_id_and_copy_alone(self, tmp_path: Path) -> None:
        whole = diffuse(source(), tmp_path / "a", ForwardNoise(), batch=5).folder
        single = diffuse(source(), tmp_path / "b", ForwardNoise(), batch=1).folder
        part = diffuse(source(2), tmp_path / "c", ForwardNoise()).folder
        other = diffuse(source(), tmp_path / "d", ForwardNoise(), seed=1).folder
        assert same(pixels_of(whole), pixels_of(single))
        assert all(np.array_equal(pixels_of(part)[k], pixels_of(whole)[k]) for k in IDS[:2])
        assert not any(np.array_equal(pixels_of(other)[k], pixels_of(whole)[k]) for k in IDS)

    def test_copies_differ_from_one_another(self, tmp_path: Path) -> None:
        done = diffuse(source(2), tmp_path / "out", ForwardNoise(), copies=3)
        rows = list(csv.reader((done.folder / "derived.csv").open()))[1:]
        assert [row[1] for row in rows] == list(IDS[:2]) * 3
        images = [np.asarray(Image.open(done.folder / row[0])) for row in rows if row[1] == "Dog 1"]
        assert len({image.tobytes() for image in images}) == 3

    def test_interrupted_work_goes_on_and_ends_the_same(self, tmp_path: Path) -> None:
        class InterruptError(Exception):
            pass

        def interrupt(_: str, done: int, __: int) -> None:
            if done == 3:
                raise InterruptError

        with pytest.raises(InterruptError):
            diffuse(source(), tmp_path / "out", ForwardNoise(), batch=1, progress=interrupt)
        assert not (tmp_path / "out" / "derived.csv").exists()
        pictures = sorted((tmp_path / "out").rglob("*.png"))
        assert len(pictures) == 3
        stamps = [p.stat().st_mtime_ns for p in pictures]
        seen: list[int] = []
        done = diffuse(source(), tmp_path / "out", ForwardNoise(), progress=lambda _, n, __: seen.append(n))
        assert (done.made, done.kept) == (2, 3)
        assert seen == [3, 5]
        assert [p.stat().st_mtime_ns for p in pictures] == stamps
        assert same(pixels_of(tmp_path / "out"), pixels_of(diffuse(source(), tmp_path / "new", ForwardNoise()).folder))

    def test_a_picture_is_never_half_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The writer dies in the middle of a file; only whole ones carry a name."""
        plain = Image.Image.save

        def dies(image: Image.Image, path: Path, **options: str) -> None:
            plain(image, path, **options)
            Path(path).write_bytes(Path(path).read_bytes()[:20])
            raise KeyboardInterrupt

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(Image.Image, "save", dies)
            diffuse(source(), tmp_path / "out", ForwardNoise())
        assert [p.name for p in (tmp_path / "out").rglob("*") if p.is_file()] == ["derived.json"]

    def test_another_way_of_making_is_refused_with_what_differs(self, tmp_path: Path) -> None:
        diffuse(source(), tmp_path / "out", ForwardNoise(step=10))
        before = (tmp_path / "out" / "derived.json").read_bytes()
        with pytest.raises(
            DataError, match=r"made in another way \(seed = 0 there, 7 asked; step = 10 there, 20 asked\)"
        ):
            diffuse(source(), tmp_path / "out", ForwardNoise(step=20), seed=7)
        with pytest.raises(DataError, match="source = 'toys' there, 'others' asked"):
            diffuse(source(name="others"), tmp_path / "out", ForwardNoise(step=10))
        assert (tmp_path / "out" / "derived.json").read_bytes() == before

    def test_a_folder_with_other_things_is_not_touched(self, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("mine")
        with pytest.raises(DataError, match=r"holds other files and no derived.json"):
            diffuse(source(), tmp_path, ForwardNoise())
        assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]

    def test_a_folder_that_cannot_be_written_is_said_in_one_line(self) -> None:
        with pytest.raises(DataError, match=r"^/proc/out: making the derived set failed"):
            diffuse(source(), Path("/proc/out"), ForwardNoise())


def test_words_for_a_prompt() -> None:
    scale = RatingScale(1, 7)
    ratings = {"valence": np.array([6, 2, np.nan], np.float32), "arousal": np.array([2, 6, np.nan], np.float32)}
    assert describe(Labels(ratings=ratings, scale=scale), 3) == ["pleasant, calm", "unpleasant, arousing", ""]
    votes = np.array([[1, 5], [0, 0], [3, 2]], np.float32)
    assert describe(Labels(categories=("awe", "fear"), votes=votes), 3) == ["fear", "", "awe"]
    assert describe(source().labels, 5) == ["awe", "fear", "awe", "fear", ""]
    assert describe(Labels(), 2) == ["", ""]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory):
    pytest.importorskip("diffusers")
    pytest.importorskip("transformers")
    return tiny_pipeline(tmp_path_factory.mktemp("tokenizer"))


class TestImageToImage:
    def test_a_real_pipeline_makes_a_derived_set(self, pipeline, tmp_path: Path) -> None:
        model = ImageToImage(pipeline=pipeline, model="tiny", steps=4, strength=0.5)
        done = diffuse(source(3), tmp_path / "out", model, batch=2)
        made = pixels_of(done.folder)
        assert tuple(made) == IDS[:3]
        assert all(image.shape == (16, 16, 3) for image in made.values())
        assert all(image.std() > 0 for image in made.values())
        record = json.loads((done.folder / "derived.json").read_text())
        assert {k: record[k] for k in ("method", "model", "strength", "steps", "guidance")} == {
            "method": "image-to-image", "model": "tiny", "strength": 0.5, "steps": 4, "guidance": 7.5
        }  # fmt: skip
        again = diffuse(source(3), tmp_path / "again", model, batch=2)
        assert same(pixels_of(again.folder), made)
        other = diffuse(source(3), tmp_path / "other", model, batch=2, seed=5)
        assert not same(pixels_of(other.folder), made)

    def test_strength_steps_and_prompt_reach_the_pipeline(self, pipeline) -> None:
        calls: list[dict] = []

        def spy(**arguments):
            calls.append(arguments)
            return pipeline(**arguments)

        images = source().images(np.arange(2))
        ImageToImage(pipeline=spy, model="m", strength=0.75, steps=4, guidance=3.0, prompt="it brings {label}")(
            images, ["awe", "fear"], generators(2)
        )
        (call,) = calls
        assert call["prompt"] == ["it brings awe", "it brings fear"]
        assert (call["strength"], call["num_inference_steps"], call["guidance_scale"]) == (0.75, 4, 3.0)
        assert call["image"].max() <= 1

    def test_the_label_and_the_source_picture_both_count(self, pipeline) -> None:
        model = ImageToImage(pipeline=pipeline, model="tiny", steps=4, guidance=7.5)
        images = source().images(np.arange(2))
        one = model(images, ["awe", "awe"], generators(2))
        two = model(images, ["fear", "awe"], generators(2))
        assert not torch.equal(one[0], two[0])
        assert torch.equal(one[1], two[1])
        assert not torch.equal(model(255 - images, ["awe", "awe"], generators(2))[0], one[0])

    def test_what_the_safety_checker_blanks_is_left_out(self, pipeline, tmp_path: Path) -> None:
        def prudish(**arguments):
            found = pipeline(**arguments)
            found.nsfw_content_detected = [text.endswith("fear") for text in arguments["prompt"]]
            return found

        model = ImageToImage(pipeline=prudish, model="tiny", steps=2)
        done = diffuse(source(3), tmp_path / "out", model)
        assert done.refused == (IDS[1],)
        assert done.made == 2
        assert list(pixels_of(done.folder)) == [IDS[0], IDS[2]]

    def test_a_model_is_loaded_from_a_folder(self, pipeline, tmp_path: Path) -> None:
        pipeline.save_pretrained(tmp_path / "model")
        loaded = load_pipeline(str(tmp_path / "model"), device="cpu")
        images = source().images(np.arange(2))
        made = [
            ImageToImage(pipeline=p, model="tiny", steps=2)(images, ["awe", ""], generators(2))
            for p in (pipeline, loaded)
        ]
        assert all(torch.equal(a, b) for a, b in zip(*made, strict=True))

    def test_a_model_that_is_none_is_said_in_one_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("diffusers")
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        (tmp_path / "model").mkdir()
        with pytest.raises(DataError, match=r'diffusion model ".*model": cannot be loaded') as caught:
            load_pipeline(str(tmp_path / "model"))
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"strength": 0.0}, "strength 0.0: write a number above 0"),
            ({"strength": 1.5}, "strength 1.5: write a number above 0, up to 1"),
            ({"strength": 0.1, "steps": 5}, "not one step is left"),
            ({"prompt": "a {lable}"}, r"it may hold \{label\} and no other braces"),
            ({"prompt": "a {label"}, "no other braces"),
        ],
    )
    def test_wrong_settings_are_refused(self, wrong: dict, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            ImageToImage(pipeline=None, model="m", **wrong)
