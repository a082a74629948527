"""Verdict: the sentence follows from the comparisons by the stated rules, and claims no more."""

import pytest

from affekt.recipe import StudySettings
from affekt.study.verdict import in_words, verdict


def comparison(verdicts, means=None):
    """A comparison of learn-e-reg with each of the named, with these verdicts."""
    means = means or {}
    made = [
        {
            "first": "learn-e-reg", "second": name, "verdict": said, "estimate": 1.0, "low": 0.2, "high": 1.8,
            "seeds": [0, 1, 2], "p_holm": 0.0123, "p_equivalent": 0.0004,
        }
        for name, said in verdicts.items()
    ]  # fmt: skip
    conditions = [{"name": n, "metrics": {"accuracy": {"mean": means.get(n, 70.0)}}} for n in verdicts]
    return {"comparisons": made, "conditions": conditions}


def said(verdicts, means=None):
    return verdict(comparison(verdicts, means), StudySettings())


def test_the_strongest_control_is_the_one_with_the_highest_mean():
    found = said(
        {"baseline": "better", "wide-total": "cannot tell", "mixture": "better"}, {"wide-total": 75, "mixture": 74}
    )
    assert found["control"] == "wide-total"
    assert (
        "Against its strongest control: whether learn-e-reg differs from wide-total cannot be told with 3 seeds"
        in (found["against_control"])
    )
    assert "not shown to come from emotion" in found["against_control"]


def test_a_gain_over_every_control_is_not_talked_down():
    found = said({"baseline": "better", "mixture": "better"})
    assert "learn-e-reg is better than mixture" in found["against_control"]
    assert "not shown" not in in_words(found)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (
            "better",
            "learn-e-reg is better than baseline "
            "(+1.00 points, 95 % interval +0.20 to +1.80, p = 0.012 after Holm, 3 seeds).",
        ),
        ("worse", "learn-e-reg is worse than baseline"),
        (
            "equivalent",
            "learn-e-reg and baseline are equivalent within the margin "
            "(+1.00 points, 95 % interval +0.20 to +1.80, p < 0.001 after Holm, 3 seeds).",
        ),
        (
            "cannot tell",
            "Whether learn-e-reg differs from baseline cannot be told with 3 seeds "
            "(+1.00 points, 95 % interval +0.20 to +1.80, p = 0.012 after Holm).",
        ),
    ],
)
def test_the_words_of_each_verdict(word, text):
    assert said({"baseline": word})["sentence"].startswith(text)


def test_without_a_control_nothing_follows_about_why():
    assert said({"baseline": "better"})["against_control"].startswith(
        "No control was run, so nothing follows about why"
    )


def test_nothing_finished_says_nothing():
    found = said({})
    assert found["sentence"].startswith("Nothing can be said yet")
    assert in_words(found) == found["sentence"]


def test_every_declared_comparison_counts_as_a_control_but_the_methods_own_runs():
    found = said(
        {
            "baseline": "better",
            "mixture": "better",
            "scalar-gate": "worse",
            "learn-e-reg (e permuted in test)": "better",
        },
        {"scalar-gate": 75, "learn-e-reg (e permuted in test)": 90},
    )
    assert found["control"] == "scalar-gate"
    assert "learn-e-reg is worse than scalar-gate" in found["against_control"]


def test_a_comparison_written_the_other_way_round_is_turned():
    found = comparison({"baseline": "better"})
    made = found["comparisons"][0]
    made |= {
        "first": "baseline",
        "second": "learn-e-reg",
        "verdict": "worse",
        "estimate": -1.0,
        "low": -1.8,
        "high": -0.2,
    }
    turned = verdict(found, StudySettings())["sentence"]
    assert turned.startswith("learn-e-reg is better than baseline (+1.00 points, 95 % interval +0.20 to +1.80")
