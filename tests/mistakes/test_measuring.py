"""Mistakes 3, 5, 10, 11, 13, 16 and 19 to 21 of the catalogue: in what is measured, compared and reported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import ceteris
from ceteris.api.result import Result
from ceteris.data import Preparation, load
from ceteris.data.folds import fold_parts
from ceteris.errors import CeterisError
from ceteris.records.store import Store
from ceteris.report.settings import compare_settings
from ceteris.spec.data import DataSpec
from ceteris.spec.folds import Folds

from .conftest import Run
from .test_training import digits_of, measured_rows


def test_3_both_splits_are_measured_without_dropout(ways: Result) -> None:
    x, y, _, _ = digits_of(ways, "dropout", 0)
    trial = ways.trial("dropout")
    for split, rows in measured_rows(ways, "dropout", 0).items():
        with torch.no_grad():
            outputs = trial.network()(x[rows])
        right = (outputs.argmax(1) == y[rows]).double().mean().item()
        assert trial.metrics[f"{split}_accuracy"] == pytest.approx(right)


def test_5_means_are_over_rows_and_the_last_batch_counts_by_its_size(ways: Result) -> None:
    """With a rate that changes nothing, the running loss is the loss over all rows, 400 = 12 x 32 + 16."""
    x, y, train, validation = digits_of(ways, "still", 0)
    network = ways.trial("still").network()
    with torch.no_grad():
        for rows, name in ((train, "train_loss_running"), (validation, "val_loss")):
            loss = torch.nn.functional.cross_entropy(network(x[rows]), y[rows]).item()
            np.testing.assert_allclose(ways.trial("still").curves[name], loss, rtol=1e-5)


def test_10_nothing_reads_the_test_rows_before_the_final_assessment(rates: Result) -> None:
    content = load("digits").content
    with Store(rates.run.folder.parent, create=False) as store:
        before = store.test_readings(content).count
        assert rates.test().readings == before + 1
    assert before == 0
    assert not any(name.startswith("test") for trial in rates.trials for name in trial.curves)


def test_11_one_seed_establishes_nothing(run: Run) -> None:
    claims = [{"text": "It is better.", "metric": "val_loss", "less": [0.1, 0.0001]}]
    one = run({"optimizer.lr": [0.1, 0.0001]}, seeds=1, epochs=1, claims=claims)
    assert one.verdicts[0].verdict == "not established"
    assert any("one seed nothing can be established" in note for note in one.assessment.notes)


def test_13_what_is_estimated_knows_the_training_rows_alone_and_folds_drop_no_row() -> None:
    data = load("iris")
    own = Preparation(data).prepare(DataSpec(source="iris", scale="standardize"), 0)
    rows = data.x[own.split.train].astype(np.float64)
    expected = (data.x - rows.mean(axis=0)) / rows.std(axis=0)
    np.testing.assert_allclose(own.x, expected, atol=1e-5)
    folds = Folds(k=7)
    validated = np.concatenate([fold_parts(data, folds, 0, fold)[1] for fold in range(7)])
    np.testing.assert_array_equal(np.sort(validated), np.arange(len(data.x)))


def test_16_a_setting_that_nobody_reads_is_refused_and_the_record_says_what_ran(
    ways: Result, tmp_path: Path
) -> None:
    file = tmp_path / "twice.yaml"
    file.write_text("experiment:\n  data: digits\n  model: linear\n  epochs: 1\n  epochs: 2\n")
    for study, words in (
        (file, "epochs"),
        ({"experiment": {"data": "digits", "model": "linear", "epoch": 1}}, "epochs"),
    ):
        with pytest.raises(CeterisError) as told:
            ceteris.run(study, runs_dir=tmp_path, progress=False)
        assert words in str(told.value)
    trial = ways.trial("plain")
    assert trial.experiment["batch_size"] == 32
    assert trial.experiment["optimizer"]["momentum"] == 0


def test_19_the_gap_compares_two_numbers_measured_the_same_way(rates: Result) -> None:
    for level in rates.levels:
        own = [trial.metrics for trial in rates.trials if trial.level == level.level]
        gap = np.mean([metrics["val_loss"] - metrics["train_loss"] for metrics in own])
        assert level.metrics["gap_loss"].last.mean == pytest.approx(gap)
        assert all(metrics["train_loss"] != metrics["train_loss_running"] for metrics in own)


def test_20_neither_loss_holds_the_penalty(ways: Result) -> None:
    x, y, _, _ = digits_of(ways, "penalty", 0)
    trial = ways.trial("penalty")
    for split, rows in measured_rows(ways, "penalty", 0).items():
        with torch.no_grad():
            loss = torch.nn.functional.cross_entropy(trial.network()(x[rows]), y[rows]).item()
        assert trial.metrics[f"{split}_loss"] == pytest.approx(loss, rel=1e-5)
    assert trial.metrics["penalty"] > 0.1


def test_21_a_level_that_changes_several_settings_shows_all_of_them(ways: Result) -> None:
    compared = {level: ways.trial(level).experiment for level in ("plain", "three at once")}
    told = compare_settings(compared)
    assert set(told.varied) == {"model.hidden", "model.dropout", "optimizer.lr"}
    page = ways.report().read_text(encoding="utf-8")
    assert all(path in page for path in told.varied)
