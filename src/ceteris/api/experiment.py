"""The experiment as Python users write it: a specification whose data may be their own arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import PrivateAttr

from ceteris.api.metrics import Metric, directions, own_functions
from ceteris.api.own_data import data_settings
from ceteris.api.own_modules import Factory, module_settings
from ceteris.spec.experiment import Experiment as SpecifiedExperiment

if TYPE_CHECKING:
    from ceteris.data.dataset import Dataset


class Experiment(SpecifiedExperiment):
    """One full description of a training run except its seed.

    ``data`` is the name of a data set, the path of an ``.npz`` file, or rows of your own, ``(X, y)``:
    arrays, tensors or frames, ``X`` of shape (rows, ...), ``y`` labels (rows,) or numbers; their test rows
    are given as ``test=(X_test, y_test)``. Data sets of torch and bunches of scikit-learn stand for their
    rows. The other settings are those of a YAML file:
    ``model={"kind": "mlp", "hidden": [32]}``, ``optimizer="adam"``.
    ``metrics`` may be functions of (outputs, targets) as ``ceteris.run`` takes them, and ``model`` a class
    or function that makes a ``torch.nn.Module``, or that with settings: ``{"name": Net, "input": "flat"}``.

    Raises:
        CeterisError: with one problem for each wrong setting.
    """

    # Keeps the rows alive for as long as the experiment; records and `run` find them by their hash.
    _dataset: Any = PrivateAttr(default=None)
    _functions: dict[str, Metric] = PrivateAttr(default_factory=dict)
    _modules: dict[str, Factory] = PrivateAttr(default_factory=dict)

    def __init__(self, **settings: Any) -> None:
        dataset: Dataset | None = None
        test = settings.pop("test", None)
        if "data" in settings or test is not None:
            settings["data"], dataset = data_settings(settings.get("data"), test)
        modules: dict[str, Factory] = {}
        if "model" in settings:
            settings["model"], modules = module_settings(settings["model"])
        functions = own_functions(settings.get("metrics"))
        if functions:
            settings["metrics"] = tuple(functions)
            if stated := directions(functions):
                settings["better"] = {**stated, **settings.get("better", {})}
        super().__init__(**settings)
        self._dataset = dataset
        self._functions = functions
        self._modules = modules

    @property
    def dataset(self) -> Dataset | None:
        """The user's own rows; None where the data has a name."""
        held: Dataset | None = self._dataset
        return held

    @property
    def functions(self) -> dict[str, Metric]:
        """The metrics that were given as functions, by name."""
        return dict(self._functions)

    @property
    def modules(self) -> dict[str, Factory]:
        """What makes the network, where it was given as a class or function, by its name."""
        return dict(self._modules)

    def with_modules(self, modules: Mapping[str, Factory]) -> Experiment:
        """Return this experiment with more of what makes networks: those of its levels."""
        more = self.model_copy()
        more._modules = {**self._modules, **modules}
        return more
