"""Predictions against networks that are evaluated by hand, and the file of the house prices."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from sklearn.metrics import accuracy_score

import ceteris
from ceteris.api.predict import class_shares, run_predict
from ceteris.api.result import Result
from ceteris.data import Preparation, load
from ceteris.data.sources import load_test
from ceteris.errors import CeterisError
from ceteris.records.store import Store
from ceteris.spec import DataSpec
from tests.cli.conftest import run_command


def test_the_probabilities_of_all_networks_are_averaged(result: Result) -> None:
    x, y = load_test("digits")
    found = result.predict(x, 0.5)
    inputs = torch.from_numpy(x.reshape(len(x), -1) / 16).float()
    with torch.no_grad():
        each = [result.trial(0.5, seed).network()(inputs).softmax(1).numpy() for seed in range(3)]
    np.testing.assert_allclose(found.values, np.mean(each, axis=0), rtol=1e-4, atol=1e-7)
    assert found.members == ((0, 0), (1, 0), (2, 0))
    labels = np.array(found.labels, dtype=int)
    np.testing.assert_array_equal(labels, found.values.argmax(1))
    assert accuracy_score(y, labels) > 0.5
    assert list(found.frame().columns) == ["row", "prediction", *(f"probability_{c}" for c in range(10))]


def test_the_best_is_one_network_and_validation_chooses_the_level(result: Result) -> None:
    x, _ = load_test("digits")
    best = result.predict(x, members="best")
    chosen = result.test().chosen
    assert best.level == chosen
    scores = {t.seed: t.metrics["val_accuracy"] for t in result.trials if t.level == chosen}
    assert best.members == ((max(scores, key=lambda seed: scores[seed]), 0),)
    assert len(result.predict(x).members) == 3
    with pytest.raises(CeterisError, match="did you mean `best`"):
        result.predict(x, members="bets")  # type: ignore[arg-type]


def test_reading_labelled_test_rows_is_counted(result: Result, runs_dir: Path) -> None:
    content = result.run.trials[0].experiment["data"]["content"]
    with Store(runs_dir, create=False) as store:
        before = store.test_readings(content).count
    found = result.predict()
    with Store(runs_dir, create=False) as store:
        after = store.test_readings(content)
    assert len(found) == 360
    assert after.count == before + 1
    assert after.readings[-1].purpose == "prediction"


def test_rows_that_do_not_fit_are_told(result: Result) -> None:
    with pytest.raises(CeterisError, match=r"`x` has rows of shape \(5,\); those of `digits` are \(8, 8\)"):
        result.predict(np.zeros((2, 5)))
    with pytest.raises(CeterisError, match=r"there is no level `0\.6`"):
        result.predict(np.zeros((2, 8, 8)), 0.6)


@pytest.mark.parametrize(
    ("loss", "outputs", "shares"),
    [
        ("cross_entropy", [[0.0, np.log(3)]], [[0.25, 0.75]]),
        ("nll", [[np.log(0.2), np.log(0.8)]], [[0.2, 0.8]]),
        ("binary_cross_entropy", [[np.log(4.0)]], [[0.2, 0.8]]),
        ("binary_cross_entropy_probabilities", [[0.3]], [[0.7, 0.3]]),
        ("hinge", [[-0.1], [2.0]], [[1, 0], [0, 1]]),
        ("mse", [[0.1, 0.9, 0.5]], [[0, 1, 0]]),
    ],
)
def test_outputs_become_shares_of_the_classes(loss: str, outputs: list, shares: list) -> None:
    found = class_shares(loss, torch.tensor(outputs, dtype=torch.float64))
    np.testing.assert_allclose(found.numpy(), shares, atol=1e-12)


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A folder with tables and a run with folds on one of them."""
    folder = tmp_path_factory.mktemp("houses")
    random = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {
            "house": [f"{n:03d}" for n in range(70)],
            "size": np.where(random.random(70) < 0.1, np.nan, random.uniform(50, 200, 70).round(1)),
            "kind": random.choice(["flat", "house", "castle"], 70, p=[0.6, 0.37, 0.03]),
        }
    )
    frame["price"] = 1000 * frame["size"].fillna(100) + 5000 * (frame["kind"] == "house") + 0.5
    frame.iloc[:60].to_csv(folder / "known.csv", index=False)
    frame.iloc[60:].drop(columns="price").to_csv(folder / "new.csv", index=False)
    study = {
        "experiment": {
            "data": {"source": str(folder / "known.csv"), "target": "price", "ids": ["house"]},
            "model": "linear",
            "optimizer": {"kind": "adam", "lr": 100},
            "batch_size": 16,
            "epochs": 30,
            "metrics": ["log_rmse"],
        },
        "folds": 3,
        "seeds": 2,
    }
    return folder, ceteris.run(study, runs_dir=folder / "ceteris-runs", progress=False)


