"""Given: what a network of sound and pictures says of the test clips when it is given one of the two alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from affekt.errors import RecipeError, unknown
from affekt.multimodal import AudioVisualTask
from affekt.recipe import Recipe
from affekt.study.clips.absent import NOTHING
from affekt.training import Evaluation, Trainer

WORDS = {"audio": "sound", "video": "pictures"}
"""What ``[network] given_at_test`` may hold -> what people call it."""

PLACE = "given/"
"""Before the name of such an array: ``given/audio/emotion``, ``(N, K)`` log-probabilities."""


def given_at_test(recipe: Recipe) -> tuple[str, ...]:
    """What a run is scored with alone, beside both.

    Raises:
        RecipeError: another word, or a network that reads one of the two.
    """
    network = recipe.network
    for word in network.given_at_test:
        if word not in WORDS:
            raise RecipeError(unknown("[network] given_at_test", word, WORDS))
    if network.given_at_test and NOTHING in (network.audio, network.video):
        reads = WORDS["video"] if network.audio == NOTHING else WORDS["audio"]
        raise RecipeError(
            f"[network] given_at_test = {list(network.given_at_test)}: this network reads {reads} alone, and is tested "
            "with nothing else; leave it out"
        )
    return network.given_at_test


def score_given(trainer: Trainer, task: AudioVisualTask, words: Sequence[str]) -> dict[str, Evaluation]:
    """Word -> the test split, scored with that alone."""
    found = {}
    for word in words:
        task.given = word
        try:
            found[word] = trainer.evaluate("test")
        finally:
            task.given = "all"
    return found


def under(word: str, metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics by the names that they have among those of the test split: ``given audio/emotion/accuracy``."""
    return {f"given {word}/{name}": value for name, value in metrics.items()}


def names_of(arrays: Sequence[str]) -> list[tuple[str, str, str]]:
    """``(name, word, task)`` of the arrays that hold such answers."""
    held = [(name, name.removeprefix(PLACE).partition("/")) for name in arrays if name.startswith(PLACE)]
    return [(name, word, task) for name, (word, _, task) in held]
