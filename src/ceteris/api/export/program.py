"""A trained network with the scaling of its inputs in it, as one module."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ceteris.data.scaling import Scaling, scaled
from ceteris.data.target_scaling import TargetScaling

CLOSE = 1e-6
"""Inputs scaled in single precision may differ by so much from those that were trained on."""


class Program(nn.Module):
    """Unprepared rows (N, *shape) -> outputs (N, outputs) of the network, in evaluation mode.

    Args:
        network: takes prepared rows.
        scaling: how rows are prepared.
        row_shape: the shape in which the network takes one prepared row; with fewer numbers than a row has it
            takes those that are not absent.
        dtype: the type of the unprepared rows, in which they are scaled.
        targets: how the network learned its targets; outputs are then in the targets' own units.
    """

    shift: Tensor
    divisor: Tensor
    absent: Tensor | None
    columns: Tensor | None
    units: Tensor | None

    def __init__(
        self,
        network: nn.Module,
        scaling: Scaling,
        row_shape: tuple[int, ...],
        dtype: torch.dtype,
        targets: TargetScaling | None = None,
    ) -> None:
        super().__init__()
        self.network = network.eval()
        self.row_shape = row_shape
        self.register_buffer("shift", torch.as_tensor(scaling.shift, dtype=dtype))
        self.register_buffer("divisor", torch.as_tensor(scaling.divisor, dtype=dtype))
        absent = columns = None
        if scaling.absent is not None:
            absent = torch.zeros(len(np.atleast_1d(scaling.shift)), dtype=torch.bool)
            absent[list(scaling.absent)] = True
            columns = (~absent).nonzero()[:, 0] if np.prod(row_shape) < len(absent) else None
        self._keep("absent", absent)
        self._keep("columns", columns)
        self.learned_logarithms = targets is not None and targets.log
        units = None if targets is None else torch.from_numpy(np.stack([targets.divisor, targets.shift]))
        self._keep("units", None if units is None else units.float())
        self.eval()

    def _keep(self, name: str, tensor: Tensor | None) -> None:
        """Keep a tensor as a buffer; ``torch.export`` miscounts those that are None."""
        if tensor is None:
            setattr(self, name, None)
        else:
            self.register_buffer(name, tensor)

    def scaled(self, rows: Tensor) -> Tensor:
        """Return scaled rows (N, features) in float32."""
        x = (rows.flatten(1) - self.shift) / self.divisor
        if self.absent is not None:  # a table: missing numbers and categories that were not trained on
            x = torch.where(x.isnan() | self.absent, torch.zeros_like(x), x)
        return x.float()

    def prepared(self, rows: Tensor) -> Tensor:
        """Return rows as the network takes them, in float32."""
        x = self.scaled(rows)
        x = x if self.columns is None else x.index_select(1, self.columns)
        return x.reshape(-1, *self.row_shape)

    def forward(self, rows: Tensor) -> Tensor:
        """Prepare rows and apply the network."""
        out: Tensor = self.network(self.prepared(rows))
        out = out[:, None] if out.dim() == 1 else out
        if self.units is not None:
            out = out * self.units[0] + self.units[1]
        return out.exp() if self.learned_logarithms else out


def program_for(
    network: nn.Module,
    scaling: Scaling,
    row_shape: tuple[int, ...],
    rows: NDArray[np.generic],
    targets: TargetScaling | None = None,
) -> Program:
    """Return the program of a network, taking float32 where that is as good as the scaling in training.

    It is where it holds the numbers of ``rows`` (N, *shape) so well that they are scaled to within ``CLOSE``
    of what is trained on, which is computed in float64; else the program takes float64.
    """
    single = Program(network, scaling, row_shape, torch.float32, targets)
    there = single.scaled(as_rows(rows, torch.float32)).numpy()
    if np.abs(there - scaled(rows, scaling)).max(initial=0.0) <= CLOSE:
        return single
    return Program(network, scaling, row_shape, torch.float64, targets)


def as_rows(rows: NDArray[np.generic], dtype: torch.dtype) -> Tensor:
    """Return rows (N, *shape) as a program takes them."""
    return torch.from_numpy(np.array(rows)).to(dtype)
