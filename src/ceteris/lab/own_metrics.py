"""The user's own metrics: how they travel to a worker, and how their failures are told."""

from __future__ import annotations

import hashlib
import inspect
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ceteris.errors import CeterisError, Problem, exception_in_line
from ceteris.lab.references import import_reference
from ceteris.spec.experiment import metric_name

Metric = Callable[..., float]
"""(outputs (n, k), targets (n,) or (n, k)), torch tensors -> a number."""

WHERE = "experiment.metrics"


class MetricFailedError(Exception):
    """A metric of the user's raised or gave something that is not a number; the cause is chained."""


@dataclass
class LoadedMetrics:
    """Metrics by the name that an experiment has for them, and why some could not be loaded."""

    metrics: dict[str, Metric] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def pack(metrics: Mapping[str, Metric]) -> bytes:
    """Return functions, lambdas and closures included, as bytes for a worker.

    Raises CeterisError for one that is no function or holds what cannot leave this process.
    """
    import cloudpickle

    packed, problems = {}, []
    for name, metric in metrics.items():
        if not callable(metric):
            kind = type(metric).__name__
            problems.append(Problem(f"`{name}` is a {kind}, not a function of outputs and targets", WHERE))
            continue
        try:
            packed[name] = cloudpickle.dumps(metric), source_hash(metric)
        except Exception as error:
            message = f"the metric `{name}` cannot be sent to a training process ({exception_in_line(error)})"
            problems.append(
                Problem(f"{message}; define it as a function of outputs and targets alone", WHERE)
            )
    if problems:
        raise CeterisError(problems)
    return pickle.dumps(packed)


def source_hash(metric: Any) -> str:
    """Return the SHA-256 of a function's source text, or of its compiled form where there is no text."""
    import cloudpickle

    try:
        text = inspect.getsource(metric).encode()
    except (OSError, TypeError):
        text = cloudpickle.dumps(metric)
    return hashlib.sha256(text).hexdigest()


def load(packed: bytes, references: Sequence[str]) -> LoadedMetrics:
    """Load packed functions and import references, in the worker; what fails becomes a problem."""
    loaded = LoadedMetrics()
    for name, (content, digest) in (pickle.loads(packed) if packed else {}).items():
        try:
            loaded.metrics[name] = guarded(name, pickle.loads(content))
            loaded.hashes[name] = digest
        except Exception as error:
            message = (
                f"the metric `{name}` cannot be loaded in a training process ({exception_in_line(error)})"
            )
            loaded.problems.append(Problem(message, WHERE))
    for reference in references:
        try:
            metric = import_reference(reference, "function", WHERE)
        except CeterisError as error:
            loaded.problems += error.problems
        else:
            loaded.metrics[reference] = guarded(metric_name(reference), metric)
            loaded.hashes[reference] = source_hash(metric)
    return loaded


def guarded(name: str, metric: Metric) -> Metric:
    """Return the metric such that whatever goes wrong in it is a ``MetricFailedError`` that names it."""

    def measured(outputs: object, targets: object) -> float:
        try:
            answer = metric(outputs, targets)
        except MemoryError:  # the trials are tried again in smaller parts
            raise
        except (Exception, SystemExit) as error:
            raise MetricFailedError(f"the metric `{name}` failed with {exception_in_line(error)}") from error
        try:
            return float(answer)
        except (TypeError, ValueError, RuntimeError) as error:
            kind = type(answer).__name__
            raise MetricFailedError(f"the metric `{name}` gave a {kind}; it must give one number") from error

    return measured
