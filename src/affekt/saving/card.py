"""ModelCard: what a reader must know before using weights - above all which data stands behind them, on what terms."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from affekt.errors import UsageError

_HUB_LICENCES = (
    "apache-2.0", "mit", "bsd-3-clause", "bsd-2-clause", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0",
    "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-4.0", "cc-by-3.0", "cc-by-sa-3.0", "gpl-3.0",
    "lgpl-3.0", "agpl-3.0", "openrail", "unlicense",
)  # fmt: skip
"""Identifiers of licences that the hub knows and that weights are likely to carry; anything else is "other"."""

PICTURES = "image-classification"

UNKNOWN = "not stated by whoever saved this model"


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """The README.md of a model folder, in the hub's form: YAML front matter, then Markdown.

    Attributes:
        title: one line.
        summary: what the model does, how it was trained, what it must not be used for; Markdown.
        datasets: every data set behind the weights, pre-training included: ``name``, ``licence``, ``citation`` and, if
            you like, ``role`` ("affective pre-training") and ``homepage``.
        metrics: name -> value, printed as a table.
        recipe: the complete recipe, printed as TOML.
        licence: of the weights. The terms of the data sets may bind harder; they are listed for that.
        tags: further tags of the hub.
        pipeline: what the hub calls such a model's work.
        source: where this card's numbers can be produced again (a command).
    """

    title: str
    summary: str = ""
    datasets: Sequence[Mapping[str, str]] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    recipe: str = ""
    licence: str = "other"
    tags: Sequence[str] = ()
    pipeline: str = PICTURES
    source: str = ""

    def __post_init__(self) -> None:
        for dataset in self.datasets:
            missing = [key for key in ("name", "licence", "citation") if key not in dataset]
            if missing:
                named = dataset.get("name", "?")
                raise UsageError(
                    f"model card: data set {named}: {', '.join(missing)} missing; say it, or write 'unknown'"
                )

    def render(self) -> str:
        """The whole README.md."""
        parts = [_front_matter(self), f"# {self.title}", self.summary, _data_section(self.datasets)]
        if self.metrics:
            rows = "\n".join(f"| {name} | {value:.4g} |" for name, value in self.metrics.items())
            parts.append(f"## Results\n\n| metric | value |\n|---|---|\n{rows}")
        parts.append("## Use\n\n```python\nimport affekt\n\nmodel = affekt.load(PATH_OR_REPOSITORY)\n```")
        if self.source:
            parts.append(f"Made with: `{self.source}`")
        if self.recipe:
            fence = "`" * 4
            parts.append(f"## Recipe\n\n{fence}toml\n{self.recipe.strip()}\n{fence}")
        return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _front_matter(card: ModelCard) -> str:
    """YAML; every value is written as JSON, which YAML reads, so that no quoting can go wrong."""
    known = card.licence.lower() in _HUB_LICENCES
    values: dict[str, object] = {"library_name": "affekt", "license": card.licence.lower() if known else "other"}
    if not known:
        values["license_name"] = card.licence
    values["tags"] = list(dict.fromkeys(["affekt", card.pipeline, "affective-computing", *card.tags]))
    values["pipeline_tag"] = card.pipeline
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(["---", *lines, "---"])


def _data_section(datasets: Sequence[Mapping[str, str]]) -> str:
    """Licence and provenance of each data set; said plainly where nothing is known."""
    lines = ["## Data behind the weights", ""]
    if not datasets:
        return "\n".join([*lines, f"Data sets and their licences: {UNKNOWN}."])
    for dataset in datasets:
        role = f" ({dataset['role']})" if dataset.get("role") else ""
        home = f" {dataset['homepage']}" if dataset.get("homepage") else ""
        lines.append(f"- **{dataset['name']}**{role}. Licence: {dataset['licence']}. {dataset['citation']}{home}")
    return "\n".join(lines)
