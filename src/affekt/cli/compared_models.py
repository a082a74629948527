"""The models of ``affekt compare-humans``: what each word names, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from affekt.cli.compared_named import Named
from affekt.cli.compared_tables import is_table, is_tabled, options_of, read_table
from affekt.cli.data_reading import progress
from affekt.errors import DataError, UsageError

if TYPE_CHECKING:
    from affekt.cli.compared_stimuli import Chosen, StimuliOfPeople
    from affekt.humans.comparison import Model
    from affekt.humans.people import Features

SIZE = 224
"""Side at which a network that is named sees pictures, pixels."""


def named_models(texts: Sequence[str], *, rated: str, options: Sequence[str] = ()) -> list[Named]:
    """Every model that the words name; a table may hold several.

    Args:
        rated: people who rated, by whom features can be probed.
        options: of the tables, see :func:`~affekt.cli.compared_tables.options_of`.

    Raises:
        UsageError: a word that names nothing, two models of one name, options that no table has.
        DataError, CheckpointError: what reading says.
    """
    names = short_names([text for text in texts if not is_table(text)])
    own = options_of(options, [text for text in texts if is_tabled(text)])
    found: list[Named] = []
    for text in texts:
        name = names.get(text, text)
        found += _of_table(text, name, own[text]) if text in own else [_named(text, name, rated)]
    every = [one.name for one in found]
    twice = next((name for name in every if every.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            f"{twice}: the name of two models; name each once; a table of answers or features is called "
            "otherwise by --answers TABLE:name=NAME, or its column model"
        )
    return found


def short_names(texts: Sequence[str]) -> dict[str, str]:
    """Text -> its last parts, as many as tell it from the others; ``model`` and ``seed-0`` alone tell nothing."""
    parts = {text: _parts(text) for text in texts}
    found = {}
    for text, own in parts.items():
        least = 2 if own[-1].startswith("seed-") and len(own) > 1 else 1
        others = [other for word, other in parts.items() if word != text]
        enough = (n for n in range(least, len(own)) if all(own[-n:] != other[-n:] for other in others))
        found[text] = "/".join(own[-next(enough, len(own)) :])
    return found


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(part for part in PurePath(text).parts if part not in ("/", ".", ".."))
    return (parts[:-1] if len(parts) > 1 and parts[-1] == "model" else parts) or (text,)


def _of_table(text: str, name: str, options: Mapping[str, Any]) -> list[Named]:
    """Of a file, under the names that it gives; of a run's folder under its own."""
    from affekt.humans.people import Answers, Features

    found = read_table(text, options if is_table(text) else {"name": name, **options})
    answers = {model: one for model, one in found.items() if isinstance(one, Answers)}
    if answers:
        return [Named(name=model, answers=one, notes=one.notes) for model, one in answers.items()]
    layers = {layer: one for layer, one in found.items() if isinstance(one, Features)}
    return [_of_features(str(options.get("name", Path(text).stem)), Path(text).name, layers)]


def _of_features(name: str, file: str, layers: Mapping[str, Features]) -> Named:
    sizes = ", ".join(f"{layer} {one.features.shape[1]:,}" for layer, one in layers.items())
    note = (
        f"{name}: {file} holds no answers and is read as features (numbers a stimulus: {sizes}): RSA and CKA alone. "
        "Answers by another name: --answers response=COLUMN or --answers valence=COLUMN"
    )
    known = [said for one in layers.values() for said in one.notes]
    return Named(name=name, features=layers, notes=(note, *dict.fromkeys(known)))


def _named(text: str, name: str, rated: str) -> Named:
    if not Path(text).expanduser().exists() and ("/" not in text or "=" in text or ":" in text):
        return _network(text, rated)
    from affekt.cli.models import find_model

    return Named(name=name, found=find_model(text))


def _network(text: str, rated: str) -> Named:
    """``resnet18``, ``timm:resnet18``, ``vgg16=random``, ``vgg16=weights.pth``.

    Raises:
        UsageError: neither a file or folder nor a network.
    """
    from affekt.backbones.naming import resolve

    name, equals, initial = text.rpartition("=")
    if not equals or ")" in initial:
        name, initial = text, "imagenet"
    try:
        resolve(name)
    except UsageError as error:
        raise UsageError(f"MODEL {text}: no such file or folder, and as a network's name: {error}") from None
    note = (
        f"{text}: a network by name has no affect head and cannot answer: its features alone are compared. What they "
        f"know of people's ratings, with a head fitted in folds: affekt probe {text} --humans {rated}"
    )
    return Named(name=text, network=(name, initial), notes=(note,))


def ask(
    models: Sequence[Named], stimuli: StimuliOfPeople, chosen: Chosen, *, seed: int, layers: Sequence[str] = ()
) -> list[Model]:
    """What each model says of the chosen stimuli; precomputed answers to others of people's stimuli are left aside.

    Args:
        layers: of every model that is no table, see :func:`affekt.humans.layered.layer_features`.

    Raises:
        DataError: there are no pictures to show a model, or one does not decode.
        UsageError: a network has no such layer, or layers are asked for and no model has any.
    """
    if layers and all(one.precomputed for one in models):
        raise UsageError(
            "--layers: precomputed answers have none, and of a file of features all are compared; name a network, or "
            "the folder of a run or a model"
        )
    with progress("pictures") as step:
        return [_asked(one, stimuli, chosen, layers=layers, seed=seed, step=step) for one in models]


def _asked(
    one: Named, stimuli: StimuliOfPeople, chosen: Chosen, *, layers: Sequence[str], seed: int, step: Any
) -> Model:
    from affekt.humans.comparison import Model
    from affekt.humans.comparison.restricting import features_without, without

    if one.answers is not None:
        return Model(name=one.name, answers=without(one.answers, chosen.others), notes=one.notes)
    if one.features:
        held = {layer: features_without(found, chosen.others) for layer, found in one.features.items()}
        alone = next(iter(held.values())) if len(held) == 1 else None
        return Model(name=one.name, features=alone, layers={} if alone else held, precomputed=True, notes=one.notes)
    from affekt.humans.answering import answer
    from affekt.humans.layered import layer_features
    from affekt.training.precision import choose_device

    device = choose_device("auto")
    if one.found is not None:
        network, shown = one.found.model, stimuli.pictures(chosen.people.ids, one.found.image_size, one.found.fit)
    else:
        assert one.network is not None
        network, shown = _headless(*one.network, seed=seed), stimuli.pictures(chosen.people.ids, SIZE, "crop")
    # Before the answers: a layer that there is not is known from one grey picture.
    along = layer_features(network, shown, layers, name=one.name, device=device, step=step) if layers else {}
    answers, features = answer(network, shown, name=one.name, device=device, step=step)
    if one.found is None and features is None:
        raise DataError(f"{one.name}: its features are not finite")
    return Model(
        name=one.name,
        answers=answers if one.found is not None else None,
        features=features,
        layers=along,
        notes=one.notes,
    )


def _headless(name: str, initial: str, *, seed: int) -> Any:
    """The network with a head that nobody looks at: what normalises its pictures for it."""
    from affekt.randomness import torch_seed
    from affekt.regulation import Classifier

    with torch_seed("compare-humans", seed):
        return Classifier(name, 2, SIZE, initial=initial)
