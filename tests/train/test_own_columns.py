"""Folds that lack a category train as they would alone, on a table with their own columns and no others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data import Preparation, arrays
from ceteris.data.dataset import Dataset
from ceteris.data.table_layout import Column, Layout
from ceteris.lab.scratch_engine import ScratchEngine
from ceteris.nets.stacked import initial_stack
from ceteris.spec.folds import Folds
from ceteris.train.initial import starting_stack
from ceteris.train.messages import ArraysMeasured
from ceteris.train.modules.initial import make_module
from ceteris.train.modules.stacked import StackedModuleEngine
from ceteris.train.modules.user import inspect_module
from ceteris.train.plan import ModuleRequest, TrialPlan, module_key
from ceteris.train.tensor.engine import TensorEngine
from tests.train.runs import Outcome, cohorts, plan, run_plans

# A whole trial of a fold, from its split to its measurements, against the same trial on the fold's own table.

FOLDS = Folds(k=5)
ROWS, FEW = 45, (3, 17)
"""Rows, and those with categories of their own: other folds than those that they validate in have them."""


def whole_table() -> Dataset:
    """Numbers beside two columns of categories, some of which few rows have."""
    random = np.random.default_rng(1)
    first, second = random.integers(0, 3, ROWS), random.integers(0, 2, ROWS)
    first[list(FEW)], second[30] = (3, 4), 2
    numbers = random.normal(size=(ROWS, 2))
    x = np.concatenate([numbers[:, :1], np.eye(6)[first], numbers[:, 1:], np.eye(4)[second]], axis=1)
    columns = (
        Column("size", True, 0),
        Column("kind", False, 0, ("a", "b", "c", "d", "e")),
        Column("age", True, 0),
        Column("place", False, 0, ("s", "t", "u")),
    )
    y = x @ random.normal(size=(x.shape[1], 2)) + random.normal(size=(ROWS, 2))
    return replace(arrays(x, y, name="t"), table=Layout("t", columns, "price"))


def alone(trial: TrialPlan, whole: Dataset) -> tuple[TrialPlan, Preparation, list[int]]:
    """The same trial on rows without the columns that its training rows lack, and which columns are left."""
    found = Preparation(whole).prepare(trial.experiment.data, trial.seed, trial.fold, trial.folds)
    own = [column for column in range(whole.features) if column not in found.absent]
    dataset = arrays(whole.x[:, own], whole.y, name="t")
    np.testing.assert_array_equal(found.x[:, own], dataset.x.astype(np.float32))
    return trial, Preparation(dataset), own


def trained_both_ways(engine: Any = None, **settings: Any) -> list[tuple[str, Outcome, Outcome]]:
    """Train five folds of two seeds together, and each alone; return both by the name of the trial."""
    whole = whole_table()
    own = {
        "data": {"source": "arrays", "scale": "none"},
        "batch_size": 8,
        "epochs": 2,
        "loss": "mse",
    } | settings
    trials = [
        plan(f"{seed} {fold}", seed, fold, FOLDS, **own) for seed in range(2) for fold in range(FOLDS.k)
    ]
    together = run_plans(trials, Preparation(whole), engine=engine)
    found, widths = [], set()
    for trial in trials:
        one, preparation, columns = alone(trial, whole)
        widths.add(len(columns))
        found.append((trial.identity, together, run_plans([one], preparation, engine=engine)))
    assert len(widths) > 2
    assert max(widths) < whole.features
    return found


def assert_alike(name: str, together: Outcome, by_itself: Outcome, rtol: float = 2e-5) -> None:
    """Assert that a trial began with the same bits, and ended and was measured as if it were alone."""
    one, other = together.ended[name], by_itself.ended[name]
    assert {n: t.shape for n, t in one.final.items()} == {n: t.shape for n, t in other.final.items()}
    for tensor, values in other.initial.items():
        np.testing.assert_array_equal(one.initial[tensor], values)
    for tensor, values in other.final.items():
        np.testing.assert_allclose(one.final[tensor], values, rtol=rtol, atol=5e-6)
    for curve in by_itself.epochs[0].names:
        expected = by_itself.curve(name, curve)
        np.testing.assert_allclose(
            together.curve(name, curve), expected, rtol=50 * rtol, atol=1e-5, err_msg=curve
        )


ADAM = {"kind": "adam", "lr": 0.02, "weight_decay": 0.01}
FIRST = [
    ["layer_norm", {"linear": 5}, "tanh"],
    ["batch_norm", {"linear": 5}, "relu"],
    ["batch_norm", "relu", {"linear": 5}],
    ["layer_norm"],
    ["sigmoid", "layer_norm", {"linear": 5}],
    ["softplus", {"linear": 5}],
    [{"dropout": 0.3}, {"linear": 5}, "tanh"],
    [{"residual": ["layer_norm", "tanh"]}, {"linear": 5}],
    [{"block": ["batch_norm"], "name": "a"}, {"use": "a"}, "layer_norm"],
    ["flatten", {"linear": 5}, "relu", {"residual": [{"linear": 5}]}],
]
"""Whatever may come first in a network that is composed freely."""
COMPOSED = [{"kind": "sequential", "layers": layers} for layers in FIRST]
MLPS = [
    {"kind": "linear"},
    {"kind": "mlp", "hidden": [6], "batch_norm": True, "input_dropout": 0.3},
    {"kind": "mlp", "hidden": [6, 6], "layer_norm": True, "input_noise": 0.4, "residual": True},
    {"kind": "mlp", "hidden": [5], "drop_connect": 0.3, "dropout": 0.2, "noise": 0.1},
]
PENALTY = [
    {"kind": "l1", "weight": 0.02, "form": "mean", "on": "all"},
    {"kind": "l2", "weight": 0.03, "form": "norm", "on": "all"},
]


@pytest.mark.parametrize("model", [*MLPS, *COMPOSED], ids=str)
def test_a_fold_trains_as_it_does_alone(model: dict[str, Any]) -> None:
    settings = {"optimizer": ADAM, "penalty": PENALTY, "clip": {"norm": 1.0}, "probes": {"units": True}}
    for name, together, by_itself in trained_both_ways(model=model, **settings):
        assert_alike(name, together, by_itself)


@pytest.mark.parametrize("on", ["weights", "all"])
@pytest.mark.parametrize(
    "form", [("l1", "sum"), ("l1", "mean"), ("l2", "sum"), ("l2", "norm"), ("l2", "mean")]
)
@pytest.mark.parametrize("model", [MLPS[0], COMPOSED[0]], ids=["linear", "composed"])
def test_a_penalty_counts_the_numbers_of_the_own_columns(
    model: dict[str, Any], form: tuple[str, str], on: str
) -> None:
    kind, own = form
    penalty = {"kind": kind, "form": own, "weight": 0.5, "on": on}
    settings = {"optimizer": {"kind": "sgd", "lr": 0.05}, "penalty": penalty, "epochs": 1}
    for name, together, by_itself in trained_both_ways(model=model, **settings):
        assert_alike(name, together, by_itself)
        assert together.curve(name, "penalty") == pytest.approx(by_itself.curve(name, "penalty"), rel=1e-5)


INITS: list[Any] = [
    "default",
    {"kind": "he", "distribution": "uniform"},
    {"kind": "he", "distribution": "normal"},
    {"kind": "xavier", "distribution": "uniform"},
    {"kind": "xavier", "distribution": "normal"},
    {"kind": "normal", "std": 0.3},
    {"kind": "uniform", "low": -0.3, "high": 0.1},
    {"kind": "constant", "value": 0.1},
    {"kind": "own", "name": "orthogonal"},
]


def orthogonal(part: nn.Module) -> None:
    if isinstance(part, nn.Linear):
        nn.init.orthogonal_(part.weight)


@pytest.mark.parametrize("init", INITS, ids=str)
@pytest.mark.parametrize("layers", [None, ["batch_norm", {"linear": 4}]], ids=["mlp", "composed"])
def test_weights_start_as_they_do_alone(layers: Any, init: Any) -> None:
    whole, folds = whole_table(), Folds(k=5)
    model = {"kind": "mlp", "hidden": [4]} if layers is None else {"kind": "sequential", "layers": layers}
    own = {
        "data": {"source": "arrays", "scale": "none"},
        "model": model | {"init": init},
        "epochs": 1,
        "loss": "mse",
    }
    for fold in range(5):
        trial = plan("t", 3, fold, folds, **own)
        code = {"orthogonal": orthogonal}
        one = run_plans([trial], Preparation(whole), modules=code).ended["t"].initial
        other = run_plans([trial], alone(trial, whole)[1], modules=code).ended["t"].initial
        for name, values in other.items():
            np.testing.assert_array_equal(one[name], values)


def test_values_by_name_are_those_of_the_own_columns() -> None:
    whole = whole_table()
    values = {"head.weight": np.arange(24.0).reshape(2, 12), "head.bias": np.array([1.0, 2.0])}
    init = {"kind": "from", "file": "f.safetensors", "content": "0" * 64}
    settings = {"data": {"source": "arrays", "scale": "none"}, "epochs": 1, "loss": "mse"}
    for fold in range(5):
        for model in ({"kind": "linear"}, {"kind": "sequential", "layers": ["layer_norm"]}):
            own = init | ({} if model["kind"] == "linear" else {"only": ["head"]})
            trial = plan("t", 0, fold, FOLDS, model=model | {"init": own}, **settings)
            columns = alone(trial, whole)[2]
            found = run_plans([trial], Preparation(whole), values={"0" * 64: values}).ended["t"].initial
            np.testing.assert_array_equal(found["head.weight"], values["head.weight"][:, columns])


def histograms_of(name: str, outcome: Outcome) -> Mapping[tuple[str, str], np.ndarray]:
    (last,) = (m.rows[name] for m in outcome.messages if isinstance(m, ArraysMeasured) and name in m.rows)
    return last


def test_sharpness_and_histograms_are_those_of_the_own_columns() -> None:
    probes = {"sharpness": {"epochs": "last"}, "histograms": "last"}
    settings = {"model": {"kind": "mlp", "hidden": [5]}, "probes": probes, "optimizer": ADAM}
    for name, together, by_itself in trained_both_ways(**settings):
        assert_alike(name, together, by_itself)
        found, expected = (histograms_of(name, outcome) for outcome in (together, by_itself))
        assert ("parameter", "hidden.0.linear.weight") in expected
        for place, (edges, counts) in expected.items():
            np.testing.assert_allclose(found[place][0], edges, rtol=1e-4, atol=1e-6)
            assert found[place][1].sum() == counts.sum()


def test_the_penalty_of_the_implementation_from_scratch_counts_own_columns() -> None:
    settings = {
        "model": {"kind": "mlp", "hidden": [5], "input_dropout": 0.2},
        "optimizer": {"kind": "sgd", "lr": 0.05},
        "penalty": {"kind": "l2", "form": "mean", "weight": 0.5},
    }
    for name, together, by_itself in trained_both_ways(ScratchEngine, **settings):
        assert_alike(name, together, by_itself)


@pytest.mark.parametrize(
    ("model", "engine"),
    [(MLPS[2], TensorEngine), (MLPS[3], TensorEngine), (COMPOSED[0], StackedModuleEngine)],
    ids=["noise", "drop-connect", "composed"],
)
def test_a_device_trains_them_so_too(model: dict[str, Any], engine: Any) -> None:
    settings = {"model": model, "optimizer": ADAM, "penalty": PENALTY, "epochs": 1}
    for name, together, by_itself in trained_both_ways(engine, **settings):
        assert_alike(name, together, by_itself)


def test_newtons_step_is_that_of_the_own_columns() -> None:
    """A padded stack in the module engine, with a curvature that is 0 behind the own columns."""
    newton = {"kind": "newton", "lr": 0.5, "damping": 0.1}
    for name, together, by_itself in trained_both_ways(model={"kind": "linear"}, optimizer=newton):
        assert_alike(name, together, by_itself)


def test_folds_of_networks_that_begin_with_a_linear_layer_share_a_stack() -> None:
    preparation = Preparation(whole_table())
    for model, count in (({"kind": "mlp", "hidden": [4]}, 1), (COMPOSED[0], 3)):
        own = {"data": {"source": "arrays", "scale": "none"}, "model": model, "loss": "mse"}
        trials = [plan(str(fold), 0, fold, FOLDS, **own) for fold in range(5)]
        assert len({cohort.structure.net.n_in for cohort in cohorts(trials, preparation)}) == count


def test_a_residual_sum_over_the_inputs_adds_the_own_columns_to_the_first_units() -> None:
    """By hand: 4 columns of 7 are added to the first 4 of 7 units, in every fold, and not to the others."""
    whole = whole_table()
    settings = {"data": {"source": "arrays", "scale": "none"}, "loss": "mse", "epochs": 1, "batch_size": 64}
    optimizer = {"optimizer": {"kind": "sgd", "lr": 0.1}}
    models = [
        {"kind": "mlp", "hidden": [12], "activation": "tanh", "residual": True},
        {"kind": "sequential", "layers": [{"residual": [{"linear": 12}, "tanh"]}]},
    ]
    for fold in range(5):
        for model in models:
            trial = plan("t", 1, fold, FOLDS, model=model, **settings, **optimizer)
            _, preparation, own = alone(trial, whole)
            ended = run_plans([trial], Preparation(whole)).ended["t"]
            weight, bias, head, last = (
                torch.tensor(t).double().requires_grad_() for t in ended.initial.values()
            )
            assert weight.shape == (12, len(own))
            assert weight.abs().max() <= 1 / math.sqrt(len(own))
            prepared = preparation.prepare(trial.experiment.data, 1, fold, FOLDS)
            x = torch.from_numpy(prepared.x[prepared.split.train]).double()
            y = torch.from_numpy(prepared.y[prepared.split.train]).double()
            hidden = torch.tanh(x @ weight.T + bias)
            summed = torch.cat([hidden[:, : len(own)] + x, hidden[:, len(own) :]], dim=1)
            (((summed @ head.T + last) - y) ** 2).mean().backward()
            for found, start in zip(ended.final.values(), (weight, bias, head, last), strict=True):
                np.testing.assert_allclose(found, (start - 0.1 * start.grad).detach(), rtol=1e-5, atol=1e-6)


# Networks of the user's own.


class Own(nn.Module):
    """The rows are read by one layer, and again further on."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.first, self.skip, self.out = nn.Linear(width, 6), nn.Linear(width, 2), nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.first(x).tanh()
        return self.out(hidden) + self.skip(x)


