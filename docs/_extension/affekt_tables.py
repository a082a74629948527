"""Tables of the docs made from the code: recipe keys, recipes, data sets, options of the command, errors."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective


def row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    header = list(header)
    yield row(*header)
    yield row(*("---" for _ in header))
    yield from (row(*cells) for cells in rows)
    yield ""


def recipe_keys() -> Iterator[str]:
    """Every key, one table a section, with the section's own docstring as its first line."""
    from affekt.cli.keys import recipe_keys as every

    sections: dict[str, list[Any]] = {}
    for key in every():
        sections.setdefault(key.name.rpartition(".")[0], []).append(key)
    for section, keys in sections.items():
        yield from (f"### `[{section}]`" if section else "### Top of the file", "")
        yield from table(("key", "is", "default", "about"), (_key_cells(key) for key in keys))


def _key_cells(key: Any) -> tuple[str, ...]:
    what = ", ".join(f"`{c}`" for c in key.choices) if key.kind == "one of" else f"{key.kind} {key.span}".strip()
    return f"`{key.name.rpartition('.')[2]}`", what, f"`{key.default}`" if key.default else "absent", key.about


def recipes() -> Iterator[str]:
    from affekt.cli.shipped import about, shipped

    yield from table(("recipe", "about"), ((f"`{name}`", about(path)) for name, path in shipped().items()))


def first_line(module: str) -> str:
    """What a file says it is, without the name that it begins with."""
    text = (importlib.import_module(module).__doc__ or "").strip().splitlines()[0]
    return text.partition(": ")[2] or text


def influences() -> Iterator[str]:
    from affekt.regulation import INFLUENCES

    rows = ((f"`{name}`", first_line(kind.__module__), _formula(kind)) for name, kind in INFLUENCES.items())
    yield from table(("influence", "the second encoder", "exactly"), rows)


def regulators() -> Iterator[str]:
    from affekt.regulation import REGULATORS

    rows = ((f"`{name}`", first_line(kind.__module__), _formula(kind)) for name, kind in REGULATORS.items())
    yield from table(("regulator", "r", "exactly"), rows)


def audio() -> Iterator[str]:
    from affekt.multimodal import AUDIO

    yield from _parts("audio", "what it hears with", AUDIO)


def fusions() -> Iterator[str]:
    from affekt.multimodal import FUSIONS

    yield from _parts("fusion", "how", FUSIONS)


def recurrent() -> Iterator[str]:
    from affekt.multimodal import RECURRENT

    yield from _parts("recurrent", "how", RECURRENT)


def _parts(what: str, how: str, known: dict[str, Any]) -> Iterator[str]:
    rows = ((f"`{name}`", first_line(kind.__module__), _formula(kind)) for name, kind in known.items())
    yield from table((what, how, "exactly"), rows)


def _formula(kind: type) -> str:
    """The first paragraph of a class's docstring, its literals as Markdown has them."""
    return " ".join((kind.__doc__ or "").strip().split("\n\n")[0].split()).replace("``", "`")


def weightings() -> Iterator[str]:
    """Our rules for joint losses."""
    from affekt.weighting import WEIGHTINGS

    rows = (
        (f"`{name}`", first_line(kind.__module__), _formula(kind), kind.collapse) for name, kind in WEIGHTINGS.items()
    )
    yield from table(("weighting", "is", "exactly", "a task loses its weight"), rows)


def torchjds_weightings() -> Iterator[str]:
    """Those of torchjd: of losses, then of gradients."""
    from affekt.weighting._torchjd_rules import AGGREGATORS, RULES, SCALARISERS

    header = ("weighting", "is", "to be given", "a task loses its weight")
    for place, title in ((SCALARISERS, "Of the losses"), (AGGREGATORS, "Of the gradients")):
        yield from (f"### {title}", "")
        found = ((name, rule) for name, rule in RULES.items() if rule.place == place)
        yield from table(
            header,
            (
                (f"`{n}` ({r.kind})", f"{r.about} ({r.paper})", f"`{r.example}`" if r.example else "", r.collapse)
                for n, r in found
            ),
        )


