"""``affekt stimuli``: the folder it makes, read back; what it refuses."""

from __future__ import annotations

import csv
import json
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from affekt.cli.stimuli import numbers
from affekt.data.manipulations import manipulate
from affekt.data.stimulus_folder import stems

EYES = ("--manipulation", "eyes", "--strengths", "0,0.5,1")


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Six grey pictures of 24 pixels in two folders, and one colour picture beside them; names with blanks."""
    rng = np.random.default_rng(0)
    root = tmp_path / "faces"
    for category in ("happy", "very sad"):
        (root / category).mkdir(parents=True)
        for number in range(3):
            pixels = rng.integers(256, size=(24, 24), dtype=np.uint8)
            Image.fromarray(pixels).save(root / category / f"face {number}.png")
    Image.fromarray(rng.integers(256, size=(24, 24, 3), dtype=np.uint8)).save(root / "ünique.png")
    return root


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pixels(path: Path) -> torch.Tensor:
    with Image.open(path) as image:
        return torch.from_numpy(np.asarray(image.convert("RGB")).copy()).permute(2, 0, 1)


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def inside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestFolder:
    def test_each_picture_is_the_manipulation_of_its_source(self, call, faces: Path, tmp_path: Path) -> None:
        noise = ("--manipulation", "noise", "--strengths", "0.2")
        answer = call("stimuli", faces, "--out", tmp_path / "out", *EYES, *noise, "--seed", 5, "--json")
        assert answer.code == 0
        summary = json.loads(answer.out)
        assert (summary["pictures"], summary["sources"], summary["trials"], summary["seed"]) == (28, 7, 28, 5)
        assert summary["conditions"] == ["eyes-0", "eyes-0.5", "eyes-1", "noise-0.2"]
        table = rows(tmp_path / "out" / "stimuli.csv")
        assert len(table) == 28
        for row in table:
            source = pixels(faces / row["source_id"])[None]
            wanted = manipulate(source, row["manipulation"], float(row["strength"]), ids=[row["source_id"]], seed=5)
            assert torch.equal(pixels(tmp_path / "out" / row["file"]), wanted[0])
            assert row["category"] == {"happy": "happy", "very sad": "very sad"}.get(row["source_id"].split("/")[0], "")
            assert (row["group"], row["seed"], row["other_id"]) == (row["source_id"], "5", "")

    def test_it_holds_the_pictures_and_two_tables_with_plain_names(self, call, faces: Path, tmp_path: Path) -> None:
        assert call("stimuli", faces, "--out", tmp_path / "out", *EYES).code == 0
        pictures = {row["file"] for row in rows(tmp_path / "out" / "stimuli.csv")}
        assert files(tmp_path / "out") == {"stimuli.csv", "trials.csv"} | pictures
        assert all(re.fullmatch(r"images/eyes-[\d.]+/[A-Za-z0-9._-]+\.png", name) for name in pictures)
        assert inside(tmp_path) == ["faces", "out"]

    def test_a_flat_folder_has_no_categories(self, call, faces: Path, tmp_path: Path) -> None:
        assert call("stimuli", faces / "happy", "--out", tmp_path / "out", *EYES).code == 0
        assert {row["category"] for row in rows(tmp_path / "out" / "stimuli.csv")} == {""}

    def test_one_list_of_strengths_is_for_all(self, call, faces: Path, tmp_path: Path) -> None:
        words = ("--manipulation", "eyes", "--manipulation", "mouth", "--strengths", "0.5,1", "--json")
        found = json.loads(call("stimuli", faces, "--out", tmp_path / "out", *words).out)
        assert found["conditions"] == ["eyes-0.5", "eyes-1", "mouth-0.5", "mouth-1"]

    def test_manipulations_have_the_further_names_of_compare_humans(self, call, faces: Path, tmp_path: Path) -> None:
        words = [w for name in ("inverted", "eyes-covered", "Mouth_Covered") for w in ("--manipulation", name)]
        answer = call("stimuli", faces, "--out", tmp_path / "out", *words, "--strengths", "1", "--json")
        assert json.loads(answer.out)["conditions"] == ["inversion-1", "eyes-1", "mouth-1"]

    def test_image_size_and_a_limit_drawn_by_the_seed(self, call, faces: Path, tmp_path: Path) -> None:
        drawn = set()
        for seed in range(6):
            out = tmp_path / str(seed)
            words = (*EYES, "--limit", 3, "--image-size", 16, "--seed", seed)
            assert call("stimuli", faces, "--out", out, *words).code == 0
            sources = {row["source_id"] for row in rows(out / "stimuli.csv")}
            assert len(sources) == 3
            drawn.add(frozenset(sources))
        assert len(drawn) > 1
        assert pixels(next((tmp_path / "0").rglob("*.png"))).shape == (3, 16, 16)

    def test_a_data_set_by_name_with_its_split(self, call, tmp_path: Path) -> None:
        for split, n in (("train", 3), ("test", 2)):
            for label in ("cat", "dog"):
                (tmp_path / "data/folder" / split / label).mkdir(parents=True)
                for number in range(n):
                    path = tmp_path / "data/folder" / split / label / f"{number}.png"
                    Image.new("RGB", (12, 12), (40 * number, 9, 9)).save(path)
        words = ("stimuli", "folder", "--data-root", tmp_path / "data", *EYES, "--out")
        assert call(*words, tmp_path / "test", "--split", "test").code == 0
        table = rows(tmp_path / "test" / "stimuli.csv")
        assert {row["source_id"] for row in table} == {f"test/{c}/{n}.png" for c in ("cat", "dog") for n in (0, 1)}
        assert {row["category"] for row in table} == {"cat", "dog"}
        assert call(*words, tmp_path / "all").code == 0
        assert len(rows(tmp_path / "all" / "stimuli.csv")) == 30

    @pytest.mark.skipif("AFFEKT_DATA" not in os.environ, reason="FER+ is looked for in AFFEKT_DATA")
    def test_faces_of_ferplus(self, call, tmp_path: Path) -> None:
        words = ("--split", "validation", "--limit", 4, "--manipulation", "inversion", "--strengths", "1", "--json")
        assert json.loads(call("stimuli", "ferplus", "--out", tmp_path / "out", *words).out)["pictures"] == 4
        assert pixels(next((tmp_path / "out").rglob("*.png"))).shape == (3, 48, 48)


class TestBoxes:
    BOXES = "id,left,top,width,height\nvery sad/face 0.png,6,4,12,16\nface 1.png,0,0,24,24\n"

    def boxes(self, call, faces: Path, tmp_path: Path, text: str, *words):
        (tmp_path / "boxes.csv").write_text(text, encoding="utf-8")
        words = words or ("--manipulation", "mouth", "--manipulation", "noise", "--strengths", "0.5")
        return call("stimuli", faces / "very sad", "--out", tmp_path / "out", *words, "--boxes", tmp_path / "boxes.csv")

    def test_a_face_is_covered_where_its_box_is(self, call, faces: Path, tmp_path: Path) -> None:
        (faces / "very sad" / "face 2.png").unlink()
        text = self.BOXES.replace("very sad/", "")
        assert self.boxes(call, faces, tmp_path, text).code == 0
        made = {(row["manipulation"], row["source_id"]): row["file"] for row in rows(tmp_path / "out/stimuli.csv")}
        source = pixels(faces / "very sad" / "face 0.png")[None]
        wanted = manipulate(source, "mouth", 0.5, boxes=torch.tensor([[6, 4, 18, 20]]))
        assert torch.equal(pixels(tmp_path / "out" / made["mouth", "face 0.png"]), wanted[0])
        assert not torch.equal(wanted, manipulate(source, "mouth", 0.5))
        assert ("noise", "face 1.png") in made

    def test_a_table_in_the_users_folder(
        self, call, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "boxes.csv").write_text(self.BOXES.replace("very sad/", "") + "face 2.png,0,0,24,24\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        words = ("--manipulation", "mouth", "--strengths", "0.5", "--boxes", "~/boxes.csv")
        assert call("stimuli", faces / "very sad", "--out", tmp_path / "out", *words).code == 0
        assert "height; of faces that do not fill" in " ".join(call("stimuli", "--help").out.split())

    def test_boxes_that_cannot_be(self, call, faces: Path, tmp_path: Path) -> None:
        answer = self.boxes(call, faces, tmp_path, self.BOXES.replace("very sad/", ""))
        assert (answer.code, "no face box for 1 picture(s): face 2.png" in answer.error) == (1, True)
        answer = self.boxes(call, faces, tmp_path, self.BOXES, "--manipulation", "noise", "--strengths", "0.5")
        assert (answer.code, "--boxes: are for --manipulation eyes or mouth" in answer.error) == (2, True)
        assert not (tmp_path / "out").exists()


class TestTrials:
    @pytest.fixture
    def table(self, call, faces: Path, tmp_path: Path) -> list[dict[str, str]]:
        assert call("stimuli", faces, "--out", tmp_path / "out", *EYES, "--subjects", 12).code == 0
        return rows(tmp_path / "out" / "trials.csv")

    def test_the_header_is_that_of_model_vs_human(self, table, tmp_path: Path) -> None:
        header = (tmp_path / "out" / "trials.csv").read_text(encoding="utf-8").splitlines()[0]
        assert header == "subj,session,trial,rt,object_response,category,condition,imagename"
        assert all(row["rt"] == row["object_response"] == "" for row in table)

    def test_each_subject_sees_every_picture_once(self, table, tmp_path: Path) -> None:
        pictures = sorted(row["file"] for row in rows(tmp_path / "out" / "stimuli.csv"))
        for number in range(1, 13):
            own = [row for row in table if row["subj"] == f"subject-{number:02d}"]
            assert [int(row["trial"]) for row in own] == list(range(1, 22))
            assert sorted(row["imagename"] for row in own) == pictures
            assert [int(row["session"]) for row in own] == sorted(int(row["session"]) for row in own)

    def test_condition_and_category_are_the_pictures(self, table, tmp_path: Path) -> None:
        about = {row["file"]: row for row in rows(tmp_path / "out" / "stimuli.csv")}
        for row in table:
            known = about[row["imagename"]]
            assert row["condition"] == f"{known['manipulation']}-{known['strength']}"
            assert row["category"] == known["category"]

    def test_blocks_show_each_source_once_and_conditions_equally_often(self, table) -> None:
        blocks: dict[tuple[str, str], list[dict[str, str]]] = {}
        for row in table:
            blocks.setdefault((row["subj"], row["session"]), []).append(row)
        assert len(blocks) == 36
        for block in blocks.values():
            assert len({Path(row["imagename"]).name for row in block}) == len(block) == 7
            assert sorted(Counter(row["condition"] for row in block).values()) == [2, 2, 3]

    def test_orders_differ_between_subjects_and_first_conditions_too(self, table) -> None:
        own = {n: [row["imagename"] for row in table if row["subj"] == f"subject-{n:02d}"] for n in range(1, 13)}
        assert len({tuple(order) for order in own.values()}) == 12
        assert len({frozenset(order[:7]) for order in own.values()}) > 6

    def test_the_seed_says_the_orders(self, call, table, faces: Path, tmp_path: Path) -> None:
        first = (tmp_path / "out" / "trials.csv").read_bytes()
        for seed, same in ((0, True), (1, False)):
            out = tmp_path / f"again-{seed}"
            assert call("stimuli", faces, "--out", out, *EYES, "--subjects", 12, "--seed", seed).code == 0
            assert ((out / "trials.csv").read_bytes() == first) is same


class TestMorph:
    def morph(self, call, faces: Path, tmp_path: Path, text: str, *words):
        (tmp_path / "pairs.csv").write_text(text, encoding="utf-8")
        morph = ("--manipulation", "morph", "--strengths", "0,0.5,1", "--morph", tmp_path / "pairs.csv")
        return call("stimuli", faces, "--out", tmp_path / "out", *morph, *words)

    def test_pairs_are_faded(self, call, faces: Path, tmp_path: Path) -> None:
        a, b = "happy/face 0.png", "very sad/face 1.png"
        extra = ("--manipulation", "eyes", "--strengths", "1", "--limit", 2, "--json")
        answer = self.morph(call, faces, tmp_path, f"second,first\n{b},{a}\n{a},{b}\n", *extra)
        found = json.loads(answer.out)
        assert (found["pictures"], found["sources"], found["pairs"]) == (8, 2, 2)
        table = [row for row in rows(tmp_path / "out" / "stimuli.csv") if row["manipulation"] == "morph"]
        assert [(row["source_id"], row["other_id"], row["strength"]) for row in table[:3]] == [
            (a, b, strength) for strength in ("0", "0.5", "1")
        ]
        assert {row["category"] for row in table[:3]} == {"happy"}
        first, second = pixels(faces / a), pixels(faces / b)
        made = [pixels(tmp_path / "out" / row["file"]) for row in table[:3]]
        assert torch.equal(made[0], first)
        assert torch.equal(made[2], second)
        assert (made[1].double() - (first.double() + second.double()) / 2).abs().max() <= 0.5
        trials = rows(tmp_path / "out" / "trials.csv")
        assert len({row["imagename"] for row in trials}) == len(trials) == 8

    def test_the_pictures_that_are_scaled_are_named(self, call, faces: Path, tmp_path: Path) -> None:
        Image.new("L", (36, 30)).save(faces / "happy" / "face 1.png")
        pairs = "first,second\nhappy/face 0.png,happy/face 1.png\nhappy/face 0.png,happy/face 2.png\n"
        answer = self.morph(call, faces, tmp_path, pairs)
        assert answer.code == 0
        assert "note: morph: brought to 24 x 24 pixels: happy/face 1.png (36 x 30)\n" in answer.err

    @pytest.mark.parametrize(
        "text,error",
        [
            ("first,zweit\na,b\n", "no column second; first, zweit found"),
            ("", "no column first, second; nothing found"),
            ("first,second\n", "no pair in it"),
            (
                "first,second\nhappy/face 0.png,happy/face.png\n",
                'line 2: picture "happy/face.png": unknown. Nearest',
            ),
            ("first,second\nünique.png,ünique.png\nünique.png,ünique.png\n", "line 3: the pair ünique.png"),
            ("first,second\nhappy/face 0.png\n", 'line 2: picture "": unknown'),
        ],
    )
    def test_tables_that_are_refused(self, call, faces: Path, tmp_path: Path, text: str, error: str) -> None:
        answer = self.morph(call, faces, tmp_path, text)
        assert answer.code == 1
        assert error in answer.error
        assert not (tmp_path / "out").exists()

    def test_a_table_with_a_mark_of_its_encoding_is_read_and_one_in_another_is_refused(
        self, call, faces: Path, tmp_path: Path
    ) -> None:
        pairs = "\ufefffirst,second\nhappy/face 0.png,happy/face 1.png\n"
        assert self.morph(call, faces, tmp_path, pairs).code == 0
        (tmp_path / "latin.csv").write_bytes("first,second\nünique.png,a.png\n".encode("latin-1"))
        words = ("--manipulation", "morph", "--strengths", "1", "--morph", tmp_path / "latin.csv")
        answer = call("stimuli", faces, "--out", tmp_path / "other", *words)
        assert (answer.code, "latin.csv: no UTF-8 text; save the table as CSV in UTF-8" in answer.error) == (1, True)

    def test_landmarks_warp_the_faces_of_a_pair(self, call, faces: Path, tmp_path: Path) -> None:
        a, b = "happy/face 0.png", "happy/face 1.png"
        marks = [(a, 6, 8), (a, 17, 8), (a, 12, 17), (b, 8, 9), (b, 18, 10), (b, 12, 19)]
        table = tmp_path / "points.csv"
        table.write_text("id,x,y\n" + "".join(f"{name},{x},{y}\n" for name, x, y in marks))
        answer = self.morph(call, faces, tmp_path, f"first,second\n{a},{b}\n", "--landmarks", table)
        assert answer.code == 0, answer.error
        (row,) = [r for r in rows(tmp_path / "out" / "stimuli.csv") if r["strength"] == "0.5"]
        one, other = (pixels(faces / name)[None] for name in (a, b))
        points = torch.tensor([[m[1:] for m in marks[:3]], [m[1:] for m in marks[3:]]], dtype=torch.float64)
        wanted = manipulate(one, "morph", 0.5, others=other, landmarks=(points[:1], points[1:]))
        assert torch.equal(pixels(tmp_path / "out" / row["file"]), wanted[0])
        assert not torch.equal(wanted, manipulate(one, "morph", 0.5, others=other))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("id,x\n", "no column y; id, x found"),
            ("id,x,y\nhappy/face 0.png,1,left\n", 'line 2: x = "1", y = "left": numbers were'),
            ("id,x,y\n" + "happy/face 0.png,5,5\n" * 3, "there are none of happy/face 1.png"),
            ("id,x,y\n" + "happy/face 0.png,5,5\n" * 3 + "happy/face 1.png,5,5\n" * 4, "3 points of one face and 4"),
        ],
    )
    def test_landmarks_that_cannot_be(self, call, faces: Path, tmp_path: Path, text: str, message: str) -> None:
        (tmp_path / "points.csv").write_text(text)
        pairs = "first,second\nhappy/face 0.png,happy/face 1.png\n"
        answer = self.morph(call, faces, tmp_path, pairs, "--landmarks", tmp_path / "points.csv")
        assert answer.code != 0 and message in answer.error
        assert not (tmp_path / "out").exists()

    def test_morph_and_its_pairs_go_together(self, call, faces: Path, tmp_path: Path) -> None:
        for words in (("--manipulation", "morph", "--strengths", "1"), (*EYES, "--morph", "pairs.csv")):
            answer = call("stimuli", faces, "--out", tmp_path / "out", *words)
            assert (answer.code, "morph needs both" in answer.error) == (2, True)


class TestRefused:
    def test_a_folder_with_something_in_it_is_left_alone(self, call, faces: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        out.mkdir()
        assert call("stimuli", faces, "--out", out, *EYES).code == 0  # empty is as good as absent
        before = {name: (out / name).read_bytes() for name in files(out)}
        answer = call("stimuli", faces, "--out", out, "--manipulation", "mouth", "--strengths", "1")
        assert answer.code == 2
        assert "exists already and is not overwritten" in answer.error
        assert {name: (out / name).read_bytes() for name in files(out)} == before

    def test_a_damaged_picture_leaves_nothing_behind(self, call, faces: Path, tmp_path: Path) -> None:
        whole = (faces / "very sad" / "face 2.png").read_bytes()
        (faces / "very sad" / "face 2.png").write_bytes(whole[: len(whole) // 2])
        answer = call("stimuli", faces, "--out", tmp_path / "out", *EYES)
        assert answer.code == 1
        assert "face 2.png: cannot be decoded" in answer.error
        assert inside(tmp_path) == ["faces"]

    def test_a_strength_that_the_size_forbids_leaves_nothing_behind(self, call, faces: Path, tmp_path: Path) -> None:
        grid = ("--manipulation", "grid-scramble", "--strengths", "2,5")
        answer = call("stimuli", faces, "--out", tmp_path / "out", *grid)
        assert (answer.code, "write 1, 2, 3, 4, 6, 8, 12, 24" in answer.error) == (2, True)
        assert inside(tmp_path) == ["faces"]

    @pytest.mark.parametrize(
        "words,error",
        [
            (("--manipulation", "eye", "--strengths", "1"), 'manipulation "eye": unknown. Nearest: eyes'),
            (("--manipulation", "eyes", "--strengths", "1,2"), "eyes: strength 2 is out of range; write 0 to 1"),
            (("--manipulation", "eyes", "--strengths", "1,x"), "numbers with commas"),
            (("--manipulation", "eyes", "--strengths", "1,1.0"), "condition eyes-1: asked for twice"),
            ((*EYES, *EYES, "--manipulation", "mouth"), "2 lists for 3 manipulations"),
            ((*EYES, "--split", "test"), "--split, --option and --root are for data sets"),
            ((*EYES, "--option", "group=item"), "--split, --option and --root are for data sets"),
        ],
    )
    def test_calls(self, call, faces: Path, tmp_path: Path, words: tuple[str, ...], error: str) -> None:
        answer = call("stimuli", faces, "--out", tmp_path / "out", *words)
        assert answer.code == 2
        assert error in answer.error
        assert not (tmp_path / "out").exists()

    def test_sources(self, call, tmp_path: Path) -> None:
        answer = call("stimuli", "ferplas", "--out", tmp_path / "out", *EYES)
        assert (answer.code, "Nearest: ferplus" in answer.error) == (2, True)
        (tmp_path / "empty").mkdir()
        answer = call("stimuli", tmp_path / "empty", "--out", tmp_path / "out", *EYES)
        assert (answer.code, "no picture in this folder" in answer.error) == (1, True)
        (tmp_path / "empty" / "a.png").write_bytes(b"no picture")
        answer = call("stimuli", tmp_path / "empty", "--out", tmp_path / "out", *EYES)
        assert (answer.code, "a.png: cannot be read as a picture" in answer.error) == (1, True)


def test_file_names_are_unique_in_any_case_and_short() -> None:
    labels = [("a/b.png",), ("a/b.jpg",), ("A/B.png",), ("x" * 300,), ("../c.png",), ("p", "q.png")]
    found = stems(labels)
    assert len({name.lower() for name in found}) == len(labels)
    assert all(name.startswith(("a-b-", "A-B-")) for name in found[:3])
    assert max(map(len, found)) < 100
    assert found[4:] == ["-c", "p_q"]
    assert stems([("a/b.png",)]) == ["a-b"]


def test_numbers() -> None:
    assert numbers("0, 0.5,1e-3") == (0.0, 0.5, 0.001)
