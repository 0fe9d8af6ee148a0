"""Folds that lack a category train as the narrower network would: a plain loop at the true width."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data import Preparation, arrays
from ceteris.data.table_layout import Column, Layout
from ceteris.nets.architecture import architecture
from ceteris.nets.reading import reading_layer
from ceteris.nets.stacked import initial_stack
from ceteris.spec.experiment import Experiment
from ceteris.train.initial import starting_stack
from ceteris.train.modules.initial import make_module
from ceteris.train.modules.user import inspect_module
from ceteris.train.plan import ModuleRequest, group_trials, module_key
from tests.train import oracle
from tests.train.runs import cohorts, plan, run_plans

WIDTH, OUTPUTS = 7, 2
ABSENT = (1, 4, 5)
PRESENT = [column for column in range(WIDTH) if column not in ABSENT]
OPTIMIZERS = [
    {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.1},
    {"kind": "adam", "lr": 0.01, "eps": 1e-3, "weight_decay": 0.1},
    {"kind": "adamw", "lr": 0.01, "weight_decay": 0.1},
    {"kind": "rmsprop", "lr": 0.01},
    {"kind": "adagrad", "lr": 0.1},
]
PENALTIES = [
    "none",
    {"kind": "l1", "weight": 0.01, "on": "all"},
    {"kind": "l2", "weight": 0.1, "form": "norm"},
]
DROPPED = {"kind": "dropout", "p": 0.1}
MODELS: list[dict[str, Any]] = [
    {"kind": "linear"},
    {"kind": "mlp", "hidden": [6], "layer_norm": True},
    {"kind": "sequential", "layers": [{"kind": "linear", "width": 5}, "tanh"]},
]


def rows() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.normal(size=(48, WIDTH))
    x[:, ABSENT] = 0.0
    return x, random.normal(size=(48, OUTPUTS))


def experiments(model: dict[str, Any], optimizer: dict[str, Any]) -> list[Experiment]:
    return [
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
    ]


def parameters_of(net: Any, flat: np.ndarray, *, narrow: bool) -> np.ndarray:
    """Return the parameters, those of absent columns left out where ``narrow``."""
    weight = reading_layer(net).weight
    columns = flat[weight.offset : weight.offset + weight.size].reshape(weight.shape)
    kept = columns[:, PRESENT] if narrow else columns
    return np.concatenate([flat[: weight.offset], kept.ravel(), flat[weight.offset + weight.size :]])


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda own: own["kind"])
@pytest.mark.parametrize("model", MODELS, ids=lambda own: own["kind"])
@pytest.mark.parametrize("kind", ["compiled", "tensor"])
def test_every_engine_trains_as_at_the_true_width(
    kind: str, model: dict[str, Any], optimizer: dict[str, Any]
) -> None:
    if kind == "tensor" and model["kind"] == "sequential":
        pytest.skip("composed networks have one engine on the CPU")
    (x, y), own = rows(), experiments(model, optimizer)
    orders = [np.random.default_rng(epoch).permutation(48) for epoch in range(3)]
    wide, narrow = (architecture(own[0].model, width, OUTPUTS) for width in (WIDTH, len(PRESENT)))
    models, seeds = [one.model for one in own], [0, 1, 2]
    stack = initial_stack(wide, models, seeds, np.float64, [ABSENT] * 3)
    small = initial_stack(narrow, models, seeds, np.float64)
    small.parameters[:] = [parameters_of(wide, flat, narrow=True) for flat in stack.parameters]
    engine = oracle.run(kind, own, stack, x, y, orders)
    expected = oracle.run("tensor", own, small, x[:, PRESENT], y, orders)
    for found, plain in zip(engine.parameters(), expected.parameters(), strict=True):
        np.testing.assert_allclose(parameters_of(wide, found, narrow=True), plain, rtol=1e-9, atol=1e-11)
        weight = reading_layer(wide).weight
        columns = found[weight.offset : weight.offset + weight.size].reshape(weight.shape)
        assert not columns[:, ABSENT].any()


@pytest.mark.parametrize(
    ("init", "bound"),
    [
        ("default", 1 / math.sqrt(4)),
        ({"kind": "he", "distribution": "uniform"}, math.sqrt(6 / 4)),
        ({"kind": "xavier", "distribution": "uniform"}, math.sqrt(6 / (4 + 6))),
    ],
)
def test_weights_start_in_the_bounds_of_the_true_width(init: Any, bound: float) -> None:
    model = Experiment.model_validate(
        {"data": "arrays", "model": {"kind": "mlp", "hidden": [6], "init": init}}
    ).model
    net = architecture(model, WIDTH, OUTPUTS)
    ours, whole = (initial_stack(net, [model], [0], np.float64, [own]) for own in (ABSENT, ()))
    weight, bias = net.parameters[0], net.parameters[1]
    own, full = (stack.parameters[0, : weight.size].reshape(weight.shape) for stack in (ours, whole))
    assert not own[:, ABSENT].any()
    assert np.abs(own[:, PRESENT]).max() <= bound
    shrunk = (4 + 6) / (7 + 6) if "xavier" in str(init) else 4 / 7
    full_bound = bound * math.sqrt(shrunk)
    np.testing.assert_allclose(own[:, PRESENT] / bound, full[:, PRESENT] / full_bound)
    if init == "default":
        biases = [s.parameters[0, bias.offset : bias.offset + bias.size] for s in (ours, whole)]
        np.testing.assert_allclose(biases[0], biases[1] * math.sqrt(7 / 4))
    rest = slice(bias.offset + bias.size, None)
    np.testing.assert_array_equal(ours.parameters[0, rest], whole.parameters[0, rest])


def table_of(category: np.ndarray) -> Preparation:
    """A table of one number and of categories `a` to `d`, some of which few rows have."""
    random = np.random.default_rng(1)
    kinds = np.eye(5)[category]
    x = np.concatenate([random.normal(size=(len(category), 1)), kinds], axis=1)
    layout = Layout("t", (Column("size", True, 0), Column("kind", False, 0, ("a", "b", "c", "d"))), "price")
    data = arrays(x, x @ np.arange(6.0) + random.normal(size=len(x)), name="t")
    return Preparation(replace(data, table=layout))


SETTINGS: dict[str, Any] = {
    "data": {"source": "arrays", "scale": "standardize"},
    "optimizer": {"kind": "adam", "lr": 0.05},
    "batch_size": 8,
    "epochs": 2,
}


def test_a_fold_knows_its_absent_columns_and_their_weights_count_nowhere() -> None:
    preparation = table_of(np.r_[np.zeros(20, int), np.ones(19, int), 2])
    trials = [
        plan(
            str(seed), seed=seed, model={"kind": "linear"}, penalty={"kind": "l1", "weight": 1e-3}, **SETTINGS
        )
        for seed in range(8)
    ]
    absent = {t.identity: preparation.prepare(t.experiment.data, t.seed).absent for t in trials}
    assert {3, 4, 5} in map(set, absent.values())  # the only row with `c` validates in some split
    outcome = run_plans(trials, preparation)
    for trial in trials:
        weights = outcome.ended[trial.identity].final["head.weight"]
        start = outcome.ended[trial.identity].initial["head.weight"]
        lacking = list(absent[trial.identity])
        assert not weights[:, lacking].any()
        assert not start[:, lacking].any()
        present = np.delete(weights, lacking, axis=1)
        assert (present != 0).all()
        assert outcome.curve(trial.identity, "std/head.weight")[-1] == pytest.approx(present.std(), rel=1e-6)
        norm = outcome.curve(trial.identity, "weight_norm/head.weight")[-1]
        assert norm == pytest.approx(np.linalg.norm(present), rel=1e-6)
        assert np.abs(np.delete(start, lacking, axis=1)).max() <= 1 / math.sqrt(6 - len(lacking))


class Own(nn.Module):
    """A module of the user's: the rows are read by one layer, and again further on."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.skip, self.out = nn.Linear(6, 6), nn.Linear(6, 1), nn.Linear(6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.first(x).tanh()
        return self.out(hidden) + self.skip(x)


