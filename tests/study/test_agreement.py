"""A study held against people: pooling over seeds, the claim by its rules, profiles, and the command."""

import csv
import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import small_recipe

from affekt.errors import AffektError, DataError, UsageError
from affekt.humans.agreement import Estimate, bootstrap
from affekt.humans.people import Votes
from affekt.recipe import load_recipe, override
from affekt.study.agreement import Networks, Pooled, agree, parse_manipulations, read_networks, to_json
from affekt.study.agreement.among import among
from affekt.study.agreement.claim import claim
from affekt.study.agreement.pooling import PairOfConditions, adjusted, by_condition, pool, shares, spread
from affekt.study.agreement.profiles import _Pictures
from affekt.study.results import hash_of
from affekt.study.studying import study

N = 300
DECLARED = (("method", "twin"), ("weak", "method"))


def networks(accuracies, n=N):
    """Networks with these accuracies, condition -> one a seed; of "twin" the same as of "method"."""
    rng = np.random.default_rng(0)
    category = rng.integers(2, size=n)
    probabilities = {}
    for name, each in accuracies.items():
        for seed, accuracy in enumerate(each):
            right = rng.permutation(n) < accuracy * n
            said = np.where(right, category, 1 - category)
            p = np.where(np.arange(2) == said[:, None], 0.8, 0.2)
            probabilities[name, seed] = p
    recipe = override(load_recipe_text(), ["study.method=method"])
    return Networks(
        folder=None,
        recipe=recipe,
        conditions=tuple(accuracies),
        declared=DECLARED,
        missing=0,
        classes=("negative", "positive"),
        ids=np.array([f"face {i}" for i in range(n)]),
        category=category,
        probabilities=probabilities,
        folders={},
    )


def load_recipe_text():
    from affekt.recipe import Recipe

    return Recipe(name="made")


def people(made, agreeing=9):
    """Ten votes a face, so many of them for its class; more faces than were tested."""
    votes = np.where(np.arange(2) == made.category[:, None], agreeing, 10 - agreeing)
    ids = np.array([*made.ids.tolist(), "unseen"])
    return Votes(
        name="people",
        ids=ids,
        groups=ids,
        categories=("negative", "positive"),
        votes=np.concatenate([votes, [[5, 5]]]).astype(np.int64),
    )


STRONG = {"method": [0.9, 0.91, 0.92], "twin": [0.9, 0.91, 0.92], "weak": [0.6, 0.61, 0.62]}


@pytest.fixture(scope="module")
def found():
    made = networks(STRONG)
    return agree(made, people(made), resamples=200)


def measures(found):
    return {m.name: m for topic in found.topics for m in topic.measures}


def test_a_condition_is_the_mean_of_its_seeds_with_their_spread(found):
    accuracy = measures(found)["accuracy-labels"].conditions["method"]
    assert accuracy.value == pytest.approx(0.91, abs=0.01)
    assert list(accuracy.each) == [0, 1, 2]
    assert accuracy.value == pytest.approx(np.mean(list(accuracy.each.values())))
    assert accuracy.sd == pytest.approx(np.std(list(accuracy.each.values()), ddof=1))
    assert accuracy.low < accuracy.value < accuracy.high


def test_declared_differences_and_no_others(found):
    for measure in measures(found).values():
        assert [(p.first, p.second) for p in measure.pairs] == list(DECLARED)


def test_a_difference_is_that_of_the_means_and_is_told(found):
    accuracy = measures(found)["accuracy-labels"]
    weak = accuracy.pairs[1]
    values = accuracy.conditions
    assert weak.value == pytest.approx(values["weak"].value - values["method"].value)
    assert weak.told and accuracy.favours(weak) == "method"
    assert not accuracy.pairs[0].told and accuracy.favours(accuracy.pairs[0]) == ""
    kl = measures(found)["kl"]
    assert kl.favours(kl.pairs[1]) == "method"  # the lower is the better


def test_leftovers_are_counted(found):
    assert found.compared == N and found.unrated == 0
    made = networks(STRONG)
    few = people(made)
    half = Votes(name="p", ids=few.ids[:200], groups=few.ids[:200], categories=few.categories, votes=few.votes[:200])
    other = agree(made, half, resamples=50)
    assert (other.compared, other.unrated) == (200, 100)


def test_nothing_in_common_names_both_sides():
    made = networks(STRONG)
    ids = np.array(["a", "b"])
    votes = np.array([[1, 2], [2, 1]])
    strange = Votes(name="p", ids=ids, groups=ids, categories=("negative", "positive"), votes=votes)
    with pytest.raises(DataError, match="face 0 there, a here"):
        agree(made, strange)


