"""What the store is given: trials that are planned, and trials that have ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Arrays = Mapping[str, "NDArray[np.generic]"]


ArrayName = tuple[str, str]
"""Kind and name of an array that was measured on request; see ``ceteris.records.probed``."""


@dataclass(frozen=True)
class PlannedTrial:
    """A trial before it is trained; the fields are those of ``TrialRecord``."""

    identity: str
    level: str
    coordinates: Mapping[str, str]
    seed: int
    fold: int
    experiment: Mapping[str, Any]


@dataclass(frozen=True)
class EndedTrial:
    """How a trial ended, with its weights by parameter name (none given: none are kept)."""

    identity: str
    status: Literal["finished", "diverged"]
    diverged_step: int | None
    seconds: float
    initial: Arrays = field(default_factory=dict)
    final: Arrays = field(default_factory=dict)