def test_a_module_of_the_users_starts_at_the_true_width_too() -> None:
    rows = torch.rand(2, 6)
    whole, ours = (make_module(Own, {}, 3, rows, absent) for absent in ((), (4, 5)))
    for name in ("first", "skip"):
        own, full = getattr(ours, name), getattr(whole, name)
        assert not own.weight[:, 4:].any()
        torch.testing.assert_close(own.weight[:, :4], full.weight[:, :4] * math.sqrt(6 / 4))
        torch.testing.assert_close(own.bias, full.bias * math.sqrt(6 / 4))
    assert torch.equal(ours.out.weight, whole.out.weight)
    preparation = table_of(np.r_[np.zeros(20, int), np.ones(20, int)])
    model = {"kind": "module", "name": "Own"}
    trial = plan("m", model=model, **SETTINGS)
    request = ModuleRequest(trial.experiment.model, (6,), 1, classes=False)
    nets = {module_key(trial.experiment, preparation.dataset): inspect_module(request, Own)}
    rows_of = {"m": len(preparation.prepare(trial.experiment.data, 0).split.train)}
    (cohort,) = group_trials([trial], preparation.dataset, rows_of, nets)
    stack = starting_stack(cohort, {"Own": Own}, absent=[(3, 4, 5)])
    first = stack.architecture.parameters[0]
    assert not stack.parameters[0, : first.size].reshape(first.shape)[:, 3:].any()


def test_without_absent_columns_nothing_changes() -> None:
    preparation = table_of(np.arange(40) % 5)
    trial = plan("t", model={"kind": "linear"}, **SETTINGS)
    assert preparation.prepare(trial.experiment.data, 0).absent == ()
    (cohort,) = cohorts([trial], preparation)
    plain = initial_stack(cohort.structure.net, [trial.experiment.model], [0])
    np.testing.assert_array_equal(starting_stack(cohort, {}, absent=[()]).parameters, plain.parameters)


@pytest.mark.parametrize(
    ("model", "reads"),
    [
        ({"kind": "mlp", "hidden": [7], "residual": True}, None),
        ({"kind": "mlp", "hidden": [6], "residual": True}, "hidden.0"),
        ({"kind": "sequential", "layers": ["layer_norm", {"kind": "linear", "width": 5}]}, None),
        (
            {"kind": "sequential", "layers": [{"kind": "dropout", "p": 0.1}, {"kind": "linear", "width": 5}]},
            "layers.1",
        ),
        ({"kind": "sequential", "layers": [{"kind": "linear", "width": 7, "name": "a"}, {"use": "a"}]}, None),
    ],
)
def test_which_layer_reads_the_columns(model: dict[str, Any], reads: str | None) -> None:
    spec = Experiment.model_validate({"data": "arrays", "model": model}).model
    layer = reading_layer(architecture(spec, WIDTH, OUTPUTS))
    assert (None if layer is None else layer.role) == reads
