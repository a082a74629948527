"""Front ends: sound or pictures of a clip -> features of each frame, one way a file.

To add one for sound, write it in a file of its own and name it in ``AUDIO``. Pictures go through any image backbone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affekt.errors import UsageError, unknown
from affekt.multimodal.choosing import check_options, options_of
from affekt.multimodal.front_ends.base import AudioFrontEnd, AudioSetup
from affekt.multimodal.front_ends.log_mel import LogMelAudio
from affekt.multimodal.front_ends.pictures import VideoFrontEnd
from affekt.multimodal.front_ends.raw import RawAudio
from affekt.multimodal.front_ends.speech import SpeechAudio

AUDIO: dict[str, type[AudioFrontEnd]] = {"raw": RawAudio, "log-mel": LogMelAudio, "speech": SpeechAudio}

NAMES = ("raw", "log-mel", "speech:<model of the hub, or folder>")
"""As they are written."""

__all__ = ["AUDIO", "AudioFrontEnd", "AudioSetup", "VideoFrontEnd", "create_audio"]


def create_audio(
    name: str, *, rate: int = 16_000, fps: float = 25.0, options: Mapping[str, Any] | None = None
) -> AudioFrontEnd:
    """A front end for sound by name: ``"raw"``, ``"log-mel"``, ``"speech:<model of the hub, or folder>"``.

    Raises:
        UsageError: no such front end or option (the nearest are named), or what the front end refuses.
    """
    kind, colon, model = name.partition(":")
    if kind not in AUDIO:
        raise UsageError(f'{unknown("audio", name, NAMES)}; an encoder is written e.g. "speech:facebook/wav2vec2-base"')
    found: Any = AUDIO[kind]
    if colon and found is not SpeechAudio:
        raise UsageError(f'audio = "{name}": {kind} has no models; write "{kind}"')
    options = dict(options or {})
    _check_options(kind, found, options)
    made: AudioFrontEnd = found(AudioSetup(rate=rate, fps=fps, model=model), **options)
    return made


def _check_options(kind: str, found: type[AudioFrontEnd], options: Mapping[str, Any]) -> None:
    """
    Raises:
        UsageError: an option that this front end does not have; said so where it is another's.
    """
    try:
        check_options(f'audio = "{kind}":', found, options)
    except UsageError as error:
        strange = next(name for name in options if name not in options_of(found))
        others = [f'"{name}"' for name, other in AUDIO.items() if strange in options_of(other)]
        if not others:
            raise
        raise UsageError(
            f'audio = "{kind}": audio_options.{strange} belongs to {" and ".join(others)}; write audio_options = {{}} '
            f"(--set 'network.audio_options={{}}'), or its own: {', '.join(options_of(found))}"
        ) from error
