"""What figures need besides a record: found by reading the data and the networks that were kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Extras:
    """Measured for one run; what could not be had is empty, and its figure is left out."""

    parameters: Mapping[str, int] = field(default_factory=dict)
    """Level -> parameters of its network, each counted once."""