def test_the_claim_is_not_shown_beside_an_equal(found):
    assert found.claim.status == "not shown"
    assert "1 of 2 rivals (weak)" in found.claim.sentence
    rows = {(row.name, row.rival): row.verdict for row in found.claim.rows}
    assert rows["accuracy-labels", "weak"] == "better" and rows["accuracy-labels", "twin"] == "cannot tell"


def test_the_claim_is_the_method_less_its_rival_however_it_was_declared(found):
    accuracy = measures(found)["accuracy-labels"].conditions
    row = next(r for r in found.claim.rows if (r.name, r.rival) == ("accuracy-labels", "weak"))
    assert row.value == pytest.approx(accuracy["method"].value - accuracy["weak"].value)
    assert 0 < row.low < row.value < row.high


def test_one_seed_forbids_a_word_on_others(found):
    made = networks({name: each[:1] for name, each in STRONG.items()})
    alone = agree(made, people(made), resamples=50)
    assert any("about other seeds" in said for said in alone.cautions)
    assert not any("about other seeds" in said for said in found.cautions)


def test_the_report_holds_the_numbers_and_overwrites_nothing(found, tmp_path):
    from affekt.study.agreement.report import write_agreement

    files = write_agreement(found, tmp_path / "out")
    assert files[0].name == "report.html" and files[-1].name == "agreement.json"

    def held(name):
        with (tmp_path / "out" / "tables" / f"{name}.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    accuracy = measures(found)["accuracy-labels"].conditions
    rows = {row["condition"]: row for row in held("labels-conditions")}
    assert {name: float(row["accuracy-labels"]) for name, row in rows.items()} == pytest.approx(
        {name: one.value for name, one in accuracy.items()}, abs=1e-6
    )
    figure = [row["condition"] for row in held("labels-accuracy-labels")]
    assert figure == ["method", "twin", "weak"]
    square = {row["condition"]: row for row in held("among")}
    assert float(square["method"]["weak"]) == pytest.approx(found.among.of("weak", "method").value, abs=1e-6)
    assert len(held("claim")) == len(found.claim.rows)
    with pytest.raises(UsageError):
        write_agreement(found, tmp_path / "out")


@pytest.mark.parametrize(
    ("signs", "status"),
    [((1, 1, -1, -1), "supported"), ((1, 1, -1, 0), "not shown"), ((1, 1, 1, -1), "contradicted"),
     ((-1, 1, -1, -1), "contradicted"), ((0, 0, 0, 0), "not shown")],
)  # fmt: skip
def test_the_sentence_follows_from_the_rules(signs, status):
    """Signs of the method less each of two rivals: of accuracy, then of KL, which is better low."""

    def pooled(name, best, own):
        pairs = [
            PairOfConditions(first="method", second=rival, value=s, low=s - 0.1, high=s + 0.1, p_holm=1.0 - abs(s))
            for rival, s in zip("ab", own, strict=True)
        ]
        return Pooled(name=name, title=name, about="", best=best, conditions={}, pairs=pairs)

    class Topic:
        measures = (pooled("accuracy-labels", "high", signs[:2]), pooled("kl", "low", signs[2:]))

    made = claim("method", [("method", "a"), ("method", "b")], [Topic()])
    assert made.status == status
    assert f"is {status}:" in made.sentence


def test_a_claim_without_rivals_says_so(found):
    made = claim("method", [("weak", "twin")], found.topics)
    assert made.status == "nothing to say" and "no declared comparison" in made.sentence


def test_networks_of_the_same_errors_agree_and_others_do_not():
    rng = np.random.default_rng(1)
    one, other = (rng.random(N) < 0.7).astype(float), (rng.random(N) < 0.7).astype(float)
    right = {("a", 0): one, ("a", 1): one, ("b", 0): one, ("c", 0): other}
    square = among(("a", "b", "c"), right, bootstrap(N, resamples=100))
    assert square.of("a", "a").value == pytest.approx(1) and square.of("b", "a").value == pytest.approx(1)
    assert square.of("b", "a").each == 2
    assert abs(square.of("a", "c").value) < 0.2
    assert square.of("b", "b") is None


def test_a_seed_without_a_number_leaves_the_condition_without_one():
    draws = np.linspace(0, 1, 50)
    good = Estimate(value=0.5, reason="", draws=draws, units=50)
    bad = Estimate(value=None, reason="always right", draws=np.full(50, np.nan), units=50)
    held = spread({0: good, 1: bad})
    assert held.value is None and held.reason == "seed 1: always right"
    pooled = pool("k", "k", "", {"a": {0: good, 1: good}, "b": {0: good, 1: bad}}, [("a", "b")], best="high")
    assert pooled.pairs[0].value is None and pooled.pairs[0].reason == "b, seed 1: always right"


def test_comparisons_that_cannot_be_made_count_in_the_adjustment():
    pairs = [PairOfConditions(first="a", second="b", value=1.0, p=0.01)]
    assert adjusted(pairs)[0].p_holm == pytest.approx(0.01)
    assert adjusted(pairs, missing=3)[0].p_holm == pytest.approx(0.04)


def test_shares_are_means_of_one_bootstrap():
    scores = {("a", 0): np.array([1.0, 0, 1, 1]), ("a", 1): np.array([0.0, 0, 0, 1])}
    estimates = by_condition(shares(scores, bootstrap(4, resamples=30)), ["a"])["a"]
    assert [e.value for e in estimates.values()] == [0.75, 0.25]
    assert (estimates[0].draws >= estimates[1].draws).all()  # the same stimuli drawn for both


def test_a_network_with_one_answer_to_everything_errs_like_nobody():
    """Its errors follow from what is right; a condition of such networks alone has no kappa, and says why."""
    made = networks(STRONG)
    flat = np.tile([0.8, 0.2], (N, 1))
    one = replace(made, probabilities={**made.probabilities, ("weak", 0): flat})
    every = replace(made, probabilities={**made.probabilities, **{("weak", seed): flat for seed in range(3)}})
    held = agree(one, people(made), resamples=50)
    assert held.among.of("method", "weak").each == 6 and held.among.of("weak", "weak").each == 1
    assert any("weak, seed 0 answers “negative” to all 300 stimuli" in note for note in held.notes)
    kappa = agree(every, people(made), resamples=50).among.of("method", "weak")
    assert kappa.value is None and kappa.reason == "every network of weak gives one answer to everything"
    assert agree(every, people(made), resamples=50).among.of("weak", "weak") is None


def test_the_record_is_plain_json(found):
    held = json.loads(json.dumps(to_json(found), allow_nan=False))
    assert held["claim"]["status"] == "not shown"
    assert held["stimuli"] == {"tested": N, "compared": N, "unrated": 0}
    labels = held["topics"][0]["measures"][0]
    assert [pair["better"] for pair in labels["pairs"]] == [None, "method"]


@pytest.mark.parametrize(
    ("words", "asked"),
    [(["eyes", "inverted"], [("eyes", 1.0), ("inversion", 1.0)]), (["mouth=0.5,1"], [("mouth", 0.5), ("mouth", 1.0)])],
)
def test_manipulations_by_name_and_strength(words, asked):
    assert parse_manipulations(words) == asked


@pytest.mark.parametrize(
    ("word", "message"),
    [("eys", "eyes"), ("morph=0.5", "two pictures"), ("eyes=2", "out of range"), ("eyes=half", "STRENGTH"),
     ("bubbles", "STRENGTH"), ("eyes=1,1", "twice")],
)  # fmt: skip
def test_manipulations_that_cannot_be(word, message):
    with pytest.raises(UsageError, match=message):
        parse_manipulations([word])


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A study of two networks and two seeds, people's votes on its pictures, and its folder."""
    root = tmp_path_factory.mktemp("agreement")
    recipe = override(
        load_recipe(small_recipe.write(root, epochs=1, contrast=20)),
        [
            "study.seeds=2", "study.draws=200", 'study.conditions=["plain","attending"]', "study.method=attending",
            "study.reference=plain", "model.kind=classifier", "augmentation.mixup=0.0",
            "conditions.attending.model.backbone=resnet8+sagan", "conditions.plain.model.backbone=resnet8",
            *small_recipe.ONE_THREAD,
        ],
    )  # fmt: skip
    study(recipe, out=root / "study")
    rows = [(f"person {k}", f"{name}/{i}.png", name if (i + k) % 5 else "dark", name)
            for name in ("dark", "light") for i in range(40) for k in range(3)]  # fmt: skip
    with (root / "trials.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["subj", "imagename", "object_response", "category"])
        writer.writerows(rows)
    return root


def test_a_study_is_one_command(real, call_affekt, tmp_path):
    code, out, err = call_affekt(
        "compare-humans", real / "study", "--humans", real / "trials.csv", "--out", tmp_path / "out", "--resamples", 50,
        "--manipulate", "greyscale=1", "inverted", "--limit", 10,
    )  # fmt: skip
    assert code == 0, err
    held = json.loads((tmp_path / "out" / "agreement.json").read_text())
    assert held["conditions"] == {"plain": [0, 1], "attending": [0, 1]}
    assert {topic["id"] for topic in held["topics"]} >= {"labels", "errors-2"}
    assert [(p["manipulation"], p["stimuli"]) for p in held["profiles"]] == [("greyscale", 10), ("inversion", 10)]
    grey = held["profiles"][0]["cost"]["conditions"]["plain"]
    assert "That attending beats the others" in out or "Nothing can be said" in out
    page = (tmp_path / "out" / "report.html").read_text()
    assert held["claim"]["sentence"].split(":")[0] in page and "--manipulate" in page
    # Noise of three independent colours loses some of its brightness differences, never all of its rightness.
    assert -1 <= grey["value"] <= 1


def test_a_study_goes_out_as_a_long_table(real, call_affekt, tmp_path):
    words = ("compare-humans", real / "study", "--humans", real / "trials.csv", "--resamples", 20)
    code, _, err = call_affekt(*words, "--out", tmp_path / "out", "--table", tmp_path / "long.csv")
    assert code == 0, err
    with (tmp_path / "long.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    networks = read_networks(real / "study")
    mine = [row for row in rows if (row["network"], row["seed"]) == ("attending", "1")]
    assert {row["observer"] for row in mine} == {"attending, seed 1"} and {row["kind"] for row in mine} == {"model"}
    said = networks.probabilities["attending", 1].argmax(axis=1)
    answered = {str(i): networks.classes[k] for i, k in zip(networks.ids, said, strict=True)}
    assert {row["stimulus"]: row["response"] for row in mine} == answered
    people = [row for row in rows if not row["network"]]
    assert len(people) == 3 * len(mine) and {row["seed"] for row in people} == {""}
    code, _, err = call_affekt(*words, "--out", tmp_path / "other", "--table", tmp_path / "long.csv")
    assert code == 2 and "exists already" in err and not (tmp_path / "other").exists()


def test_an_unchanged_strength_costs_nothing(real):
    from affekt.study.agreement import profiles

    made = read_networks(real / "study")
    (profile,) = profiles(made, [("contrast", 0.0)], resamples=20)
    assert all(one.value == 0 for one in profile.cost.conditions.values())


def test_pictures_are_manipulated_once_for_runs_of_two_sizes(real):
    made = read_networks(real / "study")
    pictures, grey = _Pictures(made, np.arange(5), None), ("greyscale", 1.0)
    small = override(made.recipe, ["target.image_size=16"])
    once = pictures.manipulated(made.recipe, grey, 0)
    assert pictures.manipulated(small, grey, 0).shape == (5, 3, 16, 16) != once.shape
    assert pictures.manipulated(made.recipe, grey, 0) is once


def test_predictions_that_were_altered_are_refused(real, tmp_path):
    moved = shutil.copytree(real / "study", tmp_path / "moved")
    path = next(moved.glob("runs/plain/seed-0/predictions.npz"))
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(AffektError, match="altered"):
        read_networks(moved)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"test/log_probabilities": None}, "out of an archive"), ({"test/ids": "other"}, "of other test pictures")],
)
def test_predictions_that_cannot_be_held_against_the_others_are_refused(real, tmp_path, change, message):
    moved = shutil.copytree(real / "study", tmp_path / "moved")
    path = moved / "runs" / "plain" / "seed-1" / "predictions.npz"
    before = hash_of(path)
    with np.load(path, allow_pickle=False) as held:
        arrays = {name: np.char.add(word, held[name]) if (word := change.get(name, "")) else held[name]
                  for name in held.files if change.get(name, "") is not None}  # fmt: skip
    np.savez(path, **arrays)
    lines = moved / "results.jsonl"
    lines.write_text(lines.read_text().replace(before, hash_of(path)))
    with pytest.raises(AffektError, match=message):
        read_networks(moved)


@pytest.mark.parametrize(
    ("words", "message"),
    [(("elsewhere",), "compared by itself"), (("--split", "test"), "--split"), (("--limit", "3"), "--manipulate")],
)
def test_what_does_not_go_with_a_study(real, call_affekt, words, message):
    code, _, err = call_affekt("compare-humans", real / "study", *words, "--humans", real / "trials.csv")
    assert code == 2 and message in err


@pytest.fixture
def call_affekt(capsys):
    from affekt.cli import main

    def call(*words):
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_profiles_do_not_depend_on_how_many_manipulations_are_held_at_once(real, monkeypatch):
    from affekt.study.agreement import profiles

    made, asked = read_networks(real / "study"), [("greyscale", 1.0), ("inverted", 1.0), ("contrast", 0.5)]
    together = profiles(made, asked, resamples=20)
    monkeypatch.setattr(sys.modules[profiles.__module__], "ROOM", 1)
    manipulated, held = _Pictures.manipulated, []

    def noted(pictures, *asked):
        found = manipulated(pictures, *asked)
        held.append(len(pictures._made))
        return found

    monkeypatch.setattr(_Pictures, "manipulated", noted)
    assert profiles(made, asked, resamples=20) == together
    assert held == [1] * 3 * len(made.probabilities)
