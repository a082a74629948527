"""Studies on real small pictures: what is run once, what is finished later, what is refused, what comes out."""

import csv
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import small_recipe

from affekt.errors import AffektError, RecipeError
from affekt.recipe import load_recipe, override
from affekt.study.comparing import declared_chain
from affekt.study.planning import plan
from affekt.study.results import FILE, read
from affekt.study.statistics import CHAIN
from affekt.study.studying import study

CONDITIONS = ["baseline", "wide-total", "ensemble-2", "mixture", "shuffled-emotion", "permuted-affect", "learn-e-reg"]
CHANGES = [
    f"study.conditions={CONDITIONS}",
    "study.seeds=2",
    "study.draws=200",
    'study.chain=["baseline","mixture","shuffled-emotion","learn-e-reg"]',
    "training.epochs=1",
    "emotional.training.epochs=2",
    *small_recipe.ONE_THREAD,
    "conditions.baseline.training.learning_rate=0.02",
]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    return override(load_recipe(small_recipe.write(tmp_path_factory.mktemp("data"), epochs=1, contrast=6)), CHANGES)


@pytest.fixture(scope="module")
def done(recipe, tmp_path_factory):
    said = []
    result = study(recipe, out=tmp_path_factory.mktemp("study") / "st", say=said.append)
    return result, said


@pytest.fixture
def folder(done, tmp_path):
    """A copy of the finished study, elsewhere: a study can be moved."""
    return shutil.copytree(done[0].folder, tmp_path / "moved")


def stamps(folder):
    return {p.relative_to(folder): p.stat().st_mtime_ns for p in sorted(folder.rglob("*")) if p.is_file()}


def accuracies(comparison):
    return {c["name"]: c["metrics"]["accuracy"]["each"] for c in comparison["conditions"]}


def test_every_condition_has_a_run_a_seed(done):
    folder, comparison = done[0].folder, done[0].comparison
    for name in CONDITIONS:
        for seed in (0, 1):
            assert (folder / "runs" / name / f"seed-{seed}" / "result.json").exists()
    assert comparison["runs"] == {"finished": 14, "declared": 14}
    assert len((folder / FILE).read_text().splitlines()) == 14
    assert [c["name"] for c in comparison["conditions"]] == [*CONDITIONS, "learn-e-reg (e permuted in test)"]
    assert done[0].failed == {}


def test_what_conditions_share_is_done_once(done):
    folder, said = done[0].folder, done[1]
    names = sorted(p.name.split("-")[0] for p in (folder / "shared").iterdir())
    # A seed has one encoder of true labels, one of shuffled ones, and one member beside the baseline.
    assert names == ["emotional"] * 4 + ["member"] * 2
    assert sum("emotional encoder, seed 0" in line for line in said) == 1
    assert len(said) == 14 + 6


def test_accuracy_is_that_of_the_predictions(done):
    folder, comparison = done[0].folder, done[0].comparison
    with np.load(folder / "runs/mixture/seed-1/predictions.npz") as found:
        right = found["test/log_probabilities"].argmax(1) == found["test/label/category"]
    assert accuracies(comparison)["mixture"][1] == pytest.approx(100 * right.mean())
    assert comparison["n_items"] == len(right)


def test_an_ensemble_is_the_mean_of_its_members(done):
    folder = done[0].folder
    result = json.loads((folder / "runs/ensemble-2/seed-0/result.json").read_text())
    members = [folder / "runs/baseline/seed-0", folder / "shared" / result["members"][1].split("/")[1]]
    assert result["members"][0] == "baseline/seed-0"

    def probabilities(path):
        with np.load(path / "predictions.npz") as found:
            return np.exp(found["test/log_probabilities"].astype(float)), found["test/ids"]

    (first, ids), (second, others) = map(probabilities, members)
    np.testing.assert_array_equal(ids, others)
    assert not np.allclose(first, second)
    np.testing.assert_allclose(probabilities(folder / "runs/ensemble-2/seed-0")[0], (first + second) / 2, rtol=1e-5)
    assert (
        result["parameters"]["total"] == 2 * json.loads((members[0] / "result.json").read_text())["parameters"]["total"]
    )


def test_members_see_other_orders_and_the_same_test(done):
    folder = done[0].folder
    recipes = [load_recipe(p / "recipe.toml") for p in sorted((folder / "shared").glob("member-*"))]
    assert len({r.seed for r in recipes} | {0, 1}) == 4
    assert {r.target.split_seed for r in recipes} == {0}


