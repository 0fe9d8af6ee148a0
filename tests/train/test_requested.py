"""Histograms, fitted curves, confusion counts: against NumPy, scikit-learn and plain networks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix
from torch import Tensor

from ceteris.data import load
from ceteris.data.preparation import Preparation
from ceteris.data.synthetic import polynomial_features
from ceteris.nets.architecture import architecture
from ceteris.nets.module import Network, load_tensors
from ceteris.train.loop import train_cohort
from ceteris.train.messages import ArraysMeasured, TrialEnded
from ceteris.train.requested import BINS, histogram

from .runs import Outcome, Train, cohorts, plan
from .test_probes import ENGINES, watched

ALL: dict[str, Any] = {"histograms": "all", "confusion": "all"}
MODEL: dict[str, Any] = {"kind": "mlp", "hidden": [12, 7], "batch_norm": True, "dropout": 0.2}


def arrays(outcome: Outcome, identity: str) -> dict[tuple[int, str, str], np.ndarray]:
    """Return what was measured of a trial by epoch, kind and name."""
    found = [m for m in outcome.messages if isinstance(m, ArraysMeasured) and identity in m.rows]
    return {(m.epoch, *name): array for m in found for name, array in m.rows[identity].items()}


def final_network(outcome: Outcome, identity: str, preparation: Preparation, **settings: Any) -> Network:
    experiment = plan(identity, **settings).experiment
    outputs = len(preparation.dataset.classes) or 1
    network = Network(architecture(experiment.model, preparation.dataset.features, outputs))
    load_tensors(network, outcome.ended[identity].final)
    return network.eval()


def same_bits(one: dict[Any, np.ndarray], other: dict[Any, np.ndarray]) -> None:
    assert list(one) == list(other)
    for name, array in one.items():
        assert array.dtype == other[name].dtype
        assert array.tobytes() == other[name].tobytes(), name


@pytest.mark.parametrize("name", ENGINES)
def test_histograms_and_confusions_are_those_of_the_network(
    name: str, digits: Preparation, train: Train
) -> None:
    settings = {"model": MODEL, "probes": {"histograms": "last", "confusion": "last"}, "epochs": 1}
    outcome = train(plan("a", **settings), plan("b", seed=1), engine=lambda s, k, d: ENGINES[name](s, k))
    assert arrays(outcome, "b") == {}
    found = arrays(outcome, "a")
    for tensor, values in outcome.ended["a"].final.items():
        if "running" in tensor:
            continue
        counts, edges = np.histogram(values.astype(np.float64), BINS)
        np.testing.assert_array_equal(found[1, "parameter", tensor], [edges, [*counts, 0]])
    network = final_network(outcome, "a", digits, **settings)
    kept: dict[str, Tensor] = {}
    watched(network, kept)
    prepared = digits.prepare(plan("a").experiment.data, 0)
    rows = prepared.split.validation
    x = torch.from_numpy(prepared.x)
    with torch.no_grad():
        predicted = network(x[rows]).argmax(dim=1)
        network(x[rows[::2]])  # 287 rows: more than are looked at, so every second one
    assert len(rows[::2]) <= 256 < len(rows)
    np.testing.assert_array_equal(
        found[1, "confusion", ""], confusion_matrix(prepared.y[rows], predicted, labels=range(10))
    )
    assert list(kept) == ["hidden.0", "hidden.1"]
    for layer, own in kept.items():
        edges, counts = found[1, "activation", layer]
        assert counts.sum() == own.numel()
        np.testing.assert_allclose(edges[[0, -1]], [own.min(), own.max()], rtol=1e-5)
        expected = np.histogram(own.numpy().astype(np.float64), edges)[0]
        assert np.abs(expected - counts[:-1]).sum() <= 4  # what rounds to the other side of an edge


def test_nothing_that_is_asked_for_changes_what_is_trained(train: Train) -> None:
    plain, asking = train(plan("a", model=MODEL)), train(plan("a", model=MODEL, probes=ALL))
    assert plain.final("a").tobytes() == asking.final("a").tobytes()
    for name in ("train_loss", "val_loss", "dead/hidden.0", "grad_norm"):
        assert plain.curve("a", name).tobytes() == asking.curve("a", name).tobytes()
    assert arrays(plain, "a") == {}


@pytest.mark.parametrize("model", [MODEL, {"kind": "cnn", "convolutions": [3], "hidden": [5]}])
def test_what_is_measured_of_a_member_does_not_depend_on_its_neighbours(
    model: dict[str, Any], train: Train
) -> None:
    small = {"model": model, "data": {"source": "digits", "rows": 300}, "epochs": 1}
    own = plan("a", seed=1, probes=ALL, **small)
    others = [plan("b", probes={"histograms": "last"}, **small), plan("c", seed=1, **small)]
    alone, among = arrays(train(own), "a"), arrays(train(*others, own), "a")
    assert {epoch for epoch, _, _ in alone} == {0, 1}
    same_bits(alone, among)


def test_a_list_of_epochs_and_the_last_one_of_a_trial_that_stops(train: Train) -> None:
    stops = {"patience": 1, "min_delta": 1.0}
    outcome = train(
        plan("stops", probes={"histograms": "last"}, epochs=5, early_stopping=stops),
        plan("listed", probes={"histograms": [0, 3, 9]}, epochs=5),
        plan("all", probes={"histograms": "all"}, epochs=5, early_stopping=stops),
    )
    assert {epoch for epoch, _, _ in arrays(outcome, "listed")} == {0, 3}
    reached = len(outcome.curve("stops", "val_loss"))
    assert reached < 5
    assert {epoch for epoch, _, _ in arrays(outcome, "stops")} == {reached}
    assert {epoch for epoch, _, _ in arrays(outcome, "all")} == set(range(reached + 1))


@pytest.mark.parametrize("scale", ["none", "standardize"])
def test_a_fitted_curve_is_what_the_network_makes_of_a_grid(scale: str, train: Train) -> None:
    sine = Preparation(load("sine"))
    settings = {"data": {"source": "sine", "scale": scale}, "loss": "mse", "epochs": 3, "batch_size": 8}
    own = plan("a", seed=1, probes={"grid": {"points": 30, "epochs": [0, 3]}}, **settings)
    short = plan("b", probes={"grid": {"points": 4, "epochs": "last"}}, **settings)
    plain = plan("c", seed=1, **settings)
    outcome = train(own, short, plain, preparation=sine)
    assert outcome.final("a").tobytes() == outcome.final("c").tobytes()
    assert arrays(outcome, "b")[3, "grid", ""].shape == (2, 4)
    assert {epoch for epoch, _, _ in arrays(outcome, "a")} == {0, 3}
    x, y = arrays(outcome, "a")[3, "grid", ""]
    prepared = sine.prepare(own.experiment.data, 1)
    rows = sine.dataset.x[prepared.split.train, 0]
    np.testing.assert_array_equal(x, np.linspace(rows.min(), rows.max(), 30))
    inputs = (x - prepared.fitted["shift"]) / prepared.fitted["divisor"]
    network = final_network(outcome, "a", sine, **settings)
    with torch.no_grad():
        expected = network(torch.tensor(inputs.reshape(-1, 1), dtype=torch.float32))[:, 0]
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-6)
    same_bits(arrays(outcome, "a"), arrays(train(own, preparation=sine), "a"))


@pytest.mark.parametrize("name", ["modules", "tensors"])
def test_a_polynomial_is_drawn_along_the_x_behind_its_features(name: str, train: Train) -> None:
    polynomial = Preparation(load("polynomial"))
    settings = {
        "data": {"source": "polynomial", "scale": "none"},
        "model": {"kind": "linear", "bias": False},
        "loss": "mse",
        "optimizer": {"kind": "sgd", "lr": 0.01},
        "epochs": 2,
    }
    own = plan("a", probes={"grid": {"epochs": "last"}}, **settings)
    outcome = train(own, preparation=polynomial, engine=lambda s, k, d: ENGINES[name](s, k))
    x, y = arrays(outcome, "a")[2, "grid", ""]
    rows = polynomial.prepare(own.experiment.data, 0).split.train
    powers = polynomial.dataset.x[rows, 1]  # x^1 / 1!
    assert (x[0], x[-1], len(x)) == (powers.min(), powers.max(), 100)
    weights = outcome.ended["a"].final["head.weight"][0]
    np.testing.assert_allclose(y, polynomial_features(x, 4) @ weights, rtol=1e-4, atol=1e-5)


def test_training_that_goes_on_measures_what_is_left(digits: Preparation, train: Train) -> None:
    own = plan("a", probes={"histograms": [0, 1, 2]}, epochs=2)
    whole = Outcome()
    (cohort,) = cohorts([own], digits)
    train_cohort(cohort, digits, emit=whole.messages.append, keep=whole.keep, checkpoint_seconds=0.0)
    rest = Outcome()
    train_cohort(replace(cohort, begin=1), digits, emit=rest.messages.append, begun=whole.states(1))
    late = {name: array for name, array in arrays(whole, "a").items() if name[0] == 2}
    same_bits(late, arrays(rest, "a"))
    # Everything that a trial has is told before its end.
    kinds = [type(message) for message in whole.messages]
    assert kinds.index(TrialEnded) > max(i for i, kind in enumerate(kinds) if kind is ArraysMeasured)


def test_a_histogram_counts_what_is_not_finite_apart() -> None:
    edges, counts = histogram(np.array([1.0, 3.0, np.nan, np.inf, -np.inf], dtype=np.float32))
    assert (edges[0], edges[-1]) == (1.0, 3.0)
    assert (counts[0], counts[BINS - 1], counts[BINS], counts.sum()) == (1, 1, 3, 5)
    edges, counts = histogram(np.full(5, 2.0))
    assert (edges[0], edges[-1], counts.sum(), counts[BINS]) == (1.5, 2.5, 5, 0)
    tiny = np.float32(1) + np.array([0, 1], dtype=np.float32) * np.finfo(np.float32).eps
    assert list(histogram(tiny)[1][[0, BINS - 1]]) == [1, 1]
    assert histogram(np.array([np.nan]))[1].tolist() == [0.0] * BINS + [1.0]
