"""People: what they say of the pictures that networks see, and how close a network comes to it.

``affekt.humans.people``: their answers, read as published or collected, and those of any model.
``affekt.humans.agreement``: accuracy, errors, ratings, votes and their ceilings, over one bootstrap of stimuli.
``affekt.humans.representations``: representational similarity, CKA, selective units.
``affekt.humans.psychophysics``: psychometric curves.
``affekt.humans.looking``: where a network looks, against regions and fixations.
``affekt.humans.probing``: people's ratings predicted from frozen features.
"""

from __future__ import annotations
