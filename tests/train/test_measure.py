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
