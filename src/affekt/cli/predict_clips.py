"""``affekt predict`` on sound and films: the answer of each task, of the whole file and of its windows."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.named_files import CLIPS, PICTURES, Unread, is_of, named
from affekt.cli.printing import say, write, write_json
from affekt.errors import DataError

if TYPE_CHECKING:
    from affekt.multimodal import AudioVisualNetwork, ClipAnswer
    from affekt.multimodal.predicting import Probabilities, Viewing


def predict(model: AudioVisualNetwork, args: argparse.Namespace) -> int:
    """One file after the other; 1 if any could not be read, after all others."""
    from affekt.multimodal.predicting import viewing_of

    viewing = viewing_of(model, window=args.window, hop=args.hop, face=args.face, boxes=args.boxes)
    failed, told = 0, set[str]()
    for item in named(args.files, CLIPS, recursive=args.recursive):
        found = _answer(model, item, viewing)
        if isinstance(found, Unread):
            failed += 1
            say(f"affekt: error: {found.error}")
            if args.json:
                write_json({"file": found.path, "error": found.error}, indent=None)
            continue
        # What holds for the network is said once, not of each file.
        say(*(f"note: {note}" for note in found.notes if note not in told))
        told |= {*found.notes}
        if args.json:
            write_json(to_dict(found, args.top), indent=None)
        else:
            write("\n".join(in_words(found, args.top)))
    if failed:
        say(f"affekt: {failed} of the files could not be read; the others are done")
    return 1 if failed else 0


def _answer(model: AudioVisualNetwork, item: Unread | str, viewing: Viewing) -> ClipAnswer | Unread:
    from affekt.multimodal.predicting import answer_of

    if isinstance(item, Unread):
        return item
    if is_of(item, PICTURES):
        return Unread(item, f"{item}: a picture; this model hears and sees clips: give wav, flac, mp3, mp4, avi ...")
    try:
        return answer_of(model, Path(item), viewing)
    except DataError as error:
        return Unread(item, str(error))


def in_words(found: ClipAnswer, top: int) -> list[str]:
    """``talk.mp4: emotion anger 83 %, sadness 10 %; gender male 91 % (sound and pictures, 12.40 s)``, then the windows
    where there are several."""
    about = f"{' and '.join(found.used)}, {found.seconds:.2f} s"
    lines = [f"{found.path}: {_words(found.probabilities, top)} ({about})"]
    if len(found.windows) > 1:
        for window in found.windows:
            less = "" if window.used == found.used else f" ({' and '.join(window.used)})"
            lines.append(f"  {window.start:.2f}-{window.end:.2f}  {_words(window.probabilities, top)}{less}")
    return lines


def _words(probabilities: Probabilities, top: int) -> str:
    return "; ".join(
        f"{task} " + ", ".join(f"{name} {100 * p:.0f} %" for name, p in likeliest(classes, top))
        for task, classes in probabilities.items()
    )


def likeliest(classes: Mapping[str, float], top: int) -> list[tuple[str, float]]:
    """(class, probability) of the ``top`` likeliest."""
    return sorted(classes.items(), key=lambda item: -item[1])[:top]


def to_dict(found: ClipAnswer, top: int) -> dict[str, Any]:
    """For JSON."""
    return {
        "file": found.path,
        "seconds": found.seconds,
        "used": list(found.used),
        "tasks": _tasks(found.probabilities, top),
        "windows": [
            {"start": w.start, "end": w.end, "used": list(w.used), "tasks": _tasks(w.probabilities, top)}
            for w in found.windows
        ],
        "notes": list(found.notes),
    }


def _tasks(probabilities: Probabilities, top: int) -> dict[str, Any]:
    found = {}
    for task, classes in probabilities.items():
        best = likeliest(classes, top)
        found[task] = {
            "class": best[0][0],
            "probability": best[0][1],
            "top": [{"class": name, "probability": p} for name, p in best],
        }
    return found
