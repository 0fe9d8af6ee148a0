"""Networks of folds that lack a category: what is handed out takes the columns of their training rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
import pytest
import torch

import ceteris
from ceteris.api.result import Result

LEVELS = {
    "linear": {},
    "noise": {"model": {"kind": "mlp", "hidden": [5], "input_noise": 0.1}, "penalty.form": "mean"},
    "norm first": {"model": {"kind": "sequential", "layers": ["layer_norm", {"linear": 5}]}},
    "residual": {"model": {"kind": "sequential", "layers": [{"residual": [{"linear": 8}]}]}},
}
"""By what is changed. The table has 8 columns: 2 numbers, 5 of a category and one for missing."""


def frame(rows: int) -> pandas.DataFrame:
    random = np.random.default_rng(0)
    kind = np.array(["a", "b"])[random.integers(0, 2, rows)].astype(object)
    kind[[5, 11, 20]] = ["rare", "odd", "new"]
    values = random.normal(size=(rows, 2)).round(3)
    price = 3 * values[:, 0] + (kind == "a") + random.normal(size=rows).round(3)
    return pandas.DataFrame({"size": values[:, 0], "kind": kind, "age": values[:, 1], "price": price})


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("folded")
    frame(40).to_csv(folder / "t.csv", index=False)
    experiment = ceteris.Experiment(
        data={"source": str(folder / "t.csv"), "target": "price", "scale": "standardize"},
        model={"kind": "linear"},
        optimizer={"kind": "adam", "lr": 0.05},
        penalty={"kind": "l2", "weight": 0.01},
        batch_size=8,
        epochs=2,
    )
    study = ceteris.vary(experiment, {"network": LEVELS}, seeds=1, folds=4)
    return ceteris.run(study, runs_dir=folder / "runs", progress=False)


def test_networks_have_the_columns_of_their_fold(folded: Result) -> None:
    widths = {}
    for trial in folded.trials:
        name = {
            "linear": "head",
            "noise": "hidden.0.linear",
            "norm first": "layers.0",
            "residual": "layers.0.0",
        }
        widths.setdefault(trial.level, []).append(trial.weights()[f"{name[trial.level]}.weight"].shape[-1])
    (widths_of_folds,) = {tuple(own) for own in widths.values()}
    assert set(widths_of_folds) <= {5, 6, 7, 8} - {8}
    assert len(set(widths_of_folds)) > 1


def test_what_was_measured_is_what_the_network_that_is_handed_out_computes(folded: Result) -> None:
    rows = frame(40)
    for trial in folded.trials:
        own = folded.trial(trial.level, trial.seed, trial.fold)
        with torch.no_grad():
            found = own.network()(own.prepare(rows.drop(columns="price")))[:, 0].double().numpy()
        errors = (found - rows["price"].to_numpy()) ** 2
        # Ten rows validate, the others train; the loss on as many training rows is told of others.
        assert own.record.curves["val_loss"][-1] == pytest.approx(
            _mean_over_fold(folded, own, errors), rel=1e-4
        )


def _mean_over_fold(result: Result, trial: object, errors: np.ndarray) -> float:
    from ceteris.data import load
    from ceteris.data.folds import fold_parts
    from ceteris.spec.data import DataSpec
    from ceteris.spec.dump import study_from_dict

    spec = DataSpec.model_validate(trial.experiment["data"])  # type: ignore[attr-defined]
    folds = study_from_dict(result.run.study).folds
    _, validation = fold_parts(load(spec.reading), folds, trial.seed, trial.fold)  # type: ignore[attr-defined]
    return float(errors[validation].mean())


@pytest.mark.parametrize("level", LEVELS)
def test_new_rows_are_predicted_and_programs_exported(folded: Result, level: str, tmp_path: Path) -> None:
    new = pandas.DataFrame({"size": [0.5, None], "kind": ["rare", "unheard"], "age": [1.0, -1.0]})
    found = folded.predict(new, level)
    each = []
    for fold in range(4):
        trial = folded.trial(level, 0, fold)
        with torch.no_grad():
            each.append(trial.network()(trial.prepare(new)).numpy())
    np.testing.assert_allclose(found.values.reshape(2, 1), np.mean(each, axis=0), rtol=1e-5)
    for form in ("pt2", "safetensors"):
        written = folded.trial(level, 0, 1).export(tmp_path / f"net.{form}")
        assert written.difference < 1e-5


def test_the_loss_around_such_networks_is_drawn(folded: Result) -> None:
    found = folded.landscape(points=5, level="noise")
    assert np.isfinite(np.array(found.slices[0].train)).all()


def test_its_parameters_are_those_of_the_own_columns(folded: Result) -> None:
    from ceteris.api.figures import parameter_counts

    own = folded.trial("linear").weights()["head.weight"].shape[1]
    assert own < 8
    assert parameter_counts(folded.run)["linear"] == own + 1


def test_its_weights_start_another_study_on_the_same_rows(folded: Result, tmp_path: Path) -> None:
    """Without folds the only split lacks the column of missing values, which no row has."""
    experiment = {"data": folded.trials[0].experiment["data"] | {"split": "fixed"}, "model": "linear"}
    study = {"experiment": experiment | {"epochs": 1}, "seeds": 1}
    first = ceteris.run(study, runs_dir=tmp_path, progress=False)
    network = first.trial("base").network()
    again = ceteris.run(study, initial=network, runs_dir=tmp_path, progress=False)
    start, end = again.trial("base").weights("initial"), first.trial("base").weights()
    np.testing.assert_array_equal(start["head.weight"], end["head.weight"])