def test_the_shuffled_control_learned_as_many_steps_as_the_weights_of_the_real_run(done):
    folder = done[0].folder
    lengths = {}
    for place in (folder / "shared").glob("emotional-*"):
        recipe, result = load_recipe(place / "recipe.toml"), json.loads((place / "result.json").read_text())
        length = result["best_epoch"] if recipe.affective.labels == "affect" else result["epochs"]
        lengths.setdefault(recipe.seed, {})[recipe.affective.labels] = length
    assert all(found["affect"] == found["shuffled"] for found in lengths.values())
    assert len(lengths) == 2


def test_the_wide_network_has_the_parameters_of_the_method(done):
    by_name = {c["name"]: c["parameters"]["total"] for c in done[0].comparison["conditions"] if c["parameters"]}
    assert by_name["wide-total"] == pytest.approx(by_name["learn-e-reg"], rel=0.02)


def test_a_condition_of_the_recipe_changes_a_built_in_one(done):
    folder = done[0].folder
    assert load_recipe(folder / "runs/baseline/seed-0/recipe.toml").training.learning_rate == 0.02
    assert load_recipe(folder / "runs/mixture/seed-0/recipe.toml").training.learning_rate == 0.01


def test_the_attribution_sums_to_the_whole(done):
    found = done[0].comparison["attribution"]
    assert sum(link["difference"]["estimate"] for link in found["links"]) == pytest.approx(found["whole"]["estimate"])
    each = accuracies(done[0].comparison)
    expected = np.mean(each["learn-e-reg"]) - np.mean(each["baseline"])
    assert found["whole"]["estimate"] == pytest.approx(expected)


def test_comparisons_are_declared_differences_paired_by_seed(done):
    found = {c["name"]: c for c in done[0].comparison["comparisons"]}
    each = accuracies(done[0].comparison)
    assert found["learn-e-reg - mixture"]["each"] == pytest.approx(
        [a - b for a, b in zip(each["learn-e-reg"], each["mixture"], strict=True)]
    )
    assert set(found) == {f"learn-e-reg - {name}" for name in CONDITIONS if name != "learn-e-reg"}


def test_calling_again_trains_nothing(recipe, folder):
    before = stamps(folder)
    first = json.loads((folder / "comparison.json").read_text())
    said = []
    again = study(recipe, out=folder, say=said.append)
    after = stamps(folder)
    changed = {str(name) for name in before if before[name] != after[name]}
    assert changed <= {"comparison.json"}
    assert said == []
    assert again.comparison == first


def test_what_is_missing_is_finished_and_comes_out_the_same(recipe, folder):
    before = {p: p.read_bytes() for p in folder.rglob("predictions.npz")}
    first = json.loads((folder / "comparison.json").read_text())
    shutil.rmtree(folder / "runs/learn-e-reg/seed-1")
    said = []
    again = study(recipe, out=folder, say=said.append)
    assert len(said) == 1
    assert {p: p.read_bytes() for p in folder.rglob("predictions.npz")} == before
    for key in ("comparisons", "attribution", "verdict"):
        assert again.comparison[key] == first[key]


def test_altered_predictions_are_refused_by_name(recipe, folder):
    path = folder / "runs/mixture/seed-0/predictions.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(AffektError, match=r"mixture/seed-0/predictions.npz: altered since the run was finished"):
        study(recipe, out=folder)


def test_a_cut_results_line_is_named_and_the_whole_ones_count(recipe, folder):
    path = folder / FILE
    path.write_bytes(path.read_bytes()[:-40])
    records, said = read(folder)
    assert len(records) == 13
    assert said == [f"{FILE}, line 14: cut or damaged, not counted"]
    again = study(recipe, out=folder)
    assert again.comparison["runs"]["finished"] == 14  # the run is there, and gets its line again
    assert f"{FILE}, line 14: cut or damaged, not counted" in again.comparison["notes"]


def test_another_recipe_is_refused(recipe, folder):
    with pytest.raises(
        RecipeError, match=r"keys that differ: training.batch_size \(training.batch_size is 8 there, 4 here"
    ):
        study(override(recipe, ["training.batch_size=4"]), out=folder)


def test_seeds_added_after_a_look_are_marked(recipe, folder):
    result = study(recipe, out=folder, seeds=3)
    assert result.comparison["seeds"] == {"declared": [0, 1], "added": [2]}
    assert any("seeds 2 were added" in note for note in result.comparison["notes"])
    assert len(accuracies(result.comparison)["baseline"]) == 3


