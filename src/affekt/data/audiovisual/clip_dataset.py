"""ClipDataset: the frozen description of a set of clips, and how it is read; nothing is decoded before a clip is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from affekt.data.audiovisual.clips import Clips
from affekt.data.audiovisual.finding import Found
from affekt.data.description import Description
from affekt.data.stimuli import SPLITS
from affekt.errors import UsageError, unknown
from affekt.recipe import ClipSettings, from_dict


@dataclass(frozen=True, kw_only=True)
class ClipDataset(Description):
    """What is known of a set of clips before it is read; see :class:`~affekt.data.description.Description`.

    Attributes:
        read: (folder, settings) -> every clip with every label.
        tasks: label -> what it is in this set, in a line; empty where a table says it.
        face_share: side of the centred square that holds a face, as a share of the shorter side.
    """

    kind: Literal["audiovisual"] = "audiovisual"
    read: Callable[[Path, ClipSettings], Found]
    tasks: Mapping[str, str] = field(default_factory=dict)
    face_share: float = 1.0

    def clips(self, root: Path | str, settings: ClipSettings) -> Clips:
        """The whole set from its folder ``root``, all splits, with the tasks and emotions that are asked for.

        Raises:
            UsageError: a reader option, task or feature that this set does not have.
            DataError: the folder is missing, or what the reader finds wrong with it.
        """
        from affekt.data.audiovisual.assembling import assemble

        self.check_options(settings.options)
        found = self.read(self.existing(root), settings)
        return assemble(self.name, found, settings, face_share=self.face_share)

    def open(self, root: Path | str, split: str = "train", *, seed: int = 0, **settings: Any) -> Clips:
        """One split of the set in ``root``: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``.

        Args:
            seed: of the split, where the set fixes none.
            settings: keys of :class:`~affekt.recipe.ClipSettings`, or options of this reader.

        Raises:
            UsageError: no such split, key or option.
            DataError: as :meth:`clips`, or a speaker in two splits.
        """
        from affekt.data.audiovisual.splits import split_clips

        if split not in (*SPLITS, "all"):
            raise UsageError(unknown("split", split, (*SPLITS, "all")))
        chosen = self.settings(**settings)
        clips = self.clips(root, chosen)
        return clips if split == "all" else split_clips(clips, chosen, seed)[split]

    def settings(self, **values: Any) -> ClipSettings:
        """Settings for this set from keys of ``ClipSettings`` and options of its reader; ``options`` may hold both.

        Raises:
            UsageError: a name that is neither, or a value of another type or out of range.
        """
        given = dict(values.pop("options", {})) | values
        known, options = self.sort_settings(given, (f.name for f in fields(ClipSettings)))
        listed = {k: (v,) if k in _LISTS and isinstance(v, str) else v for k, v in known.items()}
        return from_dict(ClipSettings, {"name": self.name} | listed | {"options": options}, self.name)


_LISTS = frozenset({"tasks", "emotions", "features"})
