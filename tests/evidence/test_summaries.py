"""Levels: means, intervals, best epochs, bands, folds."""

import math

import numpy as np
import pytest
from scipy import stats

from ceteris.evidence.assessment import assess
from ceteris.spec.data import DataSpec

from .made import EXPERIMENT, judged, study, trial

CURVES = [[1.0, 0.5, 0.6], [1.1, 0.7, 0.5], [0.9, 0.4, 0.45]]


def level(found, **options):
    made = study({"lr": ["a"]}, seeds=options.pop("seeds", len(CURVES)))
    return assess(made, found, validation_rows=options.pop("validation_rows", None)).levels[0]


def of_curves(metric="val_loss"):
    return [trial("a", seed, {metric: curve}) for seed, curve in enumerate(CURVES)]


def test_the_last_epoch():
    last = level(of_curves()).metrics["val_loss"].last
    values = [0.6, 0.5, 0.45]
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert last.mean == pytest.approx(np.mean(values))
    assert last.sd == pytest.approx(np.std(values, ddof=1))
    assert (last.low, last.high) == pytest.approx(tuple(theirs))
    assert (last.n, last.epoch) == (3, 3)


def test_the_best_epoch_is_each_seeds_own():
    best = level(of_curves()).metrics["val_loss"].best
    assert best.mean == pytest.approx(np.mean([0.5, 0.5, 0.4]))
    assert best.epoch == 2
    highest = level(of_curves("val_accuracy")).metrics["val_accuracy"].best
    assert highest.mean == pytest.approx(np.mean([1.0, 1.1, 0.9]))
    assert highest.epoch == 1


def test_one_seed_has_no_interval():
    out = judged({"a": [0.5]})
    last = out.levels[0].metrics["val_loss"].last
    assert (last.mean, last.low, last.high, last.sd, last.n) == (0.5, None, None, None, 1)
    assert out.notes == ("With one seed nothing can be established: run more seeds.",)


def test_the_sampling_error_of_the_validation_rows():
    # the design's example: 0.3 points at 90% of 10,000
    found = [trial("a", s, {"val_accuracy": [0.9], "val_loss": [0.3]}) for s in range(3)]
    metrics = level(found, validation_rows=10_000).metrics
    assert metrics["val_accuracy"].last.sampling_error == pytest.approx(0.003)
    assert metrics["val_loss"].last.sampling_error is None
    assert level(found).metrics["val_accuracy"].last.sampling_error is None


def test_bands_are_t_intervals_epoch_by_epoch():
    band = level(of_curves()).curves["val_loss"]
    assert band.epochs == (1, 2, 3)
    assert band.mean == pytest.approx(np.mean(CURVES, axis=0))
    for epoch, column in enumerate(np.transpose(CURVES)):
        theirs = stats.ttest_1samp(column, 0).confidence_interval(0.95)
        assert (band.low[epoch], band.high[epoch]) == pytest.approx(tuple(theirs))


def test_curves_of_different_length_say_how_many_seeds_are_left():
    found = [trial("a", s, {"val_loss": [1.0] * (s + 1)}) for s in range(3)]
    band = level(found).curves["val_loss"]
    assert band.n == (3, 2, 1)
    assert band.mean == (1.0, 1.0, 1.0)
    assert band.low[2] is None


def test_folds_of_a_seed_are_averaged_first():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4, 3))
    found = [trial("a", s, {"val_loss": [values[s, f]]}, fold=f) for s in range(4) for f in range(3)]
    last = level(found, seeds=4).metrics["val_loss"].last
    theirs = stats.ttest_1samp(values.mean(axis=1), 0).confidence_interval(0.95)
    assert last.n == 4
    assert (last.low, last.high) == pytest.approx(tuple(theirs))


def test_folds_of_the_only_seed_get_the_corrected_variance():
    values = [0.5, 0.6, 0.55, 0.7]
    found = [trial("a", 0, {"val_loss": [value]}, fold=f) for f, value in enumerate(values)]
    out = level(found, seeds=1)
    last = out.metrics["val_loss"].last
    half = stats.t.ppf(0.975, 3) * math.sqrt((1 / 4 + 1 / 3) * np.var(values, ddof=1))
    assert (last.low, last.high) == pytest.approx((np.mean(values) - half, np.mean(values) + half))
    assert (out.planned, out.finished) == (4, 4)


