"""Every setting of training against its counterpart in torch, step by step, in float64.

The members of one stack have settings of their own; each is compared with a plain loop of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.spec.experiment import Experiment
from ceteris.spec.losses import ONE_OUTPUT

from . import oracle

ENGINES = ["compiled", "tensor"]
ROWS, EPOCHS = 30, 3


def experiments(members: list[dict[str, Any]], **common: Any) -> list[Experiment]:
    base: dict[str, Any] = {
        "data": "digits",
        "model": {"kind": "mlp", "hidden": [7, 5], "activation": "tanh"},
        "loss": "cross_entropy",
        "batch_size": 8,
        "epochs": EPOCHS,
    }
    return [Experiment(**(base | common | own)) for own in members]


def model(batch_norm: bool, **settings: Any) -> dict[str, Any]:
    """An MLP; before batch norm a bias does nothing, and optimisers would blow its rounding up."""
    own = {"hidden": [7, 5], "activation": "tanh", "batch_norm": batch_norm, "bias": not batch_norm}
    return {"kind": "mlp"} | own | settings


def assert_equal_torch(
    engine: str, stack: list[Experiment], n_in: int = 6, n_out: int = 4, *, of_classes: bool | None = None
) -> None:
    """Train the stack and every member by itself on the same random rows, and compare all parameters."""
    if of_classes is None:
        of_classes = stack[0].loss in (*ONE_OUTPUT, "cross_entropy", "nll")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, n_in))
    classes = 2 if stack[0].loss in ONE_OUTPUT else n_out
    labels = np.concatenate([np.arange(classes), rng.integers(classes, size=ROWS - classes)])
    y = labels if of_classes else rng.normal(size=(ROWS, n_out))
    orders = [rng.permutation(ROWS) for _ in range(EPOCHS)]
    n_out = 1 if stack[0].loss in ONE_OUTPUT else n_out
    stacked = oracle.stack_of(stack, n_in, n_out)
    modules = [oracle.network(one, stacked.member(place), n_in, n_out) for place, one in enumerate(stack)]
    found = oracle.run(engine, stack, stacked, x, y, orders).parameters()
    for place, (one, module) in enumerate(zip(stack, modules, strict=True)):
        oracle.train(one, module, x, y, orders)
        expected = np.concatenate([p.detach().numpy().reshape(-1) for p in module.parameters()])
        error = np.linalg.norm(found[place] - expected) / np.linalg.norm(expected)
        assert error < 1e-9, (one, error)


OPTIMIZERS: dict[str, list[dict[str, Any]]] = {
    "sgd": [
        {"lr": 0.1},
        {"lr": 0.2, "momentum": 0.9, "weight_decay": 1e-2},
        {"lr": 0.1, "momentum": 0.8, "dampening": 0.3},
        {"lr": 0.1, "dampening": 0.3},
        {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    ],
    "adam": [{}, {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-6, "weight_decay": 0.01}],
    "adamw": [{}, {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-6, "weight_decay": 0.1}],
    "rmsprop": [
        {},
        {"lr": 0.003, "alpha": 0.9, "weight_decay": 0.01},
        {"lr": 0.004, "momentum": 0.7},
        {"lr": 0.005, "centered": True, "eps": 1e-4},
        {"lr": 0.002, "centered": True, "momentum": 0.9, "alpha": 0.8, "eps": 1e-4},
    ],
    "adagrad": [
        {},
        {"lr": 0.05, "lr_decay": 0.1, "weight_decay": 0.01},
        {"initial_accumulator_value": 0.3, "eps": 1e-5},
    ],
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", list(OPTIMIZERS))
def test_optimisers_with_settings_of_their_own(engine: str, kind: str) -> None:
    assert_equal_torch(engine, experiments([{"optimizer": {"kind": kind} | own} for own in OPTIMIZERS[kind]]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("own", [*OPTIMIZERS["rmsprop"], *OPTIMIZERS["sgd"]])
def test_optimisers_alone_keep_only_the_state_they_need(engine: str, own: dict[str, Any]) -> None:
    kind = "rmsprop" if own in OPTIMIZERS["rmsprop"] else "sgd"
    assert_equal_torch(engine, experiments([{"optimizer": {"kind": kind} | own}]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", list(OPTIMIZERS))
@pytest.mark.parametrize("batch_norm", [True, False])
def test_biases_and_norms_apart(engine: str, kind: str, batch_norm: bool) -> None:
    apart = [
        {"weight_decay": 0.1, "biases": {"weight_decay": 0}},
        {"weight_decay": 0.1, "biases": {"weight_decay": 0, "lr": 0.03}, "norms": {"weight_decay": 0.2}},
        {"norms": {"lr": 0.001}},
        {},
    ]
    members = [{"optimizer": {"kind": kind} | own} for own in apart]
    assert_equal_torch(engine, experiments(members, model=model(batch_norm)))


PENALTIES: list[Any] = [
    "none",
    {"kind": "l1", "weight": 1e-2},
    {"kind": "l1", "form": "mean", "weight": 0.3, "on": "all"},
    {"kind": "l2", "weight": 0.02},
    {"kind": "l2", "form": "norm", "weight": 0.05, "on": "all"},
    {"kind": "l2", "form": "mean", "weight": 0.5},
    [{"kind": "l1", "weight": 1e-3}, {"kind": "l2", "form": "norm", "weight": 0.1}],
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_penalties(engine: str, kind: str) -> None:
    assert_equal_torch(
        engine, experiments([{"penalty": one} for one in PENALTIES], optimizer={"kind": kind, "lr": 0.05})
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_penalty_on_weights_of_zero_has_no_gradient(engine: str) -> None:
    members = [{"penalty": one, "model": {"kind": "linear", "init": "zeros"}} for one in PENALTIES]
    assert_equal_torch(engine, experiments(members, optimizer={"kind": "sgd", "lr": 0.1}))


@pytest.mark.parametrize("engine", ENGINES)
def test_clipping_of_every_member_by_itself(engine: str) -> None:
    clips: list[dict[str, float]] = [{}, {"norm": 0.1}, {"norm": 1e3}, {"value": 0.02}, {"norm": 0.7}]
    clips += [{"to_norm": 0.3}, {"to_norm": 20.0}, {"norm": 0.3, "value": 0.02}]
    members = [{"clip": clip, "penalty": one} for clip in clips for one in (PENALTIES[0], PENALTIES[3])]
    assert_equal_torch(engine, experiments(members, optimizer={"kind": "sgd", "lr": 0.5, "momentum": 0.9}))


SCHEDULES: list[dict[str, Any]] = [
    {"kind": "constant"},
    {"kind": "step", "step_size": 2, "gamma": 0.3},
    {"kind": "multi_step", "milestones": [1, 2], "gamma": 0.5},
    {"kind": "exponential", "gamma": 0.8},
    {"kind": "cosine", "min_lr": 0.01},
    {"kind": "cosine", "period": 2},
    {"kind": "one_cycle"},
    {"kind": "one_cycle", "anneal": "linear", "three_phase": True, "pct_start": 0.4, "div_factor": 5},
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["sgd", "adamw", "rmsprop"])
def test_schedules_in_one_stack(engine: str, kind: str) -> None:
    optimizer = {"kind": kind, "lr": 0.05, "weight_decay": 0.01, "biases": {"lr": 0.02}}
    assert_equal_torch(engine, experiments([{"schedule": one} for one in SCHEDULES], optimizer=optimizer))


@pytest.mark.parametrize("engine", ENGINES)
def test_label_smoothing_and_class_weights(engine: str) -> None:
    members: list[dict[str, Any]] = [
        {},
        {"label_smoothing": 0.1},
        {"label_smoothing": 0.3, "smoothing_convention": "shared"},
        {"class_weights": [1, 2, 0.5, 3]},
        {"class_weights": "balanced", "label_smoothing": 0.2},
        {"class_weights": [1, 2, 0.5, 3], "label_smoothing": 0.2, "smoothing_convention": "shared"},
    ]
    assert_equal_torch(engine, experiments(members, optimizer={"kind": "sgd", "lr": 0.2}))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("loss", ["mse", "mse_half", "l1", "smooth_l1", "huber"])
def test_losses_of_numbers(engine: str, loss: str, outputs: int) -> None:
    members = [{"loss": loss, "loss_beta": beta} for beta in (1.0, 0.2, 3.0)]
    assert_equal_torch(engine, experiments(members, optimizer={"kind": "sgd", "lr": 0.1}), n_out=outputs)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("loss", ONE_OUTPUT)
def test_two_classes_on_one_output(engine: str, loss: str) -> None:
    output = ["sigmoid"] if loss == "binary_cross_entropy_probabilities" else []
    members = [{"loss": loss, "optimizer": {"kind": "adam", "lr": lr}} for lr in (0.1, 0.5)]
    assert_equal_torch(engine, experiments(members, model=model(batch_norm=False, output=output)))


HEADS: list[tuple[str, list[str]]] = [
    ("mse", ["relu", "softmax"]),
    ("mse", ["softmax"]),
    ("mse_half", []),
    ("nll", ["log_softmax"]),
    ("nll", ["tanh", "log_softmax"]),
    ("cross_entropy", ["softmax"]),
    ("cross_entropy", ["gelu"]),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["linear", "mlp"])
@pytest.mark.parametrize(("loss", "output"), HEADS, ids=str)
def test_activations_on_the_outputs(engine: str, kind: str, loss: str, output: list[str]) -> None:
    members = [{"loss": loss, "optimizer": {"kind": "sgd", "lr": lr}} for lr in (0.1, 1.0)]
    one = {"kind": "linear", "output": output} if kind == "linear" else model(False, output=output)
    assert_equal_torch(engine, experiments(members, model=one), of_classes=True)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("hidden", [[6, 6, 6], [6, 4, 4], [4, 4, 4, 4, 4], [5, 3]], ids=str)
@pytest.mark.parametrize("norm", ["batch_norm", "layer_norm", "none"])
def test_residual_blocks(engine: str, hidden: list[int], norm: str) -> None:
    """The first block adds the inputs themselves where its width is theirs, 6."""
    own = {"hidden": hidden, "residual": True, "bias": norm == "none", "layer_norm": norm == "layer_norm"}
    members = [{"optimizer": {"kind": "sgd", "lr": lr, "momentum": 0.9}} for lr in (0.01, 0.05)]
    assert_equal_torch(engine, experiments(members, model=model(norm == "batch_norm", **own)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("place", ["inside", "outside"])
def test_places_of_batch_norm_s_eps(engine: str, place: str) -> None:
    # A large eps and small weights, so that its place counts.
    one = model(True, batch_norm_eps=0.1, batch_norm_eps_place=place, init={"kind": "normal", "std": 0.1})
    members = [{"optimizer": {"kind": "sgd", "lr": lr, "momentum": 0.9}} for lr in (0.01, 0.1)]
    assert_equal_torch(engine, experiments(members, model=one))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("activation", list(oracle.ACTIVATIONS))
def test_activations(engine: str, activation: str) -> None:
    # A wide start reaches the bent and the flat parts of every curve.
    init = {"kind": "normal", "std": 2.0}
    members = [{"optimizer": {"kind": "sgd", "lr": lr}} for lr in (0.01, 0.1)]
    one = model(batch_norm=False, activation=activation, init=init)
    assert_equal_torch(engine, experiments(members, model=one))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("hidden", [[7, 5], [1], [2, 3]])
def test_layer_norm(engine: str, hidden: list[int]) -> None:
    sgd = {"kind": "sgd", "momentum": 0.9, "norms": {"lr": 0.02}}
    members = [{"optimizer": sgd | {"lr": lr}} for lr in (0.01, 0.05)]
    one = model(batch_norm=False, hidden=hidden, layer_norm=True)
    assert_equal_torch(engine, experiments(members, model=one))


def cnn(member: nn.Module) -> nn.Sequential:
    """The network of the specification below by hand, with the member's initial tensors in order."""
    convolution = nn.Conv2d(1, 3, 3, padding=1)
    layers = [nn.Unflatten(1, (1, 4, 4)), convolution, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    built = nn.Sequential(*layers, nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 4)).double()
    with torch.no_grad():
        for own, start in zip(built.parameters(), member.parameters(), strict=True):
            own.copy_(start)
    return built


