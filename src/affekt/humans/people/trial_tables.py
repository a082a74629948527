"""Trial tables of people, in the columns of model-vs-human (Geirhos et al. 2021): one row a trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from affekt.data.affective.columns import Columns, read_columns
from affekt.data.affective.files import file_names
from affekt.errors import DataError, first
from affekt.humans.people.known import Options, TrialRows, Trials
from affekt.humans.people.naming import IDS, stimuli_of, stimulus_names
from affekt.humans.people.sources import sources_of
from affekt.humans.people.trial_checks import check_answers, constant_by_stimulus, notes_on

ROLES: Mapping[str, tuple[str, ...]] = {
    "subject": ("subj", "subject", "participant", "observer"),
    "stimulus": IDS,
    "response": ("object_response", "response", "answer"),
    "category": ("category", "correct_response", "truth"),
    "condition": ("condition",),
    "rt": ("rt", "response_time", "reaction_time"),
    "session": ("session", "block"),
    "trial": ("trial",),
    "group": ("group", "source_id", "source"),
}
"""What a column says -> what it is called, whatever the case."""

ASKED = ("subject", "stimulus", "response", "category")

OPTIONS: Mapping[str, str] = {
    **{role: f'column of the {role}; default: "{names[0]}" and its like' for role, names in ROLES.items()},
    "subjects": 'which subjects, as a pattern: "subject-*"; default: all, or those where a folder holds models, too',
    "stimuli": "table with columns file and group (or source_id); default: stimuli.csv beside the trials, if there",
    "licence": "of the answers, for reports; default: none stated",
}

_TABLES = (".csv", ".tsv", ".parquet", ".pq")
_PEOPLE = "subject-*"
_NO_ANSWER = frozenset({"", "na", "n/a", "nan", "none given", "null"})


@dataclass(frozen=True, kw_only=True)
class _Raw:
    """Rows of one or several tables; one entry a trial, ``""`` where a table lacks the column."""

    cells: Mapping[str, list[str]]
    rt: list[float]
    notes: tuple[str, ...]

    def take(self, rows: Sequence[int]) -> _Raw:
        cells = {role: [values[row] for row in rows] for role, values in self.cells.items()}
        return replace(self, cells=cells, rt=[self.rt[row] for row in rows])


def is_trial_table(columns: Columns) -> bool:
    """Whether a table is one of trials: it says who answered what, or has two of model-vs-human's own names."""
    own = [columns.find(name) for name in ("subj", "object_response", "imagename")]
    return sum(header is not None for header in own) >= 2 or all(
        columns.find(*ROLES[role]) is not None for role in ("subject", "response")
    )


def read_trials(path: Path, options: Options) -> Trials:
    """Every trial of a table, or of all trial tables in a folder (model-vs-human has a file a subject and session).

    Columns ``subj``, ``imagename``, ``object_response`` and ``category`` are asked (a cell of ``category`` may be
    empty); ``condition``, ``rt``, ``session``, ``trial`` and ``group`` may be there. A response of ``na`` is no answer.
    Groups come from the column, else from ``stimuli.csv`` beside the table (as ``affekt stimuli`` writes it).

    Raises:
        DataError: no table, missing columns, no answers, answers that are no categories, a stimulus with two right
            answers.
    """
    tables = _tables(path)
    raw = _joined([_raw(columns, options) for columns in tables], len(tables))
    if not raw.rt:
        raise DataError(f"{path.name}: no trials under its header")
    raw = _of_people(raw, str(options.get("subjects", "")), several=len(tables) > 1)
    names, said = stimulus_names(raw.cells["stimulus"], raw.cells["condition"])
    named = stimuli_of(names)
    conditions = constant_by_stimulus(raw.cells["condition"], named, "condition")
    truth = constant_by_stimulus(raw.cells["category"], named, "category")
    responses, spelled = check_answers(path.name, raw.cells["response"], truth)
    sources = sources_of(path, raw.cells["stimulus"], raw.cells["group"], named, conditions, options)
    trials = TrialRows(
        subject=np.array(raw.cells["subject"], dtype=np.str_),
        stimulus=named.which,
        response=responses,
        rt=np.array(raw.rt),
        session=np.array(raw.cells["session"], dtype=np.str_),
        trial=np.array(raw.cells["trial"], dtype=np.str_),
    )
    found = Trials(
        name=path.stem,
        licence=str(options.get("licence", "")),
        ids=named.ids,
        groups=sources.groups,
        facts=sources.facts,
        conditions=conditions,
        truth=truth,
        trials=trials,
    )
    return replace(found, notes=(*raw.notes, *said, *spelled, *sources.notes, *notes_on(found)))


