"""The experiment as Python users write it: a specification whose data may be their own arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import PrivateAttr

from ceteris.api.own_data import data_settings
from ceteris.spec.experiment import Experiment as SpecifiedExperiment

if TYPE_CHECKING:
    from ceteris.data.dataset import Dataset


class Experiment(SpecifiedExperiment):
    """One full description of a training run except its seed.

    ``data`` is the name of a data set, the path of an ``.npz`` file, or rows of your own, ``(X, y)``:
    arrays, tensors or frames, ``X`` of shape (rows, ...), ``y`` labels (rows,) or numbers. The other
    settings are those of a YAML file: ``model={"kind": "mlp", "hidden": [32]}``, ``optimizer="adam"``.

    Raises:
        CeterisError: with one problem for each wrong setting.
    """

    # Keeps the rows alive for as long as the experiment; equality and records go by their hash.
    _dataset: Any = PrivateAttr(default=None)

    def __init__(self, **settings: Any) -> None:
        dataset: Dataset | None = None
        if "data" in settings:
            settings["data"], dataset = data_settings(settings["data"])
        super().__init__(**settings)
        self._dataset = dataset
