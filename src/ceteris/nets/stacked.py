"""A stack of networks of one architecture, with the member axis first.

Training built-in networks on the processor needs no torch, whose import takes longer than most small studies:
it is loaded where a member is wanted as a module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ceteris.nets.architecture import Architecture, BuiltInModel, random_amounts
from ceteris.nets.initial import initial_buffers, initial_parameters

if TYPE_CHECKING:
    from torch import nn

    from ceteris.nets.module import Network


@dataclass(frozen=True)
class StackedNetwork:
    """Members of one architecture: ``parameters`` (M, P), ``buffers`` (M, Q), ``rates`` (M, slots)."""

    architecture: Architecture
    parameters: NDArray[np.floating]
    buffers: NDArray[np.floating]
    rates: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.parameters)

    def member(self, index: int) -> Network:
        """Hand out one member as an ordinary module (a copy), in evaluation mode."""
        from ceteris.nets.module import to_module

        return to_module(
            self.architecture, self.parameters[index], self.buffers[index], tuple(self.rates[index])
        )

    def set_member(self, index: int, module: nn.Module) -> None:
        """Take a member back: copy the module's parameters and buffers into the stack."""
        from ceteris.nets.module import from_module

        self.parameters[index], self.buffers[index] = from_module(self.architecture, module)


def initial_stack(
    net: Architecture,
    specs: Sequence[BuiltInModel],
    seeds: Sequence[int],
    dtype: type = np.float32,
    columns: Sequence[int] | None = None,
) -> StackedNetwork:
    """Draw the initial stack of members with the given model specifications and seeds.

    ``columns`` says how many columns the rows of each member have, where that is not what the network reads:
    see ``ceteris.nets.reading``.
    """
    own_columns = columns or [net.n_in] * len(specs)
    parameters = np.stack(
        [
            initial_parameters(net, spec.init, seed, own)
            for spec, seed, own in zip(specs, seeds, own_columns, strict=True)
        ]
    )
    buffers = np.tile(initial_buffers(net), (len(specs), 1))
    rates = np.array([random_amounts(spec) for spec in specs], dtype=np.float64).reshape(len(specs), -1)
    with np.errstate(over="ignore"):  # what is too large is infinite: the member diverges at once
        return StackedNetwork(net, parameters.astype(dtype), buffers.astype(dtype), rates)
