"""The networks of a level averaged into one model, against averages taken by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

import ceteris
from ceteris.api.ensembles import from_average, to_average
from ceteris.api.result import Result
from ceteris.data import Preparation, load
from ceteris.data.sources import load_test
from ceteris.errors import CeterisError
from ceteris.spec.data import DataSpec

DATA = {"source": "polynomial", "scale": "none", "validation": 100, "split": "fixed"}


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Linear networks on the terms of a cubic, all seeds on the same split."""
    experiment = ceteris.Experiment(
        data=DATA, model={"kind": "linear", "bias": False}, optimizer="sgd", batch_size=10, epochs=3
    )
    study = ceteris.vary(experiment, {"optimizer.lr": [0.05, 0.01]}, seeds=3)
    return ceteris.run(study, runs_dir=tmp_path_factory.mktemp("runs"), progress=False)


def test_the_average_of_linear_networks_is_the_one_with_the_averaged_parameters(lines: Result) -> None:
    found = lines.ensemble(0.01)
    weights = [lines.trial(0.01, seed).weights()["head.weight"] for seed in range(3)]
    data = load("polynomial")
    rows = Preparation(data).prepare(DataSpec(**DATA), 0).split.validation
    errors = [data.x[rows] @ own[0] - data.y[rows] for own in (np.mean(weights, axis=0), *weights)]
    together, *alone = [float(np.mean(np.square(error))) for error in errors]
    assert found.rows == 100
    assert found.members == ((0, 0), (1, 0), (2, 0))
    assert found.scores["val_loss"] == pytest.approx(together, rel=1e-4)
    assert found.means["val_loss"] == pytest.approx(np.mean(alone), rel=1e-4)
    recorded = [lines.trial(0.01, seed).metrics["val_loss"] for seed in range(3)]
    assert found.means["val_loss"] == pytest.approx(np.mean(recorded), rel=1e-4)
    assert together < np.mean(alone), "squares are convex (Jensen)"
    assert "3 networks of level 0.01" in repr(found)


def test_without_a_level_the_validation_rows_choose(lines: Result) -> None:
    assert lines.ensemble().level == "0.05"


def test_probabilities_are_averaged_on_the_test_rows(result: Result) -> None:
    found = result.test()
    x, y = load_test("digits")
    rows, labels = torch.from_numpy(x.reshape(len(x), -1) / 16).float(), torch.from_numpy(y).long()
    for average in found.averages:
        with torch.no_grad():
            outputs = [result.trial(average["level"], seed).network()(rows) for seed in range(3)]
        shares = torch.stack([own.double().softmax(1) for own in outputs]).mean(0)
        assert average["networks"] == 3
        assert average["test_loss"] == pytest.approx(
            functional.nll_loss(shares.log(), labels).item(), rel=1e-5
        )
        right = (shares.argmax(1) == labels).double().mean().item()
        assert average["test_accuracy"] == pytest.approx(right, abs=1e-9)
    assert [average["level"] for average in found.averages] == ["0.5", "0.001"]
    assert "the average of predictions over the 3 networks of" in " ".join(repr(found).split())


@pytest.mark.parametrize("loss", ["cross_entropy", "nll", "binary_cross_entropy", "mse"])
def test_the_average_of_one_network_is_that_network(loss: str) -> None:
    outputs = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    outputs = outputs.log_softmax(1)  # so that all of these losses can take them
    torch.testing.assert_close(from_average(loss, to_average(loss, outputs)), outputs)


def test_seeds_that_validate_on_rows_of_others_cannot_be_averaged(result: Result) -> None:
    with pytest.raises(CeterisError, match=r"validate on rows that others were trained on.*data.split=fixed"):
        result.ensemble(0.5)


def test_the_report_tells_the_average(result: Result, runs_dir: Path) -> None:
    result.test()
    page = ceteris.load_run(result.id, runs_dir=runs_dir).report()
    assert "average of predictions over the 3 networks of" in page.read_text(encoding="utf-8")
