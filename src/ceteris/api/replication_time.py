"""How long a study will take, very roughly, before anything of it is trained."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ceteris.spec.experiment import Experiment
    from ceteris.spec.study import Study

FIXED = 6.0
"""Seconds of a study however small it is: processes start, records and a report are written."""
MULTIPLICATION = 6e-11
"""Seconds of a core for each weight that a row meets in an epoch, training and measuring together.

This and ``FIXED`` were fitted to the seconds of 40 full runs on two cores with other work beside (their
logarithms, least squares): of the forty 20 took between half and twice what these two say, 28 between a third
and three times, and all together 1.2 times as much.
"""
CONVOLUTION = 6
"""Times as long for a multiplication of a convolution, on a processor."""
LARGE_ROWS, SMALL_ROWS = 50_000, 1_500
"""Training rows that a study is taken to have before its data are read."""
LARGE_INPUTS, SMALL_INPUTS = 784, 64
OUTPUTS = 10


def study_seconds(study: Study) -> float:
    """Return very roughly how many seconds a study takes on this machine's cores."""
    from ceteris.spec.combine import combinations, seed_list

    folds = 1 if study.folds is None else study.folds.k
    trials = len(seed_list(study)) * folds
    work = sum(_multiplications(combination.experiment) for combination in combinations(study))
    return FIXED + MULTIPLICATION * work * trials / (os.cpu_count() or 1)


def roughly(studies: Iterable[Study]) -> str:
    """Say how long studies take one after another: ``very roughly 4 hours on 2 cores``."""
    seconds = sum(map(study_seconds, studies))
    minutes = max(1, round(seconds / 60))
    time = f"{minutes} min" if minutes < 100 else f"{round(minutes / 60)} hours"
    cores = os.cpu_count() or 1
    return f"very roughly {time} on {cores} core{'s' if cores > 1 else ''}"


def _multiplications(experiment: Experiment) -> float:
    """Return the weights of a network times the rows of all epochs, as far as the study alone tells them."""
    from ceteris.lab.quick import LARGE_SOURCES

    large = experiment.data.source in LARGE_SOURCES
    whole, inputs = (LARGE_ROWS, LARGE_INPUTS) if large else (SMALL_ROWS, SMALL_INPUTS)
    rows = min(experiment.data.rows or whole, whole)
    widths = [inputs, *getattr(experiment.model, "hidden", ()), OUTPUTS]
    weights = float(sum(a * b for a, b in pairwise(widths)))
    channels = [1, *getattr(experiment.model, "convolutions", ())]
    places = (9 * a * b * inputs / 4**step for step, (a, b) in enumerate(pairwise(channels)))
    return float(experiment.epochs * rows) * (weights + CONVOLUTION * float(sum(places)))