@pytest.mark.parametrize("kind", ["sgd", "adam", "rmsprop", "adagrad"])
def test_settings_of_networks_that_run_as_modules(kind: str) -> None:
    optimizer = {"kind": kind, "lr": 0.01, "weight_decay": 0.01, "biases": {"lr": 0.02, "weight_decay": 0}}
    members = [{"penalty": one} for one in PENALTIES] + [{"schedule": one} for one in SCHEDULES]
    members += [{"clip": {"norm": 0.2}}, {"clip": {"value": 0.01}}]
    members += [{"label_smoothing": 0.2, "smoothing_convention": "shared"}, {"class_weights": "balanced"}]
    one = {"kind": "cnn", "convolutions": [3], "hidden": [5]}
    stack = experiments(members, model=one, optimizer=optimizer)
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(ROWS, 16)), np.concatenate([np.arange(4), rng.integers(4, size=ROWS - 4)])
    orders = [rng.permutation(ROWS) for _ in range(EPOCHS)]
    stacked = oracle.stack_of(stack, 16, 4, (4, 4))
    modules = [cnn(stacked.member(place)) for place in range(len(stack))]
    found = oracle.run("module", stack, stacked, x, y, orders).parameters()
    for place, (experiment, module) in enumerate(zip(stack, modules, strict=True)):
        oracle.train(experiment, module, x, y, orders)
        expected = np.concatenate([p.detach().numpy().reshape(-1) for p in module.parameters()])
        error = np.linalg.norm(found[place] - expected) / np.linalg.norm(expected)
        assert error < 1e-9, (experiment, error)
