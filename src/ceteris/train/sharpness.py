"""How flat the minimum is where a training stands: how far small changes of the weights raise its loss.

With a radius r and K random directions D_k,

    sharpness = mean over k of L(w + r D_k) - L(w)

where L is the plain data loss in evaluation mode on training rows, and the directions are as long as the
weights, unit by unit (``directions``). Biases and normalisation stay as they are. Keskar et al. 2017 take the
maximum over a box where this takes a mean over a sphere: a mean has no search that may end too early.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ceteris.nets.architecture import Architecture, named_views
from ceteris.nets.reading import own_part
from ceteris.spec.probing import comes
from ceteris.train.directions import filter_direction
from ceteris.train.engine import Engine
from ceteris.train.plan import TrialPlan

SHARPNESS = "sharpness"
ROWS = 1000
"""At most so many training rows are evaluated."""

State = Mapping[str, NDArray[np.generic]]


def sharpness_asked(trials: Sequence[TrialPlan]) -> NDArray[np.bool_]:
    """Return which trials (M,) ask for it at any epoch."""
    return np.array([trial.experiment.probes.sharpness.epochs not in ("none", ()) for trial in trials])


def sharpness_measurements(
    engine: Engine,
    net: Architecture,
    trials: Sequence[TrialPlan],
    widths: Sequence[int],
    rows: Sequence[NDArray[np.int64]],
    epoch: int,
    last: NDArray[np.bool_],
    active: NDArray[np.bool_],
) -> dict[str, NDArray[np.float64]]:
    """Measure the active members that ask for it, one after another; the engine is left as it was.

    Args:
        widths: how many columns the rows of each member have: see ``ceteris.nets.reading``.
        rows: the training rows of every feed that are measured; of these, evenly spaced ones are taken.
        epoch: how many epochs are done; ``last`` (M,): for whom it is the last one.

    Returns:
        The column (M,), NaN for members and epochs that are not asked for; nothing where no trial asks.
    """
    if not sharpness_asked(trials).any():
        return {}
    column = np.full(len(trials), np.nan)
    chosen = [own[:: max(1, -(-len(own) // ROWS))] for own in rows]
    for place in map(int, np.flatnonzero(active)):
        spec = trials[place].experiment.probes.sharpness
        if comes(spec.epochs, epoch, last=bool(last[place])):
            column[place] = _rise(engine, net, trials[place], widths[place], chosen, place)
    return {SHARPNESS: column}


def _rise(
    engine: Engine,
    net: Architecture,
    trial: TrialPlan,
    width: int,
    rows: Sequence[NDArray[np.int64]],
    place: int,
) -> float:
    """Return the mean rise of one member's loss, in units of the loss."""
    spec = trial.experiment.probes.sharpness
    alone = np.zeros(len(engine.parameters()), dtype=np.bool_)
    alone[place] = True
    weights = engine.parameters()[place].copy()
    here = engine.evaluate(rows, alone, keep_outputs=False)[0][place, 0]
    state = {name: array.copy() for name, array in engine.state(place).items()}
    rises = []
    try:
        for number in range(spec.directions):
            moved = weights + spec.radius * direction(net, weights, trial.seed, number, width)
            engine.restore(place, with_parameters(state, net, moved.astype(weights.dtype)))
            rises.append(engine.evaluate(rows, alone, keep_outputs=False)[0][place, 0] - here)
    finally:
        engine.restore(place, state)
    return float(np.mean(rises))


def direction(
    net: Architecture, weights: NDArray[np.floating], seed: int, number: int, width: int
) -> NDArray[np.floating]:
    """Return a random direction (P,) of a whole network (``filter_direction``); zeros for vectors.

    Zeros, too, for the weights of what stands behind the first ``width`` columns of rows.
    """
    found = np.zeros_like(weights)
    for tensor in net.parameters:
        if len(tensor.shape) > 1:
            own = own_part(net, tensor, weights, width)
            own_part(net, tensor, found, width)[:] = filter_direction(tensor.name, own, seed, number)
    return found


def with_parameters(state: State, net: Architecture, flat: NDArray[np.floating]) -> State:
    """Return a member's state (``Engine.state``) with other parameters (P,)."""
    if "parameters" in state:
        return {**state, "parameters": flat}
    return {**state, **{f"parameter {name}": view for name, view in named_views(net.parameters, flat)}}
