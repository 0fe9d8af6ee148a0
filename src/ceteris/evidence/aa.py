"""A/A: how often a study with a factor that does nothing raises a false alarm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ceteris.evidence.exact import binomial_interval
from ceteris.evidence.multiplicity import ALPHA
from ceteris.evidence.plain import plain


@dataclass(frozen=True)
class FalseAlarmRate:
    """How many repetitions of a study without an effect claimed one; ``low`` and ``high`` are exact."""

    alarms: int
    repetitions: int
    rate: float
    low: float
    high: float
    promised: float = ALPHA
    confidence: float = 0.95

    def __str__(self) -> str:
        """Say it in plain words."""
        low, high = _percent(self.low), _percent(self.high)
        return (
            f"{self.alarms} of {self.repetitions} repetitions raised a false alarm: {_percent(self.rate)} "
            f"({_percent(self.confidence)} interval {low} to {high}); {self._comparison()}"
        )

    def _comparison(self) -> str:
        promised = _percent(self.promised)
        if self.low > self.promised:
            return f"that is more than the {promised} that is promised"
        if self.high < self.promised:
            return f"that is less than the {promised} that is promised"
        if self.high > 2 * self.promised:
            return f"these are too few repetitions to tell whether it is the {promised} that is promised"
        return f"that agrees with the {promised} that is promised"

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, with the sentence."""
        return {**plain(self), "text": str(self)}


def _percent(share: float) -> str:
    """Write a share with two digits: ``0.51%``, ``72%``."""
    return "100%" if share > 0.995 else f"{100 * share:.2g}%"


def false_alarm_rate(outcomes: Iterable[bool]) -> FalseAlarmRate:
    """Count false alarms: one outcome per repetition, each with seeds of its own.

    The interval is Clopper and Pearson's. Raises ValueError without any repetition.
    """
    alarms = [bool(outcome) for outcome in outcomes]
    if not alarms:
        raise ValueError("a rate needs at least one repetition")
    count, n = sum(alarms), len(alarms)
    return FalseAlarmRate(count, n, count / n, *binomial_interval(count, n))