def _tables(path: Path) -> list[Columns]:
    """
    Raises:
        DataError: a folder without a trial table.
    """
    if not path.is_dir():
        return [read_columns(path)]
    names = sorted(name for name in file_names(path) if name.lower().endswith(_TABLES))
    found = [columns for name in names if is_trial_table(columns := read_columns(path / name))]
    if not found:
        raise DataError(f"{path}: no trial table among {first(names) or 'no tables'}; it has {_asked()}")
    return found


def _asked() -> str:
    return ", ".join(ROLES[role][0] for role in ASKED)


def _raw(columns: Columns, options: Options) -> _Raw:
    """
    Raises:
        DataError: columns that are missing: all of them, and those found.
    """
    headers = {role: _header(columns, role, options) for role in ROLES}
    asked = [role for role in ROLES if role in ASKED or role in options]
    missing = [str(options.get(role, ROLES[role][0])) for role in asked if headers[role] is None]
    if missing:
        raise DataError(
            f"{columns.name}: no column {', '.join(missing)}. Found: {columns.headers()}. A trial table has {_asked()} "
            f"(condition, rt, session, trial where known); name yours, e.g. --option {ASKED[0]}=who"
        )
    empty = [""] * len(columns)
    cells = {role: empty if header is None else columns.text(header) for role, header in headers.items()}
    nameless = zip(columns.lines, cells["subject"], cells["stimulus"], strict=True)
    unnamed = [line for line, subject, stimulus in nameless if not (subject and stimulus)]
    if unnamed:
        raise DataError(f"{columns.name}: {len(unnamed)} row(s) without subject or stimulus (line {first(unnamed)})")
    header = headers["rt"]
    rt = [float("nan")] * len(columns) if header is None else columns.numbers(header).tolist()
    cells["response"] = ["" if cell.lower() in _NO_ANSWER else cell for cell in cells["response"]]
    return _Raw(cells=cells, rt=rt, notes=columns.notes)


def _header(columns: Columns, role: str, options: Options) -> str | None:
    return columns.find(str(options[role])) if role in options else columns.find(*ROLES[role])


def _joined(parts: Sequence[_Raw], tables: int) -> _Raw:
    cells = {role: [cell for part in parts for cell in part.cells[role]] for role in ROLES}
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    if tables > 1:
        notes = (*notes, f"{tables} trial tables read")
    return _Raw(cells=cells, rt=[value for part in parts for value in part.rt], notes=notes)


def _of_people(raw: _Raw, pattern: str, *, several: bool) -> _Raw:
    """The trials of the subjects asked for. The folders of model-vs-human hold people and models side by side.

    Raises:
        DataError: no subject of that name.
    """
    subjects = list(dict.fromkeys(raw.cells["subject"]))
    if not pattern and several and any(fnmatchcase(name, _PEOPLE) for name in subjects):
        pattern = _PEOPLE
    kept = {name for name in subjects if fnmatchcase(name, pattern or "*")}
    others = [name for name in subjects if name not in kept]
    if not kept:
        raise DataError(f'no subject is called "{pattern}"; there are {first(subjects)}')
    rows = [row for row, name in enumerate(raw.cells["subject"]) if name in kept]
    note = (f'{len(others)} that are not called "{pattern}" are left out: {first(others)}',) if others else ()
    return replace(raw.take(rows), notes=(*raw.notes, *note))
