"""Verdict: one sentence about the method, chosen by the rules that stand beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from affekt.recipe import StudySettings
from affekt.study.comparing import rules
from affekt.study.conditions import METHODS
from affekt.study.matching import longer_off
from affekt.study.scores import PERMUTED

Json = dict[str, Any]

STRONGEST = (
    "The strongest control is that with the highest mean accuracy among those with which a comparison of the method "
    "was declared."
)


def verdict(comparison: Mapping[str, Any], settings: StudySettings) -> Json:
    """The sentence, the control that it is held against, and the rules.

    The strongest control is that with the highest mean accuracy among all that the method is declared to be compared
    with beside the reference; it is chosen by its mean, after the fact, which favours the control.
    """
    made = [_turned(c, settings.method) for c in comparison["comparisons"] if "verdict" in c]
    made = [c for c in made if c["first"] == settings.method]
    reference = next((c for c in made if c["second"] == settings.reference), None)
    means = {c["name"]: c["metrics"]["accuracy"]["mean"] for c in comparison["conditions"]}
    own = (settings.reference, settings.method + PERMUTED)
    controls = [c for c in made if c["second"] not in own]
    strongest = max(controls, key=lambda c: means[c["second"]], default=None)
    return {
        "sentence": _about_reference(settings, reference, strongest),
        "against_control": _about_control(settings, reference, strongest),
        "control": None if strongest is None else strongest["second"],
        "rules": f"{rules(settings)} {STRONGEST}",
    }


def _turned(c: Json, method: str) -> Json:
    """A comparison with the method first."""
    if c["second"] != method:
        return c
    turned = {"better": "worse", "worse": "better"}.get(c["verdict"], c["verdict"])
    numbers = {"estimate": -c["estimate"], "low": -c["high"], "high": -c["low"]}
    return {**c, **numbers, "first": method, "second": c["first"], "verdict": turned}


def in_words(found: Mapping[str, Any]) -> str:
    """A verdict as one text."""
    return " ".join(text for text in (found["sentence"], found["against_control"]) if text)


def _about_reference(settings: StudySettings, reference: Json | None, strongest: Json | None) -> str:
    if reference is not None:
        said = _said(settings.method, reference)
        # The names of conditions stay as they are written.
        return f"W{said[1:]}" if said.startswith("whether") else said
    if strongest is not None:
        return f"No declared comparison of {settings.method} and {settings.reference} has a finished seed of both."
    return f"Nothing can be said yet: no declared comparison of {settings.method} has a finished seed of both sides."


def _about_control(settings: StudySettings, reference: Json | None, strongest: Json | None) -> str:
    if strongest is None:
        return "" if reference is None else "No control was run, so nothing follows about why."
    said = f"Against its strongest control: {_said(settings.method, strongest)}"
    if strongest["verdict"] != "better" and reference is not None and reference["verdict"] == "better":
        due = "emotion" if settings.method in METHODS else "what is said to set it apart"
        said += f" The gain over {settings.reference} is not shown to come from {due}."
    return said


def _said(method: str, c: Mapping[str, Any]) -> str:
    n = len(c["seeds"])
    seeds = f"{n} seed{'s' if n > 1 else ''}"
    # An interval of its own may lie beside zero where p, adjusted for all comparisons, does not tell.
    p_value = c["p_equivalent" if c["verdict"] == "equivalent" else "p_holm"]
    p = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    values = f"{c['estimate']:+.2f} points, 95 % interval {c['low']:+.2f} to {c['high']:+.2f}, {p} after Holm"
    numbers = f"{values}, {seeds}"
    words = {
        "better": f"{method} is better than {c['second']} ({numbers})",
        "worse": f"{method} is worse than {c['second']} ({numbers})",
        "equivalent": f"{method} and {c['second']} are equivalent within the margin ({numbers})",
        "cannot tell": f"whether {method} differs from {c['second']} cannot be told with {seeds} ({values})",
    }
    only = " - of these networks only: one seed says nothing of how seeds differ" if n == 1 else ""
    return words[c["verdict"]] + only + "."


def lines(comparison: Mapping[str, Any]) -> Sequence[str]:
    """Notes for under the verdict: what is missing, failed or does not apply."""
    runs = comparison["runs"]
    found = []
    if runs["finished"] < runs["declared"]:
        found.append(f"{runs['finished']} of {runs['declared']} runs are finished; all numbers are provisional")
    if comparison.get("one_group"):
        found.append("all test pictures are of one group: nothing of this follows for pictures of others")
    training = {c["name"]: c["flops"]["training"] for c in comparison["conditions"] if c["flops"]}
    found += [text] if (text := longer_off(training, comparison["method"])) else []
    found += [f"failed: {f['condition']}, seed {f['seed']}: {f['error']}" for f in comparison["failed"]]
    found += [f"does not apply: {name}: {reason}" for name, reason in comparison["inapplicable"].items()]
    added = comparison["seeds"]["added"]
    if added:
        found.append(f"seeds {', '.join(map(str, added))} were added after the study was declared")
    return found
