"""Mixed precision against a plain loop under autocast, with torch.amp.GradScaler for float16."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ceteris
from ceteris.data.preparation import Preparation
from ceteris.errors import CeterisError
from ceteris.lab.trials import identity_of
from ceteris.nets.architecture import architecture
from ceteris.nets.stacked import StackedNetwork, initial_stack
from ceteris.spec.experiment import Experiment
from ceteris.train.engine import Feed, StackSpec
from ceteris.train.hyper import hyper_vectors
from ceteris.train.modules.engine import ModuleEngine
from ceteris.train.modules.precision import FIRST_SCALE, LossScales
from ceteris.train.streams import epoch_order, place_keys

BATCH, STEPS = 32, 8
NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"kind": "mlp", "hidden": [24, 16], "batch_norm": True},
    "cnn": {"kind": "cnn", "convolutions": [4, 6], "hidden": [12], "batch_norm": True},
}


def engine_for(
    model: dict[str, Any],
    precision: str,
    digits: Preparation,
    seeds: list[int],
    lr: float = 0.05,
    kind: str = "sgd",
) -> tuple[ModuleEngine, StackedNetwork, list[np.ndarray], Any]:
    experiment = Experiment(
        data={"source": "digits"},
        model=model,
        precision=precision,
        optimizer={"kind": "sgd", "lr": lr, "momentum": 0.9} if kind == "sgd" else {"kind": kind, "lr": lr},
    )
    prepared = [digits.prepare(experiment.data, seed) for seed in seeds]
    net = architecture(experiment.model, 64, 10, (8, 8))
    stack = initial_stack(net, [experiment.model] * len(seeds), seeds)
    spec = StackSpec(
        net=net,
        loss="cross_entropy",
        batch_size=BATCH,
        steps=STEPS,
        experiments=(experiment,) * len(seeds),
        rates=stack.rates,
        keys=np.stack([place_keys(seed, ()) for seed in seeds])
        if not net.n_slots
        else np.zeros((len(seeds), net.n_slots, 2), np.uint32),
        class_weights=np.ones((len(seeds), 10)),
        feeds=tuple(Feed(own.x, own.y, np.array([place])) for place, own in enumerate(prepared)),
        precision=precision,
    )
    orders = [epoch_order(seed, 0, own.split.train, 0) for seed, own in zip(seeds, prepared, strict=True)]
    engine = ModuleEngine(spec, stack)
    engine.begin_epoch(0, orders, hyper_vectors(spec.optimizers)[:, :, :1])
    return engine, stack, orders, prepared


def run(engine: ModuleEngine, members: int) -> np.ndarray:
    engine.run_steps(0, STEPS, np.ones(members, dtype=np.bool_))
    return np.array(engine.parameters())


def plain_loop(
    module: torch.nn.Module,
    precision: str,
    own: Any,
    order: np.ndarray,
    kind: str,
    init_scale: float = FIRST_SCALE,
) -> tuple[np.ndarray, int]:
    """Train by hand; return the parameters and how many steps the scaler left out."""
    parameters = list(module.parameters())
    optimizer: torch.optim.Optimizer
    if kind == "sgd":
        optimizer = torch.optim.SGD(parameters, lr=0.05, momentum=0.9)
    else:
        optimizer = torch.optim.Adam(parameters, lr=0.05)
    scaler = torch.amp.GradScaler("cpu", init_scale, enabled=precision == "float16")
    x, y = torch.from_numpy(own.x), torch.from_numpy(own.y)
    module.train()
    skipped = 0
    for step in range(STEPS):
        rows = torch.from_numpy(order[step * BATCH : (step + 1) * BATCH])
        with torch.autocast("cpu", dtype=getattr(torch, precision), enabled=precision != "float32"):
            outputs = module(x[rows])
        loss = torch.nn.functional.cross_entropy(outputs.float(), y[rows])
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        before = scaler.get_scale()
        scaler.step(optimizer)
        scaler.update()
        skipped += scaler.get_scale() < before
    return torch.cat([parameter.detach().flatten() for parameter in parameters]).numpy(), skipped


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", NETWORKS)
def test_it_trains_as_a_plain_loop_under_autocast_does(
    name: str, precision: str, digits: Preparation
) -> None:
    engine, stack, (order,), (own,) = engine_for(NETWORKS[name], precision, digits, [3])
    module = stack.member(0)
    assert all(parameter.dtype == torch.float32 for parameter in module.parameters())
    found = run(engine, 1)[0]
    expected, skipped = plain_loop(module, precision, own, order, "sgd")
    assert skipped == 0
    moved = np.abs(found - stack.parameters[0]).max()
    assert moved > 1e-3
    if (name, precision) != ("cnn", "bfloat16"):
        np.testing.assert_allclose(found, expected, atol=2e-3 * moved)
        return
    # Our kernels round elsewhere than torch's: that may not matter beside what the precision itself does.
    full, _ = plain_loop(stack.member(0), "float32", own, order, "sgd")
    apart = np.linalg.norm(expected - full)
    assert np.linalg.norm(found - expected) < 0.6 * apart
    assert np.linalg.norm(found - full) < 1.2 * apart


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_member_is_the_same_alone_and_beside_others(precision: str, digits: Preparation) -> None:
    together, *_ = engine_for(NETWORKS["cnn"], precision, digits, [1, 2, 3])
    alone, *_ = engine_for(NETWORKS["cnn"], precision, digits, [2])
    np.testing.assert_array_equal(run(together, 3)[1], run(alone, 1)[0])


def test_few_bits_are_used(digits: Preparation) -> None:
    full, *_ = engine_for(NETWORKS["mlp"], "float32", digits, [0])
    few, *_ = engine_for(NETWORKS["mlp"], "bfloat16", digits, [0])
    difference = np.abs(run(full, 1) - run(few, 1)).max()
    assert 1e-5 < difference < 0.1


def test_the_scale_follows_the_rules_of_gradscaler_member_by_member() -> None:
    scales = LossScales(2, "float16")
    scaler = torch.amp.GradScaler("cpu")
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.0)
    rng = np.random.default_rng(0)
    for step in range(4100):
        broken = step in (3, 50, 51) or rng.random() < 0.0002
        weight.grad = torch.full((1,), float("inf") if broken else 1.0)
        scaler.scale(torch.zeros(1))
        scaler.step(optimizer)
        scaler.update()
        gradient = np.array([np.inf if broken else scales.scale[0]], dtype=np.float32)
        assert scales.unscale(0, gradient) != broken
        assert broken or gradient[0] == pytest.approx(1.0)
        assert scales.scale[0] == scaler.get_scale()
    assert scales.scale[1] == FIRST_SCALE
    assert scales.skipped.tolist()[1] == 0
    assert scales.skipped[0] >= 3


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_an_overflow_halves_the_scale_of_its_own_member_and_is_no_step(
    kind: str, digits: Preparation
) -> None:
    """One member begins with a scale that is far too large: it skips steps until it fits, as torch does."""
    large, model = FIRST_SCALE * 2.0**8, {"kind": "mlp", "hidden": [24, 16]}
    both, stack, orders, prepared = engine_for(model, "float16", digits, [1, 2], kind=kind)
    both._scales.scale[0] = large
    found = run(both, 2)
    totals = both.totals()
    assert totals.skipped is not None
    assert totals.loss_scale is not None
    assert 0 < totals.skipped[0] < STEPS
    assert totals.loss_scale[0] == large / 2.0 ** totals.skipped[0]
    assert (totals.skipped[1], totals.loss_scale[1]) == (0, FIRST_SCALE)
    alone, *_ = engine_for(model, "float16", digits, [2], kind=kind)
    assert np.array_equal(run(alone, 1)[0], found[1]), "its neighbour has the bits that it has alone"
    module = stack.member(0)
    expected, skipped = plain_loop(module, "float16", prepared[0], orders[0], kind, init_scale=large)
    assert skipped == totals.skipped[0]
    moved = np.abs(found[0] - stack.parameters[0]).max()
    np.testing.assert_allclose(found[0], expected, atol=2e-3 * moved)


def test_large_logits_give_a_finite_loss_in_float16(digits: Preparation) -> None:
    engine, *_ = engine_for({"kind": "linear"}, "float16", digits, [0], lr=1e-6)
    engine.parameters()[0] *= 5e4
    run(engine, 1)
    totals = engine.totals()
    assert np.isfinite(totals.loss).all()
    assert totals.loss[0] / totals.rows[0] > 1e2
    assert totals.diverged[0] == -1


def test_precision_is_a_factor_with_its_curves(tmp_path: Path) -> None:
    study = {
        "experiment": {
            "data": {"source": "digits", "rows": 300},
            "model": {"kind": "mlp", "hidden": [16], "dropout": 0.2},
            "optimizer": {"kind": "sgd", "lr": 0.1},
            "epochs": 3,
        },
        "vary": {"precision": ["float32", "bfloat16", "float16"]},
        "seeds": 2,
    }
    result = ceteris.run(study, runs_dir=tmp_path, progress=False)
    assert {trial.status for trial in result.trials} == {"finished"}
    for trial in result.trials:
        assert ("loss_scale" in trial.curves) == (trial.level == "float16")
        full = result.trial("float32", trial.seed).metrics["val_loss"]
        assert trial.metrics["val_loss"] == pytest.approx(full, rel=0.03)
    assert result.trial("float16").metrics["loss_scale"] > 0
    assert result.trial("bfloat16").weights()["head.weight"].dtype == np.float32


def test_what_acts_in_float32_alone_is_refused(tmp_path: Path) -> None:
    study = {
        "experiment": {
            "data": "digits",
            "model": {"kind": "mlp", "hidden": [8], "noise": 0.1, "drop_connect": 0.2},
            "precision": "bfloat16",
        },
        "vary": {"optimizer.lr": [0.1, 0.01]},
    }
    with pytest.raises(CeterisError) as told:
        ceteris.run(study, runs_dir=tmp_path, progress=False)
    assert [problem.where.split(": ")[-1] for problem in told.value.problems] == [
        "experiment.model.noise",
        "experiment.model.drop_connect",
    ]


def test_float32_keeps_the_identity_that_trials_had_before_there_was_a_choice() -> None:
    plain = Experiment(data={"source": "digits"}, model={"kind": "linear"})
    lowered = plain.model_copy(update={"precision": "bfloat16"})
    assert identity_of(plain, 0, 0, {}) != identity_of(lowered, 0, 0, {})
