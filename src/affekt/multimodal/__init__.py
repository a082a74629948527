"""Multimodal: sound and pictures of a clip to the classes of several tasks at once.

    >>> model = affekt.AudioVisualNetwork({"emotion": 4, "gender": 2})      # the published network
    >>> out = model(audio, frames, lengths)     # (B, T * 640) in [-1, 1], (B, T, 3, H, W) in [0, 1], (B,)
    >>> losses = model.losses(out, labels)      # {"emotion", "gender"} -> scalar tensors
    >>> sum(losses.values()).backward()         # any loop, any optimiser, any weighting

Its parts are in ``front_ends``, ``fusion``, ``recurrent`` and ``heads``, one way a file. ``AudioVisualTask`` is what
our trainer trains; ``predict_clip`` shows a file of any length to a network.
"""

from __future__ import annotations

from affekt.multimodal.batch import AudioVisualBatch
from affekt.multimodal.dropping import Draw, drop_modality
from affekt.multimodal.feed import ClipFeed
from affekt.multimodal.front_ends import AUDIO, AudioFrontEnd, create_audio
from affekt.multimodal.fusion import FUSIONS, Fusion, create_fusion
from affekt.multimodal.network import AudioVisualNetwork, AudioVisualOutput
from affekt.multimodal.predicting import ClipAnswer, WindowAnswer, predict_clip
from affekt.multimodal.recurrent import RECURRENT, Recurrent, create_recurrent
from affekt.multimodal.task import AudioVisualTask

__all__ = [
    "AUDIO",
    "FUSIONS",
    "RECURRENT",
    "AudioFrontEnd",
    "AudioVisualBatch",
    "AudioVisualNetwork",
    "AudioVisualOutput",
    "AudioVisualTask",
    "ClipAnswer",
    "ClipFeed",
    "Draw",
    "Fusion",
    "Recurrent",
    "WindowAnswer",
    "create_audio",
    "create_fusion",
    "create_recurrent",
    "drop_modality",
    "predict_clip",
]
