from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ceteris.errors import CeterisError
from ceteris.lab.aa import aa_study, judge, repetition_trials, same_curves
from ceteris.records.views import TrialRecord
from tests.lab.made import load, small_study


def made_trial(seed: int, value: float) -> TrialRecord:
    curves = {"val_loss": np.array([1.0, value])}
    return TrialRecord(str(seed), "base", {}, seed, 0, "finished", None, curves, 1.0, {})


def test_an_alarm_is_a_difference_that_the_assessment_believes() -> None:
    study = small_study(seeds=4).study
    noise = np.random.default_rng(0).normal(size=16) * 0.01
    shift = np.repeat([0.0, 0.0, 0.0, 1.0], 4)
    trials = [made_trial(seed, 1 + noise[seed] + shift[seed]) for seed in range(16)]
    assert judge(study, trials, 4, 2, "val_loss", 287) == (False, True)


def test_repetitions_have_seeds_of_their_own_and_count_only_when_complete() -> None:
    trials = {seed: made_trial(seed, 1.0) for seed in range(8)}
    by_seed = {seed: [trial] for seed, trial in trials.items()}
    own = repetition_trials(by_seed, 1, 2)
    assert own is not None
    assert [(t.identity, t.level, t.seed) for t in own] == [
        ("4", "a", 0),
        ("5", "a", 1),
        ("6", "b", 0),
        ("7", "b", 1),
    ]
    assert repetition_trials({s: t for s, t in by_seed.items() if s != 6}, 1, 2) is None
    assert judge(small_study(seeds=2).study, [trials[s] for s in range(7)], 2, 2, "val_loss", None) == (
        False,
    )


def test_a_seed_of_a_repetition_has_all_its_folds() -> None:
    folds = {s: [replace(made_trial(s, 1.0), fold=fold) for fold in range(3)] for s in range(4)}
    own = repetition_trials(folds, 0, 2)
    assert own is not None
    assert [(t.level, t.seed, t.fold) for t in own] == [
        (level, seed, fold) for level in "ab" for seed in (0, 1) for fold in range(3)
    ]
    unended = {**folds, 3: [*folds[3][:2], replace(folds[3][2], status="running")]}
    assert repetition_trials(unended, 0, 2) is None


def test_the_last_bit_of_a_curve_counts() -> None:
    trial = made_trial(0, 1.0)
    assert same_curves(trial, made_trial(0, 1.0))
    assert not same_curves(trial, made_trial(0, np.nextafter(1.0, 2.0)))
    assert not same_curves(trial, replace(trial, curves={}))


@pytest.mark.slow
def test_a_study_of_nothing_is_run_judged_and_trained_again(tmp_path: Path) -> None:
    found = aa_study(small_study(seeds=3, epochs=1), repetitions=2, runs_folder=tmp_path, workers=2)
    assert (found.metric, found.seeds, len(found.alarms)) == ("val_loss", 3, 2)
    assert (found.compared, found.identical) == (3, True)
    assert found.rate.repetitions == 2
    record = load(tmp_path, found.run)
    assert record.title == "A/A: A small study"
    assert [t.seed for t in record.trials] == list(range(12))
    assert {t.level for t in record.trials} == {"base"}


def test_an_unknown_metric_or_no_repetition_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(CeterisError, match="there is no metric `val_los`; did you mean `val_loss`"):
        aa_study(small_study(), metric="val_los", runs_folder=tmp_path)
    with pytest.raises(CeterisError, match="0 is not a number of repetitions; it must be at least 1"):
        aa_study(small_study(), repetitions=0, runs_folder=tmp_path)
