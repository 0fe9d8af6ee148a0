"""What is measured on request at chosen epochs, as small arrays of single members.

How they are laid out stands in ``ceteris.records.probed``, which reads them. A member's arrays are computed
from its own numbers alone, so that its neighbours cannot change them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.preparation import Prepared
from ceteris.nets.hidden import hidden_layers
from ceteris.nets.reading import own_part
from ceteris.spec.experiment import Experiment
from ceteris.spec.losses import class_edge
from ceteris.spec.probing import asks_for_arrays, comes
from ceteris.train.engine import Engine
from ceteris.train.grids import Grids
from ceteris.train.plan import Cohort
from ceteris.train.probes import probe_rows

BINS = 64
"""Of a histogram."""

Arrays = dict[tuple[str, str], NDArray[Any]]
"""(kind, name) -> array."""


class Requested:
    """The arrays that the members of a cohort ask for, measured on the networks as they stand."""

    def __init__(
        self,
        cohort: Cohort,
        prepared: Sequence[Prepared],
        widths: Sequence[int],
        first: Sequence[int],
        grids: Grids,
    ) -> None:
        """Look up what is asked for.

        Args:
            widths: how many columns the rows of each member have: see ``ceteris.nets.reading``.
            first: the first member of each feed of ``grids``.
        """
        self._widths = widths
        self._cohort, self._prepared, self._first, self._grids = cohort, prepared, first, grids
        self._probes = [trial.experiment.probes for trial in cohort.trials]
        self._asking = np.array([asks_for_arrays(own) for own in self._probes])
        self._feed_of = {int(p): number for number, feed in enumerate(grids.feeds) for p in feed.members}

    def measure(
        self, engine: Engine, epoch: int, active: NDArray[np.bool_], last: NDArray[np.bool_]
    ) -> Mapping[int, Arrays]:
        """Measure what is asked for of an epoch (0: before training); ``last`` (M,): for whom it is the last.

        Returns:
            Place in the stack -> its arrays, of the active members that ask for any.
        """
        found: dict[int, Arrays] = {int(place): {} for place in np.flatnonzero(active & self._asking)}
        chosen = {
            what: [p for p in found if comes(self._epochs(p, what), epoch, last=bool(last[p]))]
            for what in ("histograms", "grid", "confusion")
        }
        for place in chosen["histograms"]:
            found[place] |= self._histograms(engine, place)
        for place, curve in self._curves(engine, chosen["grid"]):
            found[place]["grid", ""] = curve
        for place, counts in self._confusions(engine, chosen["confusion"]):
            found[place]["confusion", ""] = counts
        return {place: arrays for place, arrays in found.items() if arrays}

    def _epochs(self, place: int, what: str) -> str | tuple[int, ...]:
        own = self._probes[place]
        return {"histograms": own.histograms, "grid": own.grid.epochs, "confusion": own.confusion}[what]

    def _histograms(self, engine: Engine, place: int) -> Arrays:
        net = self._cohort.structure.net
        flat, width = engine.parameters()[place], self._widths[place]
        arrays: Arrays = {
            ("parameter", tensor.name): histogram(own_part(net, tensor, flat, width))
            for tensor in net.parameters
        }
        own = self._prepared[place]
        rows = own.split.validation if len(own.split.validation) else own.train_slice
        values = engine.activation_values(place, probe_rows(rows))
        for layer, activations in zip(hidden_layers(net), values, strict=True):
            arrays["activation", layer] = histogram(activations)
        return arrays

    def _curves(self, engine: Engine, places: Sequence[int]) -> list[tuple[int, NDArray[np.float64]]]:
        curves = []
        for points in sorted({self._probes[place].grid.points for place in places}):
            own = [place for place in places if self._probes[place].grid.points == points]
            outputs = self._outputs(engine, self._grids.rows(points), own)
            for place in own:
                x = self._grids.x(self._feed_of[place], points)
                drawn = self._prepared[place].in_units(outputs[place])
                curves.append((place, np.vstack([x, drawn.T.astype(np.float64)])))
        return curves

    def _confusions(self, engine: Engine, places: Sequence[int]) -> list[tuple[int, NDArray[np.int64]]]:
        if not places:
            return []
        structure = self._cohort.structure
        outputs = self._outputs(engine, [self._prepared[p].split.validation for p in self._first], places)
        counts = []
        for place in places:
            own = self._prepared[place]
            true = own.y[own.split.validation]
            predicted = predicted_classes(structure.loss, outputs[place][: len(true)])
            classes = max(structure.net.n_out, 2)
            pairs = np.bincount(true * classes + predicted, minlength=classes**2)
            counts.append((place, pairs.reshape(classes, classes)))
        return counts

    def _outputs(
        self, engine: Engine, rows: Sequence[NDArray[np.int64]], places: Sequence[int]
    ) -> NDArray[np.float32]:
        measured = np.zeros(len(self._probes), dtype=np.bool_)
        measured[list(places)] = True
        outputs = engine.evaluate(rows, measured, keep_outputs=True)[1]
        if outputs is None:
            raise RuntimeError("the engine kept no outputs")
        return outputs


def grid_points(experiments: Sequence[Experiment]) -> frozenset[int]:
    """Return how many points the fitted curves have that some experiments ask for."""
    grids = [experiment.probes.grid for experiment in experiments]
    return frozenset(grid.points for grid in grids if grid.epochs not in ("none", ()))


def histogram(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return edges (first row) and counts, then how many numbers are not finite (second row), (2, BINS + 1).

    The edges lie equally spaced from the smallest to the largest finite number; where all are one number,
    from half below it to half above it, and with none from 0 to 1.
    """
    flat = values.reshape(-1).astype(np.float64)
    finite = flat[np.isfinite(flat)]
    counts, edges = np.histogram(finite, BINS)
    return np.stack([edges, np.append(counts, len(flat) - len(finite)).astype(np.float64)])


def predicted_classes(loss: str, outputs: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the class numbers (n,) that outputs (n, k) stand for."""
    edge = class_edge(loss)
    found = outputs.argmax(axis=1) if edge is None else outputs[:, 0] > edge
    return found.astype(np.int64)
