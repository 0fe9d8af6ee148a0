"""One network and the loss around it; levels beside each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ceteris.api.final_rows import FinalRows, as_inputs_of
from ceteris.api.landscape_views import Flatness, Grid, Slice
from ceteris.api.networks import recorded_network

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from ceteris.api.own_modules import OwnModel
    from ceteris.records.views import RunRecord, TrialRecord
    from ceteris.spec.experiment import Experiment
    from ceteris.train.landscape import LossAround

Done = Callable[[int], None]
"""Told of points that were computed."""

RADII = (0.1, 0.25, 0.5)
"""How far flatness looks, in shares of each filter's norm."""
DIRECTIONS = 10
"""Random directions that flatness averages over."""
MOST_ROWS, LEAST_ROWS = 1000, 200
ROW_WEIGHTS = 100_000_000
"""Rows times weights on which a loss is computed, unless that takes more or fewer rows than these: 800,000
weights take 6 ms for 200 rows, and a picture has 441 points for each of two splits."""
MARGIN = 0.25
"""How far a plane of two weights goes beyond the origin and the solutions, as a share of their distance."""


class Look:
    """One trained network with the rows that its loss is computed on."""

    def __init__(
        self,
        run: RunRecord,
        trial: TrialRecord,
        sets: Mapping[str, FinalRows],
        model: OwnModel | None,
        rows: int,
    ) -> None:
        """Look on at most ``rows`` rows of each split, evenly chosen."""
        from ceteris.spec.experiment import Experiment

        self.trial = trial
        self._run, self._model = run, model
        self.experiment: Experiment = Experiment.model_validate(dict(trial.experiment))
        self._rows, self._most = sets[self.experiment.data.reading], rows

    def weights(self) -> dict[str, torch.Tensor]:
        """The parameters by name."""
        network = recorded_network(self._run, self.trial, "final", self._model)
        return {name: own.detach() for name, own in network.named_parameters()}

    def around(self, split: str) -> LossAround | None:
        """Return the loss on ``train`` or ``validation`` rows; None where there are none."""
        import numpy as np
        import torch

        from ceteris.train.landscape import LossAround
        from ceteris.train.objective import resolved_loss
        from ceteris.train.scoring import as_targets

        rows = self._rows
        prepared = rows.preparation.prepare(
            self.experiment.data, self.trial.seed, self.trial.fold, rows.folds
        )
        chosen = prepared.train_slice if split == "train" else prepared.split.validation
        if len(chosen) == 0:
            return None
        chosen = chosen[
            np.unique(np.linspace(0, len(chosen) - 1, min(len(chosen), self._most)).round().astype(int))
        ]
        dataset = rows.preparation.dataset
        inputs = as_inputs_of(self.experiment, dataset, torch.from_numpy(prepared.x[chosen]), prepared.fitted)
        loss = partial(_loss, self.experiment, resolved_loss(self.experiment, dataset))
        network = recorded_network(self._run, self.trial, "final", self._model)
        return LossAround(network, inputs, as_targets(prepared.y[chosen]), loss)

    def penalty(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Return the penalty at other weights; None where there is none."""
        import numpy as np

        from ceteris.api.networks import facts_of, recorded_architecture
        from ceteris.spec.model import ModuleModel
        from ceteris.spec.penalty import penalties_of
        from ceteris.train.penalties import penalty_value

        model = self.experiment.model
        if isinstance(model, ModuleModel) or not penalties_of(self.experiment.penalty):
            return None
        facts = facts_of(self._run, self.experiment.data.reading)
        shapes = {name: tuple(own.shape) for name, own in weights.items()}
        net = recorded_architecture(model, facts, self.experiment.loss, shapes)
        flat = np.zeros(net.n_parameters)
        for tensor in net.parameters:
            flat[tensor.offset : tensor.offset + tensor.size] = weights[tensor.name].numpy().reshape(-1)
        return penalty_value(net, self.experiment, flat)

    def slice(
        self,
        directions: tuple[Mapping[str, torch.Tensor], Mapping[str, torch.Tensor]],
        at: tuple[float, float],
        a: NDArray[np.float64],
        b: NDArray[np.float64],
        done: Done,
    ) -> Slice:
        """Return the losses over two directions, whose axes show the weights at ``at``."""
        from ceteris.train.landscape import losses_over, moved

        weights, (first, second) = self.weights(), directions
        own_a, own_b = [float(x - at[0]) for x in a], [float(y - at[1]) for y in b]
        around = {split: self.around(split) for split in ("train", "validation")}
        there = {split: own for split, own in around.items() if own is not None}
        grids = losses_over(list(there.values()), weights, directions, own_a, own_b, done)
        found = dict(zip(there, map(_plain, grids), strict=True))
        has_penalty = self.penalty(weights) is not None
        return Slice(
            level=self.trial.level,
            seed=self.trial.seed,
            a=tuple(map(float, a)),
            b=tuple(map(float, b)),
            at=at,
            train=found.get("train", []),
            validation=found.get("validation", []),
            penalty=[
                [_finite(self.penalty(moved(moved(weights, first, x), second, y))) for x in own_a]
                for y in own_b
            ]
            if has_penalty
            else [],
        )


def _loss(experiment: Experiment, loss: str, outputs: torch.Tensor, targets: torch.Tensor) -> float:
    from ceteris.train.scoring import mean_loss

    return float(mean_loss(experiment, loss, outputs.double(), targets))


def rows_for(networks: Sequence[Mapping[str, torch.Tensor]]) -> int:
    """Return on how many rows at most losses are computed, the same for all of some networks' weights."""
    largest = max(sum(own.numel() for own in weights.values()) for weights in networks)
    return max(LEAST_ROWS, min(MOST_ROWS, ROW_WEIGHTS // max(1, largest)))


def at_random(looks: Sequence[Look], radius: float, points: int, seed: int, done: Done) -> list[Slice]:
    """Return slices along two random directions, from -radius to radius."""
    import numpy as np

    from ceteris.train.landscape import random_direction

    axis = np.linspace(-radius, radius, points)
    found = []
    for look in looks:
        weights = look.weights()
        directions = random_direction(weights, seed, 0), random_direction(weights, seed, 1)
        found.append(look.slice(directions, (0.0, 0.0), axis, axis, done))
    return found


def along_weights(looks: Sequence[Look], names: Sequence[str], points: int, done: Done) -> list[Slice]:
    """Return slices along two weights, all over one plane that holds the origin and every solution."""
    import numpy as np

    from ceteris.train.landscape import weight_direction

    along = [[weight_direction(look.weights(), name) for name in names] for look in looks]
    axes = []
    for k in range(2):
        values = [0.0, *(own[k][1] for own in along)]
        low, high = min(values), max(values)
        pad = MARGIN * (high - low) or 1.0
        axes.append(np.linspace(low - pad, high + pad, points))
    return [
        look.slice((first[0], second[0]), (first[1], second[1]), axes[0], axes[1], done)
        for look, (first, second) in zip(looks, along, strict=True)
    ]


def flatness(looks: Mapping[str, Sequence[Look]], seed: int, done: Done) -> list[Flatness]:
    """Return the rise of every level at every radius, and its difference from the first level's."""

    from ceteris.train.landscape import random_direction

    rises: dict[str, dict[int, NDArray[np.float64]]] = {}
    for level, own in looks.items():
        for look in own:
            weights, around = look.weights(), look.around("train")
            if around is not None:
                directions = [random_direction(weights, seed, 2 + k) for k in range(DIRECTIONS)]
                rises.setdefault(level, {})[look.trial.seed] = around.rises(weights, directions, RADII)
                done(len(RADII) * DIRECTIONS)
    reference = next(iter(rises.values()), {})
    return [
        _of_level(level, place, radius, own, reference if own is not reference else {})
        for level, own in rises.items()
        for place, radius in enumerate(RADII)
    ]


def _of_level(
    level: str,
    place: int,
    radius: float,
    own: Mapping[int, NDArray[np.float64]],
    reference: Mapping[int, NDArray[np.float64]],
) -> Flatness:
    means = [float(found[place].mean()) for found in own.values()]
    shared = [s for s in own if s in reference]
    differences = [float(own[s][place].mean() - reference[s][place].mean()) for s in shared]
    rise, low, high = _mean_and_interval(means)
    difference, below, above = _mean_and_interval(differences)
    largest = _mean_and_interval([float(found[place].max()) for found in own.values()])[0]
    return Flatness(level, radius, len(means), rise, low, high, largest, difference, below, above)


def _mean_and_interval(values: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Return a mean with its 95% t interval over seeds; None where there is none."""
    from ceteris.evidence.multiplicity import ALPHA
    from ceteris.evidence.student import estimate, interval

    if not values or not all(map(math.isfinite, values)):
        return None, None, None
    if len(values) < 2:
        return values[0], None, None
    found = estimate(values)
    low, high = interval(found, ALPHA)
    return found.mean, low, high


def _plain(grid: NDArray[np.float64]) -> Grid:
    return [[_finite(float(value)) for value in row] for row in grid]


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
