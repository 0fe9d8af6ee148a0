"""Metrics of the user's own: functions of outputs and targets, recorded as train_<name> and val_<name>."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, get_args

from ceteris.errors import CeterisError, Problem
from ceteris.spec.experiment import BUILT_IN_METRICS
from ceteris.spec.metrics import Direction

Metric = Callable[[Any, Any], Any]
"""``fn(outputs, targets)`` on torch tensors, outputs (rows, n_out); returns one number."""

Metrics = Mapping[str, Metric] | Sequence[Metric]


def metric(function: Metric, *, better: Direction) -> Metric:
    """Return a metric that says which of its values are better: ``metric(mae, better="lower")``.

    Needed only where the name does not tell, for a metric's best epoch and for ranking trials that diverged.
    Raises ``CeterisError`` for another word.
    """
    if better not in get_args(Direction):
        raise CeterisError(Problem(f"{better!r} is no direction; give `lower` or `higher`", where="better"))

    @wraps(function)
    def measured(outputs: Any, targets: Any) -> Any:
        return function(outputs, targets)

    measured.__name__ = getattr(function, "__name__", "")
    measured.better = better  # type: ignore[attr-defined]  # functions hold attributes; mypy knows of none
    return measured


def directions(metrics: Mapping[str, Metric]) -> dict[str, Direction]:
    """Return which values are better, for the metrics that say so."""
    return {name: function.better for name, function in metrics.items() if hasattr(function, "better")}


def named_metrics(metrics: Metrics | None) -> dict[str, Metric]:
    """Return functions by name; a list takes the names of the functions.

    Raises ``CeterisError`` for what is not a function and for names that cannot be recorded.
    """
    if metrics is None:
        return {}
    if isinstance(metrics, Mapping):
        pairs = [(str(name), function) for name, function in metrics.items()]
    elif isinstance(metrics, Sequence) and not isinstance(metrics, str):
        pairs = [(getattr(function, "__name__", ""), function) for function in metrics]
    else:
        raise CeterisError(Problem('give {"name": function} or [function]', where="metrics"))
    problems = [problem for pair in pairs for problem in _problems(*pair)]
    problems += [_wrong(name, "two metrics have this name") for name in _repeated([n for n, _ in pairs])]
    if problems:
        raise CeterisError(problems)
    return dict(pairs)


def own_functions(metrics: Any) -> dict[str, Metric]:
    """Return the functions among an experiment's metrics by name; none where it gives names alone.

    Raises ``CeterisError`` as `named_metrics` does, and where names and functions are mixed.
    """
    given = list(metrics.values() if isinstance(metrics, Mapping) else _as_list(metrics))
    if not any(map(callable, given)):
        return {}
    return named_metrics(metrics)


def _as_list(metrics: Any) -> list[Any]:
    return list(metrics) if isinstance(metrics, tuple | list) else []


def _problems(name: str, function: object) -> list[Problem]:
    if not callable(function):
        kind = type(function).__name__
        return [_wrong(name, f"a {kind} is not a metric; give a function of (outputs, targets)")]
    if not name.isidentifier() and name not in ("", "<lambda>"):
        return [_wrong("", f"'{name}' cannot be the name of a metric; use letters, digits and `_`")]
    if not name.isidentifier():
        return [_wrong("", 'a function without a name needs one: metrics={"name": function}')]
    if name in BUILT_IN_METRICS:
        return [_wrong(name, f"`{name}` is measured anyway; give your metric another name")]
    return []


def _wrong(name: str, message: str) -> Problem:
    return Problem(message, where=f"metrics.{name}" if name else "metrics")


def _repeated(names: list[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name and names.count(name) > 1]
