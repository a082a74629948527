"""Front ends: sound or pictures of a clip -> features of each frame, one way a file.

To add one for sound, write it in a file of its own and name it in ``AUDIO``. Pictures go through any image backbone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affekt.errors import UsageError
from affekt.multimodal.choosing import check_options, chosen
from affekt.multimodal.front_ends.base import AudioFrontEnd, AudioSetup
from affekt.multimodal.front_ends.log_mel import LogMelAudio
from affekt.multimodal.front_ends.pictures import VideoFrontEnd
from affekt.multimodal.front_ends.raw import RawAudio
from affekt.multimodal.front_ends.speech import SpeechAudio

AUDIO: dict[str, type[AudioFrontEnd]] = {"raw": RawAudio, "log-mel": LogMelAudio, "speech": SpeechAudio}

__all__ = ["AUDIO", "AudioFrontEnd", "AudioSetup", "VideoFrontEnd", "create_audio"]


def create_audio(
    name: str, *, rate: int = 16_000, fps: float = 25.0, options: Mapping[str, Any] | None = None
) -> AudioFrontEnd:
    """A front end for sound by name: ``"raw"``, ``"log-mel"``, ``"speech:<model of the hub, or folder>"``.

    Raises:
        UsageError: no such front end or option (the nearest are named), or what the front end refuses.
    """
    kind, colon, model = name.partition(":")
    found = chosen("audio", kind, AUDIO)
    if colon and found is not SpeechAudio:
        raise UsageError(f'audio = "{name}": {kind} has no models; write "{kind}"')
    options = dict(options or {})
    check_options(f'audio = "{kind}":', found, options)
    made: AudioFrontEnd = found(AudioSetup(rate=rate, fps=fps, model=model), **options)
    return made
