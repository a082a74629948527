"""Every Python snippet of the README and the docs runs, page by page, as do both sides of every diff.

A page's blocks share one namespace, as a reader would type them one after the other. What a page supposes to be there
(a trained model, a loader) is made small in a folder of its own.
"""

import re
import wave
from pathlib import Path

import pytest
import torch

import affekt
from affekt.errors import MissingExtra

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(python|diff)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


def blocks(page):
    return [(kind, text) for kind, text in BLOCK.findall(page.read_text(encoding="utf-8"))]


def side(diff, drop):
    """One side of a diff: the lines that do not begin with ``drop``."""
    return "\n".join(line[2:] for line in diff.splitlines() if not line.startswith(drop))


def sources(page):
    """(what, source) of every program on a page: its snippets in one, then both sides of its diffs."""
    found = blocks(page)
    python = "\n".join(text for kind, text in found if kind == "python")
    programs = [("python", python)] if python else []
    for number, (_, text) in enumerate(b for b in found if b[0] == "diff"):
        programs += [(f"diff {number} before", side(text, "+")), (f"diff {number} after", side(text, "-"))]
    return programs


PROGRAMS = [pytest.param(source, id=f"{page.stem}: {what}") for page in PAGES for what, source in sources(page)]


@pytest.fixture(scope="module")
def supposed(tmp_path_factory):
    """A folder with the models that the pages load, tiny."""
    folder = tmp_path_factory.mktemp("snippets")
    network = affekt.AffectNetwork("resnet8", heads={"ratings": ["valence", "arousal"]}, image_size=32, scale=(1, 7))
    for name in ("runs/oasis/model", "quickstart/runs/learn-e-reg/seed-0/model"):
        network.save_pretrained(folder / name)
    _utterances(folder / "emodb" / "wav")
    return folder


def _utterances(folder):
    """Utterances of three seconds at most, by the names of EmoDB."""
    folder.mkdir(parents=True)
    for speaker in ("03", "08", "09", "10", "11", "12"):
        for letter in "WLEAFTN":
            with wave.open(str(folder / f"{speaker}a01{letter}a.wav"), "wb") as file:
                file.setparams((1, 2, 16_000, 0, "NONE", ""))
                file.writeframes((torch.randn(16_000) * 3_000).to(torch.int16).numpy().tobytes())


def namespace():
    """What a diff leaves out: its imports and its loader."""
    import torchvision

    loader = [(torch.rand(2, 3, 32, 32), torch.tensor([0, 1]))]
    return {"affekt": affekt, "torch": torch, "torchvision": torchvision, "loader": loader, "__name__": "snippet"}


@pytest.mark.parametrize("source", PROGRAMS)
def test_snippet_runs(source, supposed, monkeypatch):
    if "audiovisual" in source:
        pytest.importorskip("soundfile")
    monkeypatch.chdir(supposed)
    try:
        exec(compile(source, "snippet", "exec"), namespace())  # noqa: S102 - our own pages
    except MissingExtra as missing:
        pytest.skip(str(missing))


def test_pages_have_snippets():
    ids = {param.id for param in PROGRAMS}
    assert {"README: diff 0 after", "loop: diff 0 before", "loop: python", "affect: python"} <= ids


def test_a_side_of_a_diff_is_whole():
    assert side("  a\n- b\n+ c\n", "+") == "a\nb"
    assert side("  a\n- b\n+ c\n", "-") == "a\nc"
