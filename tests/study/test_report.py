"""The report's page: its numbers are the study's, its words are escaped, and it needs nothing but itself."""

import csv
import io
import json
import re
import subprocess
import sys
from base64 import b64decode
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import synthetic_study

from affekt.errors import AffektError, UsageError
from affekt.report import write_file
from affekt.report.numbers import interval, number, signed
from affekt.study.report import tables, write_report

HOSTILE = "<script>alert(1)</script>\"'&{{ 7*7 }}$_%"


class Parsed(HTMLParser):
    """Tags with their attributes, text without tags, and heading levels in order."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.words, self.headings = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = synthetic_study.write(tmp_path_factory.mktemp("study") / "whole")
    return root, write_report(root)


@pytest.fixture(scope="module")
def page(study):
    return Parsed((study[0] / "report.html").read_text())


@pytest.fixture(scope="module")
def comparison(study):
    return json.loads((study[0] / "comparison.json").read_text())


def rows(root, name):
    with (root / "tables" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def write(tmp_path, **options):
    root = synthetic_study.write(tmp_path / "study", n=40, **options)
    write_report(root)
    return root, Parsed((root / "report.html").read_text())


def test_all_files_are_there_the_page_first(study):
    root, files = study
    assert files[0] == root / "report.html"
    assert all(path.stat().st_size > 0 for path in files)
    names = {path.relative_to(root).as_posix() for path in files}
    for figure in (
        "attribution",
        "conditions",
        "learning-curves",
        "cost",
        "calibration",
        "regulation-histogram",
        "regulation-by-class",
        "regulation-against-affect",
        "agreement",
        "branch-gap",
        "affect-by-class",
    ):
        assert {f"figures/{figure}.svg", f"figures/{figure}.pdf"} <= names
    assert {"tables/conditions.csv", "tables/comparisons.csv", "tables/attribution.csv", "tables/pictures.csv"} <= names


def test_verdict_stands_first_with_its_interval_and_n(page, comparison):
    head = page.text[: page.text.index("What may not be concluded")]
    first = comparison["comparisons"][0]
    assert first["second"] == "baseline"
    for words in (
        comparison["verdict"]["sentence"],
        comparison["verdict"]["against_control"],
        signed(first["estimate"]),
        interval(first["low"], first["high"], sign=True),
        "n = 3 seeds × 200 test pictures",
        "p = .084",
    ):
        assert words in head


def test_every_comparison_and_condition_has_its_numbers(page, comparison):
    for held in comparison["comparisons"]:
        assert (
            f"{signed(held['estimate'])} {interval(held['low'], held['high'], sign=True)} .042 .084 "
            f"{interval(held['adjusted_low'], held['adjusted_high'], sign=True)} cannot tell 1.87" in page.text
        )
    for held in comparison["conditions"]:
        accuracy = held["metrics"]["accuracy"]
        assert f"{held['name']} 3 {number(accuracy['mean'])} {interval(accuracy['low'], accuracy['high'])}" in page.text


def test_what_a_condition_is_stands_under_the_table(page, comparison):
    for held in comparison["conditions"]:
        assert f"{held['name']}: {held['about']}" in page.text


def test_seeds_needed_are_told_from_none_that_would_do(page):
    assert re.search(r"Seeds for 0\.5 Seeds for 0\.2", page.text)
    assert "1.87 12 none would do" in page.text


def test_finished_study_does_not_speak_of_missing_runs(page):
    assert "runs finished" not in page.text


def test_recipe_environment_licences_and_citation(page):
    for words in (
        'about = "made up"',
        "A processor, 2 cores (9 runs)",
        "Licence: unknown. Krizhevsky (2009).",
        "@software{affekt",
        "A note of the study.",
    ):
        assert words in page.text


def test_nothing_is_loaded_from_elsewhere(page, study):
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base")
        for key, value in attributes.items():
            if key in ("src", "href", "xlink:href", "data", "srcset", "action", "poster"):
                assert value.startswith(("#", "data:")), (tag, key, value)
            assert not key.startswith("on")
    html = (study[0] / "report.html").read_text()
    assert "@import" not in html
    assert all(target.startswith("#") for target in re.findall(r"url\(\s*['\"]?([^)]*)", html))


def test_ids_are_unique_and_references_find_theirs(page):
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = {a["href"][1:] for _, a in page.tags if a.get("href", "").startswith("#")}
    wanted |= {word for _, a in page.tags for word in a.get("aria-labelledby", "").split()}
    wanted |= {ref for _, a in page.tags for v in a.values() for ref in re.findall(r"url\(#([^)]*)\)", v or "")}
    assert wanted
    assert wanted <= set(ids)


def test_headings_go_down_one_level_at_a_time_and_figures_are_labelled(page):
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))
    svgs = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert svgs
    assert all(svg["role"] == "img" and len(svg["aria-label"]) > 10 for svg in svgs)
    assert sum(tag == "figure" for tag, _ in page.tags) == sum(tag == "figcaption" for tag, _ in page.tags) == 11
    assert sum(tag == "table" for tag, _ in page.tags) == sum(a.get("class") == "scroll" for _, a in page.tags)


def test_figures_follow_the_pages_colours_and_font(page):
    styles = " ".join(a["style"] for _, a in page.tags if "style" in a)
    assert "var(--ink)" in styles
    assert "var(--c0)" in styles
    assert not re.search(r"#(?!default)[0-9a-f]{6}|DejaVu", styles)


def test_links_hold_the_same_csv_as_the_files(page, study):
    links = {a["download"]: a["href"] for tag, a in page.tags if tag == "a" and "download" in a}
    for name, href in links.items():
        text = b64decode(href.partition("base64,")[2]).decode()
        assert text == (study[0] / "tables" / name).read_text()
    assert {path.name for path in (study[0] / "tables").iterdir()} == set(links)


def test_every_seed_is_in_the_figures_numbers(study, comparison):
    held = {(r["condition"], r["seed"]): float(r["accuracy"]) for r in rows(study[0], "accuracy")}
    for condition in comparison["conditions"]:
        each = condition["metrics"]["accuracy"]["each"]
        assert [held[condition["name"], str(seed)] for seed in (0, 1, 2)] == each


def test_figures_of_single_items_agree_with_the_predictions(study):
    root = study[0]
    runs = [np.load(root / f"runs/learn-e-reg/seed-{seed}/predictions.npz") for seed in (0, 1, 2)]
    r = np.concatenate([run["test/regulation"][:, 0] for run in runs]).astype(float)
    category = np.concatenate([run["test/label/category"] for run in runs])
    by_class = {row["class"]: row for row in rows(root, "regulation-by-class")}
    assert float(by_class["bird"]["median"]) == pytest.approx(np.median(r[category == 2]))
    assert int(by_class["bird"]["n"]) == (category == 2).sum() == 150
    bars = [float(row["share"]) for row in rows(root, "regulation-histogram") if row["condition"] == "learn-e-reg"]
    assert bars == pytest.approx(np.histogram(r, 40, (0, 1))[0] / 600)
    cells = rows(root, "regulation-against-affect")
    assert sum(int(c["items"]) for c in cells if c["state"] == "valence") == 600
    first, second = (np.concatenate([run[f"test/{b}"] for run in runs]).argmax(1) == category
                     for b in ("non_emotional", "influenced"))  # fmt: skip
    agreement = next(row for row in rows(root, "agreement") if row["condition"] == "learn-e-reg")
    assert float(agreement["both"]) == pytest.approx((first & second).mean())
    assert float(agreement["non-emotional only"]) == pytest.approx((first & ~second).mean())
    assert float(agreement["influenced only"]) == pytest.approx((~first & second).mean())
    assert float(agreement["none"]) == pytest.approx((~first & ~second).mean())
    right = np.concatenate([run["test/log_probabilities"] for run in runs]).argmax(1) == category
    assert float(agreement["mixture right where one is"]) == pytest.approx(right[first != second].mean())
    valence = np.concatenate([run["test/affect"][:, 0] for run in runs]).astype(float)
    state = next(row for row in rows(root, "affect-by-class") if (row["state"], row["class"]) == ("valence", "cat"))
    assert float(state["q25"]) == pytest.approx(np.quantile(valence[category == 3], 0.25))


def test_learning_curves_are_the_logs_validations(study):
    root = study[0]
    seen = [
        json.loads(line)["metrics"]["accuracy"]
        for seed in (0, 1, 2)
        for line in (root / f"runs/mixture/seed-{seed}/log.jsonl").read_text().splitlines()
        if '"epoch": 2' in line and '"validation"' in line
    ]
    row = next(r for r in rows(root, "learning-curves") if (r["condition"], r["epoch"]) == ("mixture", "2"))
    assert float(row["mean"]) == pytest.approx(100 * np.mean(seen))
    assert (float(row["lowest"]), float(row["highest"])) == pytest.approx((100 * min(seen), 100 * max(seen)))
    assert row["seeds"] == "3"


def test_reliability_is_of_all_items(study):
    root = study[0]
    held = [row for row in rows(root, "calibration") if row["condition"] == "baseline"]
    runs = [np.load(root / f"runs/baseline/seed-{seed}/predictions.npz") for seed in (0, 1, 2)]
    right = [run["test/log_probabilities"].argmax(1) == run["test/label/category"] for run in runs]
    weighted = sum(float(row["accuracy"]) * float(row["items"]) for row in held)
    assert sum(float(row["items"]) for row in held) == 200
    assert weighted / 200 == pytest.approx(np.mean(right), abs=0.01)


def test_most_and_least_regulated_items_without_pictures_are_ids_and_why(page, study):
    root = study[0]
    runs = [np.load(root / f"runs/learn-e-reg/seed-{seed}/predictions.npz") for seed in (0, 1, 2)]
    mean = np.mean([run["test/regulation"][:, 0].astype(float) for run in runs], axis=0)
    ids = runs[0]["test/ids"]
    shown = [row["id"] for row in rows(root, "pictures")]
    assert shown[0] == ids[mean.argmax()]
    assert shown[12] == ids[mean.argmin()]
    assert shown[0] in page.text
    assert "given no access to the test pictures" in page.text


def test_same_study_gives_the_same_bytes(study):
    before = {path: path.read_bytes() for path in study[1]}
    write_report(study[0])
    assert {path: path.read_bytes() for path in study[1]} == before


def test_pictures_are_asked_by_id_and_shown(tmp_path):
    root = synthetic_study.write(tmp_path / "study", n=40, seeds=(0,), conditions=("learn-e-reg",))
    asked = []

    def stimuli(ids):
        asked.extend(ids)
        return [np.full((8, 6, 3), 5, dtype=np.uint8) for _ in ids]

    write_report(root, stimuli=stimuli)
    page = Parsed((root / "report.html").read_text())
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert asked == [row["id"] for row in rows(root, "pictures")]
    assert len(images) == len(asked) == 24
    assert all(image["alt"].endswith(id) for image, id in zip(images, asked, strict=True))
    write_report(root, stimuli=stimuli, pictures=False)
    html = (root / "report.html").read_text()
    assert "<img" not in html
    assert "asked to show no pictures" in html


def test_pictures_that_are_none_are_refused(tmp_path):
    root = synthetic_study.write(tmp_path / "study", n=40, seeds=(0,))
    with pytest.raises(UsageError, match="needs stimuli"):
        write_report(root, pictures=True)
    with pytest.raises(UsageError, match=r"float64 \(8, 8\)"):
        write_report(root, stimuli=lambda ids: [np.zeros((8, 8))] * len(ids))
    with pytest.raises(UsageError, match="1 for 24 ids"):
        write_report(root, stimuli=lambda ids: [np.zeros((8, 8, 3), np.uint8)])


def test_hostile_names_are_escaped_everywhere(tmp_path):
    name = HOSTILE.replace("/", "|")  # a condition's name is a folder's
    root, page = write(
        tmp_path,
        conditions=("baseline", name),
        seeds=(0,),
        classes=(HOSTILE, "b", "$\\alpha$"),
        changes={
            "name": HOSTILE,
            "about": HOSTILE,
            "method": name,
            "unit": HOSTILE,
            "state_names": [HOSTILE, "x"],
            "notes": [HOSTILE],
            "verdict": {"sentence": HOSTILE, "against_control": HOSTILE, "rules": HOSTILE},
            "failed": [{"condition": HOSTILE, "seed": 0, "error": HOSTILE}],
            "inapplicable": {HOSTILE: HOSTILE},
            "provenance": [{"name": HOSTILE, "licence": HOSTILE, "citation": HOSTILE}],
            "citation": HOSTILE,
        },
    )
    html = (root / "report.html").read_text()
    assert "<script" not in html
    assert not any(tag == "script" for tag, _ in page.tags)
    assert page.text.count(HOSTILE) >= 12
    assert "49" not in re.findall(r"alert\(1\).*?(49)", html)
    assert unescape(html).count("<script>") == page.text.count("<script>") + sum(
        str(value).count("<script>") for _, attributes in page.tags for value in attributes.values()
    )


def test_half_done_study_says_so_on_top(tmp_path):
    changes = {
        "runs": {"finished": 4, "declared": 18},
        "failed": [{"condition": "mixture", "seed": 1, "error": "loss is NaN"}],
        "comparisons": [],
        "verdict": None,
    }
    _, page = write(tmp_path, conditions=("baseline", "learn-e-reg"), seeds=(0, 1), changes=changes)
    top = page.text[: page.text.index("What may not be concluded")]
    assert not any("hidden" in attributes for _, attributes in page.tags)
    assert "4 of 18 runs finished, 1 failed." in top
    assert "No verdict yet." in top
    assert "No declared comparison has its runs yet." in page.text
    assert "mixture, seed 1: loss is NaN" in page.text


def test_values_that_are_not_there_yet_are_dashes(tmp_path):
    root = synthetic_study.write(tmp_path / "study", n=40, seeds=(0,))
    held = json.loads((root / "comparison.json").read_text())
    for condition in held["conditions"]:
        condition |= {"flops": None, "branches": None, "regulation": None, "agreement": None, "seconds": []}
        condition["metrics"] = {"accuracy": condition["metrics"]["accuracy"]}
    for key in ("p", "p_holm", "low", "smallest"):
        held["comparisons"][0][key] = None
    (root / "comparison.json").write_text(json.dumps(held))
    write_report(root)
    page = Parsed((root / "report.html").read_text())
    assert re.search(r"baseline 1 \d\d\.\d\d \[[\d., ]+\] – – – – \(–\)", page.text)
    assert "Not known: FLOPs of training and pre-training." in page.text


def test_bare_comparison_without_a_run(tmp_path):
    (tmp_path / "comparison.json").write_text('{"format": 1}')
    write_report(tmp_path)
    text = Parsed((tmp_path / "report.html").read_text()).text
    assert "No verdict yet." in text
    assert "No regulated run has finished." in text
    assert "No condition has a finished run yet." in text


def test_one_condition_without_regulation(tmp_path):
    root, page = write(tmp_path, conditions=("baseline",))
    assert "No regulated run has finished." in page.text
    assert not (root / "figures" / "regulation-histogram.svg").exists()
    assert (root / "figures" / "calibration.svg").exists()


def test_missing_link_is_a_gap_and_a_caveat(tmp_path):
    root, page = write(tmp_path, conditions=("baseline", "scalar-gate", "learn-e-reg"))
    assert "mixture of the chain has no finished run" in page.text
    assert (root / "figures" / "attribution.svg").read_text().count(">missing<") == 2
    links = rows(root, "attribution")
    assert [row["estimate"] == "" for row in links] == [True, True, False, False]


@pytest.mark.parametrize(
    ("content", "message"), [(None, "not there"), ("{", "damaged"), ('{"format": 2}', "reads format 1"), ("[]", "list")]
)
def test_comparison_that_cannot_be_read_is_said(tmp_path, content, message):
    if content is not None:
        (tmp_path / "comparison.json").write_text(content)
    with pytest.raises(AffektError, match=message):
        write_report(tmp_path)


def test_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "comparison.json").write_text('{"format": 1}')
    (tmp_path / "report.html").mkdir()
    with pytest.raises(AffektError, match="cannot write"):
        write_report(tmp_path)


def test_a_file_that_two_commands_write_at_once(tmp_path, monkeypatch):
    """The other one writes and renames between this one's write and rename."""
    other = "import sys; from pathlib import Path; from affekt.report import write_file; "
    other += "write_file(Path(sys.argv[1]), b'other')"
    replace, path = Path.replace, tmp_path / "report.html"

    def late(temporary, target):
        subprocess.run([sys.executable, "-c", other, str(path)], check=True, timeout=300)
        assert path.read_bytes() == b"other"
        return replace(temporary, target)

    monkeypatch.setattr(Path, "replace", late)
    assert write_file(path, b"own") == path
    assert path.read_bytes() == b"own" and list(tmp_path.iterdir()) == [path]


def test_tables_as_csv_read_back_the_same(comparison):
    found = list(csv.DictReader(io.StringIO(tables(comparison, "csv", only="comparisons"))))
    for row, held in zip(found, comparison["comparisons"], strict=True):
        for key in ("estimate", "low", "high", "p", "p_holm", "smallest", "adjusted_low"):
            assert float(row[key]) == held[key]
        assert [float(v) for v in row["each"].split(";")] == held["each"]
        assert row["seeds_needed_0.2"] == "none would do"
    conditions = list(csv.DictReader(io.StringIO(tables(comparison, "csv", only="conditions"))))
    assert [float(row["accuracy"]) for row in conditions] == [
        c["metrics"]["accuracy"]["mean"] for c in comparison["conditions"]
    ]
