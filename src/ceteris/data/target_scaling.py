"""Numbers to predict on another scale: logarithms, mean 0 and deviation 1, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.errors import CeterisError, Problem
from ceteris.spec.data import TargetScale

WHERE = "experiment.data.target_scale"


@dataclass(frozen=True, eq=False)
class TargetScaling:
    """(f(y) - shift) / divisor for each output, where f is the natural logarithm or nothing."""

    log: bool
    shift: NDArray[np.float64]
    """(outputs,)"""
    divisor: NDArray[np.float64]
    """(outputs,)"""

    def scaled(self, y: NDArray[Any]) -> NDArray[np.float32]:
        """Return targets (N,) or (N, outputs) as networks learn them, (N, outputs)."""
        values = y.reshape(len(y), -1).astype(np.float64)
        with np.errstate(
            divide="ignore", invalid="ignore"
        ):  # rows that come later may lie outside the domain
            made = np.log(values) if self.log else values
        return ((made - self.shift) / self.divisor).astype(np.float32)

    def restored(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return outputs (N, outputs) of a network in the targets' units; what overflows is infinite."""
        with np.errstate(over="ignore", invalid="ignore"):
            values = outputs.astype(np.float64) * self.divisor + self.shift
            return np.exp(values) if self.log else values

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {"log": self.log, "shift": self.shift.tolist(), "divisor": self.divisor.tolist()}


def fit_targets(dataset: Dataset, scale: TargetScale, train: NDArray[np.int64]) -> TargetScaling | None:
    """Find the scaling of the targets by the training rows alone (law 5); None for ``none``.

    Deviations are divided by n; targets that do not differ get the divisor 1. Raises ``CeterisError`` for
    classes, and for logarithms of numbers that have none.
    """
    if scale == "none":
        return None
    if dataset.task == "classification":
        raise CeterisError(
            Problem(f"`{dataset.name}` has classes, which have no scale; leave this out", where=WHERE)
        )
    log = scale.startswith("log")
    if log and not (dataset.y > 0).all():
        least = float(dataset.y.min())
        raise CeterisError(
            Problem(
                f"`{dataset.name}` has targets down to {least:g}, and only numbers above 0 have a logarithm; "
                "use `standardize`",
                where=WHERE,
            )
        )
    values = dataset.y[train].reshape(len(train), -1).astype(np.float64)
    values = np.log(values) if log else values
    if scale == "log":
        return TargetScaling(log, np.zeros(values.shape[1]), np.ones(values.shape[1]))
    differ = values.max(axis=0) > values.min(axis=0)
    return TargetScaling(log, values.mean(axis=0), np.where(differ, values.std(axis=0), 1.0))
