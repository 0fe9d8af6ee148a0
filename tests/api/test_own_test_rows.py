"""Test rows given with arrays: judged by ``result.test()``, kept with the record, read by nothing else."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch

import ceteris
from ceteris.api.result import Result
from ceteris.data import arrays, load
from ceteris.data.user_arrays import held_test_rows
from ceteris.errors import CeterisError
from tests.pages import text_of

RNG = np.random.default_rng(0)
X, X_TEST = RNG.normal(size=(120, 3)), RNG.normal(size=(40, 3)) + 5
Y, Y_TEST = (X[:, 0] > 0).astype(int), (X_TEST[:, 0] > 5).astype(int)
SETTINGS = {"model": "linear", "optimizer": "adam", "epochs": 2}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Result:
    experiment = ceteris.Experiment(
        data={"source": (X, Y), "scale": "standardize"}, test=(X_TEST, Y_TEST), **SETTINGS
    )
    folder = tmp_path_factory.mktemp("runs")
    return ceteris.run(ceteris.vary(experiment, seeds=2), runs_dir=folder, progress=False)


def test_the_rows_are_judged_as_by_hand(judged: Result) -> None:
    trial = judged.trials[0]
    with torch.no_grad():
        right = trial.network()(trial.prepare(X_TEST)).argmax(1).numpy() == Y_TEST
    (found,) = (one for one in judged.test().trials if one["seed"] == trial.seed)
    assert found["test_accuracy"] == pytest.approx(right.mean())


def test_preparation_knows_only_the_training_rows(judged: Result) -> None:
    prepared = judged.trials[0].prepare(X_TEST)
    assert prepared.mean() > 3, "shifted by the training rows' mean, the test rows' own is far away"


def test_the_record_alone_is_enough(judged: Result) -> None:
    again = ceteris.load_run(judged.id, runs_dir=judged.run.folder.parent)
    assert [t["test_loss"] for t in again.test().trials] == [t["test_loss"] for t in judged.test().trials]
    more = ceteris.extend(judged.id, seeds=3, runs_dir=judged.run.folder.parent, progress=False)
    assert len(more.test().trials) == 3
    assert len(more.predict("test")) == 40


def test_they_stand_beside_the_data_set_and_in_its_hash(judged: Result, tmp_path: Path) -> None:
    with_rows, without = arrays(X, Y, test=(X_TEST, Y_TEST)), arrays(X, Y)
    assert with_rows.content != without.content
    assert held_test_rows(without) is None
    assert not [name for name, value in vars(with_rows).items() if value is X_TEST or name == "test"]
    assert load(judged.run.facts["source"]).content == with_rows.content


def test_columns_that_stand_in_the_same_order_need_no_names_of_their_own() -> None:
    train, test = (pandas.DataFrame(rows, columns=["a", "a", "b"]) for rows in (X, X_TEST))
    rows = held_test_rows(arrays(train, Y, test=(test, Y_TEST)))
    assert rows is not None
    np.testing.assert_array_equal(rows.x, X_TEST)


def test_columns_of_frames_are_matched_by_name() -> None:
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    turned = pandas.DataFrame(X_TEST[:, ::-1], columns=["c", "b", "a"])
    rows = held_test_rows(arrays(frame, Y, test=(turned, pandas.Series(Y_TEST))))
    assert rows is not None
    np.testing.assert_array_equal(rows.x, X_TEST)


FRAME = pandas.DataFrame(X, columns=["alpha", "beta", "gamma"])


@pytest.mark.parametrize(
    ("data", "test", "told"),
    [
        ((X, Y), (X_TEST[:, :2], Y_TEST), "arrays: `x` has rows of shape (3,) and `x_test` of (2,)"),
        (
            (X, Y),
            (X_TEST, Y_TEST[:5]),
            "arrays: `x_test` has 40 rows and `y_test` has 5; they must be as many",
        ),
        (
            (X, np.where(Y, "yes", "no")),
            (X_TEST, np.where(Y_TEST, "yess", "no")),
            "arrays: `y_test` has the class `yess`, which is not among the classes; did you mean `yes`?",
        ),
        ((X, Y), X_TEST, "arrays: test rows are given as test=(X_test, y_test), and here is a ndarray"),
        (
            (FRAME, Y),
            (FRAME.rename(columns={"beta": "betta"}), Y),
            "arrays: `x_test`: there is no column `beta`; did you mean `betta`? (known: alpha, betta, gamma)",
        ),
        (
            (FRAME, Y),
            (FRAME.assign(delta=0), Y),
            "arrays: `x_test`: the column `delta` is not among those of the training rows",
        ),
        (
            "digits",
            (X_TEST, Y_TEST),
            "test: test rows belong to arrays that are given with them, data=(X, y) and "
            "test=(X_test, y_test); other data brings its own, as `ceteris.data.arrays(X, y, "
            "test=(X_test, y_test))` does, and those of a table stand in its settings: "
            'data={"source": "a.csv", "test": "b.csv", ...}',
        ),
        (
            (X, Y, X_TEST, Y_TEST),
            None,
            "data: arrays are given as (X, y) or (X, y, classes), and here are 4 values; test rows are given "
            "as test=(X_test, y_test)",
        ),
    ],
)
def test_what_does_not_fit_is_told(data: object, test: object, told: str) -> None:
    with pytest.raises(CeterisError) as caught:
        ceteris.Experiment(data=data, test=test, **SETTINGS)
    assert str(caught.value) == told


def test_rows_for_another_study_bring_their_own(tmp_path: Path) -> None:
    study = ceteris.vary(ceteris.Experiment(data="digits", **SETTINGS), seeds=1)
    result = ceteris.run(study, data=(X, Y), test=(X_TEST, Y_TEST), runs_dir=tmp_path, progress=False)
    assert len(result.test().trials) == 1
    plain = ceteris.run(study, data=(X, Y), runs_dir=tmp_path, progress=False)
    with pytest.raises(CeterisError, match=r"given as test=\(X_test, y_test\) with data=\(X, y\)"):
        plain.test()


def test_arrays_are_reached_by_importing_ceteris_alone() -> None:
    code = "import ceteris; ceteris.data.arrays([[1.0], [2.0]], [0, 1])"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_frame_with_text_is_a_table_and_its_record_is_enough(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"size": X[:, 0], "kind": np.where(Y, "new", "old"), "who": np.arange(120)})
    frame.loc[::7, "size"] = None
    test = frame[:20]
    data = {"source": frame, "target": "kind", "test": test, "drop": ["who"]}
    study = ceteris.vary(ceteris.Experiment(**SETTINGS, data=data), seeds=1)
    result = ceteris.run(study, runs_dir=tmp_path, progress=False)
    assert result.trials[0].experiment["data"]["scale"] == "standardize"
    assert len(ceteris.extend(result.id, seeds=2, runs_dir=tmp_path, progress=False).test().trials) == 2
    turned = test[["kind", "size"]].set_index(np.arange(20)[::-1])
    again = ceteris.load_run(result.id, runs_dir=tmp_path)
    found = again.predict(turned)
    np.testing.assert_array_equal(found.values, again.predict("test").values)
    assert list(found.frame().columns) == ["row", "kind", "probability_new", "probability_old"]
    with pytest.raises(CeterisError, match=r"give a frame with those of the training rows"):
        result.predict(X)


def test_a_table_brings_them_in_a_second_file(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"who": [f"r{n:03d}" for n in range(160)], "kind": ["a", "b"] * 80})
    frame["y"] = 100 * (frame["kind"] == "a") + RNG.normal(size=160)
    frame[:120].to_csv(tmp_path / "train.csv", index=False)
    test = frame[120:].assign(kind=["c", *frame["kind"][121:]])
    test.to_csv(tmp_path / "test.csv", index=False)
    data = {"source": tmp_path / "train.csv", "target": "y", "test": tmp_path / "test.csv", "ids": ["who"]}
    settings = {**SETTINGS, "data": {**data, "target_scale": "standardize"}}
    result = ceteris.run(
        ceteris.vary(ceteris.Experiment(**settings), seeds=2), runs_dir=tmp_path, progress=False
    )
    found = result.test()
    note = "Column `kind` has `c` in 1 row, which no training row has: it counts as none of the column's"
    assert found.notes == (f"{note} categories.",)
    assert found.notes[0] in " ".join(repr(found).split())
    assert "the average of predictions" not in repr(found), "targets are scaled in two ways: it has no loss"
    assert note in text_of(result.report())
    predicted = result.predict("test")
    assert predicted.notes == found.notes
    assert list(predicted.frame()["who"]) == list(test["who"])
    assert result.test().readings == found.readings + 1 == 2, "the prediction was counted, the same look not"
