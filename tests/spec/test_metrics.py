"""Which values of a metric are the better ones."""

import pytest

from ceteris.errors import CeterisError
from ceteris.spec.data import DataSpec
from ceteris.spec.experiment import Experiment
from ceteris.spec.metrics import direction
from ceteris.spec.model import LinearModel
from ceteris.spec.parse import parse_study

from .sources import refusal, small, with_experiment

LOWER = [
    "val_loss",
    "train_loss_running",
    "gap_accuracy",
    "gap_loss",
    "val_mae",
    "train_rmse",
    "val_log_rmse",
]
LOWER += ["val_mean_absolute_error", "val_brier"]
HIGHER = [
    "val_accuracy",
    "val_f1",
    "train_macro_f1",
    "val_auc",
    "val_top2",
    "val_r2",
    "val_balanced_accuracy",
]
UNKNOWN = ["val_second_guess", "val_f1_loss", "lr", "grad_norm", "std/head.weight", "penalty", "val_margin"]


@pytest.mark.parametrize(
    ("better", "metrics"), [("lower", LOWER), ("higher", HIGHER), (None, UNKNOWN)], ids=str
)
def test_the_name_tells_which_values_are_better(better, metrics):
    assert {metric: direction(metric) for metric in metrics} == dict.fromkeys(metrics, better)


def test_what_is_stated_counts_for_both_splits_and_over_the_name():
    assert direction("val_thing", {"thing": "lower"}) == "lower"
    assert direction("train_thing", {"thing": "lower"}) == "lower"
    assert direction("val_score", {"score": "lower"}) == "lower"
    assert direction("grad_norm", {"grad_norm": "lower"}) == "lower"


@pytest.mark.parametrize("at", [{"at": "best"}, {"at": "epochs_until", "reach": 1}])
def test_claims_about_best_values_need_a_direction(at):
    claim = {"text": "a", "metric": "val_thing", "less": [0.1, 0.01], **at}
    study = with_experiment(metrics=["thing"]) | {"claims": [claim]}
    assert refusal(study) == [
        f"claims.0.metric: with `at: {at['at']}`, whether a lower or a higher `val_thing` is better is not "
        "known; say it in the experiment: `better: {thing: lower}` or `better: {thing: higher}`"
    ]
    study["experiment"]["better"] = {"thing": "lower"}
    assert parse_study(study).study.experiment.better == {"thing": "lower"}


def test_a_direction_given_beside_the_study():
    claim = {"text": "a", "metric": "val_thing", "at": "best", "less": [0.1, 0.01]}
    parsed = parse_study(small(claims=[claim]), metrics=["thing"], better={"thing": "higher"})
    assert parsed.study.experiment.better == {"thing": "higher"}


def test_wrong_directions():
    assert refusal(with_experiment(better={"thing": "up"})) == [
        "experiment.better.thing: there is no direction `up` (known: lower, higher)"
    ]
    assert "which `loss` is better is known" in refusal(with_experiment(better={"loss": "higher"}))[0]


@pytest.mark.parametrize("part", [{"early_stopping": {"patience": 2}}, {"schedule": {"kind": "plateau"}}])
def test_what_watches_a_metric_needs_its_direction(part):
    settings = {name: {**value, "metric": "val_thing"} for name, value in part.items()}
    base = {"data": DataSpec(source="digits"), "model": LinearModel(), "metrics": ["thing"], **settings}
    with pytest.raises(CeterisError, match="whether a lower or a higher `val_thing` is better is not known"):
        Experiment(**base)
    assert Experiment(**base, better={"thing": "lower"}).better == {"thing": "lower"}
