"""Initial values and functions of the user's own, given in Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.errors import CeterisError, Problem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ceteris.spec.study import Study

Function = Callable[..., Any]
"""Changes a ``torch.nn.Module`` in place; ``torch.nn.Module.apply`` calls it with every part of a network."""
Functions = Function | Mapping[str, Function]
Initial = Functions | Mapping[str, Any] | str | Path
"""A function, functions by name, values by the names of parameters, a network, or a safetensors file."""

WHERE = "initial"
UNNAMED = "initialisation"


@dataclass(frozen=True)
class Started:
    """How an experiment says how its parameters start, and the functions that it names."""

    settings: dict[str, Any] | None = None
    """``model.init`` of the base experiment; None where only levels name a function."""
    functions: dict[str, Function] = field(default_factory=dict)
    kept: bool = False
    """Whether the file that the settings name was written here, of values that were given."""


def initial_settings(initial: Any, runs_folder: Path) -> Started:
    """Return the settings that stand for what was given; values are kept beside the records.

    Raises ``CeterisError`` for what cannot start a network.
    """
    if initial is None:
        return Started()
    if isinstance(initial, str | Path):
        return Started({"kind": "from", "file": str(initial)})
    if hasattr(initial, "named_parameters"):
        return Started(_kept(_of_network(initial), runs_folder), kept=True)
    if isinstance(initial, Mapping) and not any(callable(value) for value in initial.values()):
        values = _as_arrays(initial)
        return Started({**_kept(values, runs_folder), "only": list(values)}, kept=True)
    functions = named_functions(initial)
    alone = None if isinstance(initial, Mapping) else {"kind": "own", "name": next(iter(functions))}
    return Started(alone, functions)


def named_functions(initial: Any) -> dict[str, Function]:
    """Return functions by name; one that is given alone goes by its own. Raises ``CeterisError``."""
    if initial is None:
        return {}
    if isinstance(initial, Mapping):
        given = dict(initial)
    else:
        name = getattr(initial, "__name__", "")
        given = {name if name.isidentifier() else UNNAMED: initial}
    for name, function in given.items():
        if not callable(function) or not name.isidentifier():
            message = (
                f"`{name}`: a value of type {type(function).__name__} does not start a network; give arrays "
                "by the names of parameters, a network, a safetensors file, or a function of a module"
            )
            raise CeterisError(Problem(message, where=WHERE))
    return given


def started_by(study: Study, settings: Mapping[str, Any]) -> str:
    """Return ``path=value`` that lets a study start so, what is not given being drawn as it is now.

    Raises ``CeterisError`` where levels say themselves how parameters start.
    """
    from ceteris.spec.init import EachInit, drawn_part
    from ceteris.spec.model import ModuleModel

    for factor in study.vary:
        for level in factor.levels:
            own = [path for path in level.patch if path == "model" or path.startswith("model.init")]
            if own:
                message = (
                    f"the level `{level.label}` of `{factor.name}` sets `{own[0]}` itself; say there how its "
                    "parameters start (`model.init`)"
                )
                raise CeterisError(Problem(message, where=WHERE))
    model = study.experiment.model
    found = dict(settings)
    if not isinstance(model, ModuleModel):
        others = drawn_part(model.init)
        found["others"] = others.model_dump(mode="json", exclude_defaults=not isinstance(others, EachInit))
        found["others"]["kind"] = others.kind
    return f"model.init={json.dumps(found)}"


@contextmanager
def initial_in_messages(started: Started) -> Iterator[None]:
    """Let errors speak of what was given as ``initial``, not of the setting and file that stand for it."""
    try:
        yield
    except CeterisError as error:
        if not started.settings:
            raise
        file = str(started.settings["file"]) if started.kept else ""
        raise CeterisError(
            replace(problem, where=WHERE, message=_of_given(problem.message, file))
            if problem.where.startswith("--set model.init=")
            else problem
            for problem in error.problems
        ) from None


def _of_given(message: str, file: str) -> str:
    return message.replace(f"`{file}` holds", "it holds").replace(f" in `{file}`", "") if file else message


def _kept(values: Mapping[str, NDArray[np.generic]], runs_folder: Path) -> dict[str, Any]:
    from ceteris.lab.initial_values import keep_values

    return {"kind": "from", "file": str(keep_values(values, runs_folder)[0])}


def _of_network(network: Any) -> dict[str, NDArray[np.generic]]:
    """Return parameters and saved buffers by name, those that are tied once."""
    saved = network.state_dict()
    return _as_arrays(
        dict(network.named_parameters()) | {n: b for n, b in network.named_buffers() if n in saved}
    )


def _as_arrays(values: Mapping[str, Any]) -> dict[str, NDArray[np.generic]]:
    """Return values as float32 arrays, whole numbers as they are; tensors that share memory once.

    Raises ``CeterisError`` for what is no array of numbers.
    """
    import numpy as np

    found: dict[str, NDArray[np.generic]] = {}
    seen: set[tuple[int, tuple[int, ...]]] = set()
    for name, given in values.items():
        value = given
        pointer = getattr(value, "data_ptr", None)
        if pointer is not None:
            place = (int(pointer()), tuple(value.shape))
            if value.numel() and place in seen:  # a tied parameter of a state dictionary
                continue
            seen.add(place)
            value = value.detach().cpu()
        try:
            array = np.asarray(value)
        except (TypeError, ValueError):
            array = np.asarray(None)
        if array.dtype.kind not in "fiu":
            raise CeterisError(Problem(f"`{name}` is no array of numbers", where=WHERE))
        found[str(name)] = array.astype(np.float32) if array.dtype.kind == "f" else array
    if not found:
        raise CeterisError(Problem("there are no values in it", where=WHERE))
    return found
