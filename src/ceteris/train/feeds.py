"""Which rows the members of a cohort train and are measured on, and in which order."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from ceteris.data.preparation import Prepared
from ceteris.spec.augment import Augment
from ceteris.train.engine import Feed
from ceteris.train.plan import Cohort, TrialPlan
from ceteris.train.streams import balanced_order, epoch_order, filled


def measured_rows(prepared: Prepared, split: str) -> NDArray[np.int64]:
    """Return the numbers of the rows that ``train`` or ``val`` is measured on."""
    return prepared.train_slice if split == "train" else prepared.split.validation


def order_of(trial: TrialPlan, prepared: Prepared, epoch: int) -> NDArray[np.int64]:
    """Return the row numbers of one epoch as this trial reads them."""
    rows, experiment = prepared.split.train, trial.experiment
    if experiment.data.balance == "oversample":
        order = balanced_order(trial.seed, trial.fold, rows, prepared.y[rows], epoch)
    else:
        order = epoch_order(trial.seed, trial.fold, rows, epoch)
    size = experiment.batch_size
    if experiment.last_batch == "drop" and experiment.accumulate > 1:
        return order[: len(order) - len(order) % size]  # the last step ends before the smaller batch
    return filled(order, size) if experiment.last_batch == "fill" else order


def feeds_of(cohort: Cohort, prepared: list[Prepared]) -> tuple[list[int], tuple[Feed, ...]]:
    """Group members that read the same rows of the same arrays; also give the first member of each."""
    groups: dict[tuple[int, int, str, Augment, str, bytes], list[int]] = {}
    for place, (trial, own) in enumerate(zip(cohort.trials, prepared, strict=True)):
        rows = _digest(own.split.train) + _digest(own.split.validation)
        data = trial.experiment.data
        groups.setdefault((trial.seed, trial.fold, data.balance, data.augment, own.key, rows), []).append(
            place
        )
    first = [places[0] for places in groups.values()]
    feeds = [Feed(prepared[p[0]].x, prepared[p[0]].y, np.array(p)) for p in groups.values()]
    return first, tuple(feeds)


def _digest(rows: NDArray[np.int64]) -> bytes:
    """Return what is equal for equal row numbers, and short for many."""
    return hashlib.blake2b(np.ascontiguousarray(rows).data, digest_size=16).digest()
