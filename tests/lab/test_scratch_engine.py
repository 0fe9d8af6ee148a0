"""The implementation from scratch: the numbers of the built-in one, from the same draws."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ceteris.data import load
from ceteris.data.preparation import Preparation
from ceteris.lab.binding import bind
from ceteris.lab.datasets import load_sources
from ceteris.lab.implementations import engine_factory
from ceteris.lab.trials import identity_of
from ceteris.train.messages import EpochMeasured
from ceteris.train.plan import group_trials
from tests.lab.made import small_study
from tests.train.runs import Outcome, plan, run_plans

ROWS = {"source": "fashion-mnist", "rows": 2000, "validation": 500}
NORMAL = {"kind": "normal", "std": 0.01}
SOFTMAX = {"model": {"kind": "linear", "init": NORMAL}}
MLP = {"model": {"kind": "mlp", "hidden": [64], "init": NORMAL}}
DROPOUT = {"model": {"kind": "mlp", "hidden": [64, 64], "dropout": [0.2, 0.5]}}
SGD = {"kind": "sgd", "lr": 0.1}
CASES: dict[str, dict[str, Any]] = {
    "softmax regression": SOFTMAX,
    "mlp": MLP,
    "dropout": DROPOUT | {"optimizer": {"kind": "sgd", "lr": 0.5}},
    "l2 penalty": MLP | {"penalty": {"kind": "l2", "weight": 0.01}},
    "weight decay of weights alone": MLP
    | {
        "optimizer": {
            "kind": "sgd",
            "lr": 0.1,
            "weight_decay": 0.01,
            "biases": {"weight_decay": 0, "lr": 0.2},
        }
    },
}
FROM_SCRATCH = engine_factory("scratch")


def both(preparation: Preparation, seed: int = 2, **settings: Any) -> tuple[Outcome, Outcome]:
    """Train with the built-in engine and from scratch, one seed."""
    built_in = run_plans([plan("trial", seed=seed, **settings)], preparation)
    other = plan("trial", seed=seed, implementation="scratch", **settings)
    return built_in, run_plans([other], preparation, engine=FROM_SCRATCH)


def assert_agree(built_in: Outcome, scratch: Outcome, bound: float) -> None:
    expected, found = built_in.ended["trial"], scratch.ended["trial"]
    assert list(found.initial) == list(expected.initial)
    for name, start in expected.initial.items():
        np.testing.assert_array_equal(found.initial[name], start)
        error = np.linalg.norm(found.final[name] - expected.final[name])
        assert error <= bound * np.linalg.norm(expected.final[name]), name
        if "head" in name:
            moved = np.linalg.norm(expected.final[name] - start)
            assert moved > 100 * error, f"{name} hardly moved, so its agreement says nothing"


@pytest.fixture(scope="module")
def fashion() -> Preparation:
    if "CETERIS_DATA" not in os.environ:
        pytest.skip("CETERIS_DATA names no folder with real rows")
    return Preparation(load("fashion-mnist", Path(os.environ["CETERIS_DATA"])))


@pytest.fixture(scope="module")
def digits() -> Preparation:
    return Preparation(load("digits"))


@pytest.fixture(scope="module")
def diabetes() -> Preparation:
    return Preparation(load("diabetes"))


@pytest.mark.real_data
@pytest.mark.parametrize("case", CASES)
def test_an_epoch_of_real_rows_ends_with_the_same_weights(case: str, fashion: Preparation) -> None:
    settings = {"optimizer": SGD, "batch_size": 256} | CASES[case]
    built_in, scratch = both(fashion, data=ROWS, epochs=1, **settings)
    assert_agree(built_in, scratch, 1e-5)


DIGITS_CASES: dict[str, dict[str, Any]] = CASES | {
    "mlp as PyTorch starts it": {"model": {"kind": "mlp", "hidden": [32]}},
    "sigmoid": {"model": {"kind": "mlp", "hidden": [32], "activation": "sigmoid"}},
    "tanh": {"model": {"kind": "mlp", "hidden": [32], "activation": "tanh"}},
    "without biases": {"model": {"kind": "mlp", "hidden": [32], "bias": False}},
    "dropout of inputs": {"model": {"kind": "mlp", "hidden": [32], "input_dropout": 0.2}},
    "drop-connect": {"model": {"kind": "mlp", "hidden": [32, 16], "drop_connect": 0.3}},
    "batch norm": {"model": {"kind": "mlp", "hidden": [32, 16], "batch_norm": True}},
    "l1 penalty": MLP | {"penalty": {"kind": "l1", "weight": 1e-3}},
    "l1 penalty, mean": MLP | {"penalty": {"kind": "l1", "weight": 0.1, "form": "mean"}},
    "l2 penalty, mean": MLP | {"penalty": {"kind": "l2", "weight": 0.1, "form": "mean"}},
    "penalties of all parameters": MLP
    | {"penalty": [{"kind": "l1", "weight": 1e-3, "on": "all"}, {"kind": "l2", "weight": 0.01, "on": "all"}]},
    "squared loss": MLP | {"loss": "mse"},
    "half the squared loss": MLP | {"loss": "mse_half"},
}


@pytest.mark.parametrize("case", DIGITS_CASES)
def test_an_epoch_of_digits_ends_with_the_same_weights(case: str, digits: Preparation) -> None:
    settings = {"optimizer": SGD, "batch_size": 64, "epochs": 1} | DIGITS_CASES[case]
    assert_agree(*both(digits, **settings), 1e-5)


@pytest.mark.parametrize("loss", ["mse", "mse_half", "l1", "smooth_l1"])
def test_linear_regression_agrees(loss: str, diabetes: Preparation) -> None:
    data = {"source": "diabetes", "scale": "standardize"}
    settings = {"loss": loss, "model": {"kind": "linear", "init": NORMAL}, "batch_size": 16}
    assert_agree(*both(diabetes, data=data, epochs=1, **settings), 1e-5)


def test_binary_cross_entropy_agrees() -> None:
    rows = Preparation(load("breast-cancer"))
    settings = {"loss": "binary_cross_entropy", "model": {"kind": "mlp", "hidden": [8]}}
    assert_agree(*both(rows, data={"source": "breast-cancer"}, epochs=1, **settings), 1e-5)


@pytest.mark.parametrize("loss", ["perceptron", "hinge"])
@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": 1, "optimizer": {"kind": "sgd", "lr": 1}},
        {"batch_size": 16, "penalty": {"kind": "l2", "weight": 0.01}},
        {"model": {"kind": "linear", "bias": False}},
        {"model": {"kind": "mlp", "hidden": [8]}},
    ],
    ids=["one row at a time", "penalty", "no bias", "hidden layer"],
)
def test_losses_of_one_score_agree(loss: str, settings: dict[str, Any]) -> None:
    xor = Preparation(load("xor"))
    given = {"model": {"kind": "linear"}, "loss": loss, "data": {"source": "xor", "scale": "none"}} | settings
    built_in, scratch = both(xor, epochs=2, **given)
    assert_agree(built_in, scratch, 1e-5)
    for name in ("train_loss", "train_accuracy", "val_accuracy", "train_accuracy_running", "grad_norm"):
        assert scratch.curve("trial", name) == pytest.approx(built_in.curve("trial", name), rel=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"model": {"kind": "mlp", "hidden": [16, 8], "batch_norm": True, "activation": "sigmoid"}},
        {"model": {"kind": "mlp", "hidden": [16], "drop_connect": 0.3, "input_dropout": 0.1, "bias": False}},
        {"model": {"kind": "mlp", "hidden": [16], "activation": "tanh"}, "loss": "mse"},
        {"penalty": [{"kind": "l1", "weight": 0.001}, {"kind": "l2", "weight": 0.1, "form": "mean"}]},
        {"schedule": {"kind": "cosine", "warmup": 1}, "penalty": {"kind": "l2", "weight": 1e-3, "on": "all"}},
    ],
    ids=["batch norm", "drop-connect", "one-hot mse", "penalties", "schedule"],
)
def test_what_is_recorded_agrees_too(settings: dict[str, Any], digits: Preparation) -> None:
    built_in, scratch = both(digits, epochs=2, **settings)
    assert_agree(built_in, scratch, 1e-4)
    names = next(m.names for m in built_in.messages if isinstance(m, EpochMeasured))
    for name in names:
        expected, found = built_in.curve("trial", name), scratch.curve("trial", name)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6, err_msg=name)


def test_members_are_trained_to_the_same_bits_alone_and_together(digits: Preparation) -> None:
    trials = [plan(f"{seed}", seed=seed, implementation="scratch", **DROPOUT) for seed in range(3)]
    together = run_plans(trials, digits, engine=FROM_SCRATCH)
    alone = run_plans(trials[1:2], digits, engine=FROM_SCRATCH)
    np.testing.assert_array_equal(together.final("1"), alone.final("1"))


def test_a_member_that_diverges_ends_by_itself(digits: Preparation) -> None:
    wild = {"kind": "sgd", "lr": 1e20}
    trials = [plan("tame", implementation="scratch"), plan("wild", implementation="scratch", optimizer=wild)]
    ended = run_plans(trials, digits, engine=FROM_SCRATCH).ended
    assert {name: own.status for name, own in ended.items()} == {"tame": "finished", "wild": "diverged"}


def test_implementations_are_trained_apart_and_the_built_in_one_keeps_its_identities(
    digits: Preparation, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = [plan("a"), plan("b", implementation="scratch"), plan("c", seed=1)]
    cohorts = group_trials(trials, digits.dataset, dict.fromkeys("abc", 1000))
    assert sorted(sorted(t.identity for t in cohort.trials) for cohort in cohorts) == [["a", "c"], ["b"]]
    own, other = trials[0].experiment, trials[1].experiment
    assert identity_of(own, 0, 0, {}) != identity_of(other, 0, 0, {})
    hashed: list[Any] = []
    monkeypatch.setattr("ceteris.lab.trials.trial_identity", lambda settings, *rest: hashed.append(settings))
    for experiment in (own, other):
        identity_of(experiment, 0, 0, {})
    assert "implementation" not in hashed[0], "records from before there was a choice would not be found"
    assert hashed[1] == hashed[0] | {"implementation": "scratch"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"optimizer": "no adam; use sgd"}),
        (
            {"optimizer": {"kind": "sgd", "momentum": 0.9}, "clip": {"norm": 1}, "label_smoothing": 0.1},
            {
                "optimizer.momentum": "plain SGD without momentum; set it to 0",
                "clip": "no limits on gradients; remove them",
                "label_smoothing": "no label smoothing; set it to 0",
            },
        ),
        (
            {"optimizer": "sgd", "model": {"kind": "cnn", "convolutions": [4]}},
            {"model": "no model of the kind cnn; use linear or mlp"},
        ),
        (
            {"optimizer": "sgd", "model": {"kind": "mlp", "hidden": [4], "activation": "gelu", "noise": 0.1}},
            {
                "model.activation": "no activation gelu; "
                "it knows relu, sigmoid, tanh, identity: use one of these",
                "model.noise": "no noise; set it to 0",
            },
        ),
    ],
    ids=["adam", "step", "cnn", "mlp"],
)
def test_what_scratch_does_not_know_is_refused_before_anything_is_trained(
    settings: dict[str, Any], expected: dict[str, str]
) -> None:
    parsed = small_study(vary={"epochs": [1, 2]}, implementation="scratch", **settings)
    problems = bind(parsed, load_sources(["digits"], None), ())[1]
    assert [str(problem) for problem in problems] == [
        f"experiment.{path}: `implementation: scratch` has {told}, or train with `builtin`"
        for path, told in expected.items()
    ]
