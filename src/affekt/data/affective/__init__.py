"""Affective pictures: one file a set, each ending in a ``DATASET``; by name through :func:`affekt.data.dataset`."""