def test_every_network_gets_rows_as_its_own_fold_prepared_them(houses: tuple[Path, Result]) -> None:
    """By hand with pandas: mean and deviation of the fold's training rows, categories that they have."""
    folder, result = houses
    known = pandas.read_csv(folder / "known.csv", dtype={"house": str})
    new = pandas.read_csv(folder / "new.csv", dtype={"house": str})
    from ceteris.spec.folds import Folds

    each = []
    for trial in result.trials:
        spec = DataSpec.model_validate(trial.experiment["data"])
        data = load(spec.reading)
        train = Preparation(data).prepare(spec, trial.seed, trial.fold, Folds(k=3, kind="plain")).split.train
        own = known.iloc[train]
        size = ((new["size"] - own["size"].mean()) / own["size"].std()).fillna(0).to_numpy()
        names = ["castle", "flat", "house"]
        kinds = [(new["kind"] == name).to_numpy(float) for name in names if (own["kind"] == name).any()]
        weights = trial.weights()
        rows = np.stack([size, *kinds], axis=1)
        each.append(rows @ weights["head.weight"][0] + weights["head.bias"][0])
        prepared = trial.prepare(new).numpy()
        np.testing.assert_allclose(prepared, rows, rtol=1e-5, atol=1e-6)
    found = result.predict(new)
    assert len(found.members) == 6
    np.testing.assert_allclose(found.values, np.mean(each, axis=0), rtol=1e-5)
    assert list(found.frame().columns) == ["house", "price"]
    assert list(found.frame()["house"]) == list(new["house"])
    with pytest.raises(CeterisError, match=r"`x` has no columns with names"):
        result.predict(np.zeros((2, 3)))
    with pytest.raises(CeterisError, match="there is no column `size`"):
        result.predict(new.drop(columns="size"))


