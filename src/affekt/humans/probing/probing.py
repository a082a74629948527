"""probe: how well the frozen features of networks predict people's ratings, and which predict them better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affekt.data.stimuli import Stimuli
from affekt.errors import UsageError, unknown
from affekt.humans.agreement import Estimate
from affekt.humans.probing import comparing
from affekt.humans.probing.choosing import CHOSEN
from affekt.humans.probing.folder import Line, ProbeFolder
from affekt.humans.probing.folds import Unit
from affekt.humans.probing.layers import WORDS
from affekt.humans.probing.people import people_of
from affekt.humans.probing.scoring import ceiling_of, pearson_of
from affekt.humans.probing.settings import ProbeSettings
from affekt.humans.probing.subjects import Subject
from affekt.humans.probing.working import Work
from affekt.saving.whole import locked
from affekt.training.precision import choose_device
from affekt.training.progress import NoProgress, Progress

UNITS: tuple[Unit, ...] = ("group", "item")


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """What a call gives.

    Attributes:
        folder: where it lies.
        people: dimension -> people's ceiling, the number of pictures and of groups.
        lines: of the subjects and layers that were asked for, as in ``results.jsonl``, in the order of the call.
        differences: of each entry to one of them, with p values adjusted for their number.
        failed: subject -> why it has no line.
        notes: what a reader of the numbers should know.
    """

    folder: Path
    people: Mapping[str, Mapping[str, Any]]
    lines: Sequence[Line]
    differences: Sequence[Mapping[str, Any]]
    failed: Mapping[str, str]
    notes: Sequence[str]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "people": dict(self.people),
            "results": list(self.lines),
            "differences": list(self.differences),
            "failed": dict(self.failed),
            "notes": list(self.notes),
        }


def probe(
    subjects: Sequence[Subject],
    people: Stimuli,
    out: Path | str,
    settings: ProbeSettings,
    *,
    layers: Sequence[str] = ("last",),
    unit: Unit = "group",
    against: str | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> ProbeResult:
    """Probe each subject that the folder has no line of yet, and compare all that were asked for.

    Args:
        subjects: what is probed, controls among them.
        people: pictures with ratings and groups.
        out: folder; a later call with the same people and settings goes on in it.
        layers: any of ``last``, ``map``, ``stages``.
        unit: what is held out as a whole: ``"group"``, or ``"item"``, which leaks.
        against: the entry that the others are compared with; None: the first.
        device: ``"auto"``, or what torch knows under that name.

    Raises:
        UsageError: a folder of other settings, an unknown dimension, word or ``against``; a layer that the
            only subject has not.
        DataError: no ratings, too few groups, a picture that does not decode.
        Busy: another process is at work in the folder.
        AffektError: the only subject cannot be had, or the folder cannot be written.
    """
    for what, words, known in (("layers", layers, WORDS), ("unit", [unit], UNITS)):
        for word in words:
            if word not in known:
                raise UsageError(unknown(what, word, known))
    if against is not None:
        comparing.check_against(against, [subject.name for subject in subjects])
    folder, whose = ProbeFolder(Path(out)), people_of(people, settings, unit)
    work = Work(whose, folder, layers, choose_device(device), progress or NoProgress())
    with locked(folder.path):
        folder.claim(whose.facts())
        folder.tidy()
        failed = work.run(subjects)
        lines = [line for subject in subjects for line in work.lines(subject)]
        found = ProbeResult(
            folder=folder.path,
            people={truth.dimension: ceiling_of(truth) for truth in whose.truths},
            lines=lines,
            differences=_differences(work, lines, against),
            failed=failed,
            notes=whose.notes,
        )
        folder.write_comparison({"unit": unit, **found.to_dict()})
    return found


def _differences(work: Work, lines: Sequence[Line], against: str | None) -> list[dict[str, Any]]:
    """r of each entry less that of one; of a subject's stages, the chosen one speaks for it."""
    leads = [line for line in lines if _leads(line, lines)]
    names = [line["subject"] for line in leads]
    entries = {
        comparing.entry_of(line["subject"], line["layer"], names.count(line["subject"]) == 1): line for line in leads
    }
    if len(entries) < 2:
        return []
    reference = comparing.resolve_against(against, list(entries))
    held = {name: work.read(line) for name, line in entries.items()}
    estimates: dict[str, dict[str, Estimate]] = {
        truth.dimension: {name: pearson_of(found, column, truth) for name, found in held.items()}
        for column, truth in enumerate(work.people.truths)
    }
    return comparing.differences(estimates, reference)


def _leads(line: Line, lines: Sequence[Line]) -> bool:
    chosen = any(other["subject"] == line["subject"] and other["layer"] == CHOSEN for other in lines)
    return not (chosen and (line["layer"].startswith("stage-") or line["layer"] == "last"))
