"""Where a claim says that an effect lies."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Region:
    """The effects that agree with a claim: between ``low`` and ``high``, or all ``but_zero``."""

    low: float = -math.inf
    high: float = math.inf
    but_zero: bool = False

    @property
    def bounds(self) -> tuple[float, ...]:
        """The values that an interval must not contain for a decision either way."""
        return (0.0,) if self.but_zero else tuple(b for b in (self.low, self.high) if math.isfinite(b))

    def contains(self, effect: float) -> bool:
        """Tell whether an effect (may be infinite) agrees with the claim."""
        if self.but_zero:
            return effect != 0
        above = self.low < effect or math.isinf(self.low)
        return above and (effect < self.high or math.isinf(self.high))

    def distance(self, effect: float) -> float:
        """Return how far an effect is from the nearest bound."""
        return min(abs(effect - bound) for bound in self.bounds)

    def side(self, effect: float) -> int:
        """Return +1 for an effect that agrees with the claim, -1 against it, 0 on a bound."""
        if self.distance(effect) == 0:
            return 0
        return 1 if self.contains(effect) else -1

    def without_ends(self, least: float, most: float) -> Region:
        """Return the region without the bounds that nothing between ``least`` and ``most`` can pass."""
        return replace(
            self,
            low=-math.inf if self.low <= least else self.low,
            high=math.inf if self.high >= most else self.high,
        )


ABOVE_ZERO = Region(low=0.0)
BELOW_ZERO = Region(high=0.0)
NOT_ZERO = Region(but_zero=True)
