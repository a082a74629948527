"""Roles: which column of a user's table says what - by its name, or by an option of the reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from affekt.affect import DIMENSIONS, RatingScale, canonical_category, parse_scale
from affekt.data.affective.columns import Columns
from affekt.data.affective.emotions import parse_pairs
from affekt.data.dataset import option
from affekt.errors import DataError, UsageError
from affekt.recipe import DataSettings

_PATHS = ("path", "image", "file", "filename", "file_name", "picture", "image_path")
_VOTE_PREFIXES = ("votes_", "vote_", "votes ", "vote ")


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Headers by what they say; ``""`` where there is no such column.

    Attributes:
        path, emotion, group, split, rater: one column each.
        votes: header -> canonical emotion.
        ratings, sd, n: dimension -> header.
        extra: further columns to keep.
        scale: of the ratings; None without ratings.
        aliases: other words for emotions in the ``emotion`` column.
        categories: the emotions in the user's order; empty: those that occur.
    """

    path: str
    emotion: str = ""
    votes: Mapping[str, str] = field(default_factory=dict)
    ratings: Mapping[str, str] = field(default_factory=dict)
    sd: Mapping[str, str] = field(default_factory=dict)
    n: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    split: str = ""
    rater: str = ""
    extra: tuple[str, ...] = ()
    scale: RatingScale | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    categories: tuple[str, ...] = ()

    def describe(self, columns: Columns) -> str:
        """One line about what was read from where."""
        parts = [f'emotion from "{self.emotion}"'] if self.emotion else []
        parts += [f"votes from {len(self.votes)} columns ({', '.join(self.votes)})"] if self.votes else []
        if self.scale:
            parts.append(f"{', '.join(self.ratings)} on {self.scale.low:g} to {self.scale.high:g}")
        return f'{columns.name}: pictures from "{self.path}"; {"; ".join(parts)}'


def find_roles(columns: Columns, settings: DataSettings) -> Roles:
    """The role of each column. A column that an option names must be there; one with a default name may be.

    Raises:
        DataError: a column missing, or nothing that says anything of affect.
        UsageError: ratings without a scale, an option that cannot be.
    """
    roles = Roles(
        path=_path(columns, settings),
        emotion=_column(columns, settings, "emotion"),
        group=_column(columns, settings, "group"),
        split=_column(columns, settings, "split"),
        rater=_column(columns, settings, "rater"),
        ratings=_dimensions(columns, settings, ""),
        sd=_dimensions(columns, settings, "_sd"),
        n=_dimensions(columns, settings, "_n"),
        extra=tuple(columns.require(name) for name in option(settings, "extra", tuple, ())),
        aliases=parse_pairs(option(settings, "aliases", tuple, ()), "table: option aliases"),
        categories=tuple(map(canonical_category, option(settings, "categories", tuple, ()))),
    )
    roles = replace(roles, votes=_votes(columns, settings, roles))
    if not (roles.emotion or roles.votes or roles.ratings):
        raise DataError(
            f"{columns.name}: no column says what people felt: emotion, votes (a column an emotion), "
            f"{', '.join(DIMENSIONS)}. Found: {columns.headers()}; name yours by options, see `affekt data info table`"
        )
    return replace(roles, scale=_scale(columns, settings)) if roles.ratings else roles


def _path(columns: Columns, settings: DataSettings) -> str:
    name = option(settings, "path", str, "")
    return columns.require(name) if name else columns.require(*_PATHS)


def _column(columns: Columns, settings: DataSettings, role: str) -> str:
    """The column that the option names, else the one called like its role, else ``""``."""
    name = option(settings, role, str, "")
    return columns.require(name) if name else columns.find(role) or ""


def _dimensions(columns: Columns, settings: DataSettings, suffix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for dimension in DIMENSIONS:
        header = _column(columns, settings, dimension + suffix)
        if not header and not suffix:
            header = columns.find(f"{dimension}_mean", f"mean_{dimension}") or ""
        if header:
            found[dimension] = header
    return found


def _scale(columns: Columns, settings: DataSettings) -> RatingScale:
    text = option(settings, "scale", str, "")
    if not text:
        raise UsageError(
            f"{columns.name}: ratings without a scale; write the one they were given on: --option scale=1-9 "
            '(in a recipe: options.scale = "1-9")'
        )
    return parse_scale(text)


def _votes(columns: Columns, settings: DataSettings, roles: Roles) -> dict[str, str]:
    """Header -> emotion: as the option says, else columns called ``votes_<emotion>``, else two or more called like one.

    Raises:
        DataError: two columns for one emotion.
    """
    given = option(settings, "votes", tuple, ())
    if given == ("none",):
        return {}
    if given:
        named = parse_pairs(given, "table: option votes")
        found = {columns.require(header): emotion for header, emotion in named.items()}
    else:
        taken = {roles.path, roles.emotion, roles.group, roles.split, roles.rater, *roles.extra}
        free = [header for header in columns.values if header not in taken]
        found = _called_votes(free, columns.name) or _called_emotions(free)
    for emotion in found.values():
        headers = [header for header, other in found.items() if other == emotion]
        if len(headers) > 1:
            raise DataError(
                f"{columns.name}: columns {', '.join(headers)} are all votes for {emotion}; name one by votes"
            )
    return found


def _called_votes(headers: list[str], name: str) -> dict[str, str]:
    """
    Raises:
        DataError: votes for something that is no emotion.
    """
    prefixed = {h: next((h[len(p) :] for p in _VOTE_PREFIXES if h.lower().startswith(p)), "") for h in headers}
    try:
        return {header: canonical_category(rest) for header, rest in prefixed.items() if rest}
    except UsageError as error:
        raise DataError(f'{name}: {error}; or list the columns: votes = ["<column>=<emotion>", ...]') from None


def _called_emotions(headers: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for header in headers:
        try:
            found[header] = canonical_category(header)
        except UsageError:
            continue
    return found if len(found) > 1 else {}
