"""Learning rates of all members, epoch by epoch or step by step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ceteris.spec.experiment import Experiment
from ceteris.spec.metrics import direction
from ceteris.spec.schedule import (
    Cosine,
    Exponential,
    MultiStep,
    OneCycle,
    Plateau,
    Schedule,
    Step,
)
from ceteris.train.hyper import LR, hyper_vectors

Rates = NDArray[np.float64]


class Schedules:
    """The learning rates of a stack's members: what their schedules say, and what their plateaus did.

    Shapes: rates are (M, groups, columns), with one column for the epoch, or one for each of its steps
    where any member's rate changes at every step.
    """

    def __init__(self, experiments: Sequence[Experiment], steps: int) -> None:
        self._steps = steps
        self._base: Rates = hyper_vectors([e.optimizer for e in experiments])[:, :, LR]
        self._plateaus = {
            place: _Watch(
                e.schedule, self._base[place], falls=direction(e.schedule.metric, e.better) == "lower"
            )
            for place, e in enumerate(experiments)
            if isinstance(e.schedule, Plateau)
        }

        alike: dict[tuple[Schedule, int], list[int]] = {}
        for place, experiment in enumerate(experiments):
            alike.setdefault((experiment.schedule, experiment.epochs), []).append(place)
        self._alike = [(*shared, np.array(places)) for shared, places in alike.items()]

    def rates(self, epoch: int) -> Rates:
        """Return the rates of an epoch, counted from 0."""
        found = [
            (places, self._of(schedule, total, places, epoch)) for schedule, total, places in self._alike
        ]
        rates = np.empty((*self._base.shape, max(own.shape[2] for _, own in found)))
        for places, own in found:
            rates[places] = own
        return rates

    def watch(self, epoch: int, columns: Mapping[str, NDArray[np.float64]]) -> None:
        """Show the plateaus what an epoch measured; columns (M,) by the metric's name."""
        for place, watch in self._plateaus.items():
            if epoch >= _first_epoch(watch.spec):
                watch.see(float(columns[watch.spec.metric][place]))

    def state(self, place: int) -> dict[str, NDArray[np.generic]]:
        """Return what a member carries to its next epoch, by name: only a plateau remembers."""
        return self._plateaus[place].state() if place in self._plateaus else {}

    def restore(self, place: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Put a member where ``state`` found it."""
        if place in self._plateaus:
            self._plateaus[place].restore(state)

    def _of(self, schedule: Schedule, epochs: int, places: NDArray[np.int64], epoch: int) -> Rates:
        """Return the rates of members with one schedule over so many epochs, (members, groups, columns)."""
        base = self._base[places, :, None]
        if isinstance(schedule, OneCycle):
            first, total = epoch * self._steps, epochs * self._steps
            return base * [one_cycle_factor(schedule, first + s, total) for s in range(self._steps)]
        rising = round(schedule.warmup * self._steps)
        later = max(epoch - _first_epoch(schedule), 0)
        if isinstance(schedule, Plateau):
            rates = np.stack([self._plateaus[place].rates for place in places])[..., None]
        else:
            rates = rates_after(schedule, base, later, max(epochs - _first_epoch(schedule), 1))
        if epoch * self._steps >= rising:
            return rates
        done = np.minimum(np.arange(epoch * self._steps, (epoch + 1) * self._steps) / rising, 1.0)
        return rates * (schedule.warmup_start + (1 - schedule.warmup_start) * done)


def _first_epoch(schedule: Schedule) -> int:
    """Return the first epoch, from 0, that lies wholly after the warm-up."""
    return 0 if isinstance(schedule, OneCycle) else math.ceil(schedule.warmup)


def rates_after(schedule: Schedule, base: Rates, epoch: int, length: int) -> Rates:
    """Return the rates of an epoch, counted from 0 after the warm-up, of a schedule that needs no metric.

    Args:
        base: the optimisers' own rates, of any shape.
        length: epochs of the training after the warm-up.
    """
    match schedule:
        case Step():
            return base * schedule.gamma ** (epoch // schedule.step_size)
        case MultiStep():
            return base * schedule.gamma ** sum(epoch >= m for m in schedule.milestones)
        case Exponential():
            return base * schedule.gamma**epoch
        case Cosine():
            share = (1 + math.cos(math.pi * epoch / (schedule.period or length))) / 2
            return schedule.min_lr + (base - schedule.min_lr) * share
    return base


def one_cycle_factor(schedule: OneCycle, step: int, total: int) -> float:
    """Return the share of the highest rate at a step, counted from 0 over the whole training.

    Source: Smith and Topin 2018, in the form of ``torch.optim.lr_scheduler.OneCycleLR``.
    """
    low = 1 / schedule.div_factor
    last = low / schedule.final_div_factor
    rise = schedule.pct_start * total - 1
    if schedule.three_phase:
        phases = [(rise, low, 1.0), (2 * rise, 1.0, low), (total - 1, low, last)]
    else:
        phases = [(rise, low, 1.0), (total - 1, 1.0, last)]
    begin = 0.0
    for end, first, goal in phases:
        if step <= end:
            share = (step - begin) / (end - begin) if end > begin else 1.0
            return _anneal(schedule.anneal, first, goal, share)
        begin = end
    return last


def _anneal(way: str, first: float, goal: float, share: float) -> float:
    if way == "linear":
        return first + (goal - first) * share
    return goal + (first - goal) / 2 * (1 + math.cos(math.pi * share))


class _Watch:
    """One member's plateau (``torch.optim.lr_scheduler.ReduceLROnPlateau``)."""

    def __init__(self, spec: Plateau, base: Rates, *, falls: bool) -> None:
        self.spec = spec
        self.rates = base.copy()
        self._falls = falls
        self._best = math.inf if self._falls else -math.inf
        self._bad = 0
        self._cooling = 0

    def see(self, value: float) -> None:
        """Take in the metric of an epoch, and lower the rates where it has stopped improving."""
        if self._better(value):
            self._best, self._bad = value, 0
        else:
            self._bad += 1
        if self._cooling > 0:
            self._cooling, self._bad = self._cooling - 1, 0
        if self._bad > self.spec.patience:
            lower = np.maximum(self.rates * self.spec.factor, self.spec.min_lr)
            self.rates = np.where(self.rates - lower > self.spec.eps, lower, self.rates)
            self._cooling, self._bad = self.spec.cooldown, 0

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return the rates, and what was seen so far."""
        return {
            "plateau rates": self.rates.copy(),
            "plateau": np.array([self._best, self._bad, self._cooling], dtype=np.float64),
        }

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Put back what ``state`` returned."""
        self.rates = np.array(state["plateau rates"], dtype=np.float64)
        best, bad, cooling = map(float, state["plateau"])
        self._best, self._bad, self._cooling = best, int(bad), int(cooling)

    def _better(self, value: float) -> bool:
        if self.spec.threshold_mode == "abs":
            margin = self.spec.threshold
            return value < self._best - margin if self._falls else value > self._best + margin
        if self._falls:
            return value < self._best * (1 - self.spec.threshold)
        return value > self._best * (1 + self.spec.threshold)
