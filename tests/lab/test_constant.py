"""What a constant would reach, against scikit-learn's dummies and torch's losses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error

from ceteris.data import arrays
from ceteris.data.split import split_rows
from ceteris.lab.constant import constant_for_classes, constant_for_numbers, constants_of
from ceteris.spec.combine import combinations
from ceteris.spec.experiment import Experiment
from ceteris.spec.folds import Folds
from tests.lab.made import small_study

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(90, 2))
CLASSES = arrays(X, RANDOM.choice(3, 90, p=[0.5, 0.3, 0.2]), name="pets")
PRICES = arrays(X, np.exp(RANDOM.normal(12, 0.5, 90)), name="prices")
TRAIN, VALIDATION = np.arange(60), np.arange(60, 90)


def experiment(**more: object) -> Experiment:
    return Experiment.model_validate({"data": "arrays", "model": "linear", **more})


def test_shares_of_classes_are_scikit_learns() -> None:
    found = constant_for_classes(experiment(), CLASSES, "cross_entropy", TRAIN, VALIDATION)
    prior = DummyClassifier(strategy="prior").fit(X[TRAIN], CLASSES.y[TRAIN])
    labels = CLASSES.y[VALIDATION]
    assert found["val_accuracy"] == accuracy_score(labels, prior.predict(X[VALIDATION]))
    assert found["val_loss"] == pytest.approx(log_loss(labels, prior.predict_proba(X[VALIDATION])))


def test_a_class_that_no_training_row_has_costs_a_finite_loss() -> None:
    rows = arrays(X[:4], np.array([0, 0, 1, 1]))
    found = constant_for_classes(experiment(), rows, "cross_entropy", np.arange(2), np.arange(2, 4))
    assert found == {"val_loss": pytest.approx(-np.log(0.5 / 2.5)), "val_accuracy": 0.0}


@pytest.mark.parametrize(
    ("loss", "torchs"),
    [
        ("mse", torch.nn.MSELoss()),
        ("l1", torch.nn.L1Loss()),
        ("smooth_l1", torch.nn.SmoothL1Loss(beta=0.3)),
        ("huber", torch.nn.HuberLoss(delta=0.3)),
    ],
)
def test_numbers_are_scored_as_torch_does(loss: str, torchs: torch.nn.Module) -> None:
    spec = experiment(data={"source": "arrays", "target_scale": "log"}, loss_beta=0.3)
    found = constant_for_numbers(spec, PRICES, loss, TRAIN, VALIDATION)
    logs = torch.from_numpy(np.log(PRICES.y)).float().double()
    centre = logs[TRAIN].mean() if loss == "mse" else logs[TRAIN].quantile(0.5)
    expected = torchs(centre.expand(len(VALIDATION)), logs[VALIDATION])
    assert found == {"val_loss": pytest.approx(float(expected))}


def test_metrics_are_in_the_targets_own_units() -> None:
    listed = {"metrics": ["rmse", "log_rmse"]}
    mean = DummyRegressor().fit(X[TRAIN], PRICES.y[TRAIN]).predict(X[VALIDATION])
    found = constant_for_numbers(experiment(**listed), PRICES, "mse", TRAIN, VALIDATION)
    assert found["val_rmse"] ** 2 == pytest.approx(mean_squared_error(PRICES.y[VALIDATION], mean))
    logs = np.log(PRICES.y)
    spec = experiment(data={"source": "arrays", "target_scale": "log_standardize"}, **listed)
    found = constant_for_numbers(spec, PRICES, "mse", TRAIN, VALIDATION)
    assert found["val_log_rmse"] == pytest.approx(
        np.sqrt(np.mean((logs[VALIDATION] - logs[TRAIN].mean()) ** 2)), rel=1e-5
    )


def test_levels_are_averaged_over_the_splits_of_their_seeds_and_folds() -> None:
    study = small_study(data="arrays", vary={"loss": ["mse", "l1"]}).study
    found = combinations(study)
    folds = Folds(k=3, kind="plain")
    told = constants_of(found, {"arrays": PRICES}, (0, 1), folds)
    assert [own["predicts"] for own in told.values()] == [
        "the mean of the training targets",
        "the median of the training targets",
    ]
    each = []
    for seed in (0, 1):
        for fold in range(3):
            split = split_rows(PRICES, found[0].experiment.data, seed, fold, folds)
            each.append(((PRICES.y[split.validation] - PRICES.y[split.train].mean()) ** 2).mean())
    assert told["mse"]["val_loss"] == pytest.approx(np.mean(each))


def test_without_validation_rows_there_is_nothing_to_tell() -> None:
    study = small_study(data={"source": "arrays", "validation": 0}).study
    assert constants_of(combinations(study), {"arrays": PRICES}, (0,), None) == {}
