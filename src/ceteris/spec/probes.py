"""Names of what is measured of single parameters and layers: ``family/name``, as ``dead/hidden.0``."""

from __future__ import annotations

from collections.abc import Iterable

SPREAD = "std/"
"""``std/head.weight`` is the spread (standard deviation) of that parameter's numbers."""

OF_PARAMETERS = {
    "std": "spread of {}",
    "grad_norm": "gradient norm of {}",
    "weight_norm": "norm of {}",
    "update_ratio": "relative update of {}",
}
"""Families measured of every parameter tensor, and how each is called in a sentence."""

GRADIENT_NOISE = "gradient_noise"
"""In total, and as a family (``gradient_noise/head.weight``); measured where ``probes`` asks for it."""

OF_UNITS = {
    "std_over_outputs": "spread of {} over outputs",
    "std_over_inputs": "spread of {} over inputs",
}
"""Families measured of every weight matrix where ``probes.units`` asks for them."""

ON_REQUEST = {GRADIENT_NOISE: "gradient noise of {}"} | OF_UNITS
"""Families measured of parameter tensors where they are asked for."""

OF_LAYERS = {
    "activation_mean": "mean activation of {}",
    "activation_var": "variance of the activations of {}",
    "zeros": "share of zero activations of {}",
    "dead": "share of dead units of {}",
    "activation_grad_var": "variance of the gradient at the activations of {}",
    "start_activation_var": "variance of the activations of {} before training",
    "start_activation_grad_var": "variance of the gradient at the activations of {} before training",
}
"""Families measured of every hidden layer."""

FAMILIES = OF_PARAMETERS | ON_REQUEST | OF_LAYERS


def probe_parts(metric: str) -> tuple[str, str] | None:
    """Return family and name of what a probe measures, None for any other metric."""
    family, _, name = metric.partition("/")
    return (family, name) if family in FAMILIES and name else None


MOST_COMPARED = 60
"""So many probes of single parameters and layers are compared one by one: those of three hidden layers."""


def without_many_probes(metrics: Iterable[str]) -> tuple[str, ...]:
    """Return the metrics, without the probes of single parameters and layers where these are too many.

    A network of a hundred layers has a thousand of them: a table of differences for each is read by nobody.
    """
    named = tuple(metrics)
    others = tuple(name for name in named if probe_parts(name) is None)
    return named if len(named) - len(others) <= MOST_COMPARED else others


def probe_patterns() -> tuple[str, ...]:
    """Return the names that probes may have, with a word for what stands behind the stroke."""
    return (
        *(f"{family}/<parameter>" for family in OF_PARAMETERS | ON_REQUEST),
        *(f"{family}/<layer>" for family in OF_LAYERS),
    )
