"""Content of ``comparison.json``, as reports and tables take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Comparison = Mapping[str, Any]
"""What the comparison of a study wrote: plain values by name."""
