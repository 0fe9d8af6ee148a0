"""Which rows the members of a cohort train and are measured on, and in which order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ceteris.data.mapped import empty_rows, row_blocks
from ceteris.data.preparation import Place, Preparation, Prepared
from ceteris.nets.architecture import Architecture, UserModule
from ceteris.nets.reading import reading_layer
from ceteris.spec.augment import Augment
from ceteris.train.engine import Feed
from ceteris.train.plan import Cohort, TrialPlan
from ceteris.train.streams import balanced_order, epoch_order, filled


def prepared_for(cohort: Cohort, preparation: Preparation) -> list[Prepared]:
    """Return what each trial of a cohort reads, with the columns as its network takes them.

    A built-in network gets those that its training rows have, in their order, and zeros behind them up to the
    width of the stack. A network of the user's own gets every column of the table in its place.
    """
    net = cohort.structure.net
    own_module = any(isinstance(layer, UserModule) for layer in net.layers)
    found: dict[Place, Prepared] = {}
    arrays: dict[str, NDArray[np.float32]] = {}
    for trial in cohort.trials:
        place = trial.experiment.data, trial.seed, trial.fold, trial.folds
        if place in found:
            continue
        own = preparation.prepare(*place)
        if own.absent and not own_module:
            if own.key not in arrays:
                arrays[own.key] = own_first(own.x, own.absent)[:, : net.n_in]
            own = replace(own, x=arrays[own.key])
        found[place] = own
    return [found[t.experiment.data, t.seed, t.fold, t.folds] for t in cohort.trials]


def own_first(x: NDArray[np.float32], absent: Sequence[int]) -> NDArray[np.float32]:
    """Return rows (N, f) with the absent columns, which are zeros, behind the others."""
    order = np.concatenate([np.delete(np.arange(x.shape[1]), list(absent)), np.array(absent, np.int64)])
    out: NDArray[np.float32] = empty_rows(x.shape, np.float32)
    for begin, part in row_blocks(x):
        out[begin : begin + len(part)] = part[:, order]
    return out


def widths_of(net: Architecture, prepared: Sequence[Prepared]) -> tuple[int, ...]:
    """Return how many columns the rows of each member have, zeros standing behind them."""
    padded = reading_layer(net) is not None
    return tuple(net.n_in - (len(own.absent) if padded else 0) for own in prepared)


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
