"""What was measured on request, from Python."""

from pathlib import Path

import numpy as np
import pytest

import ceteris
from ceteris.api.probed import grid_frame
from ceteris.api.result import Result
from ceteris.records.store import Store
from tests.records.plans import new_run, planned


@pytest.fixture(scope="module")
def probed(runs_dir: Path) -> Result:
    """A small study that asks for histograms and confusion counts."""
    experiment = ceteris.Experiment(
        data="digits",
        model={"kind": "mlp", "hidden": [8]},
        optimizer="sgd",
        epochs=1,
        probes={"histograms": [0, 1], "confusion": "last"},
    )
    study = ceteris.vary(experiment, {"optimizer.lr": [0.5, 0.001]}, seeds=1)
    return ceteris.run(study, runs_dir=runs_dir, progress=False)


def test_a_trial_has_its_histograms_and_counts(probed: Result) -> None:
    trial = probed.trial(0.5)
    found = trial.histograms()
    names = {"hidden.0.linear.weight", "hidden.0.linear.bias", "head.weight", "head.bias", "hidden.0"}
    assert set(found) == names
    assert list(found["hidden.0"]) == [0, 1]
    weights = trial.weights()["head.weight"]
    assert found["head.weight"][1].counts.sum() == weights.size
    assert found["head.weight"][1].edges[-1] == weights.max()
    (counts,) = trial.confusion().values()
    assert counts.trace() / counts.sum() == pytest.approx(trial.metrics["val_accuracy"])
    assert trial.grid() == {}


def test_frames_are_long(probed: Result) -> None:
    frame = probed.histograms()
    own = frame.query("level == '0.001' and name == 'head.weight' and epoch == 0")
    one = probed.trial(0.001).histograms()["head.weight"][0]
    assert np.array_equal(own["low"], one.edges[:-1])
    assert np.array_equal(own["count"], one.counts)
    assert set(own.kind) == {"parameter"}
    counts = probed.confusion()
    right = counts.query("level == '0.5' and true == predicted")["count"].sum()
    assert right == probed.trial(0.5).confusion()[1].trace()
    assert list(counts.columns) == ["level", "seed", "fold", "epoch", "true", "predicted", "count"]
    assert list(probed.grid().columns) == ["level", "seed", "fold", "epoch", "x", "output", "y"]
    assert probed.grid().empty


def test_a_frame_of_fitted_curves(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        run = new_run(store)
        store.begin(run)
        curve = np.array([[0.0, 0.5], [1.0, 2.0], [3.0, 4.0]])
        store.record_arrays(run, 5, {planned()[0].identity: {("grid", ""): curve}})
        frame = grid_frame(store.load_run(run))
    assert frame.to_dict("list") == {
        "level": ["0.1"] * 4,
        "seed": [0] * 4,
        "fold": [0] * 4,
        "epoch": [5] * 4,
        "x": [0.0, 0.5, 0.0, 0.5],
        "output": [0, 0, 1, 1],
        "y": [1.0, 2.0, 3.0, 4.0],
    }
