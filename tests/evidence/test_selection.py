"""Choosing by validation rows and judging by test rows, against sums done by hand and by simulation."""

import numpy as np
import pytest
from scipy import stats

from ceteris.evidence.selection import Scored, select


def scored(table: dict[str, list[tuple[float, float]]]) -> list[Scored]:
    """Level -> (validation, test) accuracy per seed."""
    return [
        Scored(level, seed, 0, validation, {"test_accuracy": test})
        for level, pairs in table.items()
        for seed, (validation, test) in enumerate(pairs)
    ]


TABLE = {"a": [(0.80, 0.79), (0.70, 0.74), (0.90, 0.80)], "b": [(0.75, 0.90), (0.78, 0.90), (0.74, 0.90)]}


def test_the_best_mean_validation_score_chooses_whatever_the_test_rows_say() -> None:
    found = select(scored(TABLE), "val_accuracy", "higher", rows=100)
    assert found.chosen == "a"
    assert {level.level: level.chosen_by for level in found.levels} == {"a": 2, "b": 1}
    assert found.seeds == 3


def test_the_lowest_loss_is_the_best() -> None:
    losses = [Scored(one.level, one.seed, 0, one.validation, {}) for one in scored(TABLE)]
    assert select(losses, "val_loss", "lower", rows=100).chosen == "b"


def test_only_levels_that_may_be_chosen_are() -> None:
    found = select(scored(TABLE), "val_accuracy", "higher", rows=100, among={"b"})
    assert found.chosen == "b"
    assert {level.level: level.chosen_by for level in found.levels} == {"a": 0, "b": 3}
    with pytest.raises(ValueError, match="no trial has a finite val_accuracy"):
        select(scored(TABLE), "val_accuracy", "higher", rows=100, among=())


def test_means_have_the_t_interval_of_scipy_and_the_error_of_sampling() -> None:
    level = select(scored(TABLE), "val_accuracy", "higher", rows=100).levels[0]
    tests = [test for _, test in TABLE["a"]]
    mean = level.test["test_accuracy"]
    low, high = stats.t.interval(0.95, 2, np.mean(tests), stats.sem(tests))
    assert (mean.mean, mean.low, mean.high) == pytest.approx((np.mean(tests), low, high))
    assert mean.sampling_error == pytest.approx(np.sqrt(mean.mean * (1 - mean.mean) / 100))


def test_flattery_is_of_what_each_seed_chooses() -> None:
    found = select(scored(TABLE), "val_accuracy", "higher", rows=100)
    assert found.flattery is not None
    assert found.flattery.mean == pytest.approx(np.mean([0.80 - 0.79, 0.78 - 0.90, 0.90 - 0.80]))


def test_folds_of_a_seed_are_averaged() -> None:
    folds = [Scored("a", 0, fold, value, {"test_loss": 2 * value}) for fold, value in enumerate([0.1, 0.3])]
    (level,) = select(folds, "val_loss", "lower", rows=10).levels
    assert level.validation is not None
    assert level.validation.mean == pytest.approx(0.2)
    assert level.validation.low is None
    assert level.test["test_loss"].mean == pytest.approx(0.4)


def test_a_seed_of_which_a_level_is_missing_has_no_choice() -> None:
    found = select(scored(TABLE)[:-1], "val_accuracy", "higher", rows=100)
    assert found.seeds == 2


def test_without_a_finite_score_there_is_no_choice() -> None:
    with pytest.raises(ValueError, match="no trial has a finite val_loss"):
        select([Scored("a", 0, 0, float("nan"), {})], "val_loss", "lower", rows=10)


def test_more_equal_candidates_flatter_more() -> None:
    """Levels that are all alike: the best of k validation scores exceeds the truth as k grows."""
    rng = np.random.default_rng(0)

    def flattery(levels: int) -> float:
        trials = [
            Scored(str(level), seed, 0, rng.normal(0.8, 0.01), {"test_accuracy": rng.normal(0.8, 0.01)})
            for level in range(levels)
            for seed in range(200)
        ]
        found = select(trials, "val_accuracy", "higher", rows=1000).flattery
        assert found is not None
        return found.mean

    expected = float(np.mean(np.max(rng.normal(0, 0.01, (4000, 40)), axis=1)))
    assert flattery(1) == pytest.approx(0, abs=0.003)
    assert flattery(40) == pytest.approx(expected, abs=0.003)
