"""Rows as other libraries hand them out: data sets of torch, bunches of scikit-learn."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ceteris.errors import CeterisError, Problem


def as_parts(value: Any) -> Any:
    """Return (X, y) or (X, y, classes) of a data set of torch or a bunch of scikit-learn; else the value.

    The items of a data set are read once each, in order; what it would change about them at random in every
    epoch stays as it was then. Raises ``CeterisError`` where there are no pairs of inputs and targets.
    """
    if isinstance(value, Mapping) and "source" not in value and {"data", "target"} <= value.keys():
        return _of_bunch(value)
    torch = sys.modules.get("torch.utils.data")
    if torch is None:
        return value
    if isinstance(value, torch.DataLoader):
        message = (
            "a DataLoader cuts and shuffles batches by itself, which a comparison holds equal; give its data "
            "set, `data=loader.dataset`, and its `batch_size` to the experiment"
        )
        raise CeterisError(Problem(message, where="data"))
    return _of_dataset(value) if isinstance(value, torch.Dataset) else value


def _of_bunch(bunch: Mapping[str, Any]) -> tuple[Any, ...]:
    x, y = bunch["data"], bunch["target"]
    names = bunch.get("target_names")
    whole = getattr(getattr(y, "dtype", None), "kind", "") in "iu"
    if names is None or not whole or len(names) != int(y.max()) + 1:
        return x, y
    return x, y, [str(name) for name in names]


def _of_dataset(dataset: Any) -> tuple[Any, Any]:
    import numpy as np

    kind = type(dataset).__name__
    if not hasattr(dataset, "__len__"):
        message = f"a {kind} has no length, so its rows cannot be split; give (X, y)"
        raise CeterisError(Problem(message, where="data"))
    tensors = getattr(dataset, "tensors", None)
    if isinstance(tensors, tuple) and len(tensors) == 2:
        return tensors
    items = [dataset[place] for place in range(len(dataset))]
    if not all(isinstance(item, tuple | list) and len(item) == 2 for item in items):
        message = f"the items of a {kind} are to be pairs of one input and its target; give (X, y)"
        raise CeterisError(Problem(message, where="data"))
    try:
        x, y = (np.stack([_as_array(part) for part in parts]) for parts in zip(*items, strict=True))
    except ValueError as error:
        message = f"the items of this {kind} make no array ({error}); give (X, y)"
        raise CeterisError(Problem(message, where="data")) from error
    return x, y


def _as_array(part: Any) -> Any:
    import numpy as np

    return part.detach().cpu().numpy() if hasattr(part, "detach") else np.asarray(part)
