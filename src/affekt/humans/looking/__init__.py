"""Where a network looks: four kinds of map, and what they have in common with a region or with people's fixations.

    >>> from affekt.humans.looking import grad_cam, face_mask, region_share
    >>> maps = grad_cam(model, faces, category="happiness")             # faces: (B, 3, H, W) in [0, 1] -> (B, H, W)
    >>> region_share(maps.clamp(min=0), face_mask("mouth", 48, 48))     # (B,) of what speaks for happiness
    array([0.41, ...])

``fixation_overlap`` and ``region_overlap`` hold all pictures' maps against people at once, beside chance, a centre bias
and the maps of other pictures, over one bootstrap. A map says what an answer depends on, by one definition of that; it
does not say that people who look there do so for the same reason.
"""

from __future__ import annotations

from affekt.humans.looking.asking import Asked, ask
from affekt.humans.looking.attention import attention
from affekt.humans.looking.comparing import Against, Overlap
from affekt.humans.looking.drawing import overlay
from affekt.humans.looking.fixations import FixationMaps, read_fixations
from affekt.humans.looking.grad_cam import grad_cam
from affekt.humans.looking.integrated_gradients import integrated_gradients
from affekt.humans.looking.last_map import last_map
from affekt.humans.looking.measures import auc_judd, cc, fixated, kl, nss, shuffled_auc, sim
from affekt.humans.looking.methods import METHODS, Method
from affekt.humans.looking.occlusion import occlusion
from affekt.humans.looking.overlap import fixation_overlap, region_overlap
from affekt.humans.looking.regions import FACE, face_mask, pointing, region_mask, region_share
from affekt.humans.looking.rivals import centre_bias

__all__ = [
    "FACE",
    "METHODS",
    "Against",
    "Asked",
    "FixationMaps",
    "Method",
    "Overlap",
    "ask",
    "attention",
    "auc_judd",
    "cc",
    "centre_bias",
    "face_mask",
    "fixated",
    "fixation_overlap",
    "grad_cam",
    "integrated_gradients",
    "kl",
    "last_map",
    "nss",
    "occlusion",
    "overlay",
    "pointing",
    "read_fixations",
    "region_mask",
    "region_overlap",
    "region_share",
    "shuffled_auc",
    "sim",
]
