"""Comparison: what is finished in the folder of a study of clips, compared and written as comparison.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from affekt.study.clips.cautions import undeclared
from affekt.study.clips.comparing import compare_clips
from affekt.study.clips.scores import read_clip_scores
from affekt.study.comparing import rules
from affekt.study.conditions import about, apply_condition
from affekt.study.folder import write_text
from affekt.study.frame import COMPARISON, Frame, finished_records, of_frame

KIND = "clips"
"""What ``comparison.json`` says of such a study; one of pictures says nothing."""

METRIC = "unweighted average recall (UAR): the mean over the classes of the share of each class's clips that is found"

HOW = (
    "Intervals: crossed bootstrap over seeds and speakers; in each draw of whole speakers the average recall is "
    "taken anew over all their clips. What the seeds bring of the error and what the speakers add are each widened "
    "by a Student's t of their own: with {speakers} speakers that of {degrees} degrees of freedom or fewer, where "
    "their clips are unequally many."
)

CITATION = """@article{chae2018joint,
  title   = {End-to-end multimodal emotion and gender recognition with dynamic joint loss weights},
  author  = {Chae, Myungsu and Kim, Tae-Ho and Shin, Young Hoon and Kim, June-Woo and Lee, Soo-Young},
  journal = {arXiv:1809.00758},
  year    = {2018}
}"""


def compare_clips_in(folder: Path, frame: Frame) -> dict[str, Any]:
    """Compare what is finished in a study's folder and write ``comparison.json``.

    Raises:
        AffektError: a run's predictions were altered, or nothing can be written.
    """
    own, said = finished_records(folder, frame)
    settings = frame.recipe.study
    resolved = {name: apply_condition(frame.recipe, name) for name in frame.conditions}
    found = compare_clips(read_clip_scores(folder, own), own, frame.recipe, resolved)
    comparison: dict[str, Any] = {
        "kind": KIND,
        "metric": METRIC,
        **of_frame(folder, frame, finished=len(own)),
        **found,
        "composed": composed_in(frame.provenance),
        "citation": CITATION,
    }
    for condition in comparison["conditions"]:
        condition["about"] = about(frame.recipe, condition["name"])
    comparison["verdict"] = {
        "sentence": sentence(comparison),
        "against_control": "",
        "rules": f"{rules(settings)} {_how(comparison)}",
    }
    comparison["notes"] = [*_notes(comparison, own), *said]
    write_text(folder / COMPARISON, json.dumps(comparison, indent=1, allow_nan=False) + "\n")
    return comparison


def composed_in(provenance: Sequence[Mapping[str, str]]) -> str:
    """The sets that a study's clips are composed of; ``""``: they are recordings."""
    return next((entry["composed"] for entry in provenance if "composed" in entry), "")


def _how(comparison: Mapping[str, Any]) -> str:
    speakers = int(comparison["n_groups"])
    return HOW.format(speakers=speakers, degrees=max(speakers - 1, 1)) if speakers else ""


def sentence(comparison: Mapping[str, Any]) -> str:
    """What the declared comparisons come to."""
    if not comparison["comparisons"]:
        leaky = {c["name"] for c in comparison["conditions"] if c["leaky"]}
        none = undeclared([name for name in comparison["planned"] if name not in leaky])
        return f"Nothing is compared: {none}."
    made = [c for c in comparison["comparisons"] if "verdict" in c]
    if not made:
        return "Nothing can be said yet: no declared comparison has a finished seed of both sides."
    told = [c for c in made if c["verdict"] in ("better", "worse")]
    equal = [c for c in made if c["verdict"] == "equivalent"]
    words = [f"{_said(c)}" for c in told]
    words += [f"{c['first']} and {c['second']} are equivalent on {c['task']} within the margin" for c in equal]
    rest = len(made) - len(words)
    if rest:
        words.append(f"of {rest} of {len(made)} declared comparisons it cannot be told whether the sides differ")
    text = "; ".join(words) + "."
    return text if told or equal else f"O{text[1:]}"


def _said(c: Mapping[str, Any]) -> str:
    numbers = f"{c['estimate']:+.1f} points, 95 % interval {c['low']:+.1f} to {c['high']:+.1f}"
    return f"{c['first']} is {c['verdict']} than {c['second']} on {c['task']} ({numbers})"


def _notes(comparison: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> list[str]:
    runs, added = comparison["runs"], comparison["seeds"]["added"]
    found = []
    if runs["finished"] < runs["declared"]:
        found.append(f"{runs['finished']} of {runs['declared']} runs are finished; all numbers are provisional")
    found += [f"failed: {f['condition']}, seed {f['seed']}: {f['error']}" for f in comparison["failed"]]
    if added:
        found.append(f"seeds {', '.join(map(str, added))} were added after the study was declared")
    if comparison["n_groups"] == 1:
        found.append("all test clips are of one speaker: nothing of this follows for others")
    leaky = [c["name"] for c in comparison["conditions"] if c["leaky"]]
    if leaky:
        found.append(
            f"{', '.join(leaky)} LEAKS: its networks learned from the speakers that they are tested on. It shows "
            "what such a split would have claimed, and is no evidence"
        )
    return [*found, *dict.fromkeys(note for record in records for note in record["notes"])]
