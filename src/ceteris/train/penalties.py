"""Penalties and clipping as vectors over members, and what a penalty amounts to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ceteris.nets.architecture import Architecture
from ceteris.nets.reading import narrowed, own_part
from ceteris.spec.clip import Clip
from ceteris.spec.experiment import Experiment
from ceteris.spec.penalty import L1, L2, penalties_of
from ceteris.train.hyper import WEIGHTS, group_of

# Columns of a term of a penalty.
FORM, STRENGTH, ON_ALL, SIZES = range(4)
"""From ``SIZES`` on, how many numbers each parameter tensor has."""
# Forms of a term.
NO_TERM, L1_SUM, L1_MEAN, L2_SUM, L2_NORM, L2_MEAN = range(6)
_FORMS = {
    ("l1", "sum"): L1_SUM,
    ("l1", "mean"): L1_MEAN,
    ("l2", "sum"): L2_SUM,
    ("l2", "norm"): L2_NORM,
    ("l2", "mean"): L2_MEAN,
}
# Columns of a member's limits on gradients; 0 where there is none.
CLIP_NORM, CLIP_VALUE, TO_NORM = range(3)


def penalty_terms(
    net: Architecture, experiments: Sequence[Experiment], columns: Sequence[int]
) -> NDArray[np.float64]:
    """Return the terms of all members' penalties, shape (M, most terms, SIZES + tensors).

    ``columns`` (M,) are those that rows have: the zeros behind them are no numbers of a tensor.
    """
    terms = [penalties_of(experiment.penalty) for experiment in experiments]
    table = np.zeros((len(terms), max(map(len, terms)), SIZES + len(net.parameters)))
    for row, own, width in zip(table, terms, columns, strict=True):
        row[:, SIZES:] = [tensor.size for tensor in narrowed(net, width)]
        for place, term in enumerate(own):
            row[place, :SIZES] = _FORMS[term.kind, term.form], term.weight, term.on == "all"
    return table


def clip_limits(clips: Sequence[Clip]) -> NDArray[np.float64]:
    """Return the limits on gradients of all members, (M, 3): norm, value, norm to scale to; 0 for none."""
    rows = [[clip.norm or 0.0, clip.value or 0.0, clip.to_norm or 0.0] for clip in clips]
    return np.array(rows).reshape(len(clips), 3)


def penalty_value(
    net: Architecture, experiment: Experiment, parameters: NDArray[np.floating], columns: int | None = None
) -> float:
    """Return the value of one member's penalty at its parameters (P,), as the specification defines it.

    ``columns``: how many its rows have, where these are not all that the network reads.
    """
    width = net.n_in if columns is None else columns
    total = 0.0
    for term in penalties_of(experiment.penalty):
        for tensor in net.parameters:
            if term.on == "all" or group_of(tensor) == WEIGHTS:
                part = own_part(net, tensor, parameters, width).astype(np.float64)
                total += term.weight * _amount(term, part)
    return total


def _amount(term: L1 | L2, part: NDArray[np.float64]) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        amount = float(np.abs(part).sum() if term.kind == "l1" else np.square(part).sum())
    if term.form == "norm":
        return float(np.sqrt(amount))
    return amount / part.size if term.form == "mean" else amount
