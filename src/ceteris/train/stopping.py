"""Early stopping: which members have come to their end, and the weights of their best epochs."""

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
    """The rules of the members that may stop early, and their best epochs; the others are left alone."""

    def __init__(self, experiments: Sequence[Experiment]) -> None:
        specs = [experiment.early_stopping for experiment in experiments]
        self._watched = {place: spec for place, spec in enumerate(specs) if spec.acts}
        self._falling = {
            place
            for place, spec in self._watched.items()
            if direction(spec.metric, experiments[place].better) == "lower"
        }
        self._best = dict.fromkeys(self._watched, math.inf)
        self._waited = dict.fromkeys(self._watched, 0)
        self._last = dict.fromkeys(self._watched, math.nan)
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
            Which members (M,) one of their rules ends.
        """
        stopped = np.zeros(len(active), dtype=np.bool_)
        for place, spec in self._watched.items():
            if not active[place]:
                continue
            value = float(columns[spec.metric][place]) * self._sign(place)
            if spec.patience is not None:
                now = parameters[place], buffers[place]
                stopped[place] = self._has_waited(place, value, spec.patience, now)
            if spec.target is not None:
                stopped[place] |= value <= spec.target * self._sign(place)
            if spec.min_change is not None:
                stopped[place] |= abs(value - self._last[place]) < spec.min_change
            self._last[place] = value
        return stopped

    def _sign(self, place: int) -> int:
        """Return what turns a member's metric into one that improves downwards."""
        return 1 if place in self._falling else -1

    def _has_waited(self, place: int, value: float, patience: int, now: Weights) -> bool:
        """Keep what is the best so far; tell whether a member has waited as long as its patience allows."""
        if value < self._best[place] - self._watched[place].min_delta:
            self._best[place], self._waited[place] = value, 0
            self._weights[place] = now[0].copy(), now[1].copy()
            return False
        self._waited[place] += 1
        return self._waited[place] >= patience

    def state(self, place: int) -> dict[str, NDArray[np.generic]]:
        """Return what a member carries to its next epoch, by name; nothing where it does not stop early."""
        if place not in self._watched:
            return {}
        own = {"stopping": np.array([self._best[place], self._waited[place], self._last[place]])}
        if place in self._weights:
            own["best parameters"], own["best buffers"] = self._weights[place]
        return own

    def restore(self, place: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Put a member where ``state`` found it."""
        if place in self._watched:
            best, waited, *last = map(float, state["stopping"])  # two numbers before `min_change` was
            self._best[place], self._waited[place] = best, int(waited)
            self._last[place] = last[0] if last else math.nan
        if "best parameters" in state:
            self._weights[place] = np.array(state["best parameters"]), np.array(state["best buffers"])

    def best(self, place: int, now: Weights) -> Weights:
        """Return the weights of a member's best epoch, or ``now`` where it has none."""
        return self._weights.get(place, now)
