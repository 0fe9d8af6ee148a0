"""Stacks that are wider than a member: engines train it in double precision as at its own width."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ceteris.nets.architecture import architecture
from ceteris.nets.reading import narrowed, own_part, padded, reading_layer
from ceteris.nets.stacked import initial_stack
from ceteris.spec.experiment import Experiment
from ceteris.train.feeds import own_first
from tests.train import oracle

WIDTH, OUTPUTS = 7, 2
ABSENT = (1, 4, 5)
OWN = [column for column in range(WIDTH) if column not in ABSENT]

OPTIMIZERS = [
    {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.1},
    {"kind": "adam", "lr": 0.01, "eps": 1e-3, "weight_decay": 0.1},
    {"kind": "adamw", "lr": 0.01, "weight_decay": 0.1},
    {"kind": "rmsprop", "lr": 0.01},
    {"kind": "adagrad", "lr": 0.1},
]
PENALTIES: list[Any] = [
    "none",
    {"kind": "l1", "weight": 0.01, "on": "all", "form": "mean"},
    {"kind": "l2", "weight": 0.1, "form": "norm"},
    {"kind": "l2", "weight": 0.1, "form": "mean"},
]
NOISY = {"input_noise": 0.3, "input_dropout": 0.2, "drop_connect": 0.2, "noise": 0.1}
PADDED: list[dict[str, Any]] = [
    {"kind": "linear"},
    {"kind": "mlp", "hidden": [6], "layer_norm": True},
    {"kind": "mlp", "hidden": [5, 5], "residual": True, **NOISY},
]


def rows() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.normal(size=(48, WIDTH))
    x[:, ABSENT] = 0.0
    return x, random.normal(size=(48, OUTPUTS))


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda own: own["kind"])
@pytest.mark.parametrize("model", PADDED, ids=["linear", "layer norm", "draws"])
@pytest.mark.parametrize("kind", ["compiled", "tensor"])
def test_every_engine_trains_a_padded_stack_as_at_the_true_width(
    kind: str, model: dict[str, Any], optimizer: dict[str, Any]
) -> None:
    (x, y), own = (
        rows(),
        [
            Experiment.model_validate(
                {
                    "data": "arrays",
                    "model": model,
                    "optimizer": optimizer,
                    "loss": "mse",
                    "penalty": penalty,
                    "batch_size": 16,
                    "clip": {"to_norm": 1.0},
                }
            )
            for penalty in PENALTIES
        ],
    )
    orders = [np.random.default_rng(epoch).permutation(48) for epoch in range(3)]
    wide, narrow = (architecture(own[0].model, width, OUTPUTS) for width in (WIDTH, len(OWN)))
    models, seeds, columns = [one.model for one in own], [0, 1, 2, 3], (len(OWN),) * 4
    stack = initial_stack(wide, models, seeds, np.float64, columns)
    small = initial_stack(narrow, models, seeds, np.float64)
    np.testing.assert_array_equal(stack.parameters, [padded(wide, p, len(OWN)) for p in small.parameters])
    packed = np.ascontiguousarray(x[:, [*OWN, *ABSENT]])
    engine = oracle.run(kind, own, stack, packed, y, orders, columns)
    expected = oracle.run("tensor", own, small, np.ascontiguousarray(x[:, OWN]), y, orders)
    for found, plain in zip(engine.parameters(), expected.parameters(), strict=True):
        np.testing.assert_allclose(found, padded(wide, plain, len(OWN)), rtol=1e-9, atol=1e-11)


def test_a_vector_is_padded_behind_the_own_columns_of_the_layer_that_reads_them() -> None:
    net = architecture(Experiment(data="digits", model={"kind": "mlp", "hidden": [3]}).model, 4, 2)
    tensors = narrowed(net, 3)
    assert [t.shape for t in tensors] == [(3, 3), (3,), (2, 3), (2,)]
    assert [t.fan_in for t in tensors] == [3, 3, 3, 3]
    flat = padded(net, np.arange(1.0, 21.0), 3)
    np.testing.assert_array_equal(flat[:12].reshape(3, 4), [[1, 2, 3, 0], [4, 5, 6, 0], [7, 8, 9, 0]])
    np.testing.assert_array_equal(flat[12:], np.arange(10.0, 21.0))
    parts = [own_part(net, tensor, flat, 3).ravel() for tensor in net.parameters]
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(1.0, 21.0))


@pytest.mark.parametrize(
    ("model", "reads"),
    [
        ({"kind": "mlp", "hidden": [7], "residual": True}, "hidden.0"),
        ({"kind": "mlp", "hidden": []}, "head"),
        ({"kind": "sequential", "layers": [{"kind": "linear", "width": 5}]}, None),
        ({"kind": "sequential", "layers": []}, None),
    ],
)
def test_which_layer_reads_the_columns_of_a_padded_stack(model: dict[str, Any], reads: str | None) -> None:
    spec = Experiment.model_validate({"data": "arrays", "model": model}).model
    layer = reading_layer(architecture(spec, WIDTH, OUTPUTS))
    assert (None if layer is None else layer.role) == reads


def test_rows_begin_with_the_own_columns() -> None:
    x = np.array([[1, 0, 2, 0, 3]], np.float32)
    np.testing.assert_array_equal(own_first(x, (1, 3)), [[1, 2, 3, 0, 0]])
