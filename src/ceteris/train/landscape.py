"""The loss around trained weights: over two directions, and how far it rises within a radius.

Random directions are as long as the weights, unit by unit (``directions``), so that networks whose weights
differ in scale can be compared. Biases and normalisation layers stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ceteris.errors import CeterisError, unknown_name
from ceteris.train.directions import filter_direction
from ceteris.train.scoring import BATCH

Weights = Mapping[str, Tensor]
Loss = Callable[[Tensor, Tensor], float]
"""(outputs (n, k), targets) -> mean loss."""

ONE_WEIGHT = re.compile(r"(?P<name>[^\[\]]+)\[(?P<place>\d+(\s*,\s*\d+)*)\]")


@dataclass(frozen=True, eq=False)
class LossAround:
    """The loss of one network on fixed rows, as a function of its weights."""

    network: nn.Module
    inputs: Tensor
    """(n, ...), prepared."""
    targets: Tensor
    """(n,) class numbers, or (n, k) values."""
    loss: Loss

    @torch.no_grad()
    def at(self, weights: Weights) -> float:
        """Return the loss with other weights, in evaluation mode."""
        self.network.eval()
        parts = [
            torch.func.functional_call(self.network, dict(weights), (self.inputs[begin : begin + BATCH],))
            for begin in range(0, len(self.inputs), BATCH)
        ]
        return self.loss(torch.cat(parts).reshape(len(self.inputs), -1), self.targets)

    def rises(
        self, weights: Weights, directions: Sequence[Weights], radii: Sequence[float]
    ) -> NDArray[np.float64]:
        """Return by how much the loss rises (len(radii), len(directions)) that far along each direction."""
        here = self.at(weights)
        rows = [[self.at(moved(weights, own, radius)) - here for own in directions] for radius in radii]
        return np.array(rows, dtype=np.float64)


def losses_over(
    around: Sequence[LossAround],
    weights: Weights,
    directions: tuple[Weights, Weights],
    a: Sequence[float],
    b: Sequence[float],
    done: Callable[[int], None] = lambda points: None,
) -> list[NDArray[np.float64]]:
    """Return for each of ``around`` the loss (len(b), len(a)) at weights + a first + b second.

    ``done`` is told of points that were computed.
    """
    first, second = directions
    found = [np.empty((len(b), len(a))) for _ in around]
    for row, y in enumerate(b):
        beside = moved(weights, second, y)
        for column, x in enumerate(a):
            here = moved(beside, first, x)
            for own, grid in zip(around, found, strict=True):
                grid[row, column] = own.at(here)
        done(len(a))
    return found


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread: for so small products several only wait for each other.

    Measured on two busy cores, an evaluation of 64-32-10 on 287 rows took 0.4 ms of processor time with one
    thread and 20 ms with two.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def moved(weights: Weights, direction: Weights, by: float) -> dict[str, Tensor]:
    """Return weights + by direction; tensors without a direction stay."""
    return {
        name: torch.add(own, direction[name], alpha=by) if name in direction else own
        for name, own in weights.items()
    }


def random_direction(weights: Weights, seed: int, number: int) -> dict[str, Tensor]:
    """Return a random direction of a network (``filter_direction``); tensors of one axis have none."""
    return {
        name: torch.from_numpy(filter_direction(name, own.numpy(force=True), seed, number)).to(own.dtype)
        for name, own in weights.items()
        if own.dim() > 1
    }


def weight_direction(weights: Weights, text: str) -> tuple[dict[str, Tensor], float]:
    """Return the direction of one weight, ``head.weight[0,3]``, and what that weight is now.

    Raises CeterisError for a tensor or a place that is not there.
    """
    match = ONE_WEIGHT.fullmatch(text.strip())
    if match is None:
        raise CeterisError(
            f"`{text}` is not one weight; write a tensor and a place, such as `head.weight[0,3]`"
        )
    name = match["name"].strip()
    if name not in weights:
        raise CeterisError(unknown_name("parameter tensor", name, list(weights)))
    place = tuple(int(part) for part in match["place"].split(","))
    shape = tuple(weights[name].shape)
    if len(place) != len(shape) or any(at >= extent for at, extent in zip(place, shape, strict=True)):
        extents = " x ".join(map(str, shape))
        raise CeterisError(f"`{text}` is no place in {name}, which is {extents}; places count from 0")
    direction = torch.zeros_like(weights[name])
    direction[place] = 1.0
    return {name: direction}, float(weights[name][place])
