"""Watches the hidden layers of running modules: their activations, and the gradients at them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.modules.pooling import _AdaptiveAvgPoolNd, _AdaptiveMaxPoolNd, _AvgPoolNd, _MaxPoolNd

from ceteris.train.modules.dropout import KeyedDropout
from ceteris.train.probes import N_ACTIVATION
from ceteris.train.tensor.probes import activation_statistics

PASSED_OVER = (
    _DropoutNd,
    KeyedDropout,
    nn.Flatten,
    nn.Unflatten,
    nn.Identity,
    _MaxPoolNd,
    _AvgPoolNd,
    _AdaptiveMaxPoolNd,
    _AdaptiveAvgPoolNd,
)
"""Modules that only drop, pool or reshape what others have computed."""


class Watch:
    """Keeps the outputs of a module's hidden layers by path, in the order of ``paths``, while ``kept()``.

    A layer that is called several times in a pass counts with its last call.
    """

    def __init__(self, module: nn.Module, paths: Sequence[str]) -> None:
        self._kept: dict[str, Tensor] | None = None
        self._paths = tuple(paths)
        for path in self._paths:
            module.get_submodule(path).register_forward_hook(self._hook(path))

    @contextmanager
    def kept(self, wanted: bool = True) -> Iterator[dict[str, Tensor]]:
        """Keep outputs within this context, if they are wanted."""
        kept: dict[str, Tensor] = {}
        self._kept = kept if wanted else None
        try:
            yield kept
        finally:
            self._kept = None

    def _hook(self, path: str) -> Any:
        def keep(module: nn.Module, inputs: object, output: object) -> None:
            if self._kept is not None and isinstance(output, Tensor):
                self._kept[path] = output

        return keep

    def variances(self, kept: dict[str, Tensor], gradients: dict[str, Tensor | None]) -> NDArray[np.float64]:
        """Return the variances (L, 2) of activations and the gradients at them; NaN for what is not there."""
        found = np.full((len(self._paths), 2), np.nan)
        for place, path in enumerate(self._paths):
            for column, own in enumerate((kept.get(path), gradients.get(path))):
                if own is not None:
                    found[place, column] = float(own.detach().double().var(correction=0))
        return found

    def statistics(self, kept: dict[str, Tensor]) -> NDArray[np.float64]:
        """Return the statistics (L, N_ACTIVATION) of outputs; NaN for a layer that was not called."""
        found = np.full((len(self._paths), N_ACTIVATION), np.nan)
        for place, path in enumerate(self._paths):
            if path in kept:
                found[place] = activation_statistics(kept[path][None])[0]
        return found

    def values(self, kept: dict[str, Tensor]) -> list[NDArray[np.floating]]:
        """Return outputs as arrays in the order of the paths; empty for a layer that was not called."""
        return [kept[path].float().numpy() if path in kept else np.zeros(0) for path in self._paths]


def inner_modules(module: nn.Module, rows: Tensor) -> tuple[str, ...]:
    """Return the paths of the innermost modules whose outputs are hidden activations, as they are called.

    Args:
        rows: on which the module is run once.
    """
    names = {own: name for name, own in module.named_modules() if name and not list(own.children())}
    called: dict[str, Tensor] = {}

    def keep(own: nn.Module, inputs: object, output: object) -> None:
        right = isinstance(output, Tensor) and output.is_floating_point() and output.dim() > 1
        if right and isinstance(output, Tensor) and len(output) == len(rows):
            called[names[own]] = output

    chosen = [own for own in names if not isinstance(own, PASSED_OVER)]
    hooks = [own.register_forward_hook(keep) for own in chosen]
    try:
        outputs = module(rows)
    finally:
        for hook in hooks:
            hook.remove()
    return tuple(name for name, own in called.items() if not _is_output(own, outputs))


def _is_output(own: Tensor, outputs: Tensor) -> bool:
    return own.data_ptr() == outputs.data_ptr() and own.numel() == outputs.numel()


def with_gradients(paths: Iterable[str], kept: dict[str, Tensor]) -> list[str]:
    """Return the paths at whose kept outputs a gradient can be taken."""
    return [path for path in paths if path in kept and kept[path].requires_grad]
