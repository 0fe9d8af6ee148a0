"""Any stack of members with any settings of their own against plain PyTorch, step by step, in float64.

Shapes, layers, losses, optimisers, penalties, schedules and limits are all drawn; every member is compared
with a plain loop of its own. The draws are the same in every run, since some corners of these functions (a
kink at 0, an unstable rate) are decided by rounding: there torch's own loop answers to a change of x in the
last bit, and so much is allowed; 2,000 other draws were compared when this was written.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import nn

from ceteris.spec.experiment import Experiment
from ceteris.spec.losses import ONE_OUTPUT

from . import drawn, oracle

ROWS = 23
TOLERANCE = 1e-9
UNCHECKED = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def rows_for(loss: str, of_classes: bool, n_in: int, n_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (ROWS, n_in) and labels of which every class has one, or numbers (ROWS, n_out)."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, n_in))
    classes = 2 if loss in ONE_OUTPUT else n_out
    labels = np.concatenate([np.arange(classes), rng.integers(classes, size=ROWS - classes)])
    return x, labels if of_classes else rng.normal(size=(ROWS, n_out))


def assert_all_equal(
    engine: str,
    stack: list[Experiment],
    x: np.ndarray,
    y: np.ndarray,
    n_out: int,
    image: tuple[int, int, int] | None = None,
) -> None:
    """Train the members together, each by a plain loop besides, and compare all parameters."""
    rng = np.random.default_rng(1)
    orders = [rng.permutation(ROWS) for _ in range(drawn.EPOCHS)]
    stacked = oracle.stack_of(stack, x.shape[1], n_out, image)
    modules: list[nn.Sequential] = [
        oracle.convolutional(one, stacked.member(place), image, n_out)
        if image
        else oracle.network(one, stacked.member(place), x.shape[1], n_out)
        for place, one in enumerate(stack)
    ]
    found = oracle.run(engine, stack, stacked, x, y, orders).parameters()
    for place, (one, module) in enumerate(zip(stack, modules, strict=True)):
        nudged = copy.deepcopy(module)
        expected = trained(one, module, x, y, orders)
        # A gradient of zeros has no direction for `to_norm`, and what explodes multiplies its rounding.
        if not np.isfinite(expected).all() or np.abs(expected).max() > 1e3:
            continue
        size = np.linalg.norm(expected)
        error = np.linalg.norm(found[place] - expected) / size
        if error >= TOLERANCE:
            # Adam makes whole steps of a gradient that is rounding alone: torch then differs from itself.
            moved = trained(one, nudged, x * (1 + 1e-15), y, orders)
            assert error < 100 * np.linalg.norm(moved - expected) / size, (one, error)


def trained(
    one: Experiment, module: nn.Sequential, x: np.ndarray, y: np.ndarray, orders: list[np.ndarray]
) -> np.ndarray:
    """Train a module by the plain loop and return its parameters (P,)."""
    oracle.train(one, module, x, y, orders)
    return np.concatenate([p.detach().numpy().reshape(-1) for p in module.parameters()])


def experiments(members: list[dict[str, Any]], **common: Any) -> list[Experiment]:
    return [Experiment(data="digits", epochs=drawn.EPOCHS, **common, **own) for own in members]


@st.composite
def batch_sizes(draw: st.DrawFn, batch_norm: bool) -> int:
    """Few steps, for an unstable training multiplies its rounding at each.

    Batch norm makes +-1 of two rows whatever they are: their gradient is rounding.
    """
    size = draw(st.integers(6, ROWS))
    assume(not batch_norm or (size > 2 and ROWS % size not in (1, 2)))
    return size


@pytest.mark.parametrize("engine", ["compiled", "tensor"])
@pytest.mark.parametrize("of_classes", [True, False], ids=["classes", "numbers"])
@settings(max_examples=40, derandomize=True, suppress_health_check=UNCHECKED)
@given(data=st.data(), n_in=st.integers(1, 6))
def test_mlps(engine: str, of_classes: bool, data: st.DataObject, n_in: int) -> None:
    loss, output, n_out = data.draw(drawn.heads(of_classes))
    model = data.draw(drawn.mlps(output))
    size = data.draw(batch_sizes("batch_norm_eps" in model))
    members = data.draw(drawn.members(loss, n_out))
    stack = experiments(members, model=model, loss=loss, batch_size=size)
    assert_all_equal(engine, stack, *rows_for(loss, of_classes, n_in, n_out), n_out)


@settings(max_examples=30, derandomize=True, suppress_health_check=UNCHECKED)
@given(data=st.data(), of_classes=st.booleans())
def test_convolutional_networks(data: st.DataObject, of_classes: bool) -> None:
    loss, output, n_out = data.draw(drawn.heads(of_classes))
    model = data.draw(drawn.cnns(output))
    image = data.draw(st.tuples(st.sampled_from([1, 3]), st.integers(4, 6), st.integers(4, 6)))
    size = data.draw(batch_sizes(model["batch_norm"]))
    members = data.draw(drawn.members(loss, n_out))
    stack = experiments(members, model=model, loss=loss, batch_size=size)
    x, y = rows_for(loss, of_classes, int(np.prod(image)), n_out)
    assert_all_equal("module", stack, x, y, n_out, image)
