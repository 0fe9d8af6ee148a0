"""What the report's figures are drawn from, against what the records say of the same networks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import ceteris
from ceteris.api.figures import extras_of
from ceteris.api.fits import fits_of
from ceteris.api.result import Result
from ceteris.data import load
from ceteris.data.split import split_rows
from ceteris.report.extras import Extras
from ceteris.spec.data import DataSpec

TRUTH = [5.0, 1.2, -3.4, 5.6]


@pytest.fixture(scope="module")
def polynomial(runs_dir: Path) -> Result:
    """Linear networks on two and four features, as they are and standardised, for two seeds."""
    experiment = ceteris.Experiment(
        data={"source": "polynomial", "scale": "none"},
        model={"kind": "linear"},
        loss="mse",
        optimizer={"kind": "sgd", "lr": 0.01},
        epochs=2,
        penalty={"kind": "l2", "weight": 0.25},
        probes={"grid": {"epochs": [0, 2]}, "histograms": "last"},
    )
    factors = {"data.parameters.features": [2, 4], "data.scale": ["none", "standardize"]}
    return ceteris.run(ceteris.vary(experiment, factors, seeds=2), runs_dir=runs_dir, progress=False)


@pytest.fixture(scope="module")
def extras(polynomial: Result) -> Extras:
    return extras_of(polynomial.run)


def level(features: int, scale: str) -> str:
    return f"data.parameters.features={features}, data.scale={scale}"


def test_parameters_are_those_of_the_networks(result: Result, polynomial: Result, extras: Extras) -> None:
    for found, counts in ((polynomial, extras.parameters), (result, extras_of(result.run).parameters)):
        for trial in found.trials:
            assert counts[trial.level] == sum(own.numel() for own in trial.network().parameters())


def test_predictions_for_the_validation_rows_give_the_recorded_loss(
    polynomial: Result, extras: Extras
) -> None:
    assert [(one.level, one.seed, one.validated) for one in extras.predicted] == [
        (level(features, scale), 0, True) for features in (2, 4) for scale in ("none", "standardize")
    ]
    for one in extras.predicted:
        recorded = polynomial.trial(one.level, seed=0).metrics["val_loss"]
        assert np.square(one.targets - one.predictions).mean() == pytest.approx(recorded, rel=1e-5)


def test_coefficients_are_as_far_from_the_truth_as_recorded(polynomial: Result, extras: Extras) -> None:
    found = {one.level: one for one in extras.coefficients}
    for features in (2, 4):
        one = found[level(features, "none")]
        assert one.names == tuple(f"w{k + 1}" for k in range(features))
        assert list(one.truth) == TRUTH[:features]
        recorded = [polynomial.trial(one.level, seed).metrics["weight_error"] for seed in range(2)]
        assert np.abs(one.learned - one.truth).max(axis=1) == pytest.approx(recorded, rel=1e-6)


def test_coefficients_of_scaled_inputs_are_told_for_the_inputs_as_they_are(
    polynomial: Result, extras: Extras
) -> None:
    found = {one.level: one for one in extras.coefficients}
    x = load('polynomial?{"features": 4}').x
    for seed in range(2):
        trial = polynomial.trial(level(4, "standardize"), seed)
        with torch.no_grad():
            outputs = trial.network()(trial.prepare(x)).numpy()[:, 0]
        constant = outputs - x @ found[trial.level].learned[seed]  # the bias in the units of the data
        assert constant == pytest.approx(constant[0], abs=1e-4)


def test_fitted_curves_are_the_recorded_ones_and_networks_that_were_kept_give_the_same(
    polynomial: Result, extras: Extras, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = {(fit.level, fit.seed, fit.epoch): fit for fit in extras.fits}
    assert len(recorded) == 4 * 2 * 2
    monkeypatch.setattr("ceteris.records.probed.fitted_curves", lambda run: ())
    kept = list(fits_of(polynomial.run))
    assert {(fit.level, fit.seed, fit.epoch) for fit in kept} == set(recorded)
    for fit in kept:
        same = recorded[fit.level, fit.seed, fit.epoch]
        assert fit.x == pytest.approx(same.x)
        assert fit.y == pytest.approx(same.y, abs=1e-4)


def test_the_rows_behind_a_fit_are_training_rows(polynomial: Result, extras: Extras) -> None:
    dataset = load("polynomial")
    split = split_rows(dataset, DataSpec(source="polynomial"), seed=0)
    assert extras.fit_rows is not None
    assert extras.fit_rows.x == pytest.approx(dataset.x[split.train][:, 1])
    assert extras.fit_rows.y == pytest.approx(dataset.y[split.train], rel=1e-6)


def test_contours_of_loss_and_penalty_along_two_weights_are_those_of_the_formula(polynomial: Result) -> None:
    names = ["head.weight[0,0]", "head.weight[0,1]"]
    one = polynomial.landscape(level(4, "none"), names, points=5).slices[0]
    trial = polynomial.trial(one.level, one.seed)
    weights = trial.weights()
    assert one.at == pytest.approx(tuple(weights["head.weight"][0, :2]))
    own = np.array([one.a[1], one.b[3], *weights["head.weight"][0, 2:]], dtype=np.float64)
    assert one.penalty[3][1] == pytest.approx(0.25 * np.square(own).sum(), rel=1e-5)
    dataset = load('polynomial?{"features": 4}')
    rows = split_rows(dataset, DataSpec(source="polynomial"), seed=0).validation
    errors = dataset.x[rows] @ own + weights["head.bias"][0] - dataset.y[rows]
    assert one.validation[3][1] == pytest.approx(np.square(errors).mean(), rel=1e-4)


def test_classes_have_neither(result: Result) -> None:
    found = extras_of(result.run)
    assert found.predicted == found.coefficients == ()


def test_a_data_set_that_is_too_large_is_not_read_once_more(
    polynomial: Result, extras: Extras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ceteris.api.regression.MOST_READ", 200 * 4 - 1)
    found = extras_of(polynomial.run)
    assert found.predicted == ()
    assert found.fit_rows is None
    assert len(found.fits) == len(extras.fits)  # these are on record


def test_without_the_weights_the_report_does_without_the_figures(polynomial: Result, tmp_path: Path) -> None:
    moved = replace(polynomial.run, folder=tmp_path / "nowhere" / polynomial.id)
    found = extras_of(moved)
    assert found.predicted == found.coefficients == ()
    assert set(found.parameters.values()) == {3, 5}  # known from the record alone


def test_the_report_has_all_of_them(polynomial: Result) -> None:
    page = polynomial.report().read_text(encoding="utf-8")
    for section in ("capacity", "fits", "histograms", "residuals", "coefficients"):
        assert f'<section id="{section}"' in page