def presets() -> Iterator[str]:
    from affekt.regulation import PRESETS, READINGS

    def keys(name: str) -> str:
        return ", ".join(f"`{key} = {value}`" for key, value in PRESETS[name].items())

    yield from table(("condition", "reading", "keys"), ((f"`{name}`", READINGS[name], keys(name)) for name in PRESETS))


def conditions() -> Iterator[str]:
    """Every built-in condition in the order of a study, in one line each."""
    from affekt.recipe import Recipe
    from affekt.study.conditions import ORDER, about

    yield from table(("condition", "what it is"), ((f"`{name}`", about(Recipe(), name)) for name in ORDER))


def study_keys() -> Iterator[str]:
    """The keys of ``[study]``."""
    from affekt.cli.keys import recipe_keys as every

    keys = (key for key in every() if key.name.startswith("study."))
    yield from table(("key", "is", "default", "about"), (_key_cells(key) for key in keys))


def datasets() -> Iterator[str]:
    """One section a set: title, labels, licence, layout, tasks, options, where to get it."""
    from affekt.data import describe, list_datasets

    found = [describe(name) for name in list_datasets()]
    kinds = (("affective", "Affective pictures"), ("target", "Targets"), ("audiovisual", "Audio and video"))
    for kind, title in kinds:
        yield from (f"## {title}", "")
        for described in (d for d in found if d.kind == kind):
            yield from _dataset(described)


def _dataset(described: Any) -> Iterator[str]:
    yield from (f"### `{described.name}`", "", f"{described.title}.".replace("..", "."), "")
    yield from (f"Labels: {', '.join(described.labels)}. Licence: {described.licence}.".replace("..", "."), "")
    yield from (f"{described.citation} <{described.homepage}>" if described.homepage else described.citation, "")
    yield from ("```text", *described.layout.strip().splitlines(), "```", "")
    tasks = getattr(described, "tasks", {})
    if tasks:
        yield from table(("task", "is"), ((f"`{k}`", v) for k, v in tasks.items()))
    if described.options:
        yield from table(("option", "about"), ((f"`{k}`", v) for k, v in described.options.items()))


def clip_keys() -> Iterator[str]:
    """The keys of a set of clips."""
    from affekt.recipe import ClipSettings

    yield from _keys_of(ClipSettings)


def clip_augmentation_keys() -> Iterator[str]:
    """The keys of the augmentation of clips."""
    from affekt.recipe import ClipAugmentationSettings

    yield from _keys_of(ClipAugmentationSettings)


def _keys_of(settings: type) -> Iterator[str]:
    from affekt.cli.keys import recipe_keys as every

    yield from table(("key", "is", "default", "about"), (_key_cells(key) for key in every(settings)))


def manipulations() -> Iterator[str]:
    """Every manipulation with the unit and range of its strength, and its paper."""
    from affekt.data.manipulations import MANIPULATIONS

    cells = ((f"`{m.name}`", m.about, f"{m.low:g} to {m.high:g}", m.unit, m.reference) for m in MANIPULATIONS.values())
    yield from table(("manipulation", "is", "strength", "unit", "reference"), cells)


def options() -> Iterator[str]:
    """Every verb with its usage and options, from the parser."""
    from affekt.cli.parsing import build_parser, parsers

    for path, parser in parsers(build_parser()).items():
        if path:
            yield from (f"### `affekt {' '.join(path)}`", "", *_parser(parser))


def _parser(parser: Any) -> Iterator[str]:
    shown = [a for a in parser._actions if a.help and a.dest not in ("help", "verb") and a.nargs != "A..."]
    yield from (parser.description or "", "")
    if shown:
        yield from table(("argument", "about"), ((f"`{_spelled(a)}`", a.help) for a in shown))