def test_one_seed_says_what_it_cannot_tell(recipe, tmp_path):
    one = override(recipe, ['study.conditions=["baseline","learn-e-reg"]', "study.chain=[]", "study.seeds=1"])
    found = study(one, out=tmp_path / "one").comparison
    assert "one seed says nothing of how seeds differ" in found["verdict"]["sentence"]
    assert "No control was run" in found["verdict"]["against_control"]
    assert found["comparisons"][0]["seeds_needed"] == {"0.5": None}
    assert found["attribution"]["missing"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ["conditions.broken.regulation.regulator_data=held-out", "conditions.broken.regulation.losses=regulated"],
            "the branches need losses of their own",
        ),
        (['conditions.broken.model.initial="absent.pth"'], "absent.pth"),
    ],
)
def test_a_failed_run_keeps_its_error_and_the_others_go_on(recipe, tmp_path, change, message):
    changes = [
        'study.conditions=["baseline","learn-e-reg","broken"]',
        "study.chain=[]",
        "study.seeds=1",
        *change,
    ]
    broken = override(recipe, changes)
    result = study(broken, out=tmp_path / "st")
    assert list(result.failed) == ["runs/broken/seed-0"]
    kept = json.loads((tmp_path / "st/runs/broken/seed-0/error.json").read_text())["error"]
    assert message in kept
    assert result.comparison["failed"] == [{"condition": "broken", "seed": 0, "error": kept}]
    assert result.comparison["runs"] == {"finished": 2, "declared": 3}
    assert any(kept in note for note in result.comparison["notes"])


def test_several_workers_give_what_one_gives(done, recipe, tmp_path):
    small = override(recipe, ['study.conditions=["baseline","learn-e-reg"]', "study.chain=[]"])
    result = study(small, out=tmp_path / "st", workers=2)
    assert result.failed == {}
    for name in ("runs/baseline/seed-1", "runs/learn-e-reg/seed-0"):
        assert (tmp_path / "st" / name / "predictions.npz").read_bytes() == (
            done[0].folder / name / "predictions.npz"
        ).read_bytes()


def test_two_commands_at_once_do_nothing_twice(recipe, tmp_path):
    from affekt.recipe import to_toml

    small = override(recipe, ['study.conditions=["baseline","learn-e-reg"]', "study.chain=[]"])
    (tmp_path / "r.toml").write_text(to_toml(small))
    command = [sys.executable, "-m", "affekt", "study", "r.toml", "--out", "st", "--json"]
    both = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    for out, _ in outputs:
        assert json.loads(out)["runs"]["finished"] == 4
    # Each training was begun once: a second one would have begun another session in the run's clock.
    for timing in (tmp_path / "st").rglob("timing.jsonl"):
        assert sum(json.loads(line)["kind"] == "start" for line in timing.read_text().splitlines()) == 1, timing


class TestPlan:
    """What is said before anything is trained."""

    def test_conditions_that_do_not_apply_are_named_with_the_reason(self, recipe):
        wanted = override(recipe, ['study.conditions=["all"]', "study.chain=[]"])
        found = plan(wanted)
        assert "random weights" in found.inapplicable["baseline-pretrained"]
        assert "no labels but affect" in found.inapplicable["other-task"]
        assert "learn-e-reg" in found.conditions

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ('study.conditions=["baselin"]', 'condition "baselin": unknown. Nearest: baseline'),
            ('study.comparisons=["learn-e-reg baseline"]', 'write "first - second"'),
            ('study.comparisons=["learn-e-reg - longer"]', 'condition "longer": unknown'),
            ('study.chain=["baseline","scalar-gate"]', 'chain: "scalar-gate" is not among'),
            ('study.conditions=["baseline"]', "method = 'learn-e-reg'"),
            ("target.test=0.0", "a study needs one"),
        ],
    )
    def test_a_wrong_study_is_refused(self, recipe, change, message):
        changes = [change] if "chain" in change else ["study.chain=[]", change]
        with pytest.raises(AffektError, match=message.replace("[", r"\[")):
            plan(override(recipe, changes))

    @pytest.mark.parametrize("change", ["target.test=0.4", "target.split_seed=9", "target.validation=0.3"])
    def test_a_condition_with_other_test_pictures_is_refused_before_anything_is_trained(self, recipe, change):
        mine = override(recipe, [f"conditions.mine.{change}", 'study.conditions=["mine","baseline","learn-e-reg"]'])
        with pytest.raises(RecipeError, match=rf"\[conditions.mine\] {change.split('=')[0]}: other test pictures"):
            plan(override(mine, ["study.chain=[]"]))

    def test_a_wrong_value_in_a_condition_names_the_condition(self, recipe):
        mine = override(recipe, ["conditions.mine.training.epochs=0", 'study.conditions=["mine","learn-e-reg"]'])
        with pytest.raises(RecipeError, match=r"\[conditions.mine\] \[training\] epochs = 0: out of range"):
            plan(override(mine, ["study.chain=[]"]))

    def test_the_usual_chain_ends_in_the_method(self, recipe):
        settings = override(recipe, ["study.method=mine", "study.chain=[]", "conditions.mine.training.epochs=2"]).study
        assert declared_chain(settings)[-1] == ("mine", "the affect in their labels")
        assert [name for name, _ in declared_chain(settings)][:-1] == [name for name, _ in CHAIN][:-1]

    def test_a_method_before_random_emotion_has_the_usual_chain(self, recipe):
        changes = ["study.method=mixture", "study.chain=[]", 'study.conditions=["baseline","mixture"]']
        assert plan(override(recipe, changes)).recipe.study.chain == ()

    def test_longer_by_whole_epochs_says_how_far_off_it_is(self, recipe):
        few = ['study.conditions=["baseline","longer","learn-e-reg"]', "study.chain=[]", "training.epochs=1"]
        planned = plan(override(recipe, few))
        off = planned.costs["longer"].training / planned.costs["learn-e-reg"].training - 1
        assert abs(off) > 0.02
        assert planned.remarks == [
            f"longer has {abs(off):.1%} {'more' if off > 0 else 'fewer'} training FLOPs than learn-e-reg: "
            "it has whole epochs"
        ]

    def test_longer_costs_what_the_method_costs(self, recipe):
        wanted = override(
            recipe, ['study.conditions=["baseline","longer","learn-e-reg"]', "study.chain=[]", "training.epochs=20"]
        )
        costs = plan(wanted).costs
        assert costs["longer"].training == pytest.approx(costs["learn-e-reg"].training, rel=0.02)
        assert costs["longer"].training > 2 * costs["baseline"].training


