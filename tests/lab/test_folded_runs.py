"""Whole runs with folds, in worker processes: recorded, extended, resumed, and checked by scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import KFold

from ceteris.api.execution import recorded_result
from ceteris.data.preparation import Preparation
from ceteris.data.sources import load as load_data
from ceteris.data.user_arrays import arrays
from ceteris.lab.resume import extend_run, resume_run
from ceteris.lab.run import run_study
from ceteris.spec.data import DataSpec
from ceteris.spec.folds import Folds
from ceteris.spec.parse import ParsedStudy, parse_study
from tests.lab.made import Diary, all_curves, all_weights, held_up, load, settings, share_right

LINEAR = {
    "data": {"source": "diabetes", "scale": "standardize"},
    "model": {"kind": "linear"},
    "optimizer": {"kind": "sgd", "lr": 0.01},
}


def folded(folds: object, seeds: int = 2, **changes: object) -> ParsedStudy:
    return parse_study(settings(**changes) | {"folds": folds, "seeds": seeds})


@pytest.mark.slow
def test_a_folded_run_of_numbers_validates_every_row_once_per_seed_and_can_be_extended(
    tmp_path: Path,
) -> None:
    diary = Diary()
    study = folded(5, **LINEAR, epochs=4)
    run = run_study(study, runs_folder=tmp_path, workers=2, listener=diary)
    record = load(tmp_path, run)
    assert record.study["folds"] == {"k": 5, "kind": "plain", "groups": None}
    assert [(t.seed, t.fold, t.level) for t in record.trials] == [
        (seed, fold, rate) for seed in (0, 1) for fold in range(5) for rate in ("0.01", "0.001")
    ]
    assert len({t.identity for t in record.trials}) == 20
    (plan,) = diary.plans
    assert len(plan.cohorts) == 1
    theirs = sorted(len(v) for _, v in KFold(5).split(np.zeros(353)))
    assert sorted(record.facts["rows_by_fold"]["validation"]) == theirs
    assert (record.facts["train_rows"], record.facts["validation_rows"]) == (282, 353)
    # every row is validated once: the mean squared error of predicting the targets' own mean, by folds
    preparation = Preparation(load_data("diabetes"))
    for trial in record.trials[:10]:
        own = preparation.prepare(
            DataSpec(**LINEAR["data"]), trial.seed, trial.fold, Folds(k=5, kind="plain")
        )
        weights = all_weights_of(tmp_path, run, trial.identity)
        predicted = own.x[own.split.validation] @ weights["head.weight"].T + weights["head.bias"]
        loss = np.mean((predicted - own.y[own.split.validation]) ** 2)
        np.testing.assert_allclose(trial.curves["val_loss"][-1], loss, rtol=1e-4)
    extend_run(run, 3, runs_folder=tmp_path, workers=1)
    after = load(tmp_path, run)
    assert len(after.trials) == 30
    assert [t.fold for t in after.trials[20:]] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    whole = load(
        tmp_path / "whole", run_study(folded(5, 3, **LINEAR, epochs=4), runs_folder=tmp_path / "whole")
    )
    assert all_curves(after) == all_curves(whole)
    result = recorded_result(run, tmp_path)
    level = result.assessment.levels[0]
    assert (level.planned, level.finished, result.assessment.unit) == (3, 3, "seeds")
    by_seed = [
        np.mean([t.curves["val_loss"][-1] for t in after.trials if (t.seed, t.level) == (seed, level.level)])
        for seed in range(3)
    ]
    assert level.metrics["val_loss"].last.mean == pytest.approx(np.mean(by_seed))
    assert "seeds, their 5 folds averaged, at the end of training" in str(result)


def all_weights_of(folder: Path, run: str, identity: str) -> dict[str, np.ndarray]:
    from ceteris.records.store import Store

    with Store(folder, create=False) as store:
        return dict(store.load_weights(run, identity))


@pytest.mark.slow
def test_grouped_folds_of_one_seed_are_resumed_to_the_same_bits(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    groups = [f"person {i % 11}" for i in range(240)]
    dataset = arrays(
        rng.normal(size=(240, 5)), rng.integers(0, 3, 240), name="arrays", columns={"who": groups}
    )
    study = folded({"k": 3, "groups": "who"}, 1, data="arrays", epochs=6, batch_size=16, metrics=["share"])
    asked, share = tmp_path / "asked", {"share": share_right}
    diary = Diary(stop_at=0, asked=asked)
    run = run_study(
        study,
        runs_folder=tmp_path,
        dataset=dataset,
        workers=1,
        metrics={"share": held_up(asked, readings=2 * 6)},  # two splits of six trials, or of fewer
        listener=diary,
        stop=diary.stop,
    )
    stopped = load(tmp_path, run)
    assert stopped.status == "stopped"
    assert stopped.study["folds"]["kind"] == "grouped"
    resume_run(run, runs_folder=tmp_path, workers=1, metrics=share)
    again = load(tmp_path, run)
    assert again.status == "finished"
    whole_folder = tmp_path / "whole"
    undisturbed = run_study(study, runs_folder=whole_folder, dataset=dataset, workers=2, metrics=share)
    whole = load(whole_folder, undisturbed)
    assert all_curves(again) == all_curves(whole)
    assert all_weights(tmp_path, again) == all_weights(whole_folder, whole)
    assessment = recorded_result(run, tmp_path).assessment
    assert (assessment.unit, assessment.levels[0].planned) == ("folds", 3)
