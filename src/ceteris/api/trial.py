"""One trial of a run: its curves, its network and weights, and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from ceteris.api.export.export import Exported
    from ceteris.api.own_modules import OwnModel
    from ceteris.records.probed import FittedCurve, Histogram
    from ceteris.records.views import RunRecord, TrialRecord, TrialStatus


_SHOWN = ("val_loss", "val_accuracy")


@dataclass(frozen=True, repr=False)
class Trial:
    """One level with one seed and one fold."""

    record: TrialRecord
    run: RunRecord = field(compare=False)

    @property
    def level(self) -> str:
        """Label of the combination of levels."""
        return self.record.level

    @property
    def seed(self) -> int:
        """The seed."""
        return self.record.seed

    @property
    def fold(self) -> int:
        """The fold; 0 where there are none."""
        return self.record.fold

    @property
    def status(self) -> TrialStatus:
        """Whether it finished, diverged, or has not ended."""
        return self.record.status

    @property
    def curves(self) -> Mapping[str, NDArray[np.float64]]:
        """Metric -> (epochs,)."""
        return self.record.curves

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics at the end of training; empty where it did not get there."""
        from ceteris.api.output import final_metrics

        return final_metrics(self.record)

    @property
    def experiment(self) -> Mapping[str, Any]:
        """The resolved experiment as plain data."""
        return self.record.experiment

    def network(
        self, which: Literal["final", "initial"] = "final", *, model: OwnModel | None = None
    ) -> torch.nn.Module:
        """Return its network as an ordinary ``torch.nn.Module`` in evaluation mode.

        It takes inputs as ``prepare`` returns them. ``model`` makes the network where it is one of your own
        and was not given in this Python process. Raises ``CeterisError`` where its weights are not on record.
        """
        from ceteris.api.networks import recorded_network

        return recorded_network(self.run, self.record, which, model)

    def weights(self, which: Literal["final", "initial"] = "final") -> dict[str, NDArray[Any]]:
        """Return its weights by name. Raises ``CeterisError`` where they are not on record."""
        from ceteris.api.networks import recorded_weights

        return recorded_weights(self.run, self.record, which)

    def histograms(self) -> dict[str, dict[int, Histogram]]:
        """Return the histograms of its parameters and hidden layers, {name: {epoch: histogram}}.

        Measured where ``probes.histograms`` asks for them; epoch 0 is before training. A histogram has
        ``edges`` (bins + 1,), ``counts`` (bins,) and ``not_finite``.
        """
        from ceteris.api.probed import trial_histograms

        return trial_histograms(self.run, self.record)

    def grid(self) -> dict[int, FittedCurve]:
        """Return the fitted curves by epoch, with ``x`` (points,) and ``y`` (points, outputs).

        Measured where ``probes.grid`` asks for them.
        """
        from ceteris.api.probed import trial_grid

        return trial_grid(self.run, self.record)

    def confusion(self) -> dict[int, NDArray[np.int64]]:
        """Return how many validation rows of a class (row) were taken for a class (column), by epoch.

        Measured where ``probes.confusion`` asks for them.
        """
        from ceteris.api.probed import trial_confusion

        return trial_confusion(self.run, self.record)

    def parameters(
        self, which: Literal["final", "initial"] = "final", *, model: OwnModel | None = None
    ) -> dict[str, NDArray[Any]]:
        """Return every trainable parameter by name, tied ones once; ``weights`` adds the buffers.

        Raises ``CeterisError`` where its weights are not on record.
        """
        return {
            name: own.detach().numpy() for name, own in self.network(which, model=model).named_parameters()
        }

    def gradients(
        self,
        x: Any,
        y: Any,
        which: Literal["final", "initial"] = "final",
        *,
        data_dir: str | Path | None = None,
        model: OwnModel | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Return the gradient of the mean loss on given rows by each parameter, by name.

        ``x`` is (rows, ...) of the data's kind, prepared here as for ``prepare``; ``y`` (rows,) class numbers
        or the numbers to predict. The network is in evaluation mode, and the loss is that of ``val_loss``:
        without penalties, smoothing and class weights. Raises ``CeterisError`` for rows that do not fit.
        """
        from ceteris.api.gradients import loss_gradients

        return loss_gradients(self.run, self.record, x, y, which, data_dir=data_dir, model=model)

    def prepare(self, x: Any, data_dir: str | Path | None = None) -> torch.Tensor:
        """Return rows (rows, ...) of the data's kind as the network takes them, (rows, features).

        They are scaled as the training rows of this trial were, for which its data is read again. Of a table
        they have the features of categories that its training rows had, in their order. Raises
        ``CeterisError`` where that data is not to be had any more, or is not the same.
        """
        from ceteris.api.networks import prepared_inputs

        return prepared_inputs(self.run, self.record, x, data_dir)

    def export(
        self,
        path: str | Path | None = None,
        format: str | None = None,
        *,
        data_dir: str | Path | None = None,
        model: OwnModel | None = None,
    ) -> Exported:
        """Write its network as a program to deploy, and return where, with what the check came to.

        ``format`` is ``pt2`` (``torch.export``), ``onnx`` or ``safetensors`` (parameters by name), else what
        ``path`` ends in. The programs take unprepared rows, as many as there are; what has to be known to use
        the file stands in ``PATH.json``. The file is read again and compared on rows of the data. Raises
        ``CeterisError`` where it cannot be written, or its outputs differ from the network's.
        """
        from ceteris.api.export.export import export_trial

        return export_trial(self.run, self.record, path, format, data_dir=data_dir, model=model)

    def __repr__(self) -> str:
        metrics = ", ".join(f"{name}={self.metrics[name]:.4g}" for name in _SHOWN if name in self.metrics)
        return f"<Trial {self.level} seed {self.seed}: {', '.join(filter(None, [self.status, metrics]))}>"
