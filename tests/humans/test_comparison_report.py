"""The record and the page: no NaN, nothing from outside, words escaped, nothing overwritten."""

import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from comparison_people import choosing_model, feature_model, rating_model, ratings, sure, trials

from affekt.errors import UsageError
from affekt.humans.comparison import Model, compare, to_json
from affekt.humans.comparison.report import About, write_comparison
from affekt.humans.comparison.report.page import cautions, key, sections

HOSTILE = "<script>alert(1)</script>\"'&{{ 7*7 }}$"
CATEGORIES = ("anger", "fear")
TRUTH = [CATEGORIES[k % 2] for k in range(24)]


class Parsed(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def rated():
    rng = np.random.default_rng(0)
    truth = rng.uniform(1, 7, 30)
    own = np.clip(truth + rng.normal(size=30), 1, 7)
    features = feature_model("a", rng.normal(size=(30, 4))).features
    a = rating_model("a", own)
    models = [Model(name="a", answers=a.answers, features=features), rating_model(HOSTILE, rng.uniform(1, 7, 30))]
    people = ratings(truth, sds={"valence": np.ones(30)}, counts={"valence": np.full(30, 9.0)}, licence="CC-BY")
    return compare(people, models, resamples=30)


@pytest.fixture(scope="module")
def tried():
    rng = np.random.default_rng(0)
    given = {who: [t if rng.random() < 0.7 else "fear" for t in TRUTH] for who in "stu"}
    people = trials(given, TRUTH, ["easy"] * 12 + ["hard"] * 12)
    models = [
        choosing_model("m", CATEGORIES, sure(TRUTH, CATEGORIES)),
        choosing_model("n", CATEGORIES, np.full((24, 2), 0.5)),
    ]
    return compare(people, models, resamples=30)


@pytest.fixture(scope="module")
def folder(rated, tmp_path_factory):
    root = tmp_path_factory.mktemp("report") / "new"
    write_comparison(rated, root, About(command="affekt compare-humans", more={"split": {"name": "test"}}))
    return root


def test_json_holds_every_number_and_says_what_is_undefined(tried):
    held = json.loads(json.dumps(to_json(tried, split="all"), allow_nan=False))
    assert held["format"] == 1 and held["split"] == "all"
    assert held["humans"] | {"licence": ""} == {
        "name": "people", "kind": "trials", "licence": "", "stimuli": 24, "compared": 24,
        "unseen_by_all": {"count": 0, "first": []}, "subjects": 3, "simulated": None,
    }  # fmt: skip
    part = held["parts"][0]
    measures = {m["name"]: m for m in part["measures"]}
    kappa = measures["error-consistency"]["models"]["m"]
    assert kappa["value"] is None and "undefined" in kappa["reason"]
    assert measures["accuracy"]["models"]["m"]["value"] == 1
    assert measures["error-consistency"]["people"]["value"] is not None
    assert [c["condition"] for c in part["conditions"]] == ["easy", "hard"]
    assert np.sum(part["confusions"]["models"]["m"]) == 24
    pair = measures["accuracy"]["pairs"][0]
    assert (pair["first"], pair["second"]) == ("m", "n") and pair["value"] == pytest.approx(0.5)


def test_the_record_is_written_last_and_is_the_numbers_of_the_page(folder, rated):
    held = json.loads((folder / "agreement.json").read_text())
    assert held["split"] == {"name": "test"}
    with (folder / "tables" / "rating-valence.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [r["observer"] for r in rows] == ["people", "a", HOSTILE]
    value = held["parts"][0]["measures"][0]["models"]["a"]["value"]
    assert float(rows[1]["pearson value"]) == value == rated.parts[0].measures[0].models["a"].value
    assert float(rows[0]["pearson value"]) == rated.parts[0].measures[0].people.value


def test_the_page_needs_nothing_from_outside(folder):
    html = (folder / "report.html").read_text()
    page = Parsed(html)
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "iframe")]
    for _, attributes in page.tags:
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:")), attributes
    assert "url(http" not in html and "@import" not in html
    assert '<meta name="viewport"' in html and "prefers-color-scheme: dark" in html and "@media print" in html


def test_words_of_users_are_escaped(folder):
    html = (folder / "report.html").read_text()
    assert "<script>" not in html and "49" not in re.findall(r"alert\(1\)[^<]{0,40}", html)[0]
    assert HOSTILE in Parsed(html).text


