"""Calibrations with numbers that are made up."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from ceteris.lab.calibration import Calibration
from ceteris.train.messages import Timed
from ceteris.train.plan import Cohort


def calibration_of(
    cohorts: Sequence[Cohort], times: Mapping[int, Sequence[Timed]], rows: int = 0
) -> Calibration:
    """Return one that knows these times of some cohorts, by index; every trial evaluates so many rows."""
    own = {trial.identity: rows for cohort in cohorts for trial in cohort.trials}
    calibration = Calibration("made", rows=own)
    calibration.take((cohorts[index], timed) for index, found in times.items() for timed in found)
    return calibration


def a_step(seconds: float, members: int = 1, threads: int = 1) -> Timed:
    """Return times of which only steps have any."""
    return Timed(members, threads, seconds, 0.0, 0.0)


def any_time(drawn: random.Random) -> Timed:
    """Return times of any size."""
    step, row, epoch = (drawn.choice([0.0, 10 ** drawn.uniform(-9, 3)]) for _ in range(3))
    return Timed(drawn.choice([1, 2, 8, 64]), drawn.choice([1, 1, 2, 4]), step, row, epoch)