def test_a_seed_counts_only_with_all_its_folds():
    found = [trial("a", s, {"val_loss": [1.0]}, fold=f) for s in range(2) for f in range(2)][:-1]
    out = level(found, seeds=2)
    assert (out.finished, out.metrics["val_loss"].last.n) == (1, 1)


def test_gaps_are_summarised_too():
    found = [trial("a", s, {"val_loss": [0.5 + 0.1 * s], "train_loss": [0.4]}) for s in range(3)]
    assert level(found).metrics["gap_loss"].last.mean == pytest.approx(0.2)


def test_folds_in_the_order_of_time_train_on_fewer_rows_so_their_variance_is_corrected_by_more():
    values = [1.0, 1.4, 1.1, 1.6]
    found = [trial("a", 0, {"val_loss": [value]}, fold=f) for f, value in enumerate(values)]
    widths = []
    for kind, ratio in (("plain", 1 / 3), ("time", 2 / 5)):
        made = study({"lr": "a"}, seeds=1, folds={"k": 4, "kind": kind})
        last = assess(made, found, validation_rows=None).levels[0].metrics["val_loss"].last
        half = stats.t.ppf(0.975, 3) * np.std(values, ddof=1) * np.sqrt(1 / 4 + ratio)
        assert last.high - last.mean == pytest.approx(half)
        widths.append(half)
    assert widths[1] > widths[0]


def test_folds_that_a_study_asks_for_are_missed_where_no_trial_has_begun():
    made = study({"lr": "a"}, seeds=2, folds=3)
    found = [trial("a", s, {"val_loss": [1.0]}, fold=f) for s in range(2) for f in range(2)]
    out = assess(made, found, validation_rows=None)
    assert (out.levels[0].finished, out.levels[0].planned, out.provisional) == (0, 2, True)


def test_an_assessment_tells_its_unit_and_its_folds():
    def told(seeds, folds):
        out = assess(study({"lr": "a"}, seeds=seeds, folds=folds), [], validation_rows=None)
        return out.unit, out.folds

    assert told(3, None) == ("seeds", 1)
    assert told(3, 4) == ("seeds", 4)
    assert told(1, 4) == ("folds", 4)


@pytest.mark.parametrize(
    ("split", "kind", "note"),
    [
        (
            "per-seed",
            None,
            "Intervals speak of other seeds: folds, initial weights and row order drawn anew.",
        ),
        (
            "per-seed",
            "time",
            "Intervals speak of other seeds: initial weights and row order drawn anew. The folds are the "
            "same for every seed: they do not speak of other folds of the same data.",
        ),
        (
            "fixed",
            None,
            "Intervals speak of other seeds: initial weights and row order drawn anew. The folds are the "
            "same for every seed: they do not speak of other folds of the same data.",
        ),
    ],
)
def test_the_notes_say_what_drawing_anew_the_intervals_speak_of(split, kind, note):
    base = EXPERIMENT.model_copy(update={"data": DataSpec(source="digits", split=split)})
    made = study({"lr": "a"}, seeds=3, folds={"k": 4, "kind": kind}).model_copy(update={"experiment": base})
    notes = assess(made, [], validation_rows=None).notes
    assert note in notes
    assert "The 4 folds of a seed are averaged first: n counts seeds." in notes


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"source": "sine"}, True),
        ({"source": "sine", "parameters": {"n": 1000}, "rows": 200}, True),
        ({"source": "sine", "parameters": {"n": 1000}, "rows": 100}, False),
        ({"source": "labelled-points"}, False),  # the same corners for ever
        ({"source": "digits"}, False),
    ],
)
def test_rows_from_a_formula_are_said_to_be_drawn_once_unless_each_seed_takes_few_of_many(data, told):
    base = EXPERIMENT.model_copy(update={"data": DataSpec(**data)})
    made = study({"lr": "a"}, seeds=3).model_copy(update={"experiment": base})
    notes = " ".join(assess(made, [], validation_rows=None).notes)
    assert ("rows are drawn once: the intervals do not speak of other rows" in notes) is told


def test_without_validation_rows_no_split_is_said_to_be_drawn():
    base = EXPERIMENT.model_copy(update={"data": DataSpec(source="digits", validation=0)})
    made = study({"lr": "a"}, seeds=3).model_copy(update={"experiment": base})
    notes = assess(made, [], validation_rows=None).notes
    assert "Intervals speak of other seeds: initial weights and row order drawn anew." in notes