def test_every_measure_has_a_figure_with_its_numbers(folder, rated):
    page = Parsed((folder / "report.html").read_text())
    figures = {attributes["id"] for tag, attributes in page.tags if tag == "figure"}
    for part in rated.parts:
        for measure in part.measures:
            name = f"{part.id}-{measure.name}"
            assert f"figure-{name}" in figures
            assert (folder / "figures" / f"{name}.svg").is_file() and (folder / "tables" / f"{name}.csv").is_file()
    assert "figure-rating-valence-stimuli" in figures
    assert len(figures) == len([1 for tag, _ in page.tags if tag == "figure"])


def test_of_trials_there_are_matrices_calibration_and_conditions(tried):
    names = {chart.name for section in sections(tried, None, "") for chart in section.charts}
    assert {"errors-2-matrices", "errors-2-conditions", "votes-2-reliability"} <= names


def test_people_stand_on_top_and_undefined_is_a_word(tried):
    table = next(t for s in sections(tried, None, "") for t in s.tables if t.name == "errors-2")
    cells = table.cells
    assert [row[0] for row in cells] == ["people", "m", "n"]
    titles = [column.title for column in table.columns]
    assert cells[1][titles.index("error consistency (kappa)")] == "undefined"
    assert cells[0][titles.index("accuracy less people's")] == "–"


def test_the_same_comparison_gives_the_same_bytes(rated, folder, tmp_path):
    write_comparison(
        rated, tmp_path / "again", About(command="affekt compare-humans", more={"split": {"name": "test"}})
    )
    for path in sorted(folder.rglob("*.*")):
        again = tmp_path / "again" / path.relative_to(folder)
        assert path.read_bytes() == again.read_bytes(), path.name


def test_nothing_is_overwritten(rated, folder, tmp_path):
    with pytest.raises(UsageError, match="holds a comparison already"):
        write_comparison(rated, folder)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="new or an empty folder"):
        write_comparison(rated, tmp_path)


def test_pictures_are_shown_where_they_are_there(rated):
    asked = []

    def read(ids):
        asked.extend(ids)
        return [None if k == 0 else np.full((8, 8, 3), k, np.uint8) for k in range(len(ids))]

    gallery = next(s.gallery for s in sections(rated, read, "") if s.id == "differing")
    pictures = {p.id: p for _, row in gallery.rows for p in row}
    assert len(asked) == len(set(asked)) == len(pictures)
    assert pictures[asked[0]].source == ""
    assert pictures[asked[1]].source.startswith("data:image/png;base64,")
    assert pictures[asked[0]].label.startswith("people ")


def test_the_key_says_who_is_not_told_apart(tried, rated):
    first = key(rated)[0]
    assert first["model"] == "a" and first["people"].startswith("ceiling 0.9")
    truth = rated.people.means["valence"]
    same = compare(rated.people, [rating_model(name, truth) for name in "xy"], resamples=30)
    assert key(same)[0]["open"] == "not told apart from y"


def test_the_key_does_not_call_chance_near(rated):
    rng = np.random.default_rng(1)
    n = len(rated.people.ids)
    found = compare(rated.people, [rating_model(name, rng.uniform(1, 7, n)) for name in "xy"], resamples=100)
    assert key(rated)[0]["lead"] == "nearest to people"
    assert key(found)[0]["lead"] == "nearest, but not beyond chance"


def test_one_model_is_not_the_nearest_of_any(rated):
    rng = np.random.default_rng(1)
    alone = compare(rated.people, [rating_model("x", rated.people.means["valence"])], resamples=30)
    by_chance = compare(rated.people, [rating_model("x", rng.uniform(1, 7, len(rated.people.ids)))], resamples=100)
    assert key(alone)[0]["lead"] == "beyond chance"
    assert key(by_chance)[0]["lead"] == "not beyond chance"


def test_the_best_that_can_be_had_of_a_distance_is_no_ceiling(tried):
    votes = next(entry for entry in key(tried) if "divided" in entry["name"])
    assert votes["name"].endswith("KL") and votes["people"].startswith("best possible")


def test_what_may_not_be_concluded(rated):
    assert any("“cannot tell” is not “no difference”" in words for words in cautions(rated))
    assert not any("fewer than 20 units" in words for words in cautions(rated))
    few = compare(replace(rated.people, groups=np.repeat(["x", "y", "z"], 10)), rated.models, resamples=20)
    assert any("fewer than 20 units" in words for words in cautions(few))
    warned = cautions(replace(rated, cautions=("That this is a test.",)))
    assert warned[0] == "That this is a test."
