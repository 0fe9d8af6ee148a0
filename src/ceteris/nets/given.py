"""Initial values that are given by name instead of drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ceteris.errors import unknown_name
from ceteris.nets.architecture import Architecture
from ceteris.spec.init import FileInit

if TYPE_CHECKING:
    from torch import nn

Values = Mapping[str, NDArray[np.generic]]
"""Parameters and buffers by name."""
COUNTERS = "num_batches_tracked"
"""How the names of torch's counters end, which built-in networks do not have."""


def value_problems(net: Architecture, init: FileInit, values: Values) -> Iterator[tuple[str, str]]:
    """Yield (setting of the initialisation, sentence) for whatever keeps values from fitting a network.

    That is a name that the network lacks, a parameter that is not there, another shape, a value that is not
    finite, and a name in ``only`` that takes nothing.
    """
    shapes = {tensor.name: tensor.shape for tensor in (*net.parameters, *net.buffers)}
    taken = {name: own for name, own in values.items() if init.takes(name) and _counts(name, shapes)}
    known = list(shapes)
    for place, name in enumerate(init.only):
        if not any(name == own or own.startswith(f"{name}.") for own in values):
            yield f"only.{place}", f"`{init.file}`: {unknown_name('parameter', name, list(values))}"
    for name, own in taken.items():
        if name not in shapes:
            yield "file", f"`{init.file}` holds `{name}`, and {unknown_name('parameter', name, known)}"
        elif own.shape != shapes[name]:
            yield (
                "file",
                f"`{name}` has shape {own.shape} in `{init.file}`; the network's is {shapes[name]}; `only` "
                "says which parameters are taken",
            )
        elif not np.isfinite(own.astype(np.float64)).all():
            yield "file", f"`{name}` in `{init.file}` holds NaN or infinite values"
    if not init.only:
        for tensor in net.parameters:
            if tensor.name not in values:
                yield (
                    "file",
                    f"`{init.file}` does not hold `{tensor.name}`; `only` says which parameters are taken, "
                    "and the others are drawn",
                )


def set_values(module: nn.Module, init: FileInit, values: Values) -> None:
    """Set the parameters and buffers of a network that an initialisation takes of values that fit."""
    import torch

    with torch.no_grad():
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if name in values and init.takes(name):
                tensor.copy_(torch.from_numpy(np.array(values[name])))


def of_columns(values: Values, module: nn.Module, absent: Sequence[int]) -> Values:
    """Return values of a network for a whole table as those of ``module``, whose rows lack some columns."""
    shapes = {n: tuple(t.shape) for n, t in (*module.named_parameters(), *module.named_buffers())}
    return {
        name: np.delete(own, list(absent), axis=-1) if own.shape != shapes.get(name, own.shape) else own
        for name, own in values.items()
    }


def _counts(name: str, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    return name in shapes or not name.endswith(COUNTERS)
