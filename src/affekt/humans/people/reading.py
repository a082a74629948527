"""Reading people's answers: published sets by name, one's own tables by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from affekt.affect import DIMENSIONS
from affekt.data import data_root as root_of
from affekt.data.affective.columns import read_columns
from affekt.errors import DataError, UsageError, unknown
from affekt.humans.people import cifar10h, crema_d, ferplus, oasis
from affekt.humans.people.known import Options, Ratings, Trials, Votes
from affekt.humans.people.naming import IDS
from affekt.humans.people.rating_tables import OPTIONS as RATING_OPTIONS
from affekt.humans.people.rating_tables import read_table
from affekt.humans.people.trial_tables import ASKED, ROLES, is_trial_table, read_trials
from affekt.humans.people.trial_tables import OPTIONS as TRIAL_OPTIONS


@dataclass(frozen=True, kw_only=True)
class Published:
    """A published set: ``folders`` it may lie in below the data root, ``options`` with a line on each, its reader."""

    folders: tuple[str, ...]
    options: Options
    read: Callable[[Path, Options], Ratings | Votes]


PUBLISHED: Mapping[str, Published] = {
    "oasis": Published(folders=("oasis",), options=oasis.OPTIONS, read=oasis.read),
    "ferplus": Published(folders=("ferplus",), options=ferplus.OPTIONS, read=ferplus.read),
    "crema-d": Published(
        folders=("crema-d", "crema_d", "CREMA-D", "cremad"), options=crema_d.OPTIONS, read=crema_d.read
    ),
    "cifar10h": Published(folders=("cifar10h", "cifar-10h"), options=cifar10h.OPTIONS, read=cifar10h.read),
}

_ALIASES = {"fer+": "ferplus", "cremad": "crema-d", "cifar-10h": "cifar10h"}
_TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")


def read_people(
    name_or_path: str | Path, *, data_root: Path | str | None = None, options: Options | None = None
) -> Ratings | Votes | Trials:
    """People's answers: a published set, or a table of your own.

    Args:
        name_or_path: ``"oasis"``, ``"ferplus"``, ``"crema-d"``, ``"cifar10h"``; else a table of trials or ratings, told
            apart by its columns, or a folder of trial tables. ``"./oasis"`` is a path.
        data_root: the folder that holds the published sets' folders; None: see :func:`affekt.data.data_root`.
        options: of the reader.

    Raises:
        UsageError: neither a set nor a path, an option that the reader does not have.
        DataError: missing or damaged data; what is wrong with it, and what was found.
    """
    given, chosen = str(name_or_path), options or {}
    key = given.strip().lower().replace("_", "-")
    key = _ALIASES.get(key, key)
    if isinstance(name_or_path, str) and key in PUBLISHED:
        known = PUBLISHED[key]
        _check_options(key, chosen, known.options)
        return known.read(_folder(key, known.folders, root_of(data_root)), chosen)
    path = Path(name_or_path).expanduser()
    if not path.exists():
        if path.suffix.lower() in _TABLES or "/" in given or "\\" in given:
            raise DataError(f"{path}: no such table or folder")
        known_names = f"{', '.join(PUBLISHED)}; or the path of a table of trials or ratings"
        raise UsageError(unknown("people", given, PUBLISHED, everything=known_names))
    return _read_path(path, chosen)


def _folder(name: str, folders: tuple[str, ...], root: Path) -> Path:
    found = next((root / folder for folder in folders if (root / folder).is_dir()), None)
    # The reader of CIFAR-10H looks beside its folder, too, and says itself what it lacks.
    if found is None and name != "cifar10h":
        raise DataError(
            f"{name}: no folder {root / folders[0]}; say where the data sets are: --data-root or AFFEKT_DATA"
        )
    return found or root / folders[0]


def _read_path(path: Path, options: Options) -> Ratings | Votes | Trials:
    if path.is_dir() or set(options) & (set(TRIAL_OPTIONS) - set(RATING_OPTIONS)):
        return _trials(path, options)
    ways = {way: str(options.get(way, "")) for way in ("delimiter", "encoding")}
    columns = read_columns(path, **ways)
    if is_trial_table(columns):
        return _trials(path, options)
    _check_options("ratings table", options, RATING_OPTIONS)
    header = options.get("path") or columns.find(*IDS)
    if header is None:
        raise DataError(
            f"{path.name}: neither trials ({', '.join(ROLES[role][0] for role in ASKED)}) nor ratings or votes (path, "
            f"and any of {', '.join(DIMENSIONS)} or a column an emotion). Found: {columns.headers()}; name yours: "
            f"--option path=COLUMN --option {DIMENSIONS[0]}=COLUMN, of trials --option subject=COLUMN ..."
        )
    return read_table(path, {"path": header, **options})


def _trials(path: Path, options: Options) -> Trials:
    _check_options("trial table", options, TRIAL_OPTIONS)
    return read_trials(path, options)


def _check_options(what: str, options: Options, known: Options) -> None:
    for name in options:
        if name not in known:
            none = f"{what} has no options" if not known else None
            raise UsageError(unknown(f"{what}: option", name, known, everything=none))
