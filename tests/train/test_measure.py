"""What is recorded every epoch, against independent computations on the modules handed out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score

from ceteris.data import arrays
from ceteris.data.preparation import Preparation
from ceteris.nets.architecture import architecture
from ceteris.nets.module import Network, load_tensors
from ceteris.train.messages import EpochMeasured

from .runs import Train, plan, run_plans

MODEL = {"kind": "mlp", "hidden": [20], "dropout": 0.3, "batch_norm": True}


def module(outcome, identity: str, model, n_in: int, n_out: int) -> Network:  # type: ignore[no-untyped-def]
    network = Network(architecture(model, n_in, n_out))
    load_tensors(network, outcome.ended[identity].final)
    return network.eval()


def test_losses_and_accuracies_are_those_of_the_module_in_evaluation_mode(
    train: Train, digits: Preparation
) -> None:
    own = plan("t", model=MODEL, epochs=3)
    outcome = train(own)
    network = module(outcome, "t", own.experiment.model, 64, 10)
    prepared = digits.prepare(own.experiment.data, 0)
    for split, rows in (("train", prepared.train_slice), ("val", prepared.split.validation)):
        with torch.no_grad():
            outputs = network(torch.from_numpy(prepared.x[rows]))
        y = torch.from_numpy(prepared.y[rows])
        loss = torch.nn.functional.cross_entropy(outputs, y).item()
        assert outcome.curve("t", f"{split}_loss")[-1] == pytest.approx(loss, rel=1e-5)
        accuracy = accuracy_score(y, outputs.argmax(1))
        assert outcome.curve("t", f"{split}_accuracy")[-1] == pytest.approx(accuracy, abs=1e-12)


def test_the_training_slice_is_as_large_as_the_validation_split(digits: Preparation) -> None:
    prepared = digits.prepare(plan("t").experiment.data, 0)
    assert len(prepared.train_slice) == len(prepared.split.validation)
    assert set(prepared.train_slice) <= set(prepared.split.train)


def test_norms_and_spreads_are_those_of_the_tensors(train: Train) -> None:
    outcome = train(plan("t"))
    final = outcome.ended["t"].final
    everything = np.concatenate([t.reshape(-1) for t in final.values()]).astype(np.float64)
    assert outcome.curve("t", "weight_norm")[-1] == pytest.approx(np.linalg.norm(everything))
    for name, value in final.items():
        assert outcome.curve("t", f"std/{name}")[-1] == pytest.approx(
            value.astype(np.float64).std(), rel=1e-6
        )
    assert (outcome.curve("t", "lr") == 0.1).all()


def test_one_full_batch_gives_the_gradient_norm_of_autograd(train: Train, digits: Preparation) -> None:
    own = plan("t", batch_size=1150, epochs=1)
    prepared = digits.prepare(own.experiment.data, 0)
    assert len(prepared.split.train) == 1150
    outcome = train(own)
    network = Network(architecture(own.experiment.model, 64, 10))
    load_tensors(network, outcome.ended["t"].initial)
    rows = prepared.split.train
    loss = torch.nn.functional.cross_entropy(
        network(torch.from_numpy(prepared.x[rows])), torch.from_numpy(prepared.y[rows])
    )
    loss.backward()
    norm = torch.cat([p.grad.reshape(-1) for p in network.parameters()]).norm().item()
    assert outcome.curve("t", "grad_norm")[0] == pytest.approx(norm, rel=1e-4)
    assert outcome.curve("t", "train_loss_running")[0] == pytest.approx(loss.item(), rel=1e-5)


def test_a_smaller_last_batch_counts_by_its_rows(train: Train) -> None:
    """At a rate of almost zero the running loss is the loss of the start, whatever the batches."""
    optimizer = {"kind": "sgd", "lr": 1e-12}
    outcome = train(
        *[plan(f"b{b}", batch_size=b, optimizer=optimizer, epochs=1) for b in (7, 100, 1149, 1150)]
    )
    losses = [outcome.curve(f"b{b}", "train_loss_running")[0] for b in (7, 100, 1149, 1150)]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-5)


def test_dropping_the_last_batch(train: Train) -> None:
    kept = train(plan("t", batch_size=1000, epochs=1))
    dropped = train(plan("t", batch_size=1000, epochs=1, last_batch="drop"))
    assert kept.progress[-1].steps == 2
    assert dropped.progress[-1].steps == 1
    assert not np.array_equal(kept.final("t"), dropped.final("t"))


def test_a_metric_of_the_users_own(train: Train) -> None:
    def top2(outputs: torch.Tensor, targets: torch.Tensor) -> float:
        best = outputs.topk(2, dim=1).indices
        return (best == targets[:, None]).any(dim=1).float().mean().item()

    plans = [plan(f"t{seed}", seed=seed, metrics=("top2",)) for seed in range(2)]
    outcome = train(*plans, metrics={"top2": top2})
    for name in ("t0", "t1"):
        assert (outcome.curve(name, "val_top2") > outcome.curve(name, "val_accuracy")).all()
        assert (outcome.curve(name, "train_top2") <= 1).all()


def test_regression_equals_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2)).astype(np.float32)
    y = x @ np.array([2.0, -3.4]) + 4.2 + 0.01 * rng.normal(size=300)
    preparation = Preparation(arrays(x, y))
    own = plan(
        "t",
        data={"source": "arrays", "scale": "none"},
        model={"kind": "linear"},
        optimizer={"kind": "sgd", "lr": 0.05},
        batch_size=10,
        epochs=20,
    )
    outcome = run_plans([own], preparation)
    np.testing.assert_allclose(outcome.ended["t"].final["head.weight"], [[2, -3.4]], atol=0.01)
    np.testing.assert_allclose(outcome.ended["t"].final["head.bias"], [4.2], atol=0.01)
    names = next(m.names for m in outcome.messages if isinstance(m, EpochMeasured))
    assert "val_loss" in names
    assert "val_accuracy" not in names
    assert outcome.progress[-1].accuracy is None


def test_progress_counts_model_steps(train: Train) -> None:
    outcome = train(*[plan(f"t{i}", seed=i) for i in range(3)])
    last = outcome.progress[-1]
    assert (last.epoch, last.epochs, last.step, last.steps, last.members) == (1, 2, 36, 36, 3)
    assert last.model_steps == 2 * 36 * 3


def test_losses_are_recorded_apart_from_the_penalty(train: Train, digits: Preparation) -> None:
    penalty = {"kind": "l1", "weight": 1e-3, "on": "all"}
    own = plan("own", penalty=penalty, epochs=2)
    outcome = train(own, plan("none"))
    final = outcome.ended["own"].final
    total = sum(np.abs(tensor.astype(np.float64)).sum() for tensor in final.values())
    assert outcome.curve("own", "penalty")[-1] == pytest.approx(1e-3 * total, rel=1e-6)
    network = module(outcome, "own", own.experiment.model, 64, 10)
    prepared = digits.prepare(own.experiment.data, 0)
    rows = prepared.split.validation
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(
            network(torch.from_numpy(prepared.x[rows])), torch.from_numpy(prepared.y[rows])
        )
    assert outcome.curve("own", "val_loss")[-1] == pytest.approx(loss.item(), rel=1e-5)
    names = [m.names for m in outcome.messages if isinstance(m, EpochMeasured) and "none" in m.rows]
    assert all("penalty" not in own_names for own_names in names)


def test_the_gradient_norm_is_that_before_clipping(train: Train) -> None:
    outcome = train(plan("free", epochs=1), plan("clipped", epochs=1, clip={"norm": 1e-9}))
    still = {"kind": "sgd", "lr": 1e-12}
    unmoved = train(plan("unmoved", epochs=1, optimizer=still))
    clipped, at_rest = (o.curve(n, "grad_norm")[0] for o, n in ((outcome, "clipped"), (unmoved, "unmoved")))
    assert clipped == pytest.approx(at_rest, rel=1e-3)


def test_smoothed_labels_are_trained_on_and_plain_ones_measured(train: Train) -> None:
    still = {"kind": "sgd", "lr": 1e-12}
    settings = {"optimizer": still, "epochs": 1}
    outcome = train(
        plan("plain", **settings),
        plan("smooth", label_smoothing=0.5, **settings),
        plan("weighted", class_weights=[5] + [1] * 9, **settings),
    )
    for name in ("smooth", "weighted"):
        assert outcome.curve(name, "val_loss")[0] == pytest.approx(outcome.curve("plain", "val_loss")[0])
        running, plain = (outcome.curve(n, "train_loss_running")[0] for n in (name, "plain"))
        assert running != pytest.approx(plain, rel=1e-6)


def positive_targets(outputs: int) -> Preparation:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)).astype(np.float32)
    y = np.exp(x @ rng.normal(size=(3, outputs)) + 3)
    return Preparation(arrays(x, y))


def test_log_rmse_is_measured_where_it_is_listed() -> None:
    preparation = positive_targets(2)
    own = plan(
        "t",
        data={"source": "arrays", "scale": "none"},
        model={"kind": "linear"},
        optimizer={"kind": "adam", "lr": 0.5},
        loss="smooth_l1",
        metrics=("log_rmse",),
        schedule={"kind": "plateau", "metric": "val_log_rmse"},
    )
    outcome = run_plans([own], preparation)
    network = module(outcome, "t", own.experiment.model, 3, 2)
    prepared = preparation.prepare(own.experiment.data, 0)
    rows = prepared.split.validation
    with torch.no_grad():
        outputs = network(torch.from_numpy(prepared.x[rows])).numpy().astype(np.float64)
    errors = np.log(np.maximum(outputs, 1)) - np.log(prepared.y[rows])
    assert outcome.curve("t", "val_log_rmse")[-1] == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-4)


def test_two_classes_on_one_logit() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4)).astype(np.float32)
    preparation = Preparation(arrays(x, (x[:, 0] + x[:, 1] > 0).astype(np.int64)))
    settings = {
        "data": {"source": "arrays", "scale": "none"},
        "model": {"kind": "linear"},
        "optimizer": {"kind": "sgd", "lr": 0.5},
        "epochs": 20,
    }
    own = plan("one", loss="binary_cross_entropy", **settings)
    outcome = run_plans([own, plan("two", **settings)], preparation)
    assert outcome.ended["one"].final["head.weight"].shape == (1, 4)
    assert outcome.curve("one", "val_accuracy")[-1] > 0.95
    network = module(outcome, "one", own.experiment.model, 4, 1)
    prepared = preparation.prepare(own.experiment.data, 0)
    rows = prepared.split.validation
    with torch.no_grad():
        logits = network(torch.from_numpy(prepared.x[rows]))[:, 0]
    labels = torch.from_numpy(prepared.y[rows])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels.float())
    assert outcome.curve("one", "val_loss")[-1] == pytest.approx(loss.item(), rel=1e-5)
    assert outcome.curve("one", "val_accuracy")[-1] == accuracy_score(labels, logits > 0)


def test_scaled_targets_train_as_if_they_had_been_given_scaled() -> None:
    preparation = positive_targets(1)
    settings = {
        "model": {"kind": "mlp", "hidden": [5]},
        "optimizer": {"kind": "adam", "lr": 0.05},
        "metrics": ("rmse", "log_rmse"),
        "epochs": 3,
    }
    trials = [
        plan(scale, data={"source": "arrays", "scale": "none", "target_scale": scale}, **settings)
        for scale in ("none", "log", "log_standardize")
    ]
    outcome = run_plans(trials, preparation)
    for own in trials:
        prepared = preparation.prepare(own.experiment.data, 0)
        given = Preparation(arrays(preparation.dataset.x, prepared.y.astype(np.float64)))
        unscaled = settings | {"data": {"source": "arrays", "scale": "none"}, "metrics": ("rmse",)}
        alone = run_plans([plan("t", **unscaled)], given)
        np.testing.assert_array_equal(outcome.final(own.identity), alone.final("t"))
        np.testing.assert_array_equal(outcome.curve(own.identity, "val_loss"), alone.curve("t", "val_loss"))
        network = module(outcome, own.identity, own.experiment.model, 3, 1)
        rows = prepared.split.validation
        with torch.no_grad():
            outputs = network(torch.from_numpy(prepared.x[rows])).double().numpy()
        if prepared.targets is not None:
            outputs = np.exp(outputs * prepared.targets.divisor + prepared.targets.shift)
        y = preparation.dataset.y[rows]
        rmse = np.sqrt(((outputs - y) ** 2).mean())
        assert outcome.curve(own.identity, "val_rmse")[-1] == pytest.approx(rmse, rel=1e-5)
        logs = np.sqrt(((np.log(np.maximum(outputs, 1)) - np.log(y)) ** 2).mean())
        assert outcome.curve(own.identity, "val_log_rmse")[-1] == pytest.approx(logs, rel=1e-4)