def _spelled(action: Any) -> str:
    value = action.metavar or ("" if action.nargs == 0 else action.dest.upper())
    if action.choices and not action.metavar:
        value = "|".join(map(str, action.choices))
    return " ".join([*action.option_strings[-1:], value]).strip()


def results() -> Iterator[str]:
    """A toctree of the pages in ``results/``; a toctree of none would be an error."""
    pages = sorted(p.stem for p in (Path(__file__).parents[1] / "results").glob("*.md"))
    if pages:
        yield from ("```{toctree}", ":maxdepth: 1", "", *(f"results/{page}" for page in pages), "```", "")


def machines() -> Iterator[str]:
    """The steps on which every shipped machine was measured, beside what its constants say of them."""
    from affekt.cli.plan_machines import shipped_machines
    from affekt.study.machines.machine import read_machine

    for name, file in shipped_machines().items():
        machine = read_machine(file)
        rates = ", ".join(f"{rate / 1e12:.3g} TFLOP/s in {precision}" for precision, rate in machine.rates.items())
        yield from (f"### `{name}`: {machine.name}", "")
        yield from (
            f"{1e3 * machine.overhead:.3g} ms a step, {1e6 * machine.launch:.3g} µs a launch, "
            f"{machine.bandwidth / 1e9:.4g} GB/s, {rates}; checkpoints at {machine.writing / 1e6:.0f} MB/s, "
            f"{machine.decoding:.0f} pictures a second and core; torch {machine.versions['torch']}. Typical error of "
            f"`left out`: {100 * machine.error:.0f} %.",
            "",
        )
        yield from table(("step", "precision", "ms", "fitted", "left out"), map(_step_cells, machine.measured))


def _step_cells(step: Any) -> tuple[str, ...]:
    took = step["seconds"]
    off = ("" if said is None else f"{100 * (said / took - 1):+.0f} %" for said in (step["fitted"], step["left_out"]))
    return step["label"], step["precision"], f"{1e3 * took:.4g}", *off


def printed(kind: str) -> Callable[[], Iterator[str]]:
    """What commands printed, kept in ``results/scale/<kind>-<machine>.txt``."""

    def lines() -> Iterator[str]:
        for file in sorted((Path(__file__).parents[1] / "results" / "scale").glob(f"{kind}-*.txt")):
            yield from (*file.read_text(encoding="utf-8").splitlines(), "")

    return lines


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "affekt-recipe-keys": recipe_keys,
    "affekt-recipes": recipes,
    "affekt-influences": influences,
    "affekt-regulators": regulators,
    "affekt-weightings": weightings,
    "affekt-torchjds-weightings": torchjds_weightings,
    "affekt-audio": audio,
    "affekt-fusions": fusions,
    "affekt-recurrent": recurrent,
    "affekt-presets": presets,
    "affekt-conditions": conditions,
    "affekt-study-keys": study_keys,
    "affekt-datasets": datasets,
    "affekt-clip-keys": clip_keys,
    "affekt-clip-augmentation-keys": clip_augmentation_keys,
    "affekt-manipulations": manipulations,
    "affekt-results": results,
    "affekt-machines": machines,
    "affekt-machine-runs": printed("runs"),
    "affekt-machine-grids": printed("grid"),
    "affekt-options": options,
}


class Table(SphinxDirective):
    """A directive without arguments whose Markdown is made by one of the functions above."""

    lines: ClassVar[Callable[[], Iterator[str]]]

    def run(self) -> list[nodes.Node]:
        container = nodes.container()
        content = StringList(list(type(self).lines()), source=self.name)
        # Sections are made too, which a plain nested parse of a directive would refuse.
        self.state.nested_parse(content, self.content_offset, container, match_titles=True)
        return container.children


def setup(app: Any) -> dict[str, bool]:
    for name, lines in TABLES.items():
        app.add_directive(name, type(name, (Table,), {"lines": staticmethod(lines)}))
    return {"parallel_read_safe": True}
