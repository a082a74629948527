"""Working: one subject after the other from pictures to lines; what the folder holds is not computed again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from affekt.errors import AffektError, DataError
from affekt.humans.probing.choosing import CHOSEN, choose
from affekt.humans.probing.extracting import Arrays, PicturesOf, extract
from affekt.humans.probing.folder import Line, ProbeFolder
from affekt.humans.probing.keeping import (
    Predictions,
    in_order,
    key_of,
    read_features,
    read_predictions,
    write_features,
    write_predictions,
)
from affekt.humans.probing.layers import WORDS
from affekt.humans.probing.people import People
from affekt.humans.probing.ridge import nested_ridge
from affekt.humans.probing.scoring import score
from affekt.humans.probing.subjects import Subject, digest_of
from affekt.training.progress import Progress


class _NotProbed(Exception):  # noqa: N818 - reads as what it is
    """A subject that cannot be had or run; others can."""

    def __init__(self, why: AffektError) -> None:
        super().__init__(str(why))
        self.why = why


@contextmanager
def _naming(subject: Subject) -> Iterator[None]:
    """What goes wrong with a subject in this block concerns it alone; a picture that does not decode concerns all."""
    try:
        yield
    except DataError:
        raise
    except AffektError as error:
        raise _NotProbed(error) from error
    except (RuntimeError, OSError) as error:  # of a network at this size or on this device, or of a hub
        said = " ".join(str(error).split())[:200]
        raise _NotProbed(AffektError(f"{subject.name}: cannot be run: {said}")) from error


class Work:
    """A call of ``probe`` on a folder that it has locked.

    Args:
        layers: words of :class:`~affekt.humans.probing.Layers`.
    """

    def __init__(
        self, people: People, folder: ProbeFolder, layers: Sequence[str], device: torch.device, progress: Progress
    ) -> None:
        self.people, self.folder, self.layers = people, folder, tuple(layers)
        self.device, self.progress = device, progress

    def run(self, subjects: Sequence[Subject]) -> dict[str, str]:
        """Probe what is missing; subject -> why it could not be.

        Raises:
            AffektError: the reason, where it is the only one that is no control.
            DataError: a picture that does not decode.
        """
        missing = [subject for subject in subjects if not self._is_done(subject)]
        alone = sum(not subject.control for subject in subjects) < 2
        failed: dict[str, str] = {}
        self.progress.start(2 * len(self.people.ids) * len(missing), 0)
        try:
            with PicturesOf(self.people.stimuli, self.device) as pictures:
                for subject in missing:
                    try:
                        self._probe(subject, pictures)
                    except _NotProbed as stop:
                        if alone and not subject.control:
                            raise stop.why from None
                        failed[subject.name] = " ".join(str(stop.why).split())
                        self.progress.say(f"{subject.name}: left out: {failed[subject.name]}")
        finally:
            self.progress.stop()
        return failed

    def lines(self, subject: Subject) -> list[Line]:
        """Its lines of the layers that were asked for, from input to output."""
        held = {line["layer"]: line for line in self._held(subject)}
        return [held[layer] for layer in in_order(list(held)) if self._is_asked(layer, subject)]

    def read(self, line: Line) -> Predictions:
        """The predictions behind a line."""
        found = read_predictions(self.folder.predictions(line["predictions"]), self.people.ids)
        if found is None:
            raise AffektError(f"{self.folder.path}: {line['predictions']} has gone; run the same call again")
        return found

    def _is_done(self, subject: Subject) -> bool:
        """Whether each kind of layer that is asked for has lines, with their predictions."""
        held, ids = self._held(subject), self.people.ids
        whole = all(read_predictions(self.folder.predictions(line["predictions"]), ids) for line in held)
        return whole and all(
            any(word in line["asked"] or word == line["layer"] for line in held) for word in self._words(subject)
        )

    def _held(self, subject: Subject) -> list[Line]:
        identity, unit = dict(subject.identity), self.people.unit
        return [line for line in self.folder.lines() if line["identity"] == identity and line["unit"] == unit]

    def _words(self, subject: Subject) -> tuple[str, ...]:
        """The layers that are asked of it: a baseline has but one."""
        return ("last",) if "baseline" in subject.identity else self.layers

    def _is_asked(self, layer: str, subject: Subject) -> bool:
        words = self._words(subject)
        if layer == CHOSEN or layer.startswith("stage-"):
            return "stages" in words
        # A regulated model's encoders have names of their own.
        return layer in words or layer not in WORDS or (layer == "last" and "stages" in words)

    def _probe(self, subject: Subject, pictures: PicturesOf) -> None:
        key, features = self._features(subject, pictures)
        done, found = 0, {}
        for number, (layer, x) in enumerate(features.items(), 1):
            found[layer] = self._predictions(subject, layer, x, key)
            share = len(self.people.ids) * number // len(features)
            self.progress.advance(share - done)
            done = share
        stages = [found[layer] for layer in found if layer.startswith("stage-") or layer == "last"]
        if "stages" in self._words(subject) and len(stages) > 1:
            found[CHOSEN] = choose(stages)
            self._write(subject, CHOSEN, key, found[CHOSEN])
        lengths = {layer: x.shape[1] for layer, x in features.items()}
        lines = [self._line(subject, layer, key, made, lengths) for layer, made in found.items()]
        self.folder.add(lines)
        self.progress.say("\n".join(map(_in_words, lines)))

    def _features(self, subject: Subject, pictures: PicturesOf) -> tuple[str, Arrays]:
        """The features of all pictures, from the folder or anew, and a key of all that they follow from."""
        self.progress.describe(f"{subject.name}: features")
        words, settings, n = self._words(subject), self.people.settings, len(self.people.ids)
        with _naming(subject):
            extractor = subject.open(words).to(self.device)
        key = key_of(
            self.people.pictures,
            [dict(subject.identity), digest_of(extractor.module)],
            [subject.image_size, subject.fit, sorted(words), settings.pool, settings.project, settings.seed],
            self.device.type,
        )
        kept = read_features(self.folder.features(key), n)
        if kept is not None:
            self.progress.advance(n)
            return key, kept
        with _naming(subject):
            found = extract(extractor, pictures.loader(subject.image_size, subject.fit), advance=self.progress.advance)
            for layer, x in found.items():
                if not np.isfinite(x).all():
                    raise AffektError(f"{subject.name}, {layer}: features that are NaN or infinite")
        write_features(self.folder.features(key), found)
        return key, {layer: found[layer] for layer in in_order(list(found))}

    def _predictions(self, subject: Subject, layer: str, features: NDArray[np.float32], key: str) -> Predictions:
        self.progress.describe(f"{subject.name}, {layer}: ridge")
        kept = read_predictions(self.folder.predictions(self._named(subject, layer, key)), self.people.ids)
        if kept is not None:
            return kept
        x, people = features.astype(np.float64), self.people
        nested = [nested_ridge(x, people.targets, folds.outer, folds.inner) for folds in people.folds]
        found = Predictions(
            predicted=np.stack([n.predicted for n in nested]),
            outer=np.stack([folds.outer for folds in people.folds]),
            penalty=np.stack([n.penalty for n in nested]),
            error=np.stack([n.error for n in nested]),
        )
        self._write(subject, layer, key, found)
        return found

    def _write(self, subject: Subject, layer: str, key: str, found: Predictions) -> None:
        columns = {"dimensions": list(self.people.settings.dimensions)}
        path = self.folder.predictions(self._named(subject, layer, key))
        write_predictions(path, found, ids=self.people.ids, columns=columns)

    def _named(self, subject: Subject, layer: str, key: str) -> str:
        """A file's name that people can read, and that is no other's."""
        unit = self.people.unit
        readable = re.sub(r"[^\w.]+", "-", f"{subject.name}.{layer}.{unit}").replace("-.", ".")
        return f"{readable.lstrip('.-')[-100:]}.{key_of(key, layer, unit)[:8]}.npz"

    def _line(self, subject: Subject, layer: str, key: str, found: Predictions, lengths: Mapping[str, int]) -> Line:
        scores: dict[str, Any] = {}
        for column, truth in enumerate(self.people.truths):
            scores[truth.dimension] = {"n": len(truth.rows), **score(found, column, truth).to_dict()}
        return {
            "subject": subject.name,
            "layer": layer,
            "unit": self.people.unit,
            "control": subject.control,
            "identity": dict(subject.identity),
            "asked": sorted(self._words(subject)),
            "features": lengths.get(layer),
            "image_size": subject.image_size,
            "scores": scores,
            "predictions": self._named(subject, layer, key),
        }


def _in_words(line: Line) -> str:
    found = ((name, scores["pearson"]["value"]) for name, scores in line["scores"].items())
    scores = ", ".join(f"{name} r {'undefined' if r is None else f'{r:.3f}'}" for name, r in found)
    return f"{line['subject']}, {line['layer']}: {scores}"
