"""What a search found, against sums done by hand, brute force, and candidates that differ by luck alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ceteris.evidence.searched import SearchSummary, choosing_alone, left_out, summarise_search
from ceteris.records.views import TrialRecord
from ceteris.spec.combine import combinations
from ceteris.spec.parse import parse_study
from ceteris.spec.study import Factor, Level, Study

RATES = (0.1, 0.01, 0.001)


def searched(values: Any, *, metric: str = "val_loss", folds: int | None = None, **search: Any) -> Any:
    """Return the study of a search over rates, and its trials; ``values``: (rates, units), None for lost."""
    base = {
        "experiment": {"data": "digits", "model": {"kind": "mlp", "hidden": [4]}, "epochs": 3},
        "search": {"space": {"optimizer.lr": {"log": [1e-4, 1]}}, "metric": metric, "trials": 3, **search},
        "seeds": 1 if folds else len(values[0]),
        "folds": folds,
    }
    rows = [{"optimizer.lr": f"{rate:g}"} for rate in RATES[: len(values)]]
    levels = [Level(label=f"{rate:g}", patch={"optimizer.lr": rate}) for rate in RATES[: len(values)]]
    study = parse_study(base).study.model_copy(
        update={"vary": (Factor(name="optimizer.lr", levels=tuple(levels)),), "combine": tuple(rows)}
    )
    return study, [t for n, own in enumerate(values) for t in trials_of(study, n, own, metric, bool(folds))]


def trials_of(study: Study, number: int, values: Any, metric: str, folded: bool) -> list[TrialRecord]:
    found = combinations(study)[number]
    return [
        TrialRecord(
            identity=f"{found.label}/{unit}",
            level=found.label,
            coordinates=found.coordinates,
            seed=0 if folded else unit,
            fold=unit if folded else 0,
            status="finished" if value is not None else "diverged",
            diverged_step=None if value is not None else 3,
            curves={name: np.array([9.0, 9.0, value or 9.0]) for name in ("train_loss", metric)},
            seconds=1.0,
            experiment=found.experiment.model_dump(mode="json"),
        )
        for unit, value in enumerate(values)
    ]


def summary(values: Any, **options: Any) -> SearchSummary:
    found = summarise_search(*searched(values, **options))
    assert found is not None
    return found


TABLE = [[0.5, 0.6, 0.4], [0.3, 0.9, 0.2], [None, 0.1, 0.1]]


def test_candidates_are_ranked_and_one_that_was_lost_once_is_worst() -> None:
    found = summary(TABLE)
    assert found.best == "0.01"
    assert [candidate.level for candidate in found.ranked()] == ["0.01", "0.1", "0.001"]
    first, second, lost = found.candidates
    assert (lost.score, lost.lost, lost.behind) == (None, 1, None)
    assert first.score is not None
    low, high = stats.t.interval(0.95, 2, 0.5, stats.sem([0.5, 0.6, 0.4]))
    assert (first.score.mean, first.score.low, first.score.high) == pytest.approx((0.5, low, high))
    assert first.behind is not None
    assert first.behind.mean == pytest.approx(np.mean([0.2, -0.3, 0.2]))
    assert second.behind is None
    assert [candidate.chosen_by for candidate in found.candidates] == [0, 1, 2]
    assert first.values == {"optimizer.lr": 0.1}


def test_accuracies_are_better_higher_and_their_intervals_stay_between_0_and_1() -> None:
    found = summary([[0.99, 0.8], [0.7, 0.6], [0.5, 0.9]], metric="val_accuracy")
    assert [candidate.level for candidate in found.ranked()] == ["0.1", "0.001", "0.01"]
    score = found.candidates[0].score
    assert score is not None
    assert score.high == 1.0
    assert [reading.candidates for reading in found.readings] == [1, 2, 3]
    # left out in turn, each seed chooses for the other: 0.99 (judged 0.8) and 0.9 (judged 0.5)
    assert found.readings[-1].read == pytest.approx((0.99 + 0.9) / 2)
    assert found.readings[-1].judged == pytest.approx((0.8 + 0.5) / 2)
    assert found.optimism is not None
    assert found.optimism.mean == pytest.approx((0.99 + 0.9) / 2 - (0.8 + 0.5) / 2)


def test_folds_of_one_seed_are_units_whose_dependence_widens_the_interval() -> None:
    by_seeds, by_folds = summary(TABLE[:2]), summary(TABLE[:2], folds=3)
    assert (by_seeds.unit, by_folds.unit, by_folds.units) == ("seeds", "folds", 3)
    wide, narrow = by_folds.candidates[0].score, by_seeds.candidates[0].score
    assert wide is not None
    assert narrow is not None
    assert wide.high is not None
    assert narrow.high is not None
    # (1/3 + 1/2) in place of 1/3: Nadeau and Bengio
    ratio = (wide.high - wide.mean) / (narrow.high - narrow.mean)
    assert ratio == pytest.approx(math.sqrt((1 / 3 + 1 / 2) * 3))


def test_one_seed_has_no_intervals_and_does_not_know_how_much_it_flatters() -> None:
    found = summary([[0.5], [0.3], [0.9]])
    assert found.optimism is None
    assert found.readings == ()
    assert found.best == "0.01"
    assert found.candidates[0].score is not None
    assert found.candidates[0].score.low is None


def test_a_search_that_is_under_way_tells_of_candidates_that_have_ended() -> None:
    study, trials = searched(TABLE)
    found = summarise_search(study, trials[:-2])
    assert found is not None
    assert [candidate.level for candidate in found.candidates] == ["0.1", "0.01"]
    assert found.planned == 3
    assert summarise_search(study, trials[:2]) is None
    assert summarise_search(study.model_copy(update={"search": None}), trials) is None


def test_leaving_out_is_what_a_plain_loop_does() -> None:
    scores = np.random.default_rng(5).normal(size=(6, 4))
    scores[2, 1] = math.inf
    read, judged = left_out(scores)
    for count in range(1, 7):
        for unit in range(4):
            others = [u for u in range(4) if u != unit]
            usable = [c for c in range(count) if np.isfinite(scores[c]).all()]
            best = min(usable, key=lambda c: float(np.mean([scores[c][u] for u in others])))
            assert read[count - 1, unit] == pytest.approx(np.mean([scores[best][u] for u in others]))
            assert judged[count - 1, unit] == scores[best][unit]
    read, judged = choosing_alone(scores)
    for unit in range(4):
        best = min((0, 1, 3, 4, 5), key=lambda c: float(scores[c][unit]))
        assert read[-1, unit] == scores[best][unit]
        assert judged[-1, unit] == pytest.approx(np.mean([scores[best][u] for u in range(4) if u != unit]))


def test_equal_candidates_flatter_by_the_expected_minimum_and_different_ones_not() -> None:
    """The least of k means of n - 1 standard normals lies E[max of k] / sqrt(n - 1) below what is true."""
    draws = np.random.default_rng(11)
    k, n = 20, 5
    least = -stats.norm.expect(lambda z: z * k * stats.norm.sf(z) ** (k - 1))
    for choose, expected in ((left_out, least / math.sqrt(n - 1)), (choosing_alone, least)):
        found = []
        for _ in range(400):
            scores = draws.normal(size=(k, n)) + 3 * draws.normal(size=n)  # units are not equally hard
            read, judged = choose(scores)
            found.append(float((judged[-1] - read[-1]).mean()))
        assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(found) / 20)
    apart = np.arange(k)[:, None] * 100.0 + draws.normal(size=(k, n))
    read, judged = left_out(apart)
    assert float((judged[-1] - read[-1]).mean()) == pytest.approx(0, abs=1e-12)


def test_a_choice_that_never_changes_flatters_by_nothing_however_hard_the_units_are() -> None:
    found = summary([[0.1, 5.2, 0.3], [1.1, 6.3, 1.2], [2.0, 7.1, 2.3]])
    assert found.optimism is not None
    assert (found.optimism.mean, found.optimism.low, found.optimism.high) == pytest.approx(
        (0, 0, 0), abs=1e-12
    )
    # where luck alone decides, measuring from the best leaves the mean as it is
    values = np.random.default_rng(2).normal(size=(3, 6)).tolist()
    read, judged = left_out(np.array(values))
    lucky = summary(values).optimism
    assert lucky is not None
    assert lucky.mean == pytest.approx(float((judged[-1] - read[-1]).mean()))