def test_the_report_can_be_made_from_the_folder_alone(folder, call_affekt):
    for name in ("report.html", "comparison.json"):
        (folder / name).unlink(missing_ok=True)
    answer = call_affekt("report", str(folder))
    assert answer.returncode == 1
    assert "no comparison.json in it" in answer.stderr


def test_a_half_done_study_has_a_report_that_says_so(folder, call_affekt):
    import shutil as sh

    lines = (folder / FILE).read_text().splitlines(keepends=True)
    (folder / FILE).write_text("".join(line for line in lines if "learn-e-reg" not in line))
    sh.rmtree(folder / "runs/learn-e-reg")
    answer = call_affekt("report", str(folder))
    assert answer.returncode == 0, answer.stderr
    assert "Nothing can be said yet" in answer.stdout
    page = (folder / "report.html").read_text()
    assert "12 of 14 runs are finished" in page
    markdown = call_affekt("report", str(folder), "--format", "markdown")
    assert "| baseline" in markdown.stdout
    assert "12 of 14 runs are finished" in markdown.stderr


@pytest.fixture
def call_affekt():
    def call(*words):
        return subprocess.run([sys.executable, "-m", "affekt", *words], capture_output=True, text=True, check=False)

    return call


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_every_item_of_every_run_in_one_long_table(done, folder, tmp_path, suffix):
    from affekt.study.exporting import COLUMNS, export_items
    from affekt.study.frame import frame_in

    path = tmp_path / f"items{suffix}"
    n = done[0].comparison["n_items"]
    assert export_items(folder, frame_in(folder), path) == 14 * n
    if suffix == ".csv":
        rows = list(csv.DictReader(path.open()))
        kept = [row for row in rows if (row["condition"], row["seed"]) == ("mixture", "1")]
        assert {row["r"] for row in rows if row["condition"] == "baseline"} == {""}
    else:
        table = pytest.importorskip("pyarrow.parquet").read_table(path)
        assert table.column_names == list(COLUMNS)
        kept = [row for row in table.to_pylist() if (row["condition"], row["seed"]) == ("mixture", 1)]
    right = 100 * np.mean([float(row["correct"]) for row in kept])
    assert right == pytest.approx(accuracies(done[0].comparison)["mixture"][1])
    assert len({row["item"] for row in kept}) == n
    assert float(kept[0]["r"]) == pytest.approx(0.5)
    with pytest.raises(AffektError, match="not overwritten"):
        export_items(folder, frame_in(folder), path)


def test_a_table_of_another_kind_is_refused(folder, tmp_path):
    from affekt.study.exporting import export_items
    from affekt.study.frame import frame_in

    with pytest.raises(AffektError, match=r"\.csv or \.parquet is asked"):
        export_items(folder, frame_in(folder), tmp_path / "items.xlsx")


