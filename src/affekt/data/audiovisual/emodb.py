"""EmoDB: ten actors say ten German sentences in seven emotions (Burkhardt et al. 2005); sound only."""

from __future__ import annotations

import re
from pathlib import Path

from affekt.data.audiovisual.clip_dataset import ClipDataset
from affekt.data.audiovisual.finding import Found, by_stem, files_below, none_named_so, strangers
from affekt.data.audiovisual.media import ClipSource
from affekt.recipe import ClipSettings

_NAME = re.compile(r"(?P<speaker>\d{2})(?P<text>[ab]\d{2})(?P<emotion>[WLEAFTN])(?P<take>[a-z])")
_SUFFIXES = (".wav", ".flac")

EMOTIONS = {
    "W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "happiness", "T": "sadness", "N": "neutral",
}  # fmt: skip
"""The letter of the German word (Wut, Langeweile, Ekel, Angst, Freude, Trauer, neutral) -> emotion."""

GENDER = dict.fromkeys(("03", "10", "11", "12", "15"), "male") | dict.fromkeys(("08", "09", "13", "14", "16"), "female")
"""Speaker -> as the authors list them."""


def read(root: Path, _settings: ClipSettings) -> Found:
    """All utterances; groups are speakers, ``text`` is the sentence.

    Raises:
        DataError: no file with a name of this form.
    """
    files = by_stem(files_below(root, _SUFFIXES), _SUFFIXES)
    named = {stem: found for stem in sorted(files) if (found := _NAME.fullmatch(stem))}
    strange = [path for stem, path in files.items() if stem not in named]
    if not named:
        raise none_named_so("emodb", root, "03a01Fa.wav", strange)
    flac = sum(files[stem].suffix == ".flac" for stem in named)
    notes = (f"emodb: {flac} of {len(named)} files are .flac where the original has .wav",) if flac else ()
    return Found(
        sources=[ClipSource(name=stem, audio=str(files[stem])) for stem in named],
        speakers=[name["speaker"] for name in named.values()],
        labels={
            "emotion": [EMOTIONS[name["emotion"]] for name in named.values()],
            "gender": [GENDER.get(name["speaker"], "") for name in named.values()],
        },
        columns={
            "text": [name["text"] for name in named.values()],
            "take": [name["take"] for name in named.values()],
        },
        notes=notes + strangers("emodb", strange),
    )


DATASET = ClipDataset(
    name="emodb",
    title="EmoDB: ten actors, ten German sentences, seven emotions, 535 utterances",
    licence="free for research; see homepage",
    show_pictures=False,
    citation=(
        "Burkhardt, F., Paeschke, A., Rolfes, M., Sendlmeier, W. F., & Weiss, B. (2005). A database of German "
        "emotional speech. Interspeech 2005, 1517-1520. https://doi.org/10.21437/Interspeech.2005-446"
    ),
    homepage="http://emodb.bilderbar.info",
    labels=("emotion", "gender"),
    categories=tuple(EMOTIONS.values()),
    tasks={
        "emotion": "what the actor was asked to play; utterances that listeners did not recognise were left out",
        "gender": "gender of the actor as the authors list it (male, female): an annotation of ten people, by speaker",
    },
    layout="wav/*.wav (or .flac): speaker, text, letter of the emotion, take, as in 03a01Fa.wav",
    expected=535,
    read=read,
)
