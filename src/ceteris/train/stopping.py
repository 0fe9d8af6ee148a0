"""Early stopping: which members have stopped improving, and the weights of their best epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ceteris.spec.experiment import Experiment
from ceteris.spec.metrics import direction

Weights = tuple[NDArray[np.floating], NDArray[np.floating]]
"""One member's parameters (P,) and buffers (Q,)."""


class EarlyStops:
    """The best epochs of the members that stop early; the others are left alone."""

    def __init__(self, experiments: Sequence[Experiment]) -> None:
        specs = [experiment.early_stopping for experiment in experiments]
        self._watched = {place: spec for place, spec in enumerate(specs) if spec.patience is not None}
        self._falling = {
            place
            for place, spec in self._watched.items()
            if direction(spec.metric, experiments[place].better) == "lower"
        }
        self._best = dict.fromkeys(self._watched, math.inf)
        self._waited = dict.fromkeys(self._watched, 0)
        self._weights: dict[int, Weights] = {}

    def see(
        self,
        columns: Mapping[str, NDArray[np.float64]],
        parameters: NDArray[np.floating],
        buffers: NDArray[np.floating],
        active: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:
        """Take in an epoch: measurements (M,) by name, parameters (M, P), buffers (M, Q).

        Returns:
            Which members (M,) have waited as long as their patience allows.
        """
        stopped = np.zeros(len(active), dtype=np.bool_)
        for place, spec in self._watched.items():
            if not active[place]:
                continue
            value = float(columns[spec.metric][place])
            value = value if place in self._falling else -value
            if value < self._best[place] - spec.min_delta:
                self._best[place], self._waited[place] = value, 0
                self._weights[place] = parameters[place].copy(), buffers[place].copy()
            else:
                self._waited[place] += 1
                stopped[place] = self._waited[place] >= (spec.patience or 1)
        return stopped

    def state(self, place: int) -> dict[str, NDArray[np.generic]]:
        """Return what a member carries to its next epoch, by name; nothing where it does not stop early."""
        if place not in self._watched:
            return {}
        own = {"stopping": np.array([self._best[place], self._waited[place]])}
        if place in self._weights:
            own["best parameters"], own["best buffers"] = self._weights[place]
        return own

    def restore(self, place: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Put a member where ``state`` found it."""
        if place in self._watched:
            best, waited = map(float, state["stopping"])
            self._best[place], self._waited[place] = best, int(waited)
        if "best parameters" in state:
            self._weights[place] = np.array(state["best parameters"]), np.array(state["best buffers"])

    def best(self, place: int, now: Weights) -> Weights:
        """Return the weights of a member's best epoch, or ``now`` where it has none."""
        return self._weights.get(place, now)
