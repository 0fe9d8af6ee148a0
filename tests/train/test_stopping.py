"""Early stopping, per member, with the weights of the best epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ceteris.data import arrays
from ceteris.data.preparation import Preparation
from ceteris.spec.experiment import Experiment
from ceteris.train.stopping import EarlyStops

from .runs import Train, plan, run_plans


def watching(values: list[float], **rule: Any) -> tuple[int | None, int]:
    """Show a curve to a rule: the epoch (from 1) at which it stops, and the epoch whose weights are best."""
    one = Experiment(data="digits", model="linear", early_stopping=rule)
    stops, active = EarlyStops([one]), np.ones(1, dtype=np.bool_)
    metric, now = rule.get("metric", "val_loss"), (np.zeros(1), np.zeros(0))
    for epoch, value in enumerate(values, 1):
        now = np.full(1, float(epoch)), np.zeros(0)
        if stops.see({metric: np.array([value])}, now[0][None], now[1][None], active)[0]:
            return epoch, int(stops.best(0, now)[0][0])
    return None, int(stops.best(0, now)[0][0])


@pytest.mark.parametrize(
    ("values", "rule", "expected"),
    [
        ([3, 2, 1, 2, 2, 2], {"patience": 2}, (5, 3)),
        ([3, 2, 1, 2, 0.5, 2], {"patience": 2}, (None, 5)),
        ([3, 2, 1], {"patience": 1}, (None, 3)),
        ([1, 1, 1], {"patience": 2}, (3, 1)),
        ([3, 2.9, 2.8, 2.7], {"patience": 2, "min_delta": 0.15}, (None, 3)),
        ([3, 2.9, 2.8, 2.7], {"patience": 2, "min_delta": 0.5}, (3, 1)),
        ([0.5, 0.6, 0.55, 0.5], {"patience": 1, "metric": "val_accuracy"}, (3, 2)),
        ([1, float("nan"), float("nan")], {"patience": 2}, (3, 1)),
        ([1, 2, 3, 4], {}, (None, 4)),
        ([3, 2, 1, 0.5], {"target": 1}, (3, 3)),
        ([3, 2, 1.5], {"target": 1}, (None, 3)),
        ([0.5, 0.7, 0.65, 0.9], {"target": 0.65, "metric": "val_accuracy"}, (2, 2)),
        ([float("nan"), 2], {"target": 1}, (None, 2)),
        ([3, 2, 1.5, 1.26, 1], {"min_change": 0.25}, (4, 4)),
        ([3, 2, 2.2, 1], {"min_change": 0.25}, (3, 3)),
        ([1, 2, 1, 2], {"min_change": 1}, (None, 4)),
        ([0.5, 0.7, 0.69], {"min_change": 0.1, "metric": "train_accuracy"}, (3, 3)),
        ([3, 2, 2.1, 0.5], {"patience": 2, "target": 1}, (4, 4)),
        ([3, 1, 2, 2.01], {"patience": 9, "min_change": 0.1}, (4, 2)),
    ],
)
def test_when_a_rule_stops_and_which_epoch_is_best(
    values: list[float], rule: dict[str, Any], expected: tuple[int | None, int]
) -> None:
    assert watching(values, **rule) == expected


@pytest.fixture(scope="module")
def overfitting() -> Preparation:
    """Few rows with labels that say nothing: the validation loss rises soon."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 10)).astype(np.float32)
    return Preparation(arrays(x, rng.integers(3, size=120)))


SETTINGS: dict[str, Any] = {
    "data": {"source": "arrays", "scale": "none"},
    "model": {"kind": "mlp", "hidden": [32], "batch_norm": True},
    "optimizer": {"kind": "adam", "lr": 0.01},
    "epochs": 30,
}


def test_a_member_stops_by_itself_with_the_weights_of_its_best_epoch(overfitting: Preparation) -> None:
    stopping = plan("stops", **SETTINGS, early_stopping={"patience": 3})
    through = plan("through", **SETTINGS)
    outcome = run_plans([through, stopping], overfitting)
    whole, part = outcome.curve("through", "val_loss"), outcome.curve("stops", "val_loss")
    best = int(np.argmin(part))
    assert len(part) == best + 1 + 3 < len(whole) == 30
    assert np.array_equal(part, whole[: len(part)]), "until then nothing differs"
    assert outcome.ended["stops"].status == "finished"
    until_best = plan("best", **(SETTINGS | {"epochs": best + 1}))
    assert np.array_equal(outcome.final("stops"), run_plans([until_best], overfitting).final("best"))


def test_a_member_that_trains_to_the_end_hands_out_its_best_epoch_too(overfitting: Preparation) -> None:
    patient = plan("t", **SETTINGS, early_stopping={"patience": 1000})
    outcome = run_plans([patient], overfitting)
    curve = outcome.curve("t", "val_loss")
    assert len(curve) == 30
    until_best = plan("best", **(SETTINGS | {"epochs": int(np.argmin(curve)) + 1}))
    assert np.array_equal(outcome.final("t"), run_plans([until_best], overfitting).final("best"))


def test_a_member_that_stops_changes_no_bit_of_the_others(overfitting: Preparation, train: Train) -> None:
    others = [plan(f"o{i}", seed=i, **SETTINGS) for i in range(3)]
    stopping = [plan(f"s{i}", seed=i, **SETTINGS, early_stopping={"patience": i + 1}) for i in range(3)]
    together = run_plans([*others, *stopping], overfitting)
    alone = run_plans(others, overfitting)
    for one in others:
        assert np.array_equal(together.final(one.identity), alone.final(one.identity))
    for one in stopping:
        assert np.array_equal(together.final(one.identity), run_plans([one], overfitting).final(one.identity))


def test_initial_weights_beyond_all_numbers_diverge_at_once(train: Train) -> None:
    model = {"kind": "mlp", "hidden": [4], "init": {"kind": "normal", "std": 1e39}}
    ended = train(plan("huge", model=model)).ended["huge"]
    assert (ended.status, ended.diverged_step) == ("diverged", 0)