def test_the_command_writes_a_file_in_the_form_of_the_table(houses: tuple[Path, Result]) -> None:
    folder, result = houses
    done = run_command(folder, "predict", "last", "new.csv", "--output", "out.csv")
    assert done.returncode == 0, done.stderr
    assert "out.csv: 10 rows, level base, by 6 networks, averaged" in done.stdout
    lines = (folder / "out.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "house,price"
    assert lines[1].startswith("060,")
    written = [float(line.split(",")[1]) for line in lines[1:]]
    new = pandas.read_csv(folder / "new.csv")
    np.testing.assert_allclose(written, result.predict(new).values)
    refused = run_command(folder, "predict", "last")
    assert refused.returncode == 2
    assert "has no test rows" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert run_command(folder, "predict", "last", "new.txt").stderr.count("\n") == 1


@pytest.mark.real_data
@pytest.mark.slow
def test_the_house_prices_become_a_file_for_the_competition(tmp_path: Path) -> None:
    if not os.environ.get("CETERIS_DATA"):
        pytest.skip("CETERIS_DATA names no folder with the real rows")
    result = ceteris.run(
        "house-prices/linear", seeds=1, epochs=60, runs_dir=tmp_path / "runs", progress=False
    )
    assert np.mean([trial.metrics["val_log_rmse"] for trial in result.trials]) < 0.3
    path = result.predict().write(tmp_path / "submission.csv")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "Id,SalePrice"
    assert len(lines) == 1 + 1459
    assert [line.split(",")[0] for line in lines[1:]] == [str(n) for n in range(1461, 2920)]
    prices = np.array([float(line.split(",")[1]) for line in lines[1:]])
    assert 100_000 < np.median(prices) < 250_000


def test_targets_that_were_scaled_come_back_in_their_own_units(tmp_path: Path) -> None:
    """Predictions, metrics on test rows, and the choice of a level, by hand from the network's outputs."""
    random = np.random.default_rng(1)
    x = random.normal(size=(90, 3))
    y = np.exp(10 + x @ np.array([0.5, -0.2, 0.1]))
    np.savez(tmp_path / "prices.npz", x=x[:60], y=y[:60], x_test=x[60:], y_test=y[60:])
    study = {
        "experiment": {
            "data": {"source": str(tmp_path / "prices.npz"), "scale": "none"},
            "model": "linear",
            "optimizer": {"kind": "adam", "lr": 0.1},
            "batch_size": 16,
            "epochs": 20,
            "metrics": ["rmse"],
        },
        "vary": {"learned": {"prices": {}, "logs": {"data.target_scale": "log_standardize"}}},
        "seeds": 2,
    }
    result = ceteris.run(study, runs_dir=tmp_path / "runs", progress=False)
    tested, by_hand = result.test(), []
    assert tested.chosen == "logs"
    for seed in (0, 1):
        trial = result.trial("logs", seed)
        with torch.no_grad():
            outputs = trial.network()(torch.from_numpy(x[60:]).float()).double().numpy()
        spec = DataSpec.model_validate(trial.experiment["data"])
        train = Preparation(load(spec.reading)).prepare(spec, seed).split.train
        logs = np.log(y[train])
        by_hand.append(np.exp(outputs[:, 0] * logs.std() + logs.mean()))
        (own,) = [t for t in tested.trials if (t["level"], t["seed"]) == ("logs", seed)]
        assert own["test_rmse"] == pytest.approx(np.sqrt(((by_hand[-1] - y[60:]) ** 2).mean()), rel=1e-4)
        scaled = (np.log(y[60:]) - logs.mean()) / logs.std()
        assert own["test_loss"] == pytest.approx(((outputs[:, 0] - scaled) ** 2).mean(), rel=1e-4)
    np.testing.assert_allclose(result.predict(x[60:], "logs").values, np.mean(by_hand, axis=0), rtol=1e-4)
    assert "A constant would reach" in str(result)
    assert result.run.facts["constant"]["logs"]["val_rmse"] > result.trial("logs", 0).metrics["val_rmse"]
    exported = result.export(tmp_path / "prices.pt2", level="logs", seed=1)
    program = torch.export.load(exported.path).module()
    with torch.no_grad():
        given = program(torch.from_numpy(x[60:]).float())[:, 0]
    np.testing.assert_allclose(given.numpy(), by_hand[1], rtol=1e-4)


def test_rows_of_a_file_are_those_of_the_array(result: Result, tmp_path: Path) -> None:
    x = np.arange(128.0).reshape(2, 8, 8) % 16
    np.savez(tmp_path / "rows.npz", x=x)
    np.testing.assert_array_equal(result.predict(tmp_path / "rows.npz").values, result.predict(x).values)
    np.testing.assert_array_equal(result.predict(str(tmp_path / "rows.npz")).values, result.predict(x).values)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"facts": {"remark": "A quick look, and provisional: 3 of 5 epochs."}},
            "trained out. A quick look, and",
        ),
        ({"title": "A small one (provisional): 0.1, on all rows"}, "is of a quick look, and provisional."),
        ({}, None),
    ],
)
def test_predictions_of_a_quick_look_say_so(
    result: Result, changes: dict[str, Any], told: str | None
) -> None:
    changes = {name: {**result.run.facts, **own} if name == "facts" else own for name, own in changes.items()}
    found = run_predict(replace(result.run, **changes), np.zeros((2, 8, 8)))
    if told is None:
        assert found.notes == ()
        return
    (note,) = found.notes
    assert told in note
    assert repr(found).endswith(f"\n- {note}")
