"""Columns of a long table of a study's items: what each holds, and its values."""

from __future__ import annotations

from typing import Any, Literal

Kind = Literal["text", "whole", "real"]

Columns = dict[str, list[Any]]
"""Name -> values, a row of the table each."""