def test_a_module_of_the_users_starts_at_the_true_width_too() -> None:
    ours, narrow = make_module(Own, {}, 3, torch.rand(2, 6), (1, 4)), make_module(Own, {"width": 4}, 3)
    for name in ("first", "skip"):
        own, small = getattr(ours, name), getattr(narrow, name)
        assert not own.weight[:, [1, 4]].any()
        assert torch.equal(own.weight[:, [0, 2, 3, 5]], small.weight)
        assert torch.equal(own.bias, small.bias)
    assert torch.equal(ours.out.weight, narrow.out.weight)


def test_a_module_that_begins_with_linear_layers_trains_as_it_does_alone() -> None:
    whole = whole_table()
    settings = {
        "data": {"source": "arrays", "scale": "none"},
        "loss": "mse",
        "epochs": 2,
        "batch_size": 8,
        "optimizer": ADAM,
    }

    def trained(trial: TrialPlan, preparation: Preparation) -> Outcome:
        request = ModuleRequest(trial.experiment.model, preparation.dataset.shape, 2, classes=False)
        nets = {module_key(trial.experiment, preparation.dataset): inspect_module(request, Own)}
        return run_plans([trial], preparation, nets=nets, modules={"Own": Own})

    for fold in range(5):
        model = {"kind": "module", "name": "Own", "arguments": {"width": whole.features}}
        trial = plan("t", 0, fold, FOLDS, model=model, **settings)
        _, preparation, own = alone(trial, whole)
        narrow = plan("t", 0, fold, FOLDS, model=model | {"arguments": {"width": len(own)}}, **settings)
        one, other = trained(trial, Preparation(whole)).ended["t"], trained(narrow, preparation).ended["t"]
        for name, values in other.final.items():
            reads = name in ("first.weight", "skip.weight")
            found = one.final[name][:, own] if reads else one.final[name]
            np.testing.assert_allclose(found, values, rtol=2e-5, atol=2e-6)


def test_without_absent_columns_nothing_changes() -> None:
    dataset = whole_table()
    full = replace(dataset, x=dataset.x[:, :3], table=None)
    trial = plan("t", model={"kind": "linear"}, data={"source": "arrays", "scale": "none"}, loss="mse")
    (cohort,) = cohorts([trial], Preparation(full))
    plain = initial_stack(cohort.structure.net, [trial.experiment.model], [0])
    np.testing.assert_array_equal(starting_stack(cohort, {}, absent=[()]).parameters, plain.parameters)