def test_seeds_that_were_run_always_count(recipe, folder):
    """Nobody picks the number of seeds that looks best."""
    again = study(recipe, out=folder, seeds=1)
    assert again.comparison["runs"] == {"finished": 14, "declared": 14}


def test_shared_work_that_nothing_needs_is_not_done_again(recipe, folder):
    shutil.rmtree(folder / "shared")
    said = []
    study(recipe, out=folder, say=said.append)
    assert said == []
    assert not (folder / "shared").exists()


def test_a_report_without_the_pictures_that_were_tested(recipe, folder, call_affekt, tmp_path):
    """A target that was changed since: the page is made all the same, with ids."""
    text = (folder / "recipe.toml").read_text()
    other = small_recipe.write(tmp_path, epochs=1)
    assert other.exists()
    (folder / "recipe.toml").write_text(text.replace(recipe.target.root, str(tmp_path / "target")))
    for path in (tmp_path / "target").rglob("*.png"):
        path.rename(path.with_name(f"x{path.name}"))
    answer = call_affekt("report", str(folder), "--pictures")
    assert answer.returncode == 0, answer.stderr


def test_the_card_of_a_run_names_the_affective_set(done):
    card = (done[0].folder / "runs/learn-e-reg/seed-0/model/README.md").read_text()
    assert "Your own" in card or "table" in card.lower()
    assert "data of the emotional encoder" not in card


class TestControls:
    """Controls are the method with something taken away."""

    def test_what_the_recipe_changes_of_the_method_holds_for_its_controls(self, recipe):
        from affekt.study import apply_condition

        changed = override(recipe, ["conditions.learn-e-reg.training.epochs=9"])
        for name in ("learn-e-reg", "permuted-affect", "shuffled-emotion", "untrained-emotion", "mixture"):
            assert apply_condition(changed, name).training.epochs == 9, name
        assert apply_condition(changed, "baseline").training.epochs == 1

    def test_an_own_method_has_controls_of_its_own_kind(self, recipe):
        from affekt.study import apply_condition

        own = override(
            recipe,
            [
                "study.method=mine",
                "conditions.mine.regulation.influence=modulated",
                "conditions.mine.regulation.regulator=per_class",
            ],
        )
        found = apply_condition(own, "permuted-affect").regulation
        assert (found.influence, found.regulator, found.permute_affect) == ("modulated", "per_class", True)
        assert apply_condition(own, "mixture").regulation.influence == "independent"


@pytest.mark.parametrize("name", ["../../evil", "my/cond", "", ".."])
def test_a_condition_is_no_path(recipe, name):
    from affekt.recipe import Recipe
    from affekt.recipe.reading import from_dict

    with pytest.raises(RecipeError, match="a name of letters"):
        from_dict(Recipe, {"conditions": {name: {"model.kind": "classifier"}}})


def test_a_study_without_a_test_set_is_refused_with_a_fixed_split_too(recipe):
    with pytest.raises(AffektError, match="a study needs one"):
        plan(override(recipe, ["target.split_seed=0", "target.test=0.0"]))


def test_the_affect_cache_of_an_encoder_is_computed_once_for_all_its_conditions(recipe, tmp_path):
    changes = [
        "regulation.affect_cache=true",
        'study.conditions=["learn-e-reg", "rand-learn-e-reg"]',
        'study.chain=["rand-learn-e-reg", "learn-e-reg"]',
        'study.reference="rand-learn-e-reg"',
        "study.seeds=1",
    ]
    study(override(recipe, changes), out=tmp_path / "st")
    kept = tmp_path / "st" / "shared" / "affect"
    # One batch of pictures a split, of which each condition has the same.
    assert len(list(kept.iterdir())) == 3
    states = []
    for name in ("learn-e-reg", "rand-learn-e-reg"):
        with np.load(tmp_path / "st" / "runs" / name / "seed-0" / "predictions.npz") as found:
            states.append(found["test/affect"])
    assert np.array_equal(*states)


def test_power_is_that_of_the_verdict_at_the_share_of_alpha_that_each_comparison_has(done):
    """What passes the first step of Holm: a share of .05 for each that was declared."""
    from affekt.study.statistics.difference import reach

    made = done[0].comparison["comparisons"]
    for found in made:
        parts = [(part["standard_error"], part["degrees"]) for part in found["parts"]]
        expected = reach(parts, 0.05 / len(made) / 2) + reach(parts, 0.2)
        assert found["smallest"] == pytest.approx(expected)
        assert len(made) > 1
