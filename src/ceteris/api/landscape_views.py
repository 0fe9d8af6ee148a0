"""What the loss around trained weights came to, as it is kept beside a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

Grid = list[list[float | None]]


@dataclass(frozen=True)
class Slice:
    """The losses of one network over two directions; grids are (len(b), len(a)), None where not finite."""

    level: str
    seed: int
    a: tuple[float, ...]
    b: tuple[float, ...]
    at: tuple[float, float]
    """Where the trained weights are."""
    train: Grid
    validation: Grid
    """Empty where no rows validate."""
    penalty: Grid
    """Empty where the loss has no penalty."""


@dataclass(frozen=True)
class Flatness:
    """By how much the training loss of a level's networks rises a radius away, over random directions."""

    level: str
    radius: float
    seeds: int
    rise: float | None
    """Mean over seeds; None where it is not finite."""
    low: float | None
    high: float | None
    largest: float | None
    """Mean over seeds of the largest rise among the directions."""
    difference: float | None
    """Rise minus that of the first level, seed by seed; None for the first level."""
    difference_low: float | None
    difference_high: float | None


@dataclass(frozen=True, repr=False)
class Landscape:
    """What ``ceteris landscape`` computes; kept beside the run, and drawn in its report."""

    run: str
    axes: tuple[str, str]
    """What the two directions are: weights by name, or ``direction 1``."""
    random: bool
    seed: int
    """Of the random directions."""
    rows: int
    """Training rows, and validation rows, that losses were computed on, at most."""
    slices: tuple[Slice, ...]
    flatness: tuple[Flatness, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)

    def __repr__(self) -> str:
        rises = [
            f"{own.level}: at a radius of {own.radius:g} the training loss rises by {own.rise:.3g}"
            for own in self.flatness
            if own.rise is not None
        ]
        axes = " and ".join(self.axes)
        return "\n".join([f"The loss around the networks of run {self.run}, along {axes}", *rises])
