"""Wrong arguments of the Python API: each is told in one clear sentence, with the nearest right name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import scipy.sparse

import ceteris
from ceteris.api.result import Result
from ceteris.errors import CeterisError

IMAGES = np.zeros((2, 8, 8))
FRAME = pandas.DataFrame({"size": [1.0, 2.0], "town": ["Bonn", "Trier"]})
LABELS = np.array([0, 1])


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(CeterisError) as caught:
        call()
    told = str(caught.value)
    assert "\n" not in told
    return told


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda r: r.curves("val_lss"), "there is no metric `val_lss`; did you mean `val_loss`?"),
        (lambda r: r.best(5), "there is no metric `5` ("),
        (lambda r: r.predict(IMAGES, metric=5), "there is no validation metric `5` (known: "),
        (lambda r: r.predict("nosuch.csv"), "x: there is no file nosuch.csv"),
        (
            lambda r: r.predict("digits"),
            "x: `digits` is no file with rows; use .csv, .tsv, .parquet, .npz, .png",
        ),
        (lambda r: r.predict(None), "`x` is a single value of type NoneType, not an array of rows"),
        (lambda r: r.predict({"a": 1}), "`x` is a single value of type dict, not an array of rows"),
        (lambda r: r.predict(IMAGES[0]), "those of `digits` are (8, 8); a single row is given as `x[None]`"),
        (lambda r: r.predict(IMAGES * np.nan), "`x` has 128 values that are not finite (NaN or infinity)"),
        (
            lambda r: r.predict(FRAME),
            "`x` has columns that hold no numbers: `town`; leave",
        ),
        (lambda r: r.export("net.h5"), "net.h5: there is no format `h5` (known: pt2, onnx, safetensors)"),
        (lambda r: r.export(r.run.folder, "pt2"), "Is a directory"),
        (lambda r: r.export(r.run.folder, "onnx"), "Is a directory"),
        (lambda r: r.landscape(pints=3), "no option of a landscape `pints`; did you mean `points`?"),
        (lambda r: r.landscape(points="x"), "points: a value of type str is no number"),
        (
            lambda r: r.trials[0].gradients(IMAGES, None),
            "y: a value of type NoneType holds no targets of rows",
        ),
        (
            lambda r: r.trials[0].gradients(IMAGES, [[0, 1]] * 2),
            "class numbers (rows,) from 0, `0`, to 9, `9`",
        ),
        (lambda r: r.landscape(weights=5), "weights: a picture needs two different weights"),
        (lambda r: ceteris.run("digits/learning-rate", device=5), "device: a value of type int is no device"),
        (lambda r: ceteris.run("digits/learning-rate", search=5), "search: a value of type int holds no"),
        (lambda r: ceteris.run("digits/learning-rate", runs_dir=5), "runs_dir: a value of type int is no"),
        (lambda r: ceteris.run("digits/learning-rate", data_dir=5), "data_dir: a value of type int is no"),
        (lambda r: ceteris.run("digits/learning-rate", workers="2"), "workers: '2' is not a number of proc"),
        (lambda r: ceteris.list_runs(runs_dir=5), "runs_dir: a value of type int is no path"),
        (lambda r: r.report(5), "path: a value of type int is no path"),
        (lambda r: r.export(5), "path: a value of type int is no path"),
        (lambda r: r.predict(IMAGES).write(5), "path: a value of type int is no path"),
        (lambda r: ceteris.Experiment("digits"), "settings are given by their names: Experiment(data=...)"),
        (lambda r: ceteris.load_run(5), "run: a value of type int is no run; give its name, `last`, or a"),
        (
            lambda r: ceteris.extend(r, seeds="x"),
            "seeds: 'x' is not a number of seeds; give the number in all",
        ),
        (
            lambda r: ceteris.run("digits/learning-rate", workers="x"),
            "'x' is not a number of processes; it must",
        ),
        (
            lambda r: ceteris.run("digits/learning-rate", data=IMAGES),
            "data: a value of type ndarray is no data",
        ),
        (
            lambda r: ceteris.run("digits/learning-rate", data={"x": 1}),
            "data: a value of type dict is no data",
        ),
        (
            lambda r: ceteris.run("digits/learning-rate", data="digts"),
            "data: there is no data source `digts`; di",
        ),
        (
            lambda r: ceteris.vary("digits", epochs=[1, 2]),
            "experiment: a value of type str is no experiment;",
        ),
    ],
)
def test_it_is_told_in_one_sentence(result: Result, call: Callable[[Result], Any], told: str) -> None:
    assert told in refused(lambda: call(result))


@pytest.mark.parametrize(
    ("x", "y", "told"),
    [
        (scipy.sparse.csr_matrix(np.eye(2)), LABELS, "`x` is a sparse matrix; give `x.toarray()`"),
        (
            np.eye(2),
            np.array(["a", None], dtype=object),
            "`y` has 1 missing value (None or NA); fill",
        ),
        (
            np.ma.masked_equal(np.eye(2), 1),
            LABELS,
            "`x` is a masked array with 2 masked values; fill in (`x.filled(...)`), or leave these rows",
        ),
        (np.eye(2), np.array([2**70, 1], dtype=object), "`y` has whole numbers beyond 64 bits; give `y.ast"),
    ],
)
def test_rows_that_are_no_numbers_are_told(x: object, y: object, told: str) -> None:
    assert told in refused(lambda: ceteris.data.arrays(x, y))


def test_objects_that_are_all_numbers_are_numbers() -> None:
    found = ceteris.data.arrays(np.array([[1, 2.5], [3, 4]], dtype=object), np.array([1, 0], dtype=object))
    assert (found.x.dtype, found.y.tolist(), found.classes) == (np.float64, [1, 0], ("0", "1"))
    texts = ceteris.data.arrays(np.eye(2), pandas.DataFrame({"label": ["no", "yes"]}))
    assert texts.classes == ("no", "yes")


def test_the_curves_of_one_metric_are_those_rows_of_all(result: Result) -> None:
    every = result.curves()
    expected = every[every.metric.isin(["val_loss", "lr"])].reset_index(drop=True)
    pandas.testing.assert_frame_equal(result.curves("val_loss", "lr"), expected)


def test_a_result_names_its_run_wherever_its_records_are(result: Result, tmp_path: Path) -> None:
    assert ceteris.load_run(result).id == result.id
